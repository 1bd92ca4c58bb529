"""IAM Identity Center."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.resources.base import (
    ATTACHES,
    IDENTITY,
    NAMES,
    Gives,
    Owner,
    ResourceType,
    Strength,
    Stronger,
    iam_actions,
)
from toolkit.resources.price import Free
from toolkit.resources.reading import Account, Finder, Lister, Live, OnCreate, Reading, found_for

_LANDING = "which page opens after the sign-in: what may be done there stays the same"
_HOURS = tuple(f"PT{hours}H" for hours in range(12, 0, -1))
"""Lengths of a session that Identity Center takes, 1 to 12 hours, the longest first."""


_NONE = ("ResourceNotFoundException",)


def _instances(account: Account, region: str) -> tuple[str, ...]:
    return tuple(one["InstanceArn"] for one in account.pages("sso-admin", "list_instances", "Instances", region))


def _sets_of(account: Account, region: str, instance: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """ARN and description of each: the list has no names."""
    for arn in account.pages("sso-admin", "list_permission_sets", "PermissionSets", region, InstanceArn=instance):
        request = {"InstanceArn": instance, "PermissionSetArn": arn}
        answer = account.call("sso-admin", "describe_permission_set", region, absent=(), **request) or {}
        yield arn, answer["PermissionSet"]


def _sets(account: Account, region: str) -> Iterator[Live]:
    for instance in _instances(account, region):
        for arn, described in _sets_of(account, region, instance):
            yield _set(instance, arn, described)


def _find_set(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    instance = planned["instance_arn"]
    found = _sets_of(account, region, instance)
    return next((_set(instance, arn, one) for arn, one in found if one["Name"] == planned["name"]), None)


def _set(instance: str, arn: str, described: Mapping[str, Any]) -> Live:
    key = {"instance_arn": instance, "name": described["Name"]}
    # Without one, a session lasts an hour (IAM Identity Center API Reference, PermissionSet).
    values = {**key, "session_duration": described.get("SessionDuration", "PT1H")}
    return Live(key, values, f"the permission set {described['Name']!r}", f"{arn},{instance}", arn=arn)


def _keys_of_sets(account: Account, region: str) -> Iterator[dict[str, Any]]:
    for one in account.live("aws_ssoadmin_permission_set", region):
        yield {"instance_arn": one.key["instance_arn"], "permission_set_arn": one.arn}


def _of_each(find: Finder) -> Lister:
    """What each permission set has one of."""

    def lists(account: Account, region: str) -> Iterator[Live]:
        yield from found_for(account, region, find, _keys_of_sets(account, region))

    return lists


def _of(planned: Mapping[str, Any]) -> dict[str, Any]:
    return {"InstanceArn": planned["instance_arn"], "PermissionSetArn": planned["permission_set_arn"]}


def _key(planned: Mapping[str, Any]) -> dict[str, str]:
    return {name: planned[name] for name in ("instance_arn", "permission_set_arn")}


def _find_inline(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    """PutInlinePolicyToPermissionSet replaces the one that a set has."""
    operation = "get_inline_policy_for_permission_set"
    answer = account.call("sso-admin", operation, region, absent=_NONE, **_of(planned)) or {}
    policy, arn = answer.get("InlinePolicy"), planned["permission_set_arn"]
    if not policy:
        return None
    import_id = f"{arn},{planned['instance_arn']}"
    return Live(_key(planned), {"inline_policy": policy}, f"the inline policy of {arn}", import_id)


def _find_boundary(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    """PutPermissionsBoundaryToPermissionSet replaces the one that a set has."""
    operation = "get_permissions_boundary_for_permission_set"
    answer = account.call("sso-admin", operation, region, absent=_NONE, **_of(planned))
    if answer is None:
        return None
    boundary, arn = answer["PermissionsBoundary"], planned["permission_set_arn"]
    customer = boundary.get("CustomerManagedPolicyReference")
    values = {
        "managed_policy_arn": boundary.get("ManagedPolicyArn"),
        "customer_managed_policy_reference": [{"name": customer["Name"]}] if customer else [],
    }
    import_id = f"{arn},{planned['instance_arn']}"
    return Live(_key(planned), {"permissions_boundary": [values]}, f"the permissions boundary of {arn}", import_id)


def _managed(account: Account, region: str) -> Iterator[Live]:
    for planned in _keys_of_sets(account, region):
        yield from _managed_of(account, region, planned)


def _find_managed(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    """AWS's policies of a set; one that it has already."""
    found = _managed_of(account, region, planned)
    return next((one for one in found if one.key["managed_policy_arn"] == planned["managed_policy_arn"]), None)


