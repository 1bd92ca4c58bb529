"""Commands that take what an account has from a snapshot: only from one of what they are about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from toolkit.cli.app import app
from toolkit.environment import load_text
from toolkit.errors import ExitCode, RefusedError, ToolkitError, UsageError
from toolkit.resources.managers import Manager
from toolkit.resources.reading import MANAGED_BY, Live, Reason, Unreadable
from toolkit.snapshots import MAX_AGE, Snapshot, write_snapshot
from toolkit.workflows import adopt
from toolkit.workflows.workspace import Access

HOME, OTHER, THIRD = "eu-central-1", "us-east-1", "eu-west-1"


def snapshot(file: Path, *found: Live | Unreadable, **more: Any) -> Path:
    facts = {
        "account_id": "123456789012", "caller": "arn:aws:iam::123456789012:user/audit", "environment": None,
        "simulator": None, "taken": datetime.now(UTC).replace(microsecond=0), "home": HOME,
        "regions": (HOME, OTHER, THIRD), "types": ("aws_sns_topic", "aws_iam_user"), "calls": 2, **more,
    }  # fmt: skip
    write_snapshot(Snapshot.of(found, **facts), file)
    return file


def environment(simulator: str = "") -> Any:
    regions = f"regions: {{home: {HOME}, active: [{HOME}, {OTHER}]}}"
    text = f'account_id: "123456789012"\n{regions}\n{simulator}components: {{}}\n'
    return load_text(text, name="prod", shown_as="x")


SANDBOX = Access(environ={}, sandbox=True)
YESTERDAY = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=30)


@pytest.mark.parametrize(
    ("more", "access", "of", "said"),
    [
        ({"account_id": "111122223333"}, None, "", "is of account 111122223333, not of 123456789012"),
        ({"taken": YESTERDAY}, None, "", "was taken 30 hours ago; at most 24 hours are accepted"),
        ({"simulator": "moto"}, None, "", "of the embedded AWS, and environments/prod is planned on AWS"),
        ({}, SANDBOX, "", "of AWS, and environments/prod is planned on the embedded AWS"),
        ({}, None, "simulator: moto\n", "of AWS, and environments/prod is planned on the embedded AWS"),
        ({"home": OTHER}, None, "", "has us-east-1 as home region; that of environments/prod is eu-central-1"),
        ({"regions": (HOME, THIRD)}, None, "", "does not have us-east-1, where environments/prod is active"),
    ],
)
def test_a_snapshot_of_something_else_is_refused(
    more: dict[str, Any], access: Access | None, of: str, said: str, tmp_path: Path
):
    file = snapshot(tmp_path / "s.json", **more)
    with pytest.raises(RefusedError, match=said) as refused:
        adopt._source(file, MAX_AGE, environment(of), access or Access(environ={}))
    assert refused.value.exit_code is ExitCode.REFUSED
    assert "toolkit discover" in str(refused.value.hint)


def test_an_older_one_is_accepted_with_the_option(tmp_path: Path):
    file = snapshot(tmp_path / "s.json", taken=YESTERDAY)
    assert adopt._source(file, timedelta(hours=31), environment(), Access(environ={})).account_id == "123456789012"


def test_who_manages_it_is_what_the_scan_found(tmp_path: Path):
    topics = [
        Live({"name": name}, {"name": name}, name, name, type="aws_sns_topic", region=HOME, managed_by=by)
        for name, by in (("a", "the CloudFormation stack 'x'"), ("b", None))
    ]
    unread = Unreadable(MANAGED_BY, HOME, "tag:GetResources", Reason.DENIED, "AccessDenied")
    source = adopt._source(snapshot(tmp_path / "s.json", unread), MAX_AGE, environment(), Access(environ={}))
    assert source.managers(topics) == (
        Manager("the CloudFormation stack 'x'", (unread,)),
        Manager(None, (unread,)),
    )


def test_writers_that_cannot_be_read_are_an_error(tmp_path: Path):
    source = adopt._source(snapshot(tmp_path / "s.json"), MAX_AGE, environment(), Access(environ={}))
    with pytest.raises(ToolkitError, match="what writes to the bucket logs cannot be read"):
        list(adopt._writers(source, environment(), "logs"))


def invoke(folder: Path, *args: str) -> Any:
    return CliRunner().invoke(app, ["-C", str(folder), *args])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "environments").mkdir()
    (tmp_path / "modules").mkdir()
    return tmp_path


def test_an_environment_for_the_account_of_a_snapshot(project: Path):
    """Active where the account has something: of what AWS gives in every region, nothing is somebody's."""

    def one(kind: str, region: str, **more: Any) -> Live:
        return Live({}, {}, "x", None, type=kind, region=region, **more)

    file = snapshot(
        project / "s.json",
        one("aws_sns_topic", OTHER),
        one("aws_sns_topic", THIRD, by_default=True),
        one("aws_default_security_group", THIRD),
        account_id="111122223333",
    )
    result = invoke(project, "new", "prod", "--from", str(file))
    assert result.exit_code == 0, result.output
    assert "left out, since nothing of the account was found there: eu-west-1" in result.stderr
    assert f"toolkit adopt prod --from {file}" in result.stderr
    text = (project / "environments" / "prod" / "environment.yaml").read_text("utf-8")
    made = load_text(text, name="prod", shown_as="x")
    assert (made.account_id, made.regions.home, made.regions.active) == ("111122223333", HOME, (HOME, OTHER))
    assert made.simulator is None


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["new", "prod", "--account-id", "111122223333", "--from", "s.json"], "does not go with --account-id"),
        (["new", "prod", "--max-age", "3"], "--max-age is about a snapshot"),
        (["adopt", "prod", "--undo", "--from", "s.json"], "--undo reads no account"),
        (["adopt", "prod", "--yes", "--max-age", "3"], "--max-age is about a snapshot"),
    ],
)
def test_options_that_would_be_ignored_are_refused(project: Path, args: list[str], said: str):
    result = invoke(project, *args)
    assert isinstance(result.exception, UsageError)
    assert said in str(result.exception)


@pytest.mark.parametrize("edit", [b'"account_id": "123456789012"', None])
def test_nothing_is_written_from_a_snapshot_that_was_edited_or_is_not_there(project: Path, edit: bytes | None):
    file = project / "s.json"
    if edit is not None:
        snapshot(file)
        file.write_bytes(file.read_bytes().replace(edit, b'"account_id": "111122223333"'))
    result = invoke(project, "new", "prod", "--from", str(file))
    assert isinstance(result.exception, RefusedError if edit else ToolkitError)
    assert ("edited or damaged" if edit else "cannot be read") in str(result.exception)
    assert not (project / "environments" / "prod").exists()
