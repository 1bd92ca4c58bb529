"""Sessions of an assumed role: whose STS assumes it, and what happens when an hour is over."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.exceptions
import pytest
from botocore.stub import Stubber

from toolkit.aws.session import AwsSession
from toolkit.environment import Environment, load_text

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
ROLE = "arn:aws:iam::111122223333:role/security-audit"
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def environment(account: str, home: str, role: str | None = None) -> Environment:
    assumed = f"credentials: {{assume_role: {{role_arn: '{role}'}}}}\n" if role else ""
    text = f"account_id: '{account}'\nregions: {{home: {home}}}\n{assumed}components: {{}}\n"
    return load_text(text, name="x", shown_as="x")


class Stubbed(AwsSession):
    """Its clients of STS are one, which a Stubber answers for; `regions` has where they were wanted."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.regions: list[str] = []
        self.sts: Any = None

    def _client(self, session: Any, service: str, region: str) -> Any:
        if service == "sts":
            self.regions.append(region)
            self.sts = self.sts or super()._client(session, service, region)
            return self.sts
        return super()._client(session, service, region)


def answer(number: int, ends: datetime) -> dict[str, Any]:
    keys = {
        "AccessKeyId": f"ASIAEXAMPLE{number:07}",
        "SecretAccessKey": f"secret{number}",
        "SessionToken": f"t{number}",
    }
    user = {"AssumedRoleId": "AROAEXAMPLEEXAMPLE:x", "Arn": f"{ROLE.replace(':iam:', ':sts:')}/x"}
    return {"Credentials": {**keys, "Expiration": ends}, "AssumedRoleUser": user}


@pytest.fixture(params=["its own credentials", "those of another session"])
def assuming(request: pytest.FixtureRequest) -> Iterator[tuple[AwsSession, Stubber]]:
    """A session of a role, however it is assumed, and what STS answers."""
    sts = AwsSession(environment("999999999999", "eu-central-1"), {}).client("sts")
    member = environment("111122223333", "eu-central-1", ROLE)
    alone = request.param == "its own credentials"
    base = Stubbed(member if alone else environment("999999999999", "eu-central-1"), {})
    base.sts = sts
    session = base if alone else AwsSession(member, {}, base)
    with Stubber(sts) as stubber:
        yield session, stubber


def test_the_role_is_assumed_again_before_its_credentials_expire(assuming: tuple[AwsSession, Stubber]):
    """Once, however many threads and clients want it; the audit of an organization takes up to three hours."""
    session, sts = assuming
    wanted = {"RoleArn": ROLE, "RoleSessionName": "aws-baseline-toolkit"}
    for number in (1, 2):
        sts.add_response("assume_role", answer(number, NOW + timedelta(hours=number)), wanted)
    client = session.client("ec2")
    assert session.keys()["aws_session_token"] == "t1"
    credentials: Any = session._boto3().get_credentials()
    assert client._request_signer._credentials is credentials, "of clients that are there already, too"
    credentials._time_fetcher = lambda: NOW + timedelta(minutes=61)
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: credentials.get_frozen_credentials().token, range(40)))
    assert tokens == {"t2"}
    assert session.keys() == {
        "aws_access_key_id": "ASIAEXAMPLE0000002", "aws_secret_access_key": "secret2", "aws_session_token": "t2"
    }  # fmt: skip
    sts.assert_no_pending_responses()


def test_a_role_that_cannot_be_assumed_again_fails_the_call_as_aws_does(assuming: tuple[AwsSession, Stubber]):
    """Readers know botocore's errors: what they read then is unknown, and what was read by then is kept."""
    session, sts = assuming
    sts.add_response("assume_role", answer(1, NOW + timedelta(hours=1)))
    sts.add_client_error("assume_role", "ExpiredToken", "The security token included in the request is expired")
    client = session.client("ec2")
    session._boto3().get_credentials()._time_fetcher = lambda: NOW + timedelta(minutes=61)
    with pytest.raises(botocore.exceptions.ClientError, match="ExpiredToken"):
        client.describe_regions()


def test_the_role_is_assumed_where_the_caller_lives():
    """A member's home region may be one that the caller has not enabled: STS there refuses the caller's credentials."""
    base = Stubbed(environment("999999999999", "eu-central-1"), {})
    base.sts = AwsSession(base.environment, {}).client("sts")
    member = AwsSession(environment("111122223333", "me-central-1", ROLE), {}, base)
    with Stubber(base.sts) as sts:
        sts.add_response("assume_role", answer(1, NOW + timedelta(hours=1)))
        assert member.client("sts").meta.region_name == "me-central-1"
    assert base.regions == ["eu-central-1"]
