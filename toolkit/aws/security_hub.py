"""Findings of ours in an account's Security Hub: reads which are active, and imports new ones.

In: a session with the account, findings as `toolkit.reports.asff` makes them. Out: what Security Hub answers. Apart
from emptying buckets before a destroy and from the state bucket, importing is all that changes an account without
Terraform: whoever calls it has the user's consent.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.aws.session import AwsSession
from toolkit.errors import ToolkitError
from toolkit.interrupts import report, uninterrupted

ACTIONS = ("securityhub:BatchImportFindings", "securityhub:GetFindings")
"""IAM actions that it needs."""

# "Security Hub CSPM accepts up to 100 findings per batch, up to 240 KB per finding, and up to 6 MB per batch":
# https://docs.aws.amazon.com/securityhub/latest/partnerguide/guidelines-batchimportfindings.html
_MOST = 100
_LARGEST = 6_000_000 - 100_000  # what is around the findings, and how the service counts, are left some room

SecurityFinding = Mapping[str, Any]


@dataclass(frozen=True)
class Rejected:
    """A finding that Security Hub did not take."""

    id: str
    code: str
    message: str


@dataclass(frozen=True)
class Imported:
    """What came of importing findings."""

    accepted: int
    rejected: tuple[Rejected, ...]


def active_findings(clients: AwsSession, region: str, product_arn: str, generator: str) -> tuple[SecurityFinding, ...]:
    """Active findings of the account that one product imported.

    Args:
        clients: The session with the account.
        region: Whose Security Hub.
        product_arn: The product.
        generator: What the findings' GeneratorId begins with.

    Raises:
        ToolkitError: They cannot be read, or Security Hub is not enabled.
    """
    client = clients.client("securityhub", region)
    found: list[SecurityFinding] = []
    with _explained(region, "securityhub:GetFindings", "nothing was sent"):
        pages = client.get_paginator("get_findings").paginate(
            Filters={
                "ProductArn": [{"Value": product_arn, "Comparison": "EQUALS"}],
                "GeneratorId": [{"Value": generator, "Comparison": "PREFIX"}],
                "RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}],
            },
            PaginationConfig={"PageSize": 100},
        )
        for page in pages:
            found += page["Findings"]
    # The embedded AWS looks at no filter.
    return tuple(
        one
        for one in found
        if one["ProductArn"] == product_arn
        and one["GeneratorId"].startswith(generator)
        and one.get("RecordState", "ACTIVE") == "ACTIVE"
    )


def import_findings(clients: AwsSession, region: str, findings: Sequence[SecurityFinding]) -> Imported:
    """Send findings to Security Hub, which creates them, or updates those that have the id.

    Args:
        clients: The session with the account.
        region: Whose Security Hub.
        findings: In the AWS Security Finding Format.

    Raises:
        ToolkitError: A call failed; the error says how many findings had been accepted until then.
    """
    client = clients.client("securityhub", region)
    accepted = 0
    rejected: list[Rejected] = []
    report(lambda: f"Security Hub accepted {accepted:,} of {len(findings):,} findings" if accepted else None)
    for batch in _batches(findings):
        sent = f"{accepted:,} of {len(findings):,} findings had been accepted" if accepted else "nothing was accepted"
        with _explained(region, "securityhub:BatchImportFindings", sent), uninterrupted():
            answer = client.batch_import_findings(Findings=list(batch))
            accepted += answer["SuccessCount"]
        rejected += [
            Rejected(one["Id"], one["ErrorCode"], one["ErrorMessage"]) for one in answer.get("FailedFindings", ())
        ]
    return Imported(accepted, tuple(rejected))


def _batches(findings: Sequence[SecurityFinding]) -> Iterator[list[SecurityFinding]]:
    """As large as one call may be."""
    batch: list[SecurityFinding] = []
    size = 0
    for one in findings:
        own = len(json.dumps(one))  # ASCII escapes, which is what botocore sends
        if batch and (len(batch) == _MOST or size + own > _LARGEST):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += own
    if batch:
        yield batch


@contextlib.contextmanager
def _explained(region: str, action: str, so_far: str) -> Iterator[None]:
    """A failed call as an error that says what to do."""
    import botocore.exceptions as e
    from botocore.parsers import ResponseParserError

    try:
        yield
    except e.ClientError as error:
        code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
        # "The account doesn't have permission to perform this action", and that it is not subscribed to Security Hub.
        if code == "InvalidAccessException":
            raise ToolkitError(
                f"Security Hub is not enabled in {region}, or does not take findings of the account; {so_far}",
                detail=message,
                hint="enable `components.security_hub` in environment.yaml and apply it, or leave out --send-to",
            ) from error
        denied = "AccessDenied" in code or code in ("UnauthorizedOperation", "ExpiredTokenException")
        raise ToolkitError(
            f"{action} failed in {region}: {code}; {so_far}",
            detail=message,
            hint="`toolkit audit --send-to security-hub --print-policy` prints the IAM policy that it needs"
            if denied
            else "run it again; a finding that was accepted is updated",
        ) from error
    except (e.BotoCoreError, ResponseParserError) as error:
        raise ToolkitError(f"{action} failed in {region}; {so_far}", detail=str(error), hint="run it again") from error
