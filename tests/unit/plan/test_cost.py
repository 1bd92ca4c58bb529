"""What starts to bill, from recorded plans."""

from __future__ import annotations

import json
from pathlib import Path

from toolkit.components.registry import REGISTRY
from toolkit.plan.cost import CostLine, estimate
from toolkit.plan.model import Attribution, parse_plan

RECORDED = Path(__file__).parents[2] / "plans" / "components"


def lines(name: str) -> dict[str, CostLine]:
    data = json.loads((RECORDED / f"{name}.json").read_text("utf-8"))
    plan = parse_plan(data, Attribution(tuple(REGISTRY), ("eu-central-1", "us-east-1"), "eu-central-1"))
    return {line.what: line for line in estimate(plan).lines}


def test_of_three_analyzers_only_the_one_of_unused_access_bills() -> None:
    line = lines("account")["Access Analyzer for unused access"]
    assert (line.count, line.monthly_usd) == (1, None)
    assert "0.20 per IAM role or user" in line.basis


def test_a_flow_log_bills_beside_where_it_is_kept() -> None:
    assert {"VPC flow log", "CloudWatch log group"} <= set(lines("account_logs"))
    assert {"VPC flow log", "S3 bucket"} <= set(lines("account"))


def test_of_event_targets_only_those_that_are_event_buses_bill() -> None:
    # activity_alarms: a topic at home, and the home region's bus in the other region.
    line = lines("alarms")["EventBridge target that is another event bus"]
    assert (line.count, line.monthly_usd) == (1, None)


def test_shield_advanced_is_told_with_its_price_and_its_commitment() -> None:
    line = lines("shield")["Shield Advanced"]
    assert (line.count, line.monthly_usd) == (1, 3000.0)
    assert "a commitment of 36,000" in line.basis