def _managed_of(account: Account, region: str, planned: Mapping[str, Any]) -> Iterator[Live]:
    operation, member = "list_managed_policies_in_permission_set", "AttachedManagedPolicies"
    arn = planned["permission_set_arn"]
    for one in account.pages("sso-admin", operation, member, region, absent=_NONE, **_of(planned)):
        values = {"permission_set_arn": arn, "managed_policy_arn": one["Arn"]}
        key = {**_key(planned), "managed_policy_arn": one["Arn"]}
        import_id = f"{one['Arn']},{arn},{planned['instance_arn']}"
        yield Live(key, values, f"the policy {one['Arn']} of {arn}", import_id)


def _customer_managed(account: Account, region: str) -> Iterator[Live]:
    operation, member = "list_customer_managed_policy_references_in_permission_set", "CustomerManagedPolicyReferences"
    for planned in _keys_of_sets(account, region):
        arn, instance = planned["permission_set_arn"], planned["instance_arn"]
        for one in account.pages("sso-admin", operation, member, region, absent=_NONE, **_of(planned)):
            name, path = one["Name"], one.get("Path", "/")
            # Terraform has the name in a block, which no key can be: the import id finds it in a state.
            key = {**_key(planned), "customer_managed_policy_reference": f"{path}{name}"}
            values = {**_key(planned), "customer_managed_policy_reference": [{"name": name, "path": path}]}
            yield Live(key, values, f"the policy {name!r} of {arn}", f"{name},{path},{arn},{instance}")


def _assignments(account: Account, region: str) -> Iterator[Live]:
    """Who may use a permission set in which account; AWS lists them for one set and one account at a time."""
    operation = "list_accounts_for_provisioned_permission_set"
    places = [
        (planned, target)
        for planned in _keys_of_sets(account, region)
        for target in account.pages("sso-admin", operation, "AccountIds", region, absent=_NONE, **_of(planned))
    ]

    def read(place: tuple[dict[str, Any], str]) -> tuple[Any, ...]:
        planned, target = place
        operation, member = "list_account_assignments", "AccountAssignments"
        request = {**_of(planned), "AccountId": target}
        return account.pages("sso-admin", operation, member, region, absent=_NONE, **request)

    for (planned, target), found in zip(places, account.side_by_side(read, places), strict=True):
        for one in found:
            principal, kind = one["PrincipalId"], one["PrincipalType"]
            key = {
                **_key(planned),
                "principal_id": principal,
                "principal_type": kind,
                "target_id": target,
                "target_type": "AWS_ACCOUNT",
            }
            arn, instance = planned["permission_set_arn"], planned["instance_arn"]
            called = f"{arn} for the {kind.lower()} {principal} in account {target}"
            yield Live(key, key, called, f"{principal},{kind},{target},AWS_ACCOUNT,{arn},{instance}")


def _actions(*names: str) -> tuple[str, ...]:
    return tuple(f"sso:{name}" for name in ("ListInstances", "ListPermissionSets", "DescribePermissionSet", *names))


_FREE = Free(
    "AWS offers IAM Identity Center at no additional charge",
    "https://docs.aws.amazon.com/singlesignon/latest/userguide/what-is.html",
    "2026-11-28",
)


