"""What the embedded AWS lacks is planned there, and left out when the plan is applied: on recorded real plans."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from toolkit.components.registry import REGISTRY
from toolkit.errors import RefusedError
from toolkit.plan.model import Attribution, parse_plan
from toolkit.workflows.left_out import describe, left_out, plan_the_rest
from toolkit.workflows.workspace import Workspace

PLANS = Path(__file__).parents[2] / "plans" / "components"
ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1", "us-east-1"), "eu-central-1")


def recorded(name: str, **of_all: Any) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((PLANS / f"{name}.json").read_text("utf-8"))
    for entry in data["resource_changes"]:
        entry["change"].update(of_all)
    return data


class Runner:
    """A Terraform whose plan of the rest has what `change` makes of what the targets select."""

    def __init__(self, whole: dict[str, Any], change: Callable[[list[Any]], None] = lambda _: None) -> None:
        self.whole = whole
        self.change = change
        self.targets: tuple[str, ...] = ()

    def with_one_provider(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def plan(self, out: Path, *, lock_timeout: str, targets: tuple[str, ...]) -> None:
        assert lock_timeout == "5s"
        self.targets = targets

    def show(self, _out: Path) -> dict[str, Any]:
        shown = copy.deepcopy(self.whole)
        shown["resource_changes"] = [
            entry
            for entry in shown["resource_changes"]
            if any(entry["address"] == t or entry["address"].startswith(f"{t}.") for t in self.targets)
        ]
        self.change(shown["resource_changes"])
        return shown


def workspace(simulator: str | None, runner: Any = None) -> Workspace:
    return cast(Workspace, SimpleNamespace(simulator=simulator, called="x", runner=runner))


def rest(runner: Runner) -> bool:
    plan = parse_plan(runner.whole, ATTRIBUTION)
    return plan_the_rest(workspace("moto", runner), runner.whole, plan, Path("rest"), lock_timeout="5s")


def test_what_is_lacking_is_named_by_type():
    found = left_out(workspace("moto"), parse_plan(recorded("alarms"), ATTRIBUTION))
    assert len(found) == 9
    assert describe(found) == (
        "aws_securityhub_finding_aggregator, 4 aws_securityhub_standards_control_association, "
        "4 aws_securityhub_standards_subscription"
    )


@pytest.mark.parametrize(
    ("simulator", "plan"),
    [
        (None, recorded("alarms")),
        (None, recorded("account")),
        ("moto", recorded("siem")),
        ("moto", recorded("alarms", actions=["delete"], after=None)),
    ],
    ids=["on AWS", "on AWS, another", "what it has", "deleted"],
)
def test_nothing_else_is_left_out(simulator: str | None, plan: dict[str, Any]):
    assert left_out(workspace(simulator), parse_plan(plan, ATTRIBUTION)) == ()


def test_the_rest_is_targeted_by_module_call_where_nothing_of_it_is_lacking():
    runner = Runner(recorded("alarms"))
    assert rest(runner) is True
    assert "module.activity_alarms" in runner.targets
    assert "module.security_hub_eu_central_1" not in runner.targets
    assert "module.security_hub_eu_central_1.aws_securityhub_account.this" in runner.targets
    assert len(set(runner.targets)) == len(runner.targets)


def test_nothing_is_planned_where_only_what_is_lacking_is_left():
    data = recorded("alarms")
    lacking = {c.address for c in left_out(workspace("moto"), parse_plan(data, ATTRIBUTION))}
    data["resource_changes"] = [e for e in data["resource_changes"] if e["address"] in lacking]
    runner = Runner(data)
    assert rest(runner) is False
    assert runner.targets == ()


def test_what_is_lacking_and_needed_by_others_is_refused():
    whole = recorded("alarms")
    needed = next(e for e in whole["resource_changes"] if e["type"] == "aws_securityhub_standards_subscription")
    with pytest.raises(
        RefusedError, match="lacks what other resources of the plan need; nothing was applied"
    ) as caught:
        rest(Runner(whole, lambda changes: changes.append(needed)))
    assert caught.value.detail == needed["address"]


def _other_value(changes: list[Any]) -> None:
    changes[0]["change"]["after"] = {"other": 1}


def _other_action(changes: list[Any]) -> None:
    changes[0]["change"]["actions"] = ["delete", "create"]


def _another(changes: list[Any]) -> None:
    changes.append({**changes[0], "address": "module.x.aws_iam_role.new"})


def _missing(changes: list[Any]) -> None:
    changes.pop()


@pytest.mark.parametrize("change", [_other_value, _other_action, _another, _missing])
def test_the_rest_is_what_was_reviewed_or_nothing(change: Callable[[list[Any]], None]):
    with pytest.raises(RefusedError, match="does something else than was reviewed; nothing was applied"):
        rest(Runner(recorded("alarms"), change))


def test_what_is_only_read_or_unchanged_does_not_count():
    def reads(changes: list[Any]) -> None:
        for actions in (["read"], ["no-op"]):
            entry = copy.deepcopy(changes[0])
            entry["address"], entry["change"]["actions"] = f"data.{actions[0]}", actions
            changes.append(entry)

    assert rest(Runner(recorded("alarms"), reads)) is True
