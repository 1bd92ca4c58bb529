"""What an audit found as events of OCSF 1.6.0, class Compliance Finding (2003), in one JSON array.

Source: https://schema.ocsf.io/1.6.0/classes/compliance_finding; tests/schemas has what it demands. The array is what
Prowler writes as `.ocsf.json`, too, so that tools which read the one read the other.
"""

from __future__ import annotations

from typing import Any

from toolkit import __version__
from toolkit.audit.baseline import Change
from toolkit.audit.model import Check, about, verdict
from toolkit.audit.report import Audit
from toolkit.documents import json_at
from toolkit.findings import Finding, Severity, Status
from toolkit.regions import partition_of
from toolkit.visible import json_records

_NAME = "aws-baseline-toolkit"
_SEVERITIES = {
    Severity.CRITICAL: (5, "Critical"),
    Severity.HIGH: (4, "High"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.NOTE: (2, "Low"),
}
_STATUSES = {
    Status.PASS: (1, "Pass"),
    Status.ATTESTED: (1, "Pass"),
    Status.UNKNOWN: (2, "Warning"),  # "did not yield a result due to missing information"
    Status.FAIL: (3, "Fail"),
    Status.NOT_APPLICABLE: (99, "Not Applicable"),
}
"""`compliance.status_id`; `status_code` has the verdict itself, which tells pass from attested."""
_CREATE, _UPDATE = (1, "Create"), (2, "Update")
_NEW, _SUPPRESSED = (1, "New"), (3, "Suppressed")


def render(audit: Audit) -> str:
    """The findings as JSON text."""
    checks = {check.id: check for check in audit.by_check}
    changes = [change for _, change in audit.changes]
    return json_records(
        _event(audit, checks[finding.rule.id], name, finding, change)
        for (name, finding), change in zip(audit.unique, changes, strict=True)
    )


def recognises(text: str) -> bool:
    """Whether a text is such an array."""
    try:
        first = json_at(text, 0)
        return bool(first["class_uid"] == 2003 and first["metadata"]["product"]["name"] == _NAME)
    except (ValueError, TypeError, LookupError, RecursionError):
        return False


def _event(audit: Audit, check: Check, name: str, finding: Finding, change: Change | None) -> dict[str, Any]:
    time = int(audit.taken.timestamp() * 1000)
    activity_id, activity = _UPDATE if change is Change.UNCHANGED else _CREATE
    severity_id, severity = _SEVERITIES[finding.severity]
    region, partition = finding.resource.region, partition_of(audit.home) or "aws"
    return {
        "activity_id": activity_id,
        "activity_name": activity,
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "type_uid": 200300 + activity_id,
        "type_name": f"Compliance Finding: {activity}",
        "time": time,
        "severity_id": severity_id,
        "severity": severity,
        "message": finding.evidence,
        "status_code": verdict(finding),
        **_workflow(finding),
        "metadata": {
            "version": "1.6.0",
            "product": {"name": _NAME, "vendor_name": _NAME, "version": __version__},
            "profiles": ["cloud"],
            "event_code": check.id,
        },
        "cloud": {
            "provider": "AWS",
            "account": {"uid": audit.account_id, "type_id": 10, "type": "AWS Account"},
            "region": region,
            "cloud_partition": partition,
        },
        "finding_info": {
            "uid": f"{audit.account_id}/{name}",
            "title": finding.summary,
            "created_time": time,
            "analytic": {"uid": check.id, "name": check.id, "type_id": 1, "type": "Rule"},
            **({"desc": check.why} if check.why else {}),
        },
        "compliance": _compliance(check, finding),
        "resources": [
            {
                "uid": about(finding) or f"arn:{partition}:iam::{audit.account_id}:root",
                "type": finding.resource.type or "AwsAccount",
                "region": region,
                "cloud_partition": partition,
            }
        ],
        **_remediation(check, finding),
        "unmapped": {
            "environment": audit.environment,
            "simulator": "moto" if audit.simulated else None,
            "change": change.value if change else None,
            "setting": f"components.{finding.component}" if finding.component else None,
        },
    }


def _workflow(finding: Finding) -> dict[str, Any]:
    """Where it stands: open, or accepted by a waiver; nothing of what needs no work."""
    if finding.status not in (Status.FAIL, Status.UNKNOWN):
        return {}
    if finding.consented_by is None:
        return {"status_id": _NEW[0], "status": _NEW[1]}
    return {"status_id": _SUPPRESSED[0], "status": _SUPPRESSED[1], "comment": finding.consented_by}


def _compliance(check: Check, finding: Finding) -> dict[str, Any]:
    status_id, status = _STATUSES[finding.status]
    standards = list(dict.fromkeys(one.partition(":")[0] for one in finding.controls))
    return {
        "control": check.id,
        "desc": finding.summary,
        **({"standards": standards, "requirements": list(finding.controls)} if standards else {}),
        "status_id": status_id,
        "status": status,
        "status_code": finding.status.value,
        "status_details": list(finding.facts or (finding.evidence,)),
    }


def _remediation(check: Check, finding: Finding) -> dict[str, Any]:
    if not finding.remedy:
        return {}
    links = {"references": [check.source]} if check.source else {}
    return {"remediation": {"desc": finding.remedy, **links}}