TYPES = (
    ResourceType(
        "aws_ssoadmin_permission_set",
        unrecorded=iam_actions(
            "sso",
            "CreatePermissionSet DeletePermissionSet DescribePermissionSet "
            "DescribePermissionSetProvisioningStatus ListTagsForResource ProvisionPermissionSet "
            "TagResource UntagResource UpdatePermissionSet",
        ),
        unsupported_in_simulator="moto has no instance of IAM Identity Center to begin with",
        owner=Owner("permission set", "arn"),
        price=_FREE,
        key=("instance_arn", "name"),
        reading=Reading(_sets, OnCreate.COLLIDES, finds=_find_set, actions=_actions()),
        strengths=(Strength("session_duration", Stronger.ORDER, order=_HOURS),),
        no_weaker_side={IDENTITY: "instance_arn name", NAMES: "description", _LANDING: "relay_state"},
    ),
    ResourceType(
        "aws_ssoadmin_permission_set_inline_policy",
        unrecorded=iam_actions(
            "sso",
            "DeleteInlinePolicyFromPermissionSet DescribePermissionSetProvisioningStatus "
            "GetInlinePolicyForPermissionSet ProvisionPermissionSet PutInlinePolicyToPermissionSet",
        ),
        unsupported_in_simulator="moto has no instance of IAM Identity Center to begin with",
        gives=Gives("permission set", "permission_set_arn", "inline_policy"),
        price=_FREE,
        key=("instance_arn", "permission_set_arn"),
        reading=Reading(
            _of_each(_find_inline),
            OnCreate.OVERWRITES,
            finds=_find_inline,
            quiet=True,
            actions=_actions("GetInlinePolicyForPermissionSet"),
        ),
        strengths=(Strength("inline_policy", Stronger.POLICY),),
        no_weaker_side={IDENTITY: "instance_arn permission_set_arn"},
    ),
    ResourceType(
        "aws_ssoadmin_permissions_boundary_attachment",
        unrecorded=iam_actions(
            "sso",
            "DeletePermissionsBoundaryFromPermissionSet DescribePermissionSetProvisioningStatus "
            "GetPermissionsBoundaryForPermissionSet ProvisionPermissionSet "
            "PutPermissionsBoundaryToPermissionSet",
        ),
        unsupported_in_simulator="moto has no instance of IAM Identity Center to begin with",
        price=_FREE,
        key=("instance_arn", "permission_set_arn"),
        reading=Reading(
            _of_each(_find_boundary),
            OnCreate.OVERWRITES,
            finds=_find_boundary,
            quiet=True,
            actions=_actions("GetPermissionsBoundaryForPermissionSet"),
        ),
        no_weaker_side={IDENTITY: "instance_arn permission_set_arn permissions_boundary"},
    ),
    ResourceType(
        "aws_ssoadmin_account_assignment",
        unrecorded=iam_actions(
            "sso",
            "CreateAccountAssignment DeleteAccountAssignment DescribeAccountAssignmentCreationStatus "
            "DescribeAccountAssignmentDeletionStatus ListAccountAssignments",
        ),
        unsupported_in_simulator="moto has no instance of IAM Identity Center to begin with",
        price=_FREE,
        key=(
            "instance_arn",
            "permission_set_arn",
            "principal_id",
            "principal_type",
            "target_id",
            "target_type",
        ),
        reading=Reading(
            _assignments,
            OnCreate.HARMLESS,
            actions=_actions("ListAccountsForProvisionedPermissionSet", "ListAccountAssignments"),
        ),
        unread="assigning a set that is assigned already changes nothing",
        no_weaker_side={IDENTITY: "instance_arn permission_set_arn principal_id principal_type target_id target_type"},
    ),
    ResourceType(
        "aws_ssoadmin_managed_policy_attachment",
        unrecorded=iam_actions(
            "sso",
            "AttachManagedPolicyToPermissionSet DescribePermissionSetProvisioningStatus "
            "DetachManagedPolicyFromPermissionSet ListManagedPoliciesInPermissionSet "
            "ProvisionPermissionSet",
        ),
        unsupported_in_simulator="moto has no instance of IAM Identity Center to begin with",
        gives=Gives("permission set", "permission_set_arn", "managed_policy_arn", managed=True),
        price=_FREE,
        key=("instance_arn", "permission_set_arn", "managed_policy_arn"),
        reading=Reading(
            _managed, OnCreate.SAME, finds=_find_managed, actions=_actions("ListManagedPoliciesInPermissionSet")
        ),
        no_weaker_side={ATTACHES: "instance_arn managed_policy_arn permission_set_arn"},
    ),
    ResourceType(
        "aws_ssoadmin_customer_managed_policy_attachment",
        unrecorded=iam_actions(
            "sso",
            "AttachCustomerManagedPolicyReferenceToPermissionSet "
            "DescribePermissionSetProvisioningStatus "
            "DetachCustomerManagedPolicyReferenceFromPermissionSet "
            "ListCustomerManagedPolicyReferencesInPermissionSet ProvisionPermissionSet",
        ),
        unsupported_in_simulator="moto has no instance of IAM Identity Center to begin with",
        gives=Gives("permission set", "permission_set_arn", "customer_managed_policy_reference", managed=True),
        price=_FREE,
        key=("instance_arn", "permission_set_arn", "customer_managed_policy_reference"),
        reading=Reading(
            _customer_managed,
            OnCreate.HARMLESS,
            actions=_actions("ListCustomerManagedPolicyReferencesInPermissionSet"),
        ),
        unread="it adds a policy to those that the set has",
        no_weaker_side={ATTACHES: "instance_arn permission_set_arn customer_managed_policy_reference"},
    ),
)
