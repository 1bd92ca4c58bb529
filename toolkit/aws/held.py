"""What a thing holds that Terraform calls tainted and would make anew. Reads only.

Terraform taints what an interrupted or failed apply left half-made, and what somebody taints by hand: the plan does not
tell them apart, but what is half-made is empty.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from toolkit.aws.facts import asked
from toolkit.aws.session import ClientFactory
from toolkit.plan.model import Change, Plan


def read_held(plan: Plan, clients: ClientFactory) -> dict[str, str | None]:
    """Address of something tainted → what it holds, for people; None where it holds nothing.

    Raises:
        ToolkitError: It could not be asked.
    """
    found: dict[str, str | None] = {}
    for change in plan.changes:
        read = HOLDERS.get(change.type)
        if read is not None and change.tainted:
            found[change.address] = asked(f"what {change.address} holds", lambda c=change, r=read: r(clients, c))  # type: ignore[misc]
    return found


def _objects(clients: ClientFactory, change: Change) -> str | None:
    s3 = clients.client("s3", change.region)
    try:
        # Versions and delete markers, too: what was deleted in a versioned bucket is still there.
        answer = s3.list_object_versions(Bucket=change.before["bucket"], MaxKeys=1)
    except s3.exceptions.NoSuchBucket:
        return None
    first: dict[str, Any] | None = next(iter((*answer.get("Versions", ()), *answer.get("DeleteMarkers", ()))), None)
    return f"the bucket has objects, such as {first['Key']}" if first else None


def _streams(clients: ClientFactory, change: Change) -> str | None:
    logs = clients.client("logs", change.region)
    try:
        streams = logs.describe_log_streams(logGroupName=change.before["name"], limit=1)["logStreams"]
    except logs.exceptions.ResourceNotFoundException:
        return None
    return f"the log group has streams, such as {streams[0]['logStreamName']}" if streams else None


def _findings(clients: ClientFactory, change: Change) -> str | None:
    if clients.simulated:
        # The embedded AWS detects nothing.
        return None
    guardduty = clients.client("guardduty", change.region)
    identifiers = guardduty.list_findings(DetectorId=change.before["id"], MaxResults=1)["FindingIds"]
    return "the detector has findings, which AWS deletes with it" if identifiers else None


HOLDERS: dict[str, Callable[[ClientFactory, Change], str | None]] = {
    "aws_s3_bucket": _objects,
    "aws_cloudwatch_log_group": _streams,
    "aws_guardduty_detector": _findings,
}
"""Resource type → what asks for what it holds."""
