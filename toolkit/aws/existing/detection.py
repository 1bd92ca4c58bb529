"""Readers of what detects: GuardDuty, Security Hub, Access Analyzer."""

from __future__ import annotations

from toolkit.aws.existing.reader import Reader, named
from toolkit.aws.session import ClientFactory
from toolkit.plan.guards import Existing
from toolkit.plan.model import Change


def _detector(clients: ClientFactory, change: Change) -> Existing | None:
    identifiers = clients.client("guardduty", change.region).list_detectors()["DetectorIds"]
    if not identifiers:
        return None
    return Existing({}, False, identifiers[0], f"a GuardDuty detector in {change.region}")


def _analyzer(clients: ClientFactory, change: Change) -> Existing | None:
    if clients.simulated:
        # The embedded AWS has no Access Analyzer, so nothing can be in the way there.
        return None
    name = named(change, "analyzer_name")
    pages = clients.client("accessanalyzer", change.region).get_paginator("list_analyzers").paginate()
    if not any(analyzer["name"] == name for page in pages for analyzer in page["analyzers"]):
        return None
    return Existing({}, False, str(name), f"the analyzer {name!r} in {change.region}")


def _hub(clients: ClientFactory, change: Change) -> Existing | None:
    hub = clients.client("securityhub", change.region)
    try:
        hub.describe_hub()
    except (hub.exceptions.InvalidAccessException, hub.exceptions.ResourceNotFoundException):
        return None
    return Existing({}, False, clients.account_id, f"Security Hub in {change.region}")


def _finding_aggregator(clients: ClientFactory, change: Change) -> Existing | None:
    if clients.simulated:
        # The embedded AWS has no finding aggregators, so nothing can be in the way there.
        return None
    hub = clients.client("securityhub", change.region)
    try:
        found = hub.list_finding_aggregators()["FindingAggregators"]
    except hub.exceptions.InvalidAccessException:
        return None
    if not found:
        return None
    arn = found[0]["FindingAggregatorArn"]
    return Existing({}, False, arn, "a finding aggregator of Security Hub")


READERS: dict[str, Reader] = {
    "aws_guardduty_detector": _detector,
    "aws_accessanalyzer_analyzer": _analyzer,
    "aws_securityhub_account": _hub,
    "aws_securityhub_finding_aggregator": _finding_aggregator,
}
