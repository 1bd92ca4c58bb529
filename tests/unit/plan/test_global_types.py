"""IAM's types are recorded once: a recorder that stops recording them loses nothing where another one records them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from toolkit.adoption import Adoption, Choice
from toolkit.components.registry import REGISTRY
from toolkit.findings.rules import WEAKENS
from toolkit.plan.guards import Existing, judge
from toolkit.plan.model import Action, Change, Plan
from toolkit.resources.reading import Live


def values(
    *, included: bool, all_supported: bool = True, often: str | None = None, **exceptions: list[str]
) -> dict[str, Any]:
    """A recorder's; exceptions are frequency → types."""
    group = {"all_supported": all_supported, "include_global_resource_types": included}
    overrides = [{"recording_frequency": f, "resource_types": types} for f, types in exceptions.items()]
    mode = [{"recording_frequency": often, "recording_mode_override": overrides}] if often else []
    return {
        "name": "default",
        "role_arn": "arn:aws:iam::123456789012:role/config",
        "recording_group": [group],
        "recording_mode": mode,
    }


def recorder(region: str, *, had: bool, has: bool, action: Action = Action.UPDATE, **more: Any) -> Change:
    address = f"module.config_{region.replace('-', '_')}.aws_config_configuration_recorder.this"
    kind, name = address.split(".")[-2:]
    before = {} if action is Action.CREATE else values(included=had)
    after = {} if action is Action.DELETE else values(included=has, **more)
    return Change(address, kind, name, action, "config", region, (), before, after)


def status(region: str, *, on: bool) -> Change:
    address = f"module.config_{region.replace('-', '_')}.aws_config_configuration_recorder_status.this"
    kind, name = address.split(".")[-2:]
    return Change(address, kind, name, Action.UPDATE, "config", region, (), {"is_enabled": True}, {"is_enabled": on})


LOSES = recorder("eu-west-1", had=True, has=False)
CASES = {
    "the other region starts to": ([recorder("eu-central-1", had=False, has=True)], False),
    "the other region's is created": ([recorder("eu-central-1", had=False, has=True, action=Action.CREATE)], False),
    "its recorder is on": (
        [recorder("eu-central-1", had=True, has=True, action=Action.IMPORT), status("eu-central-1", on=True)],
        False,
    ),
    "no other recorder": ([], True),
    "the other does not": ([recorder("eu-central-1", had=False, has=False)], True),
    "the other is deleted": ([recorder("eu-central-1", had=True, has=True, action=Action.DELETE)], True),
    "the other is stopped": ([recorder("eu-central-1", had=True, has=True), status("eu-central-1", on=False)], True),
    "the other records a list": ([recorder("eu-central-1", had=True, has=True, all_supported=False)], True),
    "a region without IAM's types": ([recorder("me-central-1", had=False, has=True)], True),
    "the other records daily": ([recorder("eu-central-1", had=True, has=True, often="DAILY")], True),
    "the other records roles daily": (
        [recorder("eu-central-1", had=True, has=True, often="CONTINUOUS", DAILY=["AWS::IAM::Role"])],
        True,
    ),
    "the other records only other types daily": (
        [recorder("eu-central-1", had=True, has=True, often="CONTINUOUS", DAILY=["AWS::EC2::Instance"])],
        False,
    ),
    "the other records all of IAM's continuously": (
        [
            recorder(
                "eu-central-1",
                had=True,
                has=True,
                often="DAILY",
                CONTINUOUS=[f"AWS::IAM::{name}" for name in ("Group", "Policy", "Role", "User")],
            )
        ],
        False,
    ),
    "a third one does": (
        [
            recorder("eu-central-1", had=True, has=True, often="DAILY"),
            recorder("us-east-1", had=True, has=True, often="CONTINUOUS"),
        ],
        False,
    ),
}


@pytest.mark.parametrize(("others", "weaker"), CASES.values(), ids=CASES)
def test_iam_types_that_another_region_records_are_not_lost(others: list[Change], weaker: bool):
    plan = Plan("1.11.4", (LOSES, *others), (), 0)
    found = [f for f in judge(plan, REGISTRY, {}) if f.rule == WEAKENS and f.address == LOSES.address]
    assert bool(found) is weaker


def test_a_recorder_that_recorded_them_daily_loses_nothing_where_another_one_does():
    before = values(included=True, often="DAILY")
    loses = replace(LOSES, before=before, after=values(included=False, often="DAILY"))
    other = recorder("eu-central-1", had=True, has=True, often="DAILY")
    assert not [f for f in judge(Plan("1.11.4", (loses, other), (), 0), REGISTRY, {}) if f.address == loses.address]


@pytest.mark.parametrize("weaker", [False, True])
def test_config_is_adopted_whichever_region_recorded_them(weaker: bool):
    there = values(included=True)
    second = recorder("eu-west-1", had=False, has=False, action=Action.CREATE)
    home = recorder("eu-central-1", had=False, has=not weaker, action=Action.CREATE)
    existing = {
        change.address: Existing(
            there, True, "default", "it", live=Live({"name": "default"}, there, "the recorder", "default")
        )
        for change in (home, second)
    }
    adoption = Adoption()
    adoption.next(Plan("1.11.4", (home, second), (), 0), existing)
    assert {edit.path[0] for edit in adoption.edits} == {"imports"}
    assert all(d.choice is Choice.ADOPT and bool(d.open) is weaker for d in adoption.decisions.values())
