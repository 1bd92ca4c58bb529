"""Sends what an audit found to Security Hub.

In: an audit, and the account that it is of. Out: what Security Hub accepted. Everything is sent to the home region,
where the component security_hub collects the findings of all regions: so nothing is lost of a region without Security
Hub, and `Resources[].Region` of a finding has the region that it is about.

Each verdict is sent, so that a finding that passes now is updated to PASSED. A finding of an earlier audit is archived
if this audit would have made it again, and did not: a deleted user, a closed port. Security Hub itself says which there
are, and each has the regions that its audit looked at; so this needs no file of an earlier audit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from toolkit.audit.baseline import Earlier, described, gone
from toolkit.audit.report import Audit
from toolkit.aws.security_hub import Rejected, SecurityFinding, active_findings, import_findings
from toolkit.documents import utc
from toolkit.errors import RefusedError, ToolkitError
from toolkit.findings import Severity, Status
from toolkit.reports.asff import FINDING_ID, GENERATOR, REGIONS, product_arn, security_findings
from toolkit.visible import one_line
from toolkit.workflows.discover import Account

_KEPT = (
    *("SchemaVersion", "Id", "ProductArn", "GeneratorId", "AwsAccountId", "CreatedAt", "LastObservedAt"),
    *("FindingProviderFields", "Title", "Description", "Remediation", "Resources", "Compliance"),
)
"""What of a finding a provider imports; Security Hub adds and keeps the rest by itself."""


@dataclass(frozen=True)
class Sending:
    """What is to be sent."""

    region: str
    account_id: str
    findings: tuple[SecurityFinding, ...]
    """Those of the audit."""
    archived: tuple[SecurityFinding, ...]
    """Those of earlier audits that are no more."""

    @property
    def every(self) -> tuple[SecurityFinding, ...]:
        """Both."""
        return (*self.findings, *self.archived)


def prepare(audit: Audit, account: Account) -> Sending:
    """What of an audit is to be sent; reads the findings that Security Hub has.

    Raises:
        RefusedError: The audit is of another account, or of the embedded AWS for an account on AWS.
        ToolkitError: Security Hub is not enabled, or does not answer.
    """
    there = described(audit.account_id, simulated=audit.simulated)
    here = described(account.caller.account_id, simulated=account.clients.simulated)
    if there != here:
        raise RefusedError(
            f"this audit is of {there}, and the Security Hub is that of {here}; nothing was sent",
            hint=f"audit {here}, and send that",
        )
    findings = security_findings(audit)
    ours = active_findings(account.clients, audit.home, product_arn(audit.account_id, audit.home), GENERATOR)
    sent = {one["Id"] for one in findings}
    archived = _archived(audit, [one for one in ours if one["Id"] not in sent])
    return Sending(audit.home, audit.account_id, findings, tuple(archived))


def send(sending: Sending, account: Account) -> int:
    """Send it, and return how many findings Security Hub accepted.

    Raises:
        ToolkitError: A call failed, or findings were rejected; the error names each, with Security Hub's reason.
    """
    imported = import_findings(account.clients, sending.region, sending.every)
    if imported.rejected:
        raise ToolkitError(
            f"Security Hub in {sending.region} rejected {len(imported.rejected):,} of {len(sending.every):,} findings; "
            f"it accepted {imported.accepted:,}",
            detail="\n".join(map(_reason, imported.rejected)),
            hint="run it again; if the reason is not about your account, please report it",
        )
    return imported.accepted


def _reason(rejected: Rejected) -> str:
    return one_line(f"{rejected.id}: {rejected.code}: {rejected.message}")


def _archived(audit: Audit, ours: list[SecurityFinding]) -> Iterator[dict[str, Any]]:
    """Findings that this audit would have made again; what it did not look at, or could not read, stays as it is."""
    together: dict[tuple[str, ...], dict[str, SecurityFinding]] = {}
    for one in ours:
        fields: Mapping[str, str] = one.get("ProductFields", {})
        if fields.get(REGIONS) and fields.get(FINDING_ID):
            together.setdefault(tuple(fields[REGIONS].split(",")), {})[fields[FINDING_ID]] = one
    now = utc(datetime.now(UTC))
    for regions, by_id in together.items():
        earlier = tuple(_earlier(name, one) for name, one in by_id.items())
        for vanished in gone(earlier, regions, audit.findings, audit.by_check, audit.scope):
            one = by_id[vanished.id]
            yield {
                **{key: one[key] for key in _KEPT if key in one},
                "ProductFields": {
                    key: value for key, value in one["ProductFields"].items() if key.startswith(GENERATOR)
                },
                "UpdatedAt": now,
                "RecordState": "ARCHIVED",
            }


def _earlier(name: str, one: SecurityFinding) -> Earlier:
    return Earlier(
        id=name,
        rule=one["GeneratorId"].removeprefix(GENERATOR),
        region=one["Resources"][0].get("Region", ""),
        severity=Severity.NOTE,
        status=Status.FAIL,
        evidence=one["Description"],
        facts=None,
        consented_by=None,
    )
