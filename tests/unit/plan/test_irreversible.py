"""What AWS does not take back is marked where a plan does it, and only there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from toolkit.components.registry import REGISTRY
from toolkit.plan.irreversible import lasting
from toolkit.plan.model import Attribution, parse_plan
from toolkit.resources.registry import RESOURCES

RECORDED = Path(__file__).parents[2] / "plans" / "components"
ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1",), "eu-central-1")
LOCK = "aws_s3_bucket_object_lock_configuration"
POLICY = "aws_organizations_policy"


def lock(mode: str, days: int = 30) -> dict[str, Any]:
    return {"bucket": "logs", "rule": [{"default_retention": [{"mode": mode, "days": days}]}]}


@pytest.mark.parametrize(
    ("kind", "actions", "before", "after", "words"),
    [
        (LOCK, ["create"], None, lock("GOVERNANCE"), ["cannot be disabled"]),
        (LOCK, ["create"], None, lock("COMPLIANCE"), ["cannot be disabled", "not even root"]),
        (LOCK, ["update"], lock("GOVERNANCE"), lock("COMPLIANCE"), ["not even root"]),
        (LOCK, ["update"], lock("COMPLIANCE"), lock("COMPLIANCE", 60), ["not even root"]),
        (LOCK, ["update"], lock("COMPLIANCE", 60), lock("COMPLIANCE"), []),
        (LOCK, ["update"], lock("COMPLIANCE"), {**lock("COMPLIANCE"), "token": "other"}, []),
        (LOCK, ["update"], lock("GOVERNANCE"), lock("GOVERNANCE", 60), []),
        (LOCK, ["update"], lock("COMPLIANCE"), lock("GOVERNANCE"), []),
        (LOCK, ["delete"], lock("COMPLIANCE"), None, []),
        ("aws_shield_subscription", ["create"], None, {"auto_renew": "ENABLED"}, ["one year"]),
        ("aws_shield_subscription", ["update"], {"auto_renew": "ENABLED"}, {"auto_renew": "DISABLED"}, []),
        (POLICY, ["create"], None, {"type": "AISERVICES_OPT_OUT_POLICY"}, ["delete the content"]),
        (POLICY, ["create"], None, {"type": "SERVICE_CONTROL_POLICY"}, []),
        ("aws_s3_bucket", ["create"], None, {"bucket": "logs"}, []),
        ("aws_unknown_thing", ["create"], None, {}, []),
    ],
)
def test_marked_where_it_happens(
    kind: str, actions: list[str], before: dict[str, Any] | None, after: dict[str, Any] | None, words: list[str]
) -> None:
    entry = {
        "address": f"module.cloudtrail.{kind}.this",
        "mode": "managed",
        "type": kind,
        "name": "this",
        "change": {"actions": actions, "before": before, "after": after, "after_unknown": {}},
    }
    found = lasting(parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION))
    assert len(found) == len(words)
    for entry_found, word in zip(found, words, strict=True):
        assert word in entry_found.summary
        assert entry_found.address == entry["address"]


def test_every_record_has_a_sentence_and_a_source() -> None:
    for record in RESOURCES.values():
        for entry in record.irreversible:
            assert entry.summary.endswith(".")
            assert re.match(r"https://docs.aws.amazon.com/\S+, read on 2026-\d\d-\d\d$", entry.source), entry.source
            assert (entry.attribute is None) == (not entry.values)


def test_recorded_plans_mark_the_trail_s_lock() -> None:
    recorded = [json.loads(file.read_text("utf-8")) for file in RECORDED.glob("*.json")]
    found = {e.summary for plan in recorded for e in lasting(parse_plan(plan, ATTRIBUTION))}
    assert len(found) >= 3


def test_a_retention_that_only_the_apply_knows_is_marked() -> None:
    after = {"bucket": "logs", "rule": [{"default_retention": [{"mode": "COMPLIANCE"}]}]}
    unknown = {"rule": [{"default_retention": [{"days": True}]}]}
    change = {"actions": ["update"], "before": lock("COMPLIANCE"), "after": after, "after_unknown": unknown}
    entry = {"address": f"{LOCK}.this", "mode": "managed", "type": LOCK, "name": "this", "change": change}
    found = lasting(parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION))
    assert ["not even root" in one.summary for one in found] == [True]
