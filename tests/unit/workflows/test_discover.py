"""A scan of an account: what it reads, what it may not read, and of whom."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from toolkit.aws.identity import CallerIdentity
from toolkit.aws.session import AwsSession
from toolkit.cli.main import run
from toolkit.environment import load_text
from toolkit.errors import ToolkitError, UsageError
from toolkit.resources.reading import Reason
from toolkit.resources.registry import RESOURCES
from toolkit.workflows import discover as module
from toolkit.workflows.discover import Account, discover, listed_types, regions_wanted, unlisted_types
from toolkit.workflows.observer import Observer

REGION, OTHER = "eu-central-1", "us-east-1"
ENVIRONMENT = load_text(
    'account_id: "123456789012"\nregions: {home: eu-central-1, active: [eu-central-1, us-east-1]}\ncomponents: {}\n',
    name="prod",
    shown_as="x",
)
KINDS = ("aws_iam_group", "aws_iam_account_password_policy", "aws_sns_topic", "aws_kms_alias")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account with a group and two topics."""
    for name, value in (("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "example")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(module, "listed_types", lambda **_: KINDS)
    with mock_aws():
        boto3.client("iam", REGION).create_group(GroupName="ops")
        for region in (REGION, OTHER):
            boto3.client("sns", region).create_topic(Name=f"alerts-{region}")
        yield


@pytest.fixture
def account(tmp_path: Path) -> Account:
    caller = CallerIdentity("123456789012", "arn:aws:iam::123456789012:user/audit")
    return Account(ENVIRONMENT, AwsSession(ENVIRONMENT, {}), caller, "prod", tmp_path, has_file=True)


class Told(Observer):
    def __init__(self) -> None:
        self.said: list[str] = []

    def stage(self, text: str, steps: int | None = None) -> None:
        self.said.append(text)

    def progress(self, text: str) -> None:
        self.said.append(text)


@pytest.mark.usefixtures("aws")
def test_a_scan_reads_global_types_once_and_the_others_in_each_region(account: Account):
    told = Told()
    found = discover(account, "active", told)
    assert [(one.type, one.region, dict(one.key)) for one in found.resources if not one.by_default] == [
        ("aws_iam_group", REGION, {"name": "ops"}),
        ("aws_sns_topic", REGION, {"name": f"alerts-{REGION}"}),
        ("aws_sns_topic", OTHER, {"name": f"alerts-{OTHER}"}),
    ]
    assert (found.regions, found.home, found.environment, found.complete) == ((REGION, OTHER), REGION, "prod", True)
    assert all(one.evidence for one in found.resources)
    # Two global lists, two others in two regions, two topics, which regions are on, and tags in two regions.
    assert found.calls == 11
    assert told.said[0] == (
        "Reading 4 resource types in 2 regions of account 123456789012: 6 lists, 20,000 calls of AWS at most"
    )
    # That there is no password policy, AWS says by an error.
    assert len([text for text in told.said if "calls ·" in text]) == found.calls - 1


@pytest.mark.usefixtures("aws")
def test_two_scans_of_an_account_have_the_same_digest(account: Account):
    first, second = discover(account, [REGION], Observer()), discover(account, [REGION], Observer())
    assert first.digest == second.digest
    boto3.client("iam", REGION).create_group(GroupName="more")
    assert discover(account, [REGION], Observer()).digest != first.digest


@pytest.mark.usefixtures("aws")
def test_enabled_regions_are_those_of_the_account(account: Account, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "listed_types", lambda **_: KINDS[:2])
    found = discover(account, "enabled", Observer())
    assert {"eu-central-1", "us-east-1", "eu-west-1"} <= set(found.regions)
    assert "ap-east-1" not in found.regions  # to be enabled first


@pytest.mark.usefixtures("aws")
def test_a_spent_budget_is_unreadable_not_absent(account: Account):
    found = discover(account, [REGION], Observer(), max_calls=2)
    assert found.calls == 2
    assert {one.reason for one in found.unreadable} == {Reason.BUDGET}
    assert len(found.unreadable) >= 2
    assert not found.complete


def test_what_a_scan_lists_and_does_not_list_is_every_type():
    for simulated in (False, True):
        listed, unlisted = listed_types(simulated=simulated), unlisted_types(simulated=simulated)
        assert not set(listed) & set(unlisted)
        assert {*listed, *unlisted} == set(RESOURCES)
        assert all(unlisted.values())
    # Each of these would be a gap of discovery.
    assert unlisted_types(simulated=False) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "no region"), ("eu-centrl-1", "did you mean 'eu-central-1'"), ("enabled,active", "not a valid region")],
)
def test_regions_that_are_none_are_told(text: str, said: str):
    with pytest.raises(UsageError, match=said):
        regions_wanted(text)


