"""Readers of what guards the way in: Shield Advanced, Firewall Manager."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from toolkit.aws.existing.reader import Reader, named, overwriting
from toolkit.aws.session import ClientFactory
from toolkit.plan.guards import Existing
from toolkit.plan.model import Change

T = TypeVar("T")


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


def _shield_automatic_response(clients: ClientFactory, change: Change) -> Existing | None:
    """Enabling what is enabled already sets its action (Shield API: EnableApplicationLayerAutomaticResponse)."""
    shield = clients.client("shield")
    try:
        found = shield.describe_protection(ResourceArn=named(change, "resource_arn"))["Protection"]
    except shield.exceptions.ResourceNotFoundException:
        return None
    response = found.get("ApplicationLayerAutomaticResponseConfiguration", {})
    if response.get("Status") != "ENABLED":
        return None
    values = {"action": "BLOCK" if "Block" in response["Action"] else "COUNT"}
    what = f"the automatic response of the protection {found['Name']!r}"
    return overwriting(change, values, named(change, "resource_arn"), what)


def _shield_health_check(clients: ClientFactory, change: Change) -> Existing | None:
    protection = named(change, "shield_protection_id")
    if protection is None:
        # Of a protection that is still to be made.
        return None
    shield = clients.client("shield")
    try:
        found = shield.describe_protection(ProtectionId=protection)["Protection"]
    except shield.exceptions.ResourceNotFoundException:
        return None
    ids = found.get("HealthCheckIds", ())
    if not ids:
        return None
    arn = f"arn:aws:route53:::healthcheck/{ids[0]}"
    what = f"the health check {ids[0]} of the protection {found['Name']!r}"
    return Existing({}, False, f"{protection}+{arn}", what)


def _shield_protection_group(clients: ClientFactory, change: Change) -> Existing | None:
    if clients.simulated:
        # The embedded AWS has no protection groups, so nothing can be in the way there.
        return None
    name = named(change, "protection_group_id")
    shield = clients.client("shield")
    try:
        shield.describe_protection_group(ProtectionGroupId=name)
    except shield.exceptions.ResourceNotFoundException:
        return None
    return Existing({}, False, name, f"the protection group {name!r}")


def _shield_emergency_contacts(clients: ClientFactory, change: Change) -> Existing | None:
    """AssociateProactiveEngagementDetails replaces the list of contacts."""
    shield = clients.client("shield")
    try:
        contacts = shield.describe_emergency_contact_settings().get("EmergencyContactList", ())
    except shield.exceptions.ResourceNotFoundException:
        return None
    if not contacts:
        return None
    names = {"email_address": "EmailAddress", "phone_number": "PhoneNumber", "contact_notes": "ContactNotes"}
    values = {"emergency_contact": [{ours: one.get(theirs) for ours, theirs in names.items()} for one in contacts]}
    return overwriting(change, values, clients.account_id, "emergency contacts of the Shield Response Team")


def _shield_response_team(clients: ClientFactory, _change: Change) -> Existing | None:
    shield = clients.client("shield")
    try:
        role = shield.describe_drt_access().get("RoleArn")
    except shield.exceptions.ResourceNotFoundException:
        return None
    if not role:
        return None
    return Existing({"role_arn": role}, True, clients.account_id, "another role of the Shield Response Team")


def _asked_of_administrator(fms: Any, ask: Callable[[], T]) -> T | None:
    """What Firewall Manager answers; None where there is no administrator yet, or this account is not it."""
    try:
        return ask()
    except fms.exceptions.ClientError as e:
        # The answer in both cases, and one that the API does not define; any other refusal is a missing right.
        if "is not currently delegated by AWS FM" in str(e) or isinstance(e, fms.exceptions.ResourceNotFoundException):
            return None
        raise


def _firewall_administrator(clients: ClientFactory, change: Change) -> Existing | None:
    fms = clients.client("fms", change.region)
    account = (_asked_of_administrator(fms, fms.get_admin_account) or {}).get("AdminAccount")
    return Existing({}, False, account, f"{account} as administrator of Firewall Manager") if account else None


def _firewall_policy(clients: ClientFactory, change: Change) -> Existing | None:
    name = named(change, "name")
    fms = clients.client("fms", change.region)
    pages = _asked_of_administrator(fms, lambda: list(fms.get_paginator("list_policies").paginate())) or []
    found = next((p["PolicyId"] for page in pages for p in page["PolicyList"] if p["PolicyName"] == name), None)
    return Existing({}, False, found, f"the policy {name!r} of Firewall Manager in {change.region}") if found else None


READERS: dict[str, Reader] = {
    "aws_fms_admin_account": _firewall_administrator,
    "aws_fms_policy": _firewall_policy,
    "aws_shield_subscription": _shield_subscription,
    "aws_shield_protection": _shield_protection,
    "aws_shield_application_layer_automatic_response": _shield_automatic_response,
    "aws_shield_protection_health_check_association": _shield_health_check,
    "aws_shield_protection_group": _shield_protection_group,
    "aws_shield_proactive_engagement": _shield_emergency_contacts,
    "aws_shield_drt_access_role_arn_association": _shield_response_team,
}
