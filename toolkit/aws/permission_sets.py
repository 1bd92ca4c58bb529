"""Who has a permission set of IAM Identity Center in the account, and who of them applies. Reads only."""

from __future__ import annotations

from typing import Any

from toolkit.aws.facts import asked
from toolkit.aws.session import ClientFactory
from toolkit.errors import ToolkitError
from toolkit.plan.model import Change
from toolkit.plan.own_permission_set import Assigned


def read_assigned(clients: ClientFactory, assignment: Change, user: str) -> Assigned:
    """Who has the set of `assignment` in its account.

    Args:
        clients: Reach the account, which has the instance or administers it.
        assignment: Of a set, about to be deleted.
        user: Name of the user who applies.

    Raises:
        ToolkitError: A fact could not be read; none is guessed.
    """
    instance, permission_set = assignment.before["instance_arn"], assignment.before["permission_set_arn"]
    account, region = assignment.before["target_id"], assignment.region
    principals = asked(
        "sso:ListAccountAssignments",
        lambda: clients.listed(
            "sso-admin",
            "list_account_assignments",
            "AccountAssignments",
            region,
            InstanceArn=instance,
            AccountId=account,
            PermissionSetArn=permission_set,
        ),
    )
    instances = asked("sso:ListInstances", lambda: clients.listed("sso-admin", "list_instances", "Instances", region))
    store = next((i["IdentityStoreId"] for i in instances if i["InstanceArn"] == instance), None)
    if store is None:
        raise ToolkitError(
            f"sso:ListInstances does not name {instance}", hint="see whether IAM Identity Center was moved or deleted"
        )
    own = asked(
        "identitystore:GetUserId", lambda: _user_and_groups(clients.client("identitystore", region), store, user)
    )
    return Assigned(frozenset(p["PrincipalId"] for p in principals), own)


def _user_and_groups(client: Any, store: str, user: str) -> frozenset[str] | None:
    named = {"UniqueAttribute": {"AttributePath": "userName", "AttributeValue": user}}
    try:
        identifier = client.get_user_id(IdentityStoreId=store, AlternateIdentifier=named)["UserId"]
    except client.exceptions.ResourceNotFoundException:
        return None
    pages = client.get_paginator("list_group_memberships_for_member").paginate(
        IdentityStoreId=store, MemberId={"UserId": identifier}
    )
    return frozenset([identifier, *(m["GroupId"] for page in pages for m in page["GroupMemberships"])])
