"""What an account had before the first apply and loses in a destroy, by the snapshot from before it."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from toolkit.errors import ExitCode, RefusedError, ToolkitError
from toolkit.plan.model import Action, Change, Plan
from toolkit.resources.reading import Live
from toolkit.snapshots import Snapshot, write_snapshot
from toolkit.workflows import before_first_apply as workflow
from toolkit.workflows.workspace import Workspace

ACCOUNT, HOME = "123456789012", "eu-central-1"
APPLIED = datetime(2026, 11, 20, 12, tzinfo=UTC)
PASSWORDS = "module.password_policy.aws_iam_account_password_policy.this"
GROUP = 'module.iam_groups.aws_iam_group.this["developers"]'
TOPIC = "module.activity_alarms.aws_sns_topic.this"


def live(kind: str, called: str, region: str = HOME, **more: Any) -> Live:
    facts = {"key": {}, "values": {}, "import_id": None, **more}
    return Live(called=called, type=kind, region=region, account_id=ACCOUNT, **facts)


def policy(length: int, **more: Any) -> Live:
    values = {"minimum_password_length": length, "max_password_age": 60, "require_symbols": False}
    return live("aws_iam_account_password_policy", "a password policy", values=values, **more)


DEVELOPERS = live("aws_iam_group", "the group 'developers'", key={"name": "developers"}, import_id="developers")


def deleted(address: str, region: str = HOME, action: Action = Action.DELETE, **before: Any) -> Change:
    kind, name = address.split("[", maxsplit=1)[0].split(".")[-2:]
    return Change(address, kind, name, action, "of", region, (), before)


DESTROY = (
    deleted(PASSWORDS, id="iam-account-password-policy", minimum_password_length=30),
    deleted(GROUP, name="developers", id="developers"),
    deleted(TOPIC, name="pager", arn=f"arn:aws:sns:{HOME}:{ACCOUNT}:pager"),
)


class House:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "snapshots").mkdir()
        caller = SimpleNamespace(account_id=ACCOUNT)
        self.workspace = cast(Workspace, SimpleNamespace(scratch=folder, caller=caller, simulator=None, called="prod"))

    def snapshot(self, taken: datetime, *found: Live, **more: Any) -> Path:
        facts = {
            "account_id": ACCOUNT, "caller": f"arn:aws:iam::{ACCOUNT}:user/audit", "environment": "prod",
            "simulator": None, "taken": taken, "home": HOME, "regions": (HOME,), "types": (), "calls": 1, **more,
        }  # fmt: skip
        one = Snapshot.of(found, **facts)
        file = self.folder / "snapshots" / one.file_name
        write_snapshot(one, file)
        return file

    def applied(self, when: datetime = APPLIED, account: str = ACCOUNT) -> None:
        noted = json.dumps({"account_id": account, "time": when.isoformat()})
        (self.folder / "first-apply.json").write_text(noted)

    def compared(self, *changes: Change) -> workflow.Before:
        return workflow.compare_with_before(self.workspace, Plan("1.11.4", changes or DESTROY, (), 0))


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def hours(count: int) -> datetime:
    return APPLIED + timedelta(hours=count)


def test_the_newest_snapshot_from_before_the_first_apply_counts(house: House):
    house.applied()
    house.snapshot(hours(-48), policy(8))
    file = house.snapshot(hours(-1), policy(24))
    house.snapshot(hours(1), policy(30), DEVELOPERS)
    before = house.compared()
    assert before.source == (
        f"Compared with the snapshot {file.name}, the newest from before the first apply (2026-11-20 12:00:00 UTC)."
    )
    (lost,) = before.losses
    assert (lost.address, lost.called) == (PASSWORDS, "a password policy")
    # What was weak already is not lost.
    assert lost.settings == ("minimum_password_length: 24 → null", "max_password_age: 60 → null")


@pytest.mark.parametrize("noted_for", [None, "111122223333"])
def test_without_a_note_of_the_first_apply_the_oldest_counts_and_that_is_said(house: House, noted_for: str | None):
    if noted_for:
        house.applied(account=noted_for)
    file = house.snapshot(hours(-48), DEVELOPERS)
    house.snapshot(hours(-1), policy(24))
    before = house.compared()
    assert f"not known here: compared with the snapshot {file.name}, the oldest" in before.source
    assert before.losses == (workflow.Loss(GROUP, "the group 'developers'", ()),)


@pytest.mark.parametrize("more", [{"taken": hours(1)}, {"simulator": "moto"}, {"account_id": "111122223333"}, None])
def test_without_a_snapshot_from_before_that_is_said(house: House, more: dict[str, Any] | None):
    house.applied()
    if more is not None:
        facts = {"taken": hours(-1), **more}
        house.snapshot(facts.pop("taken"), policy(24), **facts)
    before = house.compared()
    assert before.source == "There is no snapshot from before the first apply: compared with nothing."
    assert before.losses == ()
    workflow.refuse_unacknowledged(house.workspace, before)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (deleted(GROUP, name="developers", action=Action.FORGET), DEVELOPERS),
        (deleted(GROUP, name="operators", id="operators"), DEVELOPERS),
        (deleted(PASSWORDS, id="it"), policy(24, by_default=True)),
        (deleted(TOPIC, name="pager"), live("aws_sns_topic", "the topic", "us-east-1", key={"name": "pager"})),
    ],
)
def test_what_stays_comes_back_or_is_another_is_not_lost(house: House, change: Change, found: Live):
    house.snapshot(hours(-1), found)
    assert house.compared(change).losses == ()


def test_without_a_prompt_a_loss_is_refused_with_the_list(house: House):
    house.applied()
    house.snapshot(hours(-1), policy(24), DEVELOPERS)
    with pytest.raises(RefusedError) as e:
        workflow.refuse_unacknowledged(house.workspace, house.compared())
    assert e.value.exit_code is ExitCode.REFUSED
    assert "without 2 of the resources that it had before the first apply; nothing was deleted" in e.value.problem
    assert "minimum_password_length: 24" in str(e.value.detail)
    assert f"the group 'developers' ({GROUP})" in str(e.value.detail)
    assert "--acknowledge-weaker" in str(e.value.hint)


def test_an_edited_snapshot_or_a_damaged_note_is_an_error_that_says_what_to_do(house: House):
    file = house.snapshot(hours(-1), policy(24))
    file.write_text(file.read_text().replace('"minimum_password_length": 24', '"minimum_password_length": 1'))
    with pytest.raises(RefusedError, match="edited or damaged") as e:
        house.compared()
    assert e.value.hint == "move it to another folder, and `toolkit destroy` compares with the next one"
    for content in ("{", "[]", '{"account_id": "123456789012", "time": "soon"}', '{"time": "2026-11-20"}'):
        (house.folder / "first-apply.json").write_text(content)
        with pytest.raises(ToolkitError, match="the note of the first apply cannot be read"):
            house.compared()


def test_the_first_apply_is_noted_once_for_each_account(house: House):
    file = house.folder / "first-apply.json"
    house.applied(account="111122223333")
    workflow.note_first_apply(house.workspace)
    noted = file.read_text()
    assert json.loads(noted)["account_id"] == ACCOUNT
    assert datetime.now(UTC) - datetime.fromisoformat(json.loads(noted)["time"]) < timedelta(minutes=1)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    house.applied()
    workflow.note_first_apply(house.workspace)
    assert json.loads(file.read_text())["time"] == APPLIED.isoformat()
