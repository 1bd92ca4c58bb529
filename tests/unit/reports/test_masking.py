"""What Terraform marks as sensitive is in no report of any format, whatever happens to the resource."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from toolkit.components.registry import REGISTRY
from toolkit.plan.guards import judge
from toolkit.plan.model import Marker
from toolkit.reports.registry import FORMATS
from toolkit.reports.view import PlanView

SECRETS = ("hunter2-before", "hunter2-after")
# Every shape of marking: a whole value, inside lists and maps, a policy, and beside a value whose change is a finding.
BEFORE: dict[str, Any] = {
    "description": SECRETS[0],
    "nested": [{"token": SECRETS[0], "plain": "seen-before"}],
    "tags": {"Password": SECRETS[0], "Owner": "seen-before"},
    "policy": json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Sid": SECRETS[0], "Effect": "Deny", "Action": "*"}]}
    ),
    "minimum_password_length": 24,
    "whole": {"a": SECRETS[0]},
}
MARKED = {
    "description": True,
    "nested": [{"token": True}],
    "tags": {"Password": True},
    "policy": True,
    "whole": True,
}
ACTIONS = {
    "update": ["update"],
    "create": ["create"],
    "delete": ["delete"],
    "replace": ["delete", "create"],
    "forget": ["forget"],
}


def changed(value: Any) -> Any:
    return json.loads(json.dumps(value).replace("before", "after").replace("24", "12"))


@pytest.fixture(params=ACTIONS)
def secretive(request: pytest.FixtureRequest, later_data: Any, view_of: Callable[..., PlanView]) -> PlanView:
    """The later plan with one more change, of a resource full of secrets, judged as plans are."""
    entry = copy.deepcopy(
        next(e for e in later_data["resource_changes"] if e["type"] == "aws_iam_account_password_policy")
    )
    entry["change"] = {
        "actions": ACTIONS[request.param],
        "before": None if request.param == "create" else BEFORE,
        "after": None if request.param in ("delete", "forget") else changed(BEFORE),
        "before_sensitive": MARKED,
        "after_sensitive": MARKED,
        "after_unknown": {},
        "replace_paths": [["description"]],
    }
    later_data["resource_changes"].append(entry)
    plan = view_of(later_data).plan
    return view_of(later_data, tuple(judge(plan, REGISTRY, {})))


@pytest.mark.parametrize("name", FORMATS)
def test_no_secret_in_any_report(name: str, secretive: PlanView) -> None:
    text = FORMATS[name].render(secretive)
    for secret in SECRETS:
        assert secret not in text
    assert "hunter2" not in text
    if name in ("text", "json", "html"):
        # The resource itself is there, with its other values and the mark in the secrets' place.
        assert "seen-" in text
        assert Marker.SENSITIVE.value in text


def test_no_secret_in_the_terminal(secretive: PlanView) -> None:
    from toolkit.reports.text import plan_lines

    for verbose in (False, True):
        assert not [text for text, _ in plan_lines(secretive, verbose=verbose) if "hunter2" in text]
