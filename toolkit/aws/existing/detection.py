"""Readers of what detects and shields: GuardDuty, Security Hub, Access Analyzer, Shield, Firewall Manager."""

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


def _shield_subscription(clients: ClientFactory, _change: Change) -> Existing | None:
    shield = clients.client("shield")
    try:
        shield.describe_subscription()
    except shield.exceptions.ResourceNotFoundException:
        return None
    return Existing({}, False, clients.account_id, "a subscription to Shield Advanced")


def _shield_protection(clients: ClientFactory, change: Change) -> Existing | None:
    shield = clients.client("shield")
    try:
        found = shield.describe_protection(ResourceArn=named(change, "resource_arn"))["Protection"]
    except shield.exceptions.ResourceNotFoundException:
        return None
    return Existing({}, False, found["Id"], f"the protection {found['Name']!r} of that resource")


def _shield_response_team(clients: ClientFactory, _change: Change) -> Existing | None:
    if clients.simulated:
        # The embedded AWS has no response team, so nothing can be in the way there.
        return None
    shield = clients.client("shield")
    try:
        role = shield.describe_drt_access().get("RoleArn")
    except shield.exceptions.ResourceNotFoundException:
        return None
    if not role:
        return None
    return Existing({"role_arn": role}, True, clients.account_id, "another role of the Shield Response Team")


def _firewall_administrator(clients: ClientFactory, change: Change) -> Existing | None:
    if clients.simulated:
        # The embedded AWS has no Firewall Manager, so nothing can be in the way there.
        return None
    fms = clients.client("fms", change.region)
    try:
        account = fms.get_admin_account().get("AdminAccount")
    except fms.exceptions.ResourceNotFoundException:
        return None
    return Existing({}, False, account, f"{account} as administrator of Firewall Manager") if account else None


def _firewall_policy(clients: ClientFactory, change: Change) -> Existing | None:
    if clients.simulated:
        return None
    name = named(change, "name")
    fms = clients.client("fms", change.region)
    try:
        pages = list(fms.get_paginator("list_policies").paginate())
    except fms.exceptions.ResourceNotFoundException:
        # No administrator yet, so no policies.
        return None
    found = next((p["PolicyId"] for page in pages for p in page["PolicyList"] if p["PolicyName"] == name), None)
    return Existing({}, False, found, f"the policy {name!r} of Firewall Manager in {change.region}") if found else None


READERS: dict[str, Reader] = {
    "aws_guardduty_detector": _detector,
    "aws_accessanalyzer_analyzer": _analyzer,
    "aws_securityhub_account": _hub,
    "aws_securityhub_finding_aggregator": _finding_aggregator,
    "aws_fms_admin_account": _firewall_administrator,
    "aws_fms_policy": _firewall_policy,
    "aws_shield_subscription": _shield_subscription,
    "aws_shield_protection": _shield_protection,
    "aws_shield_drt_access_role_arn_association": _shield_response_team,
}
