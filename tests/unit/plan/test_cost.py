"""What starts to bill, from recorded plans; and the price table: every type in it, every figure with its source."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import toolkit.plan.cost
from toolkit.components.registry import REGISTRY
from toolkit.plan.cost import CostLine, estimate
from toolkit.plan.model import Attribution, Plan, parse_plan
from toolkit.resources.price import Free, Price
from toolkit.resources.registry import RESOURCES

REPOSITORY = Path(__file__).parents[3]
RECORDED = REPOSITORY / "tests" / "plans" / "components"
ITEMS = {name: record.price for name, record in RESOURCES.items() if isinstance(record.price, Price)}
FREE = {name: record.price for name, record in RESOURCES.items() if isinstance(record.price, Free)}
MADE = {
    kind
    for file in (REPOSITORY / "modules").rglob("*.tf")
    for kind in re.findall(r'^resource "(\w+)"', file.read_text("utf-8"), re.M)
}
ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1", "us-east-1"), "eu-central-1")


def recorded_plan(file: Path) -> Plan:
    return parse_plan(json.loads(file.read_text("utf-8")), ATTRIBUTION)


def lines(name: str) -> dict[str, CostLine]:
    return {line.what: line for line in estimate(recorded_plan(RECORDED / f"{name}.json")).lines}


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

    management, writes = (
        {"name": name, "field_selector": [{"field": "eventCategory", "equals": [category]}]}
        for name, category in (("management", "Management"), ("s3_write", "Data"))
    )
    few, many = {"advanced_event_selector": [management]}, {"advanced_event_selector": [management, writes]}
    assert told("aws_cloudtrail", few, many) == ["CloudTrail trail"]
    renamed = {"advanced_event_selector": [{**management, "name": "Management events selector"}]}
    assert told("aws_cloudtrail", few, renamed) == []
    assert told("aws_cloudtrail", {"insight_selector": []}, {"insight_selector": [{"insight_type": "x"}]}) != []
    assert told("aws_cloudtrail", many, few) == []
    assert told("aws_cloudtrail", {**few, "name": "a"}, {**few, "name": "b"}) == []
    assert told("aws_macie2_account", {"status": "PAUSED"}, {"status": "ENABLED"}) != []
    assert told("aws_macie2_account", {"status": "ENABLED"}, {"status": "PAUSED"}) == []
    assert told("aws_guardduty_detector", {"enable": False}, {"enable": True}) == ["GuardDuty detector"]
    assert told("aws_inspector2_enabler", {"resource_types": ["EC2"]}, {"resource_types": ["EC2", "ECR"]}) != []


@pytest.mark.parametrize("kind", sorted(MADE))
def test_every_type_that_modules_make_is_priced_or_free_for_a_reason(kind: str) -> None:
    assert RESOURCES[kind].price is not None, "a Price, or a Free with the reason, in the type's record"


def test_no_type_that_no_module_makes_has_a_price() -> None:
    assert {*ITEMS, *FREE} <= MADE


def check_source(entry: Price | Free) -> None:
    assert re.fullmatch(r"https://(docs\.)?aws\.amazon\.com/\S+", entry.source), "AWS's own page"
    assert date(2026, 11, 28) <= date.fromisoformat(entry.checked) <= date.today()


def figures(text: str) -> set[str]:
    return set(re.findall(r"\d[\d,.]*\d|\d", text))


@pytest.mark.parametrize("kind", ITEMS)
def test_every_price_has_its_source_and_what_could_not_be_confirmed(kind: str) -> None:
    item = ITEMS[kind]
    check_source(item)
    assert item.what and item.basis
    assert item.regions is None or item.regions.strip()
    assert item.unconfirmed is None or item.unconfirmed.strip()
    # Nothing is a zero that nobody sees: without a fixed part there is what it depends on, and a fixed part of 0 is
    # marked as not confirmed.
    assert item.driver or item.fixed is not None
    assert item.fixed != 0 or item.unconfirmed
    # What is named as unconfirmed is a figure that the report shows, and a fixed part is told in the basis.
    named = figures(item.unconfirmed or "") - ({"0.50"} if kind == "aws_flow_log" else set())
    assert named <= figures(item.basis)
    assert not item.fixed or f"{item.fixed:,.2f}" in item.basis


@pytest.mark.parametrize("kind", FREE)
def test_what_is_free_has_a_reason_and_its_source(kind: str) -> None:
    check_source(FREE[kind])
    assert len(FREE[kind].reason) > 15


def test_things_are_told_apart_and_the_date_is_the_oldest_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len({item.what for item in ITEMS.values()}) == len(ITEMS)
    empty = parse_plan({"format_version": "1.2", "resource_changes": []}, ATTRIBUTION)
    assert estimate(empty).as_of == min(item.checked for item in ITEMS.values())
    key = replace(RESOURCES["aws_kms_key"], price=replace(ITEMS["aws_kms_key"], checked="2020-01-01"))
    monkeypatch.setattr(toolkit.plan.cost, "RESOURCES", {**RESOURCES, "aws_kms_key": key})
    assert estimate(empty).as_of == "2020-01-01"


def test_the_highest_fixed_part_comes_first() -> None:
    parts = [line.monthly_usd or 0 for line in estimate(recorded_plan(RECORDED / "shield.json")).lines]
    assert parts[0] == 3000
    assert parts == sorted(parts, reverse=True)


def started(kind: str, action: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> bool:
    change = {"actions": [action], "before": before, "after": after}
    entry = {"address": f"module.x.{kind}.this", "mode": "managed", "type": kind, "name": "this", "change": change}
    found = estimate(parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION)).lines
    assert [line.what for line in found] in ([], [ITEMS[kind].what])
    return bool(found)


def standards(*arns: str) -> dict[str, Any]:
    return {"name": "a", "configuration_policy": [{"service_enabled": True, "enabled_standard_arns": list(arns)}]}


def moves(*classes: str) -> dict[str, Any]:
    return {"rule": [{"id": "a", "transition": [{"days": 90, "storage_class": c} for c in classes]}]}


def records(everything: bool, *kinds: str) -> dict[str, Any]:
    return {"recording_group": [{"all_supported": everything, "resource_types": list(kinds)}]}


def with_iam(recorder: dict[str, Any]) -> dict[str, Any]:
    (group,) = recorder["recording_group"]
    return {"recording_group": [{**group, "include_global_resource_types": True}]}


def all_but(*kinds: str) -> dict[str, Any]:
    excluded = [{"resource_types": list(kinds)}]
    return {"recording_group": [{"all_supported": False, "exclusion_by_resource_types": excluded}]}


BILLS = [
    ("aws_config_configuration_recorder_status", None, {"is_enabled": True}, False),
    ("aws_config_configuration_recorder_status", {"is_enabled": False}, {"is_enabled": True}, True),
    ("aws_config_configuration_recorder_status", {"is_enabled": True}, {"is_enabled": False}, False),
    ("aws_config_configuration_recorder", None, records(True), True),
    ("aws_config_configuration_recorder", records(False, "A"), records(True), True),
    ("aws_config_configuration_recorder", records(False, "A"), records(False, "A", "B"), True),
    ("aws_config_configuration_recorder", records(False, "A", "B"), records(False, "B"), False),
    ("aws_config_configuration_recorder", records(True), records(False, "A"), False),
    ("aws_config_configuration_recorder", records(True), all_but("A"), False),
    ("aws_config_configuration_recorder", records(False, "A"), all_but("B"), True),
    ("aws_config_configuration_recorder", all_but("A"), records(True), True),
    ("aws_config_configuration_recorder", all_but("A", "B"), all_but("B"), True),
    ("aws_config_configuration_recorder", all_but("B"), all_but("A", "B"), False),
    ("aws_config_configuration_recorder", all_but("B"), records(False, "A"), False),
    ("aws_config_configuration_recorder", records(True), with_iam(records(True)), True),
    ("aws_config_configuration_recorder", with_iam(records(True)), records(True), False),
    ("aws_config_configuration_recorder", with_iam(records(True)), with_iam(records(True)), False),
    ("aws_detective_organization_configuration", None, {"auto_enable": True}, True),
    ("aws_detective_organization_configuration", None, {"auto_enable": False}, False),
    ("aws_detective_organization_configuration", {"auto_enable": False}, {"auto_enable": True}, True),
    ("aws_detective_organization_configuration", {"auto_enable": True}, {"auto_enable": False}, False),
    ("aws_securityhub_organization_configuration", None, {"auto_enable": True}, True),
    ("aws_securityhub_organization_configuration", None, {"auto_enable": False}, False),
    ("aws_securityhub_configuration_policy", None, standards("a"), False),
    ("aws_securityhub_configuration_policy", standards("a"), standards("b", "a"), True),
    ("aws_securityhub_configuration_policy", standards("a", "b"), standards("b"), False),
    ("aws_securityhub_configuration_policy_association", None, {"target_id": "r-abcd"}, True),
    ("aws_securityhub_standards_control_association", None, {"association_status": "DISABLED"}, False),
    ("aws_securityhub_standards_control_association", None, {"association_status": "ENABLED"}, True),
    ("aws_s3_bucket_lifecycle_configuration", None, moves(), False),
    ("aws_s3_bucket_lifecycle_configuration", None, moves("GLACIER"), True),
    ("aws_s3_bucket_lifecycle_configuration", moves("GLACIER"), moves("GLACIER", "DEEP_ARCHIVE"), True),
    ("aws_s3_bucket_lifecycle_configuration", moves("GLACIER", "DEEP_ARCHIVE"), moves("GLACIER"), False),
    ("aws_s3_bucket_lifecycle_configuration", None, {"rule": [None, {"transition": "?"}]}, False),
    ("aws_shield_protection", None, {"name": "a"}, True),
    ("aws_sns_topic_subscription", None, {"protocol": "email"}, True),
    ("aws_accessanalyzer_analyzer", None, {"type": "ACCOUNT"}, False),
    ("aws_accessanalyzer_analyzer", None, {"type": "ORGANIZATION_UNUSED_ACCESS"}, True),
]


@pytest.mark.parametrize(("kind", "before", "after", "bills"), BILLS)
def test_when_it_starts_to_bill(kind: str, before: dict[str, Any] | None, after: dict[str, Any], bills: bool) -> None:
    assert started(kind, "update" if before else "create", before, after) is bills


@pytest.mark.parametrize("kind", ITEMS)
def test_nothing_starts_to_bill_that_is_deleted(kind: str) -> None:
    assert not started(kind, "delete", {"name": "a"}, None)


def test_every_item_is_reached() -> None:
    told = {line.what for file in RECORDED.glob("*.json") for line in estimate(recorded_plan(file)).lines}
    told |= {ITEMS[kind].what for kind, _, _, bills in BILLS if bills}
    assert told == {item.what for item in ITEMS.values()}
