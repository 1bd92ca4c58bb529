"""What the embedded AWS lacks is planned there and never applied: on recorded real plans."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from toolkit.components.registry import REGISTRY
from toolkit.errors import RefusedError
from toolkit.plan.model import Attribution, parse_plan
from toolkit.workflows.judge import not_simulated, refuse_not_simulated
from toolkit.workflows.workspace import Workspace

PLANS = Path(__file__).parents[2] / "plans" / "components"
ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1", "us-east-1"), "eu-central-1")


def workspace(simulator: str | None) -> Workspace:
    return cast(Workspace, SimpleNamespace(simulator=simulator, called="x"))


def plan(name: str, **of_all: Any) -> Any:
    data = json.loads((PLANS / f"{name}.json").read_text("utf-8"))
    for entry in data["resource_changes"]:
        entry["change"].update(of_all)
    return parse_plan(data, ATTRIBUTION)


def test_an_apply_is_refused_with_what_can_be_done_about_it():
    with pytest.raises(RefusedError) as caught:
        refuse_not_simulated(workspace("moto"), plan("alarms"))
    error = caught.value
    assert "the embedded AWS lacks 9 of the plan's resources" in str(error)
    assert 'module.security_hub_us_east_1.aws_securityhub_standards_subscription.this["cis-5.0"]' in str(error.detail)
    assert "aws_securityhub_account" not in str(error.detail)
    assert "security_hub: {standards: [], controls: {}, finding_aggregation: false}" in str(error.hint)


def test_what_cannot_be_there_at_all_is_to_be_left_out():
    with pytest.raises(RefusedError) as caught:
        refuse_not_simulated(workspace("moto"), plan("account"))
    assert "leave out access_analyzer" in str(caught.value.hint)
    assert "account_defaults: {budgets: {}}" in str(caught.value.hint)


def test_aws_has_all_of_it():
    assert not_simulated(workspace(None), plan("alarms")) == ()
    refuse_not_simulated(workspace(None), plan("account"))


def test_what_the_embedded_aws_has_is_applied():
    refuse_not_simulated(workspace("moto"), plan("siem"))


def test_nothing_is_in_the_way_of_a_destroy():
    assert not_simulated(workspace("moto"), plan("alarms", actions=["delete"], after=None)) == ()
