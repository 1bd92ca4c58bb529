"""Whose credentials: for each environment and AWS configuration, both sides take the same ones or nothing runs."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import botocore.exceptions
import botocore.session
import pytest

from toolkit.aws import credentials
from toolkit.aws.credentials import refuse_ambiguous
from toolkit.aws.session import _only_what_the_provider_reads
from toolkit.errors import ExitCode, RefusedError
from toolkit.variables import Admitted, admit, inhabit

ACCOUNT = "111122223333"
KEYS = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n"
PROCESS = """credential_process = /bin/echo '{"Version": 1, "AccessKeyId": "PROCESS", "SecretAccessKey": "x"}'\n"""
ROLE = "role_arn = arn:aws:iam::111122223333:role/x\n"

FEATURES = {
    "keys": ("", KEYS),
    "keys in config": (KEYS, ""),
    "process": (PROCESS, ""),
    "sso": ("sso_session = s\nsso_account_id = 111122223333\nsso_role_name = r\n", ""),
    "half of sso": ("sso_region = eu-central-1\n", ""),
    "web": ("web_identity_token_file = /t\n", ""),
    "source": ("source_profile = base\n", ""),
    "itself": ("source_profile = one\n", ""),
    "chain": ("source_profile = middle\n", ""),
    "both base": ("source_profile = two\n", ""),
    "named": ("credential_source = Environment\n", ""),
    "login": ("login_session = arn:aws:iam::111122223333:user/x\n", ""),
    "role": (ROLE, ""),
}
OTHERS = f"""
[profile base]
region = eu-central-1
[profile middle]
{ROLE}source_profile = base
[profile two]
{PROCESS}{KEYS}
[sso-session s]
sso_region = eu-central-1
sso_start_url = https://d-0000000000.awsapps.com/start
"""
VARIABLES: dict[str, dict[str, str]] = {
    "nothing": {},
    "keys": {"AWS_ACCESS_KEY_ID": "ENVIRONMENT", "AWS_SECRET_ACCESS_KEY": "x"},
    "half a key": {"AWS_ACCESS_KEY_ID": "ENVIRONMENT"},
    "web identity": {"AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/web"},
    "container": {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/none"},
}


class Home:
    """AWS files, and what each side makes of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / ".aws").mkdir()

    def write(self, config: str, keys: str = "") -> None:
        (self.folder / ".aws" / "config").write_text(config)
        (self.folder / ".aws" / "credentials").write_text(keys)

    def admitted(self, environ: Mapping[str, str]) -> Admitted:
        return admit({"HOME": str(self.folder), "AWS_EC2_METADATA_DISABLED": "true", **environ}, account_id=ACCOUNT)

    def botocore(self, environ: Admitted, profile: str | None) -> Any:
        """What botocore itself takes: its credentials, None, or an error."""
        inhabit(environ)
        core = botocore.session.Session(profile=profile)
        try:
            _only_what_the_provider_reads(core)
            return core.get_credentials()
        except (botocore.exceptions.BotoCoreError, KeyError) as e:
            return e


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


METHODS = {
    "env": "AWS_ACCESS_KEY_ID",
    "shared-credentials-file": "aws_access_key_id",
    "config-file": "aws_access_key_id",
    "custom-process": "credential_process",
    "sso": "sso",
    "assume-role": "role_arn",
}


def settings(found: Any, *, explicit: bool) -> tuple[str, ...]:
    """A chain of botocore's credentials as credentials.py writes it, without the profiles."""
    if found is None or found.method in ("container-role", "iam-role"):
        return ("the container or instance",)
    if found.method == "assume-role-with-web-identity":
        arn = found._refresh_using.__self__._role_arn
        assert explicit != arn.endswith("role/web"), "the role belongs to the token"
        return ("web_identity_token_file" if explicit else "AWS_WEB_IDENTITY_TOKEN_FILE",)
    if found.method == "assume-role":
        source = found._refresh_using.__self__._source_credentials
        named = source.method == "env"
        return ("role_arn", *(["credential_source Environment"] if named else settings(source, explicit=explicit)))
    return (METHODS[found.method],)


