"""Who is calling, asked of a fake STS below botocore: signing, endpoints and credential providers are the real ones."""

from __future__ import annotations

import io
import os
import re
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import botocore.awsrequest
import botocore.exceptions
import pytest

from toolkit.aws.identity import CallerIdentity, check_account, principal_arn
from toolkit.aws.session import AwsSession
from toolkit.environment import Environment, load_text
from toolkit.errors import ExitCode, ToolkitError, WrongAccountError
from toolkit.plan.own_role import OwnRole, RoleWanted

from .conftest import read

ACCOUNT, OTHER = "111122223333", "444455556666"
KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "not-to-be-shown"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/baseline"
SSO = "/aws-reserved/sso.amazonaws.com/eu-central-1/"
TRUST = '{"Version": "2012-10-17", "Statement": []}'
EXTERNAL_ID = "example-external-id"


def environment(more: str = "", home: str = "eu-central-1") -> Environment:
    text = f'# a comment\naccount_id: "{ACCOUNT}"\nregions: {{home: {home}}}\ncomponents: {{password_policy: {{}}}}\n'
    return load_text(text + more, name="prod", shown_as="environments/prod/environment.yaml")


class _Body(io.BytesIO):
    def stream(self) -> Iterator[bytes]:
        yield self.read()


@dataclass
class Sts:
    """Answers what botocore sends, and keeps it."""

    account: str = ACCOUNT
    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Action → (HTTP status, error code)."""
    fault: Callable[[Any], Any] | None = None
    asked: list[dict[str, str]] = field(default_factory=list)

    def send(self, request: Any) -> Any:
        body = dict(urllib.parse.parse_qsl(request.body.decode() if isinstance(request.body, bytes) else request.body))
        signed = request.headers["Authorization"]
        signed = signed.decode() if isinstance(signed, bytes) else signed
        key = re.search(r"Credential=(\w+)/", signed)
        assert key is not None
        self.asked.append({**body, "host": urllib.parse.urlsplit(request.url).netloc, "key": key[1]})
        if self.fault is not None:
            return self.fault(request)
        action = body["Action"]
        if action in self.refusals:
            status, code = self.refusals[action]
            error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>said by STS</Message></Error>"
            return answer(request, f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>", status)
        results = {
            "GetCallerIdentity": f"<Arn>arn:aws:iam::{self.account}:user/ann</Arn><UserId>AIDA</UserId>"
            f"<Account>{self.account}</Account>",
            "AssumeRole": "<Credentials><AccessKeyId>ASSUMED</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            "<SessionToken>t</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>",
            "GetRole": f"<Role><Path>{SSO}</Path><RoleName>Admin</RoleName><RoleId>AROA</RoleId>"
            f"<Arn>arn:aws:iam::{self.account}:role{SSO}Admin</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>"
            f"<AssumeRolePolicyDocument>{urllib.parse.quote(TRUST)}</AssumeRolePolicyDocument></Role>",
        }
        return answer(
            request, f"<{action}Response><{action}Result>{results[action]}</{action}Result></{action}Response>"
        )


def answer(request: Any, text: str, status: int = 200, kind: str = "text/xml") -> Any:
    return botocore.awsrequest.AWSResponse(request.url, status, {"Content-Type": kind}, _Body(text.encode()))


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sts:
    fake = Sts()
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", lambda _, request: fake.send(request))
    monkeypatch.setattr("time.sleep", lambda _: None)  # botocore waits between its retries
    return fake


@pytest.fixture
def keys(sts: Sts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


def refused(env: Environment | None = None) -> WrongAccountError:
    with pytest.raises(WrongAccountError) as caught:
        check_account(AwsSession(env or environment(), dict(os.environ)))
    error = caught.value
    assert error.exit_code is ExitCode.WRONG_ACCOUNT
    assert error.hint
    told = f"{error} {error.hint} {error.detail}"
    assert SECRET not in told
    assert EXTERNAL_ID not in told
    return error


@pytest.mark.usefixtures("keys")
def test_the_right_account(sts: Sts):
    ann = CallerIdentity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/ann")
    assert check_account(AwsSession(environment(), os.environ)) == ann
    (asked,) = sts.asked
    assert asked["host"] == "sts.eu-central-1.amazonaws.com"
    assert asked["key"] == KEY


@pytest.mark.usefixtures("keys")
def test_the_home_regions_partition_is_asked(sts: Sts):
    check_account(AwsSession(environment(home="cn-north-1"), os.environ))
    assert sts.asked[0]["host"] == "sts.cn-north-1.amazonaws.com.cn"


@pytest.mark.usefixtures("keys")
def test_another_account_of_the_embedded_aws_is_told_as_that(sts: Sts):
    sts.account = OTHER
    with pytest.raises(WrongAccountError) as caught:
        check_account(
            AwsSession(environment("simulator: moto\n"), {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", **os.environ})
        )
    assert caught.value.problem.startswith(f"the embedded AWS that runs is account {OTHER}")
    assert f"toolkit sandbox up --account-id {ACCOUNT}" in str(caught.value.hint)


@pytest.mark.usefixtures("keys")
def test_another_account_is_refused_with_both_named(sts: Sts):
    sts.account = OTHER
    error = refused()
    assert OTHER in error.problem
    assert ACCOUNT in error.problem
    assert f"arn:aws:iam::{OTHER}:user/ann" in error.problem
    assert error.where == "environments/prod/environment.yaml:2"
    assert [a["Action"] for a in sts.asked] == ["GetCallerIdentity"], "nothing else was asked in the other account"


def test_no_credentials(sts: Sts):
    assert "no usable AWS credentials" in refused().problem
    assert sts.asked == []


def test_half_of_a_key(sts: Sts, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    assert "no usable AWS credentials" in refused().problem


def test_a_profile_that_is_not_there(sts: Sts):
    error = refused(environment("credentials: {profile: nobody}\n"))
    assert "nobody" in error.problem
    assert "list-profiles" in str(error.hint)


def test_a_profile_of_the_shell_that_is_not_there(sts: Sts, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_PROFILE", "gone")
    assert "gone" in refused().problem


@pytest.mark.usefixtures("keys")
def test_the_environments_profile_comes_before_keys_in_the_shell(sts: Sts, tmp_path: Path):
    (tmp_path / "config").write_text("[profile admin]\naws_access_key_id = PROFILED\naws_secret_access_key = x\n")
    check_account(AwsSession(environment("credentials: {profile: admin}\n"), os.environ))
    assert sts.asked[0]["key"] == "PROFILED"


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId", "SignatureDoesNotMatch", "AccessDenied"])
@pytest.mark.usefixtures("keys")
def test_what_sts_refuses_is_told_in_its_words(sts: Sts, code: str):
    sts.refusals = {"GetCallerIdentity": (403, code)}
    error = refused()
    assert f"{code} said by STS" in error.problem
    assert "renew" in str(error.hint)


def test_a_command_that_should_give_credentials_and_fails(sts: Sts, tmp_path: Path):
    (tmp_path / "config").write_text("[profile broken]\ncredential_process = /bin/false\n")
    assert "no usable AWS credentials" in refused(environment("credentials: {profile: broken}\n")).problem


def test_a_session_of_single_sign_on_that_is_over(sts: Sts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "config").write_text(
        "[profile sso]\nsso_start_url = https://example.awsapps.com/start\nsso_region = eu-central-1\n"
        f"sso_account_id = {ACCOUNT}\nsso_role_name = admin\n"
    )
    assert "SSO" in refused(environment("credentials: {profile: sso}\n")).problem


@pytest.mark.usefixtures("keys")
def test_an_aws_configuration_that_is_none(sts: Sts, tmp_path: Path):
    (tmp_path / "config").write_text("no ini file [\n")
    assert "config" in refused().problem


def _unreachable(request: Any) -> Any:
    raise botocore.exceptions.EndpointConnectionError(endpoint_url=request.url)


def _slow(request: Any) -> Any:
    raise botocore.exceptions.ConnectTimeoutError(endpoint_url=request.url)


@pytest.mark.parametrize(
    "fault",
    [
        _unreachable,
        _slow,
        lambda request: answer(request, "<html><body>Sign in to the guest network<br></body></html>", 200, "text/html"),
        lambda request: answer(request, "<html>Bad gateway</html>", 502, "text/html"),
        lambda request: answer(request, "", 200),
        lambda request: answer(request, "<html><body>well-formed, but not STS</body></html>", 200),
    ],
    ids=["unreachable", "slow", "a login page instead", "a broken proxy", "nothing", "other XML"],
)
@pytest.mark.usefixtures("keys")
def test_no_answer_from_sts_is_no_account(sts: Sts, fault: Any):
    sts.fault = fault
    refused()
    assert len(sts.asked) <= 3


ASSUMED = f"credentials: {{assume_role: {{role_arn: '{ROLE}', external_id: {EXTERNAL_ID}, session_name: pipeline}}}}\n"


@pytest.mark.usefixtures("keys")
def test_a_role_is_assumed_and_then_asked(sts: Sts):
    check_account(AwsSession(environment(ASSUMED), os.environ))
    assume, identity = sts.asked
    assert (assume["Action"], assume["key"]) == ("AssumeRole", KEY)
    assert (assume["RoleArn"], assume["ExternalId"]) == (ROLE, EXTERNAL_ID)
    assert assume["RoleSessionName"] == "pipeline"
    assert (identity["Action"], identity["key"]) == ("GetCallerIdentity", "ASSUMED")


@pytest.mark.usefixtures("keys")
def test_a_role_that_refuses_is_named(sts: Sts):
    sts.refusals = {"AssumeRole": (403, "AccessDenied")}
    error = refused(environment(ASSUMED))
    assert f"cannot assume {ROLE}: AccessDenied said by STS" in error.problem
    assert "trust policy" in str(error.hint)


def test_a_role_without_credentials_to_assume_it_with(sts: Sts):
    assert "no usable AWS credentials" in refused(environment(ASSUMED)).problem


@pytest.mark.parametrize("more", ["", ASSUMED], ids=["plain", "with a role"])
def test_no_endpoint_of_the_aws_configuration_is_asked(
    sts: Sts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str
):
    """It could pretend to be the account, and would learn external ids."""
    (tmp_path / "config").write_text(
        "[default]\nendpoint_url = http://elsewhere.example\nservices = all\naws_access_key_id = X\n"
        "aws_secret_access_key = y\n[services all]\nsts =\n  endpoint_url = http://elsewhere.example\n"
    )
    check_account(AwsSession(environment(more), {**os.environ, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}))
    assert {asked["host"] for asked in sts.asked} == {"sts.eu-central-1.amazonaws.com"}


@pytest.mark.parametrize("more", ["", ASSUMED], ids=["plain", "with a role"])
@pytest.mark.usefixtures("keys")
def test_the_embedded_aws_never_sees_credentials_of_the_shell(sts: Sts, monkeypatch: pytest.MonkeyPatch, more: str):
    monkeypatch.setenv("AWS_PROFILE", "not-there")
    simulated = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:5000",
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
    }
    check_account(AwsSession(environment(more), simulated))
    assert {asked["host"] for asked in sts.asked} == {"127.0.0.1:5000"}
    assert {asked["key"] for asked in sts.asked} == ({"sandbox", "ASSUMED"} if more else {"sandbox"})


@pytest.mark.usefixtures("keys")
def test_temporary_credentials_are_told_from_long_lived_ones(sts: Sts, monkeypatch: pytest.MonkeyPatch):
    assert not AwsSession(environment(), os.environ).has_session_token()
    assert AwsSession(environment(ASSUMED), os.environ).has_session_token()
    monkeypatch.setenv("AWS_SESSION_TOKEN", "t")
    assert AwsSession(environment(), os.environ).has_session_token()


def test_whether_the_embedded_aws_is_asked_depends_on_where_the_way_leads():
    """Not on the environment alone: with --sandbox, one of a real account leads there, too."""
    assert AwsSession(environment(), {"AWS_ENDPOINT_URL": "http://127.0.0.1:5000"}).simulated
    assert not AwsSession(environment(), {}).simulated


@pytest.mark.usefixtures("keys")
def test_policies_see_a_session_as_its_role_with_the_path_that_the_session_does_not_show(sts: Sts):
    clients = AwsSession(environment(), dict(os.environ))
    session = CallerIdentity(ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin/ann")
    assert principal_arn(clients, session) == f"arn:aws:iam::{ACCOUNT}:role{SSO}Admin"
    assert sts.asked[-1]["RoleName"] == "Admin"
    for arn in (f"arn:aws:iam::{ACCOUNT}:user/ann", f"arn:aws:iam::{ACCOUNT}:root"):
        assert principal_arn(clients, CallerIdentity(ACCOUNT, arn)) == arn
    assert len(sts.asked) == 1
    assert read(RoleWanted("Admin"), clients) == OwnRole(f"arn:aws:iam::{ACCOUNT}:role{SSO}Admin", TRUST)
    sts.refusals["GetRole"] = (403, "AccessDenied")
    refused = "the role Admin, with which you apply, cannot be read: iam:GetRole in eu-central-1: denied"
    with pytest.raises(ToolkitError, match=refused):
        principal_arn(clients, session)


@pytest.mark.usefixtures("keys")
def test_only_the_embedded_aws_lets_in_sessions_of_roles_that_it_does_not_have(
    sts: Sts, monkeypatch: pytest.MonkeyPatch
):
    clients = AwsSession(environment(), dict(os.environ))
    sts.refusals["GetRole"] = (404, "NoSuchEntity")
    with pytest.raises(ToolkitError, match=r"iam:GetRole in eu-central-1: .*NoSuchEntity"):
        read(RoleWanted("Gone"), clients)
    monkeypatch.setattr(AwsSession, "simulated", True)
    assert read(RoleWanted("Gone"), clients) is None


@pytest.mark.usefixtures("keys")
def test_reads_slow_down_when_they_are_throttled_and_sts_answers_soon():
    session = AwsSession(environment(), dict(os.environ))
    iam, sts = (session.client(service).meta.config for service in ("iam", "sts"))
    assert iam.retries == {"mode": "adaptive", "total_max_attempts": 6}
    assert sts.retries == {"mode": "standard", "total_max_attempts": 3}
    assert iam.max_pool_connections == 8, "as many as questions that wait at a time"
    assert session.client("iam") is session.client("iam")