def test_regions_are_named_once_each():
    assert regions_wanted("enabled") == "enabled"
    assert regions_wanted("eu-west-1, us-east-1,eu-west-1") == ("eu-west-1", "us-east-1")


def test_without_an_environment_file_no_region_is_active(account: Account):
    bare = Account(account.environment, account.clients, account.caller, "x", account.folder, has_file=False)
    with pytest.raises(UsageError, match="has no active regions"):
        discover(bare, "active", Observer())


def test_regions_that_cannot_be_read_end_the_scan_with_what_to_do(account: Account, monkeypatch: pytest.MonkeyPatch):
    class Client:
        def describe_regions(self, **_: Any) -> None:
            from botocore.exceptions import ClientError

            raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}, "DescribeRegions")

    monkeypatch.setattr(AwsSession, "client", lambda *_: Client())
    with pytest.raises(ToolkitError, match="which regions are enabled cannot be read: ec2:DescribeRegions") as refused:
        discover(account, "enabled", Observer())
    assert "--regions" in (refused.value.hint or "")


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("aws", "shell")
def test_an_account_without_a_file_is_shown_and_has_to_be_named(capsys: pytest.CaptureFixture[str]):
    assert run(["discover", "--regions", REGION]) == 64
    error = capsys.readouterr().err
    assert "these credentials belong to account 123456789012 (arn:aws:sts::123456789012:user/moto)" in error
    assert "add `--account-id 123456789012`" in error


@pytest.mark.usefixtures("aws", "shell")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--account-id", "111122223333"], 5, "belong to account 123456789012"),
        (["--account-id", "1111"], 64, "'1111' is not an account id"),
        (["--account-id", "123456789012", "--aws-profile", "none"], 5, "none"),
        (["--account-id", "123456789012", "--sandbox"], 64, "there is no project here"),
        (["--account-id", "123456789012", "--region", "nowhere"], 64, "not a valid region"),
        (["prod", "--account-id", "123456789012"], 64, "--account-id is for an account without an environment file"),
    ],
)
def test_another_account_s_credentials_and_wrong_use_read_nothing(
    arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str], shell: Path
):
    assert run(["discover", *arguments]) == code
    assert said in capsys.readouterr().err
    assert not list(shell.rglob("*.json"))


@pytest.mark.usefixtures("aws")
def test_an_account_without_a_file_is_read_into_a_snapshot(
    shell: Path, capsys: pytest.CaptureFixture[str], json_shape: Callable[[str], Any]
):
    command = ["discover", "--account-id", "123456789012", "--region", REGION, "--regions", f"{REGION},{OTHER}"]
    assert run(command) == 0
    out = capsys.readouterr().out
    assert "the group 'ops'" in out
    assert "Account 123456789012 on AWS: 3 resources of 2 types in 2 regions." in out
    (file,) = (shell / ".toolkit" / "snapshots").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    boto3.client("iam", REGION).create_group(GroupName="more")
    assert run([*command, "--json", "--out", "second.json"]) == 0
    printed = json_shape(capsys.readouterr().out)
    assert printed["snapshot"] == json.loads((shell / "second.json").read_text())
    assert printed["snapshot"]["environment"] is None
    assert run(["discover", "--diff", str(file), "second.json"]) == 0
    assert "added    eu-central-1  aws_iam_group  the group 'more'" in capsys.readouterr().out