@pytest.mark.parametrize("variables", VARIABLES)
def test_every_combination_is_read_alike_or_refused(
    home: Home, variables: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """botocore itself against the provider's documented order, for two or three settings in a profile."""
    monkeypatch.setattr("botocore.utils.ContainerMetadataFetcher.SLEEP_TIME", 0)
    alike = refused = failed = 0
    most = {"nothing": 3, "container": 1}.get(variables, 2)
    several = [c for n in range(most + 1) for c in itertools.combinations(FEATURES, n) if n < 3 or "role" in c]
    for combination, explicit in itertools.product(several, (None, "one")):
        config, keys = ("".join(FEATURES[name][part] for name in combination) for part in (0, 1))
        if config.count("source_profile") > 1 or config.count("sso_region") > 1:
            continue  # the same key twice is no configuration
        home.write(f"[profile one]\n{config}{OTHERS}", f"[base]\n{KEYS}[one]\n{keys}")
        environ = home.admitted({**VARIABLES[variables], **({} if explicit else {"AWS_PROFILE": "one"})})
        try:
            refuse_ambiguous(environ, explicit, "environments/prod")
        except RefusedError as e:
            assert "boto3, which checks the account, would take" in e.problem, combination
            assert "and the AWS provider" in e.problem
            refused += 1
            continue
        found = home.botocore(environ, explicit)
        if isinstance(found, Exception):
            failed += 1  # boto3 is asked first, and the run ends
            continue
        files = credentials._Files.read(environ)
        theirs = credentials._provider(files, environ, "one", explicit=explicit is not None)
        own_token = explicit is not None or variables != "web identity"
        assert settings(found, explicit=own_token) == tuple(setting for setting, _ in theirs), (combination, explicit)
        alike += 1
    expected = COUNTS[variables]
    assert (alike, refused, failed) == expected, "how many agree, are refused, and fail by themselves"


COUNTS = {
    "nothing": (82, 126, 84),
    "keys": (110, 48, 14),
    "half a key": (23, 48, 101),
    "web identity": (97, 52, 23),
    "container": (8, 12, 8),
}
"""Together: the cases of the table. Another number means that one of the two orders was changed."""


# What the provider takes, from the switch statements of resolveCredentialChain and resolveCredsFromProfile
# (https://github.com/aws/aws-sdk-go-v2/blob/main/config/resolve_credentials.go) read top down, and botocore from
# create_credential_resolver: where they differ, both are named.
DIFFERENT = {
    "keys come before sso, and after it": (("keys", "sso"), {}, "sso of profile", "aws_access_key_id of profile"),
    "keys of the configuration": (("keys in config", "process"), {}, "credential_process of", "aws_access_key_id of"),
    "keys and a token": (("keys", "web", "role"), {}, "web_identity_token_file of", "with aws_access_key_id of"),
    "sso without an account": (("half of sso", "process"), {}, "credential_process of", "sso of"),
    "a login": (("login",), {}, "login_session of", "the container or instance"),
    "a source without a role": (("source", "keys"), {}, "aws_access_key_id of", 'aws_access_key_id of profile "base"'),
    "a source with two": (("both base", "role"), {}, "with credential_process of", "with aws_access_key_id of"),
    "a token of the variables and a role": (
        ("source", "role"), VARIABLES["web identity"], 'role_arn of profile "one"', "AWS_WEB_IDENTITY_TOKEN_FILE",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DIFFERENT)
def test_where_the_two_differ_both_are_named(home: Home, case: str) -> None:
    features, given, boto3, provider = DIFFERENT[case]
    config, keys = ("".join(FEATURES[name][part] for name in features) for part in (0, 1))
    home.write(f"[profile one]\n{config}{OTHERS}", f"[base]\n{KEYS}[one]\n{keys}")
    with pytest.raises(RefusedError) as caught:
        refuse_ambiguous(home.admitted({**given, "AWS_PROFILE": "one"}), None, "environments/prod")
    first, second = caught.value.problem.split(", and the AWS provider ")
    assert boto3 in first
    assert provider in second
    assert caught.value.exit_code is ExitCode.REFUSED
    assert caught.value.where == "environments/prod"
    assert "credentials.profile" in str(caught.value.hint)


RECORDED = {
    ("keys", "sso"): ("aws_access_key_id",),
    ("keys in config", "process"): ("aws_access_key_id",),
    ("keys", "process"): ("aws_access_key_id",),
    ("source", "role"): ("role_arn", "aws_access_key_id of base"),
    ("itself", "role", "keys"): ("role_arn", "aws_access_key_id"),
    ("both base", "role"): ("role_arn", "aws_access_key_id of two"),
    ("chain", "role"): ("role_arn", "role_arn of middle", "aws_access_key_id of base"),
    ("source", "role", "keys"): ("role_arn", "aws_access_key_id of base"),
    ("web", "role", "keys"): ("role_arn", "aws_access_key_id"),
    ("web", "role"): ("web_identity_token_file",),
    ("named", "role"): ("role_arn", "credential_source Environment"),
    ("process",): ("credential_process",),
    ("process", "role"): ("role_arn", "credential_process"),
}
"""What provider 5.100.0 did with `profile = "one"` and an STS of our own that wrote down each caller's access key."""


@pytest.mark.parametrize("features", RECORDED, ids=" + ".join)
def test_the_order_of_the_provider_is_what_it_was_seen_to_do(home: Home, features: tuple[str, ...]) -> None:
    config, keys = ("".join(FEATURES[name][part] for name in features) for part in (0, 1))
    home.write(f"[profile one]\n{config}{OTHERS}", f"[base]\n{KEYS}[one]\n{keys}")
    environ = home.admitted(VARIABLES["keys"])
    chain = credentials._provider(credentials._Files.read(environ), environ, "one", explicit=True)
    assert tuple(s if name in ("", "one") else f"{s} of {name}" for s, name in chain) == RECORDED[features]


ORDINARY = {
    "sso": ("[profile one]\n" + FEATURES["sso"][0], ""),
    "keys": ("[profile one]\nregion = eu-central-1\n", f"[one]\n{KEYS}"),
    "a role by a source": (f"[profile one]\n{ROLE}source_profile = base\n{OTHERS}", f"[base]\n{KEYS}"),
    "a role by a source with sso": (f"[profile one]\n{ROLE}source_profile = b\n[profile b]\n" + FEATURES["sso"][0], ""),
    "a role by itself": (f"[profile one]\n{ROLE}source_profile = one\n", f"[one]\n{KEYS}"),
    "a role by the variables": (f"[profile one]\n{ROLE}credential_source = Environment\n", ""),
    "a helper": (f"[profile one]\n{PROCESS}", ""),
    "a token": (f"[profile one]\n{ROLE}web_identity_token_file = /t\n", ""),
    "a region": ("[profile one]\nregion = eu-central-1\n", ""),
    "a shell": ("[profile one]\ncredential_process = sh -c \"helper | jq '.x'\"\n", ""),
    "a quoted argument": ("[profile one]\ncredential_process = helper 'a $b' \"c d\"\n", ""),
}


@pytest.mark.parametrize("profile", ORDINARY)
@pytest.mark.parametrize("explicit", [True, False])
@pytest.mark.parametrize("variables", ["nothing", "keys", "container"])
def test_an_ordinary_profile_is_not_refused(home: Home, profile: str, explicit: bool, variables: str) -> None:
    home.write(*(text.replace(OTHERS, OTHERS) for text in ORDINARY[profile]))
    environ = home.admitted({**VARIABLES[variables], **({} if explicit else {"AWS_PROFILE": "one"})})
    refuse_ambiguous(environ, "one" if explicit else None, "environments/prod")


@pytest.mark.parametrize(
    ("config", "keys", "said"),
    [
        (f"[profile one]\n{ROLE}web_identity_token_file = token\n", "", "relative web_identity_token_file"),
        (
            "[profile one]\ncredential_process = ./helper\n",
            "",
            "relative path, which Terraform starts in another folder",
        ),
        ("[profile one]\ncredential_process = helper --as $WHO\n", "", "something else to a shell"),
        ("[profile one]\ncredential_process = helper && other\n", "", "something else to a shell"),
        ('[profile one]\ncredential_process = helper "`id`"\n', "", "something else to a shell"),
        ("[profile one]\n", f"[one]\n{KEYS}aws_security_token = t\n", "aws_security_token, which only boto3 reads"),
        (f"[default]\n[profile default]\n{KEYS}", "", r"as \[default\] and as \[profile default\]"),
        ("[profile one\n", "", "the AWS configuration cannot be parsed"),
    ],
)
def test_what_means_two_things_is_refused(home: Home, config: str, keys: str, said: str) -> None:
    home.write(config, keys)
    environ = home.admitted({} if "[default]" in config else {"AWS_PROFILE": "one"})
    with pytest.raises(RefusedError, match=said) as caught:
        refuse_ambiguous(environ, None, "environments/prod")
    assert caught.value.hint


def test_boto_2_and_models_of_the_home_are_not_looked_at(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.write("")
    (home.folder / ".boto").write_text(f"[Credentials]\n{KEYS}")
    monkeypatch.setenv("HOME", str(home.folder))
    environ = home.admitted({})
    assert home.botocore(environ, None) is None
    core = botocore.session.Session()
    _only_what_the_provider_reads(core)
    (path,) = core.get_component("data_loader").search_paths
    assert path.endswith("botocore/data")
    monkeypatch.undo()


def test_a_shell_with_one_profile_by_its_older_name(home: Home) -> None:
    home.write("[profile one]\n", f"[one]\n{KEYS}")
    environ = home.admitted({"AWS_DEFAULT_PROFILE": "one"})
    refuse_ambiguous(environ, None, "environments/prod")
    assert home.botocore(environ, None).access_key == "AKIAIOSFODNN7EXAMPLE"
