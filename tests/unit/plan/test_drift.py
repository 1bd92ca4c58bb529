"""What counts as drift, on the JSON that real Terraform gave after changes made with boto3 (tests/plans/drift.json).

Recorded with tests/plans/trim_drift.py: password policy lowered, a policy detached, trail stopped, versioning of both
log buckets suspended, a role tagged. Around that stands what Terraform calls drift after any first apply.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from toolkit.components.registry import REGISTRY
from toolkit.errors import ToolkitError
from toolkit.findings import Severity
from toolkit.plan.drift import CHANGED, DELETED, WEAKENED, judge_drift
from toolkit.plan.model import Action, Attribution, Marker, parse_drift

RECORDED: dict[str, Any] = json.loads((Path(__file__).parents[2] / "plans" / "drift.json").read_text("utf-8"))
ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1",), "eu-central-1")
POLICY = "module.password_policy.aws_iam_account_password_policy.this"
GUARDRAIL = "module.iam_groups.aws_iam_policy.guardrail"


def test_what_people_did_is_found_and_nothing_else() -> None:
    found = {c.address: {a.path: (a.before, a.after) for a in c.attributes} for c in parse_drift(RECORDED, ATTRIBUTION)}
    gone = 'module.iam_groups.aws_iam_group_policy_attachment.managed["auditors/SecurityAudit"]'
    assert set(found) == {
        POLICY,
        gone,
        "module.cloudtrail.aws_cloudtrail.this",
        "module.cloudtrail.aws_iam_role.delivery",
        "module.cloudtrail.module.log_bucket.aws_s3_bucket_versioning.this",
        "module.cloudtrail.module.access_log_bucket.aws_s3_bucket_versioning.this",
    }
    assert found[POLICY] == {"max_password_age": (90, 0), "minimum_password_length": (14, 8)}
    assert found["module.cloudtrail.aws_cloudtrail.this"] == {
        "enable_log_file_validation": (True, False),
        "enable_logging": (True, False),
    }
    # The module does not set tags; that this plan would take the tag away again is what makes it count.
    assert found["module.cloudtrail.aws_iam_role.delivery"]["tags.by"] == (None, "hand")
    assert "inline_policy[0].name" not in found["module.cloudtrail.aws_iam_role.delivery"]
    deleted = {c.address for c in parse_drift(RECORDED, ATTRIBUTION) if c.action is Action.DELETE}
    assert deleted == {gone}


def test_each_change_is_a_finding_in_words_of_its_own() -> None:
    found = list(judge_drift(parse_drift(RECORDED, ATTRIBUTION), REGISTRY, "prod"))
    trail = "module.cloudtrail.aws_cloudtrail.this"
    versioning = "module.cloudtrail.module.{}.aws_s3_bucket_versioning.this.versioning_configuration[0].status"
    gone = 'module.iam_groups.aws_iam_group_policy_attachment.managed["auditors/SecurityAudit"]'
    assert {(f.rule.id, f.subject): (f.severity, f.evidence) for f in found} == {
        (WEAKENED.id, f"{POLICY}.minimum_password_length"): (Severity.HIGH, "14 → 8"),
        (WEAKENED.id, f"{POLICY}.max_password_age"): (Severity.HIGH, "90 → 0"),
        (WEAKENED.id, f"{trail}.enable_logging"): (Severity.HIGH, "true → false"),
        (WEAKENED.id, f"{trail}.enable_log_file_validation"): (Severity.HIGH, "true → false"),
        (WEAKENED.id, versioning.format("log_bucket")): (Severity.HIGH, '"Enabled" → "Suspended"'),
        (WEAKENED.id, versioning.format("access_log_bucket")): (Severity.HIGH, '"Enabled" → "Suspended"'),
        (DELETED.id, gone): (Severity.MEDIUM, "it is in the state and not in the account"),
        (CHANGED.id, "module.cloudtrail.aws_iam_role.delivery"): (Severity.MEDIUM, "differs in tags.by, tags_all.by"),
    }
    for finding in found:
        assert finding.consent is None
        assert "plan " not in finding.summary
        assert finding.remedy.startswith("`toolkit plan prod` shows what would revert it")


def test_component_and_region_come_with_it() -> None:
    (policy,) = [c for c in parse_drift(RECORDED, ATTRIBUTION) if c.address == POLICY]
    assert (policy.component, policy.region) == ("password_policy", "eu-central-1")


def entry(data: dict[str, Any], address: str) -> dict[str, Any]:
    (found,) = [e for e in data["resource_drift"] if e["address"] == address]
    return dict(found["change"])


def test_a_sensitive_value_that_changed_is_told_but_not_shown() -> None:
    data = copy.deepcopy(RECORDED)
    change = next(e for e in data["resource_drift"] if e["address"] == POLICY)["change"]
    change["before_sensitive"] = change["after_sensitive"] = {"minimum_password_length": True}
    (policy,) = [c for c in parse_drift(data, ATTRIBUTION) if c.address == POLICY]
    (length,) = [a for a in policy.attributes if a.path == "minimum_password_length"]
    assert (length.before, length.after) == (Marker.SENSITIVE, Marker.SENSITIVE)


def test_without_drift_there_is_none() -> None:
    assert parse_drift({**RECORDED, "resource_drift": []}, ATTRIBUTION) == ()
    without = {k: v for k, v in RECORDED.items() if k != "resource_drift"}
    assert parse_drift(without, ATTRIBUTION) == ()


def test_the_counter_that_only_terraform_calls_drift_is_in_the_recording() -> None:
    """Else the first test would prove less than it says."""
    assert entry(RECORDED, GUARDRAIL)["after"]["attachment_count"] == 4


def test_another_format_is_refused() -> None:
    with pytest.raises(ToolkitError, match=r"reads 1\.x"):
        parse_drift({**RECORDED, "format_version": "2.0"}, ATTRIBUTION)
