"""What starts to bill, from recorded plans."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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


def test_what_is_switched_on_in_member_accounts_is_told_and_what_is_off_is_not() -> None:
    def change(kind: str, before: dict[str, Any] | None, after: dict[str, Any]) -> dict[str, Any]:
        return {
            "address": f"module.member_security_eu_central_1.{kind}.this",
            "mode": "managed",
            "type": kind,
            "name": "this",
            "change": {"actions": ["update" if before else "create"], "before": before, "after": after},
        }

    configuration, feature = (
        "aws_guardduty_organization_configuration",
        "aws_guardduty_organization_configuration_feature",
    )
    members = "auto_enable_organization_members"
    cases = [
        (change(configuration, None, {members: "ALL"}), 1),
        (change(configuration, None, {members: "NONE"}), 0),
        (change(configuration, {members: "NONE"}, {members: "NEW"}), 1),
        (change(configuration, {members: "NEW"}, {members: "ALL"}), 0),
        (change(feature, None, {"auto_enable": "NONE"}), 0),
        (change(feature, None, {"auto_enable": "ALL"}), 1),
    ]
    attribution = Attribution(tuple(REGISTRY), ("eu-central-1",), "eu-central-1")
    for entry, expected in cases:
        plan = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, attribution)
        assert len(estimate(plan).lines) == expected, entry


def test_what_is_switched_on_in_something_that_is_there_starts_to_bill() -> None:
    def told(kind: str, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
        entry = {
            "address": f"module.x.{kind}.this",
            "mode": "managed",
            "type": kind,
            "name": "this",
            "change": {"actions": ["update"], "before": before, "after": after},
        }
        attribution = Attribution(tuple(REGISTRY), ("eu-central-1",), "eu-central-1")
        plan = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, attribution)
        return [line.what for line in estimate(plan).lines]

    management, writes = {"name": "management"}, {"name": "s3_write"}
    few, many = {"advanced_event_selector": [management]}, {"advanced_event_selector": [management, writes]}
    assert told("aws_cloudtrail", few, many) == ["CloudTrail trail"]
    assert told("aws_cloudtrail", {"insight_selector": []}, {"insight_selector": [{"insight_type": "x"}]}) != []
    assert told("aws_cloudtrail", many, few) == []
    assert told("aws_cloudtrail", {**few, "name": "a"}, {**few, "name": "b"}) == []
    assert told("aws_macie2_account", {"status": "PAUSED"}, {"status": "ENABLED"}) != []
    assert told("aws_macie2_account", {"status": "ENABLED"}, {"status": "PAUSED"}) == []
    assert told("aws_guardduty_detector", {"enable": False}, {"enable": True}) == ["GuardDuty detector"]
    assert told("aws_inspector2_enabler", {"resource_types": ["EC2"]}, {"resource_types": ["EC2", "ECR"]}) != []
