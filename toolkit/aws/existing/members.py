"""Readers of what an organization's administrator has set for member accounts: GuardDuty and Security Hub.

Every call that sets these sets what stands; where the account administers nothing, nothing stands.
"""

from __future__ import annotations

from typing import Any

from toolkit.aws.existing.reader import Reader, named, overwriting
from toolkit.aws.session import ClientFactory
from toolkit.plan.guards import Existing
from toolkit.plan.model import Change


def _guardduty(clients: ClientFactory, change: Change) -> dict[str, Any] | None:
    """GuardDuty's DescribeOrganizationConfiguration in the region; None where this account is not to ask."""
    guardduty = clients.client("guardduty", change.region)
    identifiers = clients.listed("guardduty", "list_detectors", "DetectorIds", change.region)
    if not identifiers:
        return None
    try:
        found: dict[str, Any] = guardduty.describe_organization_configuration(DetectorId=identifiers[0])
    except guardduty.exceptions.BadRequestException:
        # Not the organization's administrator (yet).
        return None
    return found


def _guardduty_configuration(clients: ClientFactory, change: Change) -> Existing | None:
    found = _guardduty(clients, change)
    if found is None:
        return None
    values = {"auto_enable_organization_members": found.get("AutoEnableOrganizationMembers", "NONE")}
    identifiers = clients.listed("guardduty", "list_detectors", "DetectorIds", change.region)
    return overwriting(change, values, identifiers[0], f"GuardDuty's settings of member accounts in {change.region}")


def _guardduty_feature(clients: ClientFactory, change: Change) -> Existing | None:
    found, name = _guardduty(clients, change), named(change, "name")
    feature = next((f for f in (found or {}).get("Features", ()) if f["Name"] == name), None)
    if feature is None:
        return None
    return overwriting(
        change, {"auto_enable": feature["AutoEnable"]}, None, f"{name} in member accounts, in {change.region}"
    )


def _hub_configuration(clients: ClientFactory, change: Change) -> Existing | None:
    hub = clients.client("securityhub", change.region)
    try:
        found = hub.describe_organization_configuration()
    except (hub.exceptions.InvalidAccessException, hub.exceptions.ResourceNotFoundException):
        return None
    values = {
        "auto_enable": found["AutoEnable"],
        "auto_enable_standards": found.get("AutoEnableStandards", "NONE"),
        "organization_configuration": [
            {"configuration_type": found.get("OrganizationConfiguration", {}).get("ConfigurationType", "LOCAL")}
        ],
    }
    what = f"Security Hub's settings of member accounts in {change.region}"
    return overwriting(change, values, clients.account_id, what)


def _policy(clients: ClientFactory, change: Change) -> Existing | None:
    hub, name = clients.client("securityhub", change.region), named(change, "name")
    try:
        pages = list(hub.get_paginator("list_configuration_policies").paginate())
    except hub.exceptions.InvalidAccessException:
        return None
    found = [policy for page in pages for policy in page["ConfigurationPolicySummaries"]]
    identifier = next((policy["Id"] for policy in found if policy["Name"] == name), None)
    return Existing({}, False, identifier, f"the configuration policy {name!r}") if identifier else None


def _association(clients: ClientFactory, change: Change) -> Existing | None:
    hub, target = clients.client("securityhub", change.region), named(change, "target_id") or ""
    kind = "RootId" if target.startswith("r-") else "OrganizationalUnitId" if target.startswith("ou-") else "AccountId"
    try:
        found = hub.get_configuration_policy_association(Target={kind: target})
    except (hub.exceptions.InvalidAccessException, hub.exceptions.ResourceNotFoundException):
        return None
    if found["AssociationType"] != "APPLIED":
        # What a unit above hands down stays there for the others.
        return None
    what = f"the configuration policy of {target}"
    return overwriting(change, {"policy_id": found["ConfigurationPolicyId"]}, target, what)


READERS: dict[str, Reader] = {
    "aws_guardduty_organization_configuration": _guardduty_configuration,
    "aws_guardduty_organization_configuration_feature": _guardduty_feature,
    "aws_securityhub_organization_configuration": _hub_configuration,
    "aws_securityhub_configuration_policy": _policy,
    "aws_securityhub_configuration_policy_association": _association,
}
