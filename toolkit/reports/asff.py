"""What an audit found in the AWS Security Finding Format, as Security Hub imports it.

In: an Audit. Out: findings as BatchImportFindings takes them, or a JSON array of them. Pure.
Sources: "AWS Security Finding Format (ASFF)" in the Security Hub User Guide; lengths are those of the API Reference
(AwsSecurityFinding and what it contains).
"""

from __future__ import annotations

import hashlib
from typing import Any

from toolkit.audit.model import Check, about, verdict
from toolkit.audit.report import Audit
from toolkit.documents import json_at, utc
from toolkit.findings import Finding, Severity, Status
from toolkit.regions import partition_of
from toolkit.visible import json_records, one_line

GENERATOR = "aws-baseline-toolkit/"
"""What the `GeneratorId` of each finding of ours begins with; the check's id follows."""
REGIONS = "aws-baseline-toolkit/regions"
"""Key in `ProductFields`: the regions that were audited, without which nobody knows what a later audit may close."""
FINDING_ID = "aws-baseline-toolkit/id"
"""Key in `ProductFields`: the finding's id in reports."""

_STATUSES = {
    Status.PASS: "PASSED",
    Status.ATTESTED: "PASSED",
    Status.FAIL: "FAILED",
    Status.UNKNOWN: "WARNING",  # "Some information is missing"
    Status.NOT_APPLICABLE: "NOT_AVAILABLE",
}
_LABELS = {Severity.CRITICAL: "CRITICAL", Severity.HIGH: "HIGH", Severity.MEDIUM: "MEDIUM", Severity.NOTE: "LOW"}
_OPEN = (Status.FAIL, Status.UNKNOWN)
_LONGEST_ID = 512
_MOST_REQUIREMENTS = 32
"""Requirements of the frameworks that were asked for come first."""
RESOURCE_TYPES = frozenset(
    {
        *("AwsIamAccessKey", "AwsIamGroup", "AwsIamPolicy", "AwsIamRole", "AwsIamUser"),
        *("AwsKmsKey", "AwsS3AccountPublicAccessBlock", "AwsS3Bucket", "AwsSnsTopic"),
    }
)
"""Types of ASFF that are called as Terraform's, in camel case; any other resource is "Other"."""


def render(audit: Audit) -> str:
    """The findings as JSON text."""
    return json_records(security_findings(audit))


def recognises(text: str) -> bool:
    """Whether a text is such an array."""
    try:
        return bool(json_at(text, 0, "GeneratorId").startswith(GENERATOR))
    except (ValueError, TypeError, LookupError, RecursionError, AttributeError):
        return False


def product_arn(account_id: str, region: str) -> str:
    """The product for findings of an account's own ("Using custom product integrations" in the User Guide)."""
    return f"arn:{partition_of(region) or 'aws'}:securityhub:{region}:{account_id}:product/{account_id}/default"


def security_findings(audit: Audit) -> tuple[dict[str, Any], ...]:
    """Each finding of an audit, for the Security Hub of its home region."""
    checks = {check.id: check for check in audit.by_check}
    return tuple(_security_finding(audit, checks[finding.rule.id], name, finding) for name, finding in audit.unique)


def _security_finding(audit: Audit, check: Check, name: str, finding: Finding) -> dict[str, Any]:
    time = utc(audit.taken)
    word = verdict(finding)
    fields = {
        FINDING_ID: name,
        REGIONS: ",".join(audit.regions),
        f"{GENERATOR}verdict": word,
        f"{GENERATOR}severity": finding.severity.value,
        f"{GENERATOR}waiver": finding.consented_by,
        f"{GENERATOR}environment": audit.environment,
    }
    source = {"Url": check.source} if check.source else {}
    asked = {framework.name for framework in audit.frameworks}
    related = sorted(finding.controls, key=lambda one: one.partition(":")[0] not in asked)[:_MOST_REQUIREMENTS]
    return {
        "SchemaVersion": "2018-10-08",
        "Id": _id(audit.account_id, name),
        "ProductArn": product_arn(audit.account_id, audit.home),
        "GeneratorId": f"{GENERATOR}{check.id}",
        "AwsAccountId": audit.account_id,
        "CreatedAt": time,
        "UpdatedAt": time,
        "LastObservedAt": time,
        # Providers give and update these here; at the top they would be the customer's.
        "FindingProviderFields": {
            "Severity": {
                # What needs no work must not be counted, or alerted on, as critical.
                "Label": _LABELS[finding.severity] if finding.status in _OPEN else "INFORMATIONAL",
                "Original": finding.severity.value,
            },
            "Types": ["Software and Configuration Checks/AWS Security Best Practices"],
        },
        "Title": _cut(finding.summary, 256),
        "Description": _cut(finding.evidence, 1024),
        "Remediation": {"Recommendation": {"Text": _cut(check.remedy.text, 512), **source}},
        "ProductFields": {key: _cut(value, 2048) for key, value in fields.items() if value},
        "Resources": [_resource(audit, finding)],
        "Compliance": {
            "Status": _STATUSES[finding.status],
            **({"RelatedRequirements": related} if related else {}),
        },
        # Archived rather than suppressed: Security Hub no longer updates a suppressed finding, so that one whose waiver
        # has ended would stay hidden, while one that is active again is new again (API Reference, WorkflowUpdate).
        "RecordState": "ARCHIVED" if word in ("waived", Status.NOT_APPLICABLE.value) else "ACTIVE",
    }


def _resource(audit: Audit, finding: Finding) -> dict[str, Any]:
    partition = partition_of(audit.home) or "aws"
    where = {"Partition": partition, "Region": finding.resource.region}
    what = about(finding)
    if what is None:
        return {"Type": "AwsAccount", "Id": f"AWS::::Account:{audit.account_id}", **where}
    named = "".join(word.title() for word in (finding.resource.type or "").split("_"))
    kind = named if finding.resource.arn and named in RESOURCE_TYPES else "Other"
    return {"Type": kind, "Id": _cut(what, 512), **where}


def _id(account_id: str, name: str) -> str:
    whole = one_line(f"{GENERATOR}{account_id}/{name}")
    if len(whole) <= _LONGEST_ID:
        return whole
    return f"{GENERATOR}{account_id}/{hashlib.sha256(name.encode('utf-8', 'backslashreplace')).hexdigest()}"


def _cut(text: str, longest: int) -> str:
    """A text as ASFF takes it: one line, not blank, and not too long."""
    line = one_line(text) if text.strip() else "-"
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
