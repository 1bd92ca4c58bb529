"""What an audit found as CSV, a row for each finding."""

from __future__ import annotations

from toolkit.audit.model import about, verdict
from toolkit.audit.report import Audit
from toolkit.documents import utc
from toolkit.reports import table

_HEADING = (
    *("account", "environment", "taken", "region", "service", "check", "title", "severity", "verdict", "resource"),
    *("type", "evidence", "waiver", "remediation", "requirements", "change", "id"),
)


def render(audit: Audit) -> str:
    """The findings as CSV, the worst first; requirements are separated by spaces."""
    services = {check.id: check.service for check in audit.by_check}
    changes = [change for _, change in audit.changes]
    rows = (
        (
            audit.account_id,
            audit.environment or "",
            utc(audit.taken),
            finding.resource.region,
            services[finding.rule.id],
            finding.rule.id,
            finding.summary,
            finding.severity.value,
            verdict(finding),
            about(finding) or f"account {audit.account_id}",
            finding.resource.type or "",
            finding.evidence,
            finding.consented_by or "",
            finding.remedy,
            " ".join(finding.controls),
            change.value if change else "",
            name,
        )
        for (name, finding), change in zip(audit.unique, changes, strict=True)
    )
    return table.as_csv(_HEADING, rows)


def recognises(text: str) -> bool:
    """Whether a text is such a table."""
    return text.startswith(",".join(_HEADING) + "\r\n")
