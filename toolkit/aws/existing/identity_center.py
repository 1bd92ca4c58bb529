"""Readers of IAM Identity Center: permission sets, and what stands beside one that exists."""

from __future__ import annotations

from toolkit.aws.existing.reader import Reader, named, overwriting
from toolkit.aws.session import ClientFactory
from toolkit.plan.guards import Existing
from toolkit.plan.model import Change


def _permission_set(clients: ClientFactory, change: Change) -> Existing | None:
    instance, name = named(change, "instance_arn"), named(change, "name")
    if instance is None:
        return None
    sso = clients.client("sso-admin", change.region)
    pages = sso.get_paginator("list_permission_sets").paginate(InstanceArn=instance)
    for arn in (arn for page in pages for arn in page["PermissionSets"]):
        # The list has no names; sets are few.
        described = sso.describe_permission_set(InstanceArn=instance, PermissionSetArn=arn)["PermissionSet"]
        if described["Name"] == name:
            return Existing({}, False, f"{arn},{instance}", f"the permission set {name!r}")
    return None


def _inline_policy(clients: ClientFactory, change: Change) -> Existing | None:
    """PutInlinePolicyToPermissionSet replaces the one that a set has."""
    instance, arn = named(change, "instance_arn"), named(change, "permission_set_arn")
    if instance is None or arn is None:
        # Of a set that is still to be made.
        return None
    sso = clients.client("sso-admin", change.region)
    try:
        policy = sso.get_inline_policy_for_permission_set(InstanceArn=instance, PermissionSetArn=arn).get(
            "InlinePolicy"
        )
    except sso.exceptions.ResourceNotFoundException:
        return None
    if not policy:
        return None
    return overwriting(change, {"inline_policy": policy}, f"{arn},{instance}", f"the inline policy of {arn}")


def _boundary(clients: ClientFactory, change: Change) -> Existing | None:
    """PutPermissionsBoundaryToPermissionSet replaces the one that a set has."""
    instance, arn = named(change, "instance_arn"), named(change, "permission_set_arn")
    if instance is None or arn is None:
        return None
    sso = clients.client("sso-admin", change.region)
    try:
        answer = sso.get_permissions_boundary_for_permission_set(InstanceArn=instance, PermissionSetArn=arn)
    except sso.exceptions.ResourceNotFoundException:
        return None
    boundary = answer["PermissionsBoundary"]
    customer = boundary.get("CustomerManagedPolicyReference")
    values = {
        "managed_policy_arn": boundary.get("ManagedPolicyArn"),
        "customer_managed_policy_reference": [{"name": customer["Name"]}] if customer else [],
    }
    what = f"the permissions boundary of {arn}"
    return overwriting(change, {"permissions_boundary": [values]}, f"{arn},{instance}", what)


def _managed_policy(clients: ClientFactory, change: Change) -> Existing | None:
    """AWS's policies of a set; one that it has already."""
    instance, arn = named(change, "instance_arn"), named(change, "permission_set_arn")
    policy = named(change, "managed_policy_arn")
    if instance is None or arn is None or policy is None:
        return None
    request = {"InstanceArn": instance, "PermissionSetArn": arn}
    call, member = "list_managed_policies_in_permission_set", "AttachedManagedPolicies"
    try:
        attached = clients.listed("sso-admin", call, member, change.region, **request)
    except clients.client("sso-admin", change.region).exceptions.ResourceNotFoundException:
        return None
    if all(one["Arn"] != policy for one in attached):
        return None
    values = {"permission_set_arn": arn, "managed_policy_arn": policy}
    return Existing(values, True, f"{policy},{arn},{instance}", f"the policy {policy} of {arn}", same=True)


READERS: dict[str, Reader] = {
    "aws_ssoadmin_managed_policy_attachment": _managed_policy,
    "aws_ssoadmin_permission_set": _permission_set,
    "aws_ssoadmin_permission_set_inline_policy": _inline_policy,
    "aws_ssoadmin_permissions_boundary_attachment": _boundary,
}
