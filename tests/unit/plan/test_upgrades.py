"""What an environment applied by an earlier version is told by this one, and that CHANGELOG's consents are enough.

On recorded plans: `before` is what the earlier version had applied.
"""

from __future__ import annotations

import copy
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from toolkit.components.registry import REGISTRY
from toolkit.plan.findings import Consents, Finding, Rule
from toolkit.plan.guards import judge
from toolkit.plan.model import Attribution, parse_plan

ROOT = Path(__file__).parents[3]
RECORDED = ROOT / "tests" / "plans" / "components"
ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1", "us-east-1"), "eu-central-1")

CONDITIONS = {"ArnLike": {"aws:SourceArn": "arn:aws:events:eu-central-1:123456789012:rule/baseline-activity-*"}}
"""What topics asked of EventBridge, which sends nothing of the kind."""


def earlier_topic(document: dict[str, Any]) -> None:
    """The topic's policy of the version before."""
    kept = [s for s in document["Statement"] if s["Sid"] != "AlarmPublish"]
    for statement in kept:
        if statement["Sid"] == "EventBridgePublish":
            statement["Condition"] = CONDITIONS
    document["Statement"] = kept


def earlier_key(document: dict[str, Any]) -> None:
    """The key's policy of the version before: CloudWatch publishes to these topics since."""
    document["Statement"][1]["Principal"] = {"Service": "events.amazonaws.com"}


EARLIER = [
    ("alarms", "module.activity_alarms.aws_sns_topic_policy.this", earlier_topic),
    ("core", "module.guardduty_notifications.aws_sns_topic_policy.findings", earlier_topic),
    ("core", "module.guardduty_notifications.aws_kms_key.topic", earlier_key),
    (
        "trusted_advisor",
        'module.trusted_advisor_us_east_1.aws_sns_topic_policy.this["baseline-trusted-advisor"]',
        earlier_topic,
    ),
    ("trusted_advisor", 'module.trusted_advisor_us_east_1.aws_kms_key.topic["baseline-trusted-advisor"]', earlier_key),
]


def upgraded(file: str, address: str, earlier: Any) -> list[Finding]:
    plan = json.loads((RECORDED / f"{file}.json").read_text("utf-8"))
    (entry,) = [copy.deepcopy(e) for e in plan["resource_changes"] if e["address"] == address]
    change = entry["change"]
    document = json.loads(change["after"]["policy"])
    earlier(document)
    change["before"] = {**copy.deepcopy(change["after"]), "policy": json.dumps(document)}
    change["actions"] = ["update"]
    change["before_sensitive"], change["after_sensitive"], change["after_unknown"] = {}, {}, {}
    parsed = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION)
    return list(judge(parsed, REGISTRY, {}, {}))


@pytest.mark.parametrize(
    ("file", "address", "earlier"), EARLIER, ids=lambda value: value if isinstance(value, str) else ""
)
def test_topics_that_eventbridge_could_not_publish_to_want_the_consent_that_changelog_names(
    file: str, address: str, earlier: Any
) -> None:
    (finding,) = [f for f in upgraded(file, address, earlier) if f.blocks]
    assert (finding.rule, finding.attribute) == (Rule.WEAKENS, "policy")
    named = tuple(re.findall(r"--allow-weaker '([^']+)'", (ROOT / "CHANGELOG.md").read_text("utf-8")))
    assert named
    (consented,) = Consents(weaker=named).apply([finding], date(2026, 1, 1))
    assert not consented.blocks
