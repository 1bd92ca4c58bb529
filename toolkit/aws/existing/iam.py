"""Readers of IAM: what exists once per account or by name there."""

from __future__ import annotations

import json
from typing import Any

from toolkit.aws.existing.reader import Reader, named, overwriting
from toolkit.aws.session import ClientFactory
from toolkit.plan.guards import Existing
from toolkit.plan.model import Change


def _password_policy(clients: ClientFactory, _change: Change) -> Existing | None:
    iam = clients.client("iam")
    try:
        policy = iam.get_account_password_policy()["PasswordPolicy"]
    except iam.exceptions.NoSuchEntityException:
        return None
    values = {
        "minimum_password_length": policy["MinimumPasswordLength"],
        "require_lowercase_characters": policy["RequireLowercaseCharacters"],
        "require_uppercase_characters": policy["RequireUppercaseCharacters"],
        "require_numbers": policy["RequireNumbers"],
        "require_symbols": policy["RequireSymbols"],
        "password_reuse_prevention": policy.get("PasswordReusePrevention"),
        "max_password_age": policy.get("MaxPasswordAge"),
        "hard_expiry": policy.get("HardExpiry", False),
        "allow_users_to_change_password": policy["AllowUsersToChangePassword"],
    }
    return Existing(values, True, "iam-account-password-policy", "a password policy")


def _account_alias(clients: ClientFactory, _change: Change) -> Existing | None:
    aliases = clients.client("iam").list_account_aliases()["AccountAliases"]
    if not aliases:
        return None
    return Existing({"account_alias": aliases[0]}, True, aliases[0], f"the account alias {aliases[0]!r}")


def _entity(kind: str, call: str, member: str, name_of: str, id_of: str, **request: Any) -> Reader:
    """A reader of what IAM knows by a name whatever its case; see `CASE_BLIND`.

    It lists, since AWS does not document whether GetGroup and kin find a name of another case.

    Args:
        kind: What it is, for people.
        call: Method of boto3's client that lists them.
        member: Where they stand in its answer.
        name_of: Where an item has its name.
        id_of: Where it has the id to import it with.
        **request: Arguments of the call.
    """

    def read(clients: ClientFactory, change: Change) -> Existing | None:
        name = named(change, "name") or ""
        every = clients.listed("iam", call, member, MaxItems=_PAGE, **request)
        found = next((item for item in every if item[name_of].lower() == name.lower()), None)
        if found is None:
            return None
        has = found[name_of]
        return Existing({}, False, found[id_of], f"the {kind} {has!r}", spelled=has if has != name else None)

    return read


_PAGE = 1000
"""Items that IAM answers at a time at most; without it, it answers 100."""


def _identity_provider(clients: ClientFactory, change: Change) -> Existing | None:
    host = (named(change, "url") or "").removeprefix("https://")
    providers = clients.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    arn = next((p["Arn"] for p in providers if p["Arn"].partition(":oidc-provider/")[2] == host), None)
    return Existing({}, False, arn, f"the identity provider of {host}") if arn else None


def _service_linked_role(clients: ClientFactory, change: Change) -> Existing | None:
    iam = clients.client("iam")
    service = named(change, "aws_service_name") or ""
    prefix = f"/aws-service-role/{service}/"
    roles = [r for page in iam.get_paginator("list_roles").paginate(PathPrefix=prefix) for r in page["Roles"]]
    if not roles:
        return None
    return Existing({}, False, roles[0]["Arn"], f"the service-linked role {roles[0]['RoleName']!r}")


def _login_profile(clients: ClientFactory, change: Change) -> Existing | None:
    iam = clients.client("iam")
    user = named(change, "user")
    try:
        iam.get_login_profile(UserName=user)
    except iam.exceptions.NoSuchEntityException:
        return None
    return Existing({}, False, user, f"a console password of the user {user!r}")


def _group_policy(clients: ClientFactory, change: Change) -> Existing | None:
    return _inline_policy(clients, change, "group", "GroupName", "get_group_policy")


def _role_policy(clients: ClientFactory, change: Change) -> Existing | None:
    return _inline_policy(clients, change, "role", "RoleName", "get_role_policy")


def _inline_policy(clients: ClientFactory, change: Change, owner: str, parameter: str, call: str) -> Existing | None:
    """PutGroupPolicy and PutRolePolicy update a policy of the same name in place."""
    of, name = named(change, owner), named(change, "name")
    if of is None or name is None:
        return None
    iam = clients.client("iam")
    request: dict[str, Any] = {parameter: of, "PolicyName": name}
    try:
        document = getattr(iam, call)(**request)["PolicyDocument"]
    except iam.exceptions.NoSuchEntityException:
        return None
    what = f"the inline policy {name!r} of the {owner} {of!r}"
    return overwriting(change, {"policy": json.dumps(document)}, f"{of}:{name}", what)


def _attachment(owner: str, parameter: str) -> Reader:
    """A reader of managed policies at a group, role or user: attaching one that is attached already does nothing.

    IAM API Reference, AttachGroupPolicy and kin: an attachment has no content of its own.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachGroupPolicy.html

    Args:
        owner: "group", "role" or "user".
        parameter: What IAM calls its name.
    """

    def read(clients: ClientFactory, change: Change) -> Existing | None:
        of, arn = named(change, owner), named(change, "policy_arn")
        if of is None or arn is None:
            return None
        request: dict[str, Any] = {parameter: of}
        try:
            attached = clients.listed("iam", f"list_attached_{owner}_policies", "AttachedPolicies", **request)
        except clients.client("iam").exceptions.NoSuchEntityException:
            # The owner is still to be made.
            return None
        if all(policy["PolicyArn"] != arn for policy in attached):
            return None
        what = f"the policy {arn} at the {owner} {of!r}"
        return Existing({owner: of, "policy_arn": arn}, True, f"{of}/{arn}", what, same=True)

    return read


def _membership(clients: ClientFactory, change: Change) -> Existing | None:
    """Groups that a user joins; None unless the user is in all of them."""
    user, groups = named(change, "user"), change.after.get("groups")
    if user is None or not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        return None
    try:
        found = clients.listed("iam", "list_groups_for_user", "Groups", UserName=user)
    except clients.client("iam").exceptions.NoSuchEntityException:
        return None
    if not set(groups) <= {group["GroupName"] for group in found}:
        return None
    import_id = "/".join([user, *groups])
    return Existing({"groups": groups}, True, import_id, f"the groups of the user {user!r}", same=True)


READERS: dict[str, Reader] = {
    "aws_iam_account_password_policy": _password_policy,
    "aws_iam_group": _entity("group", "list_groups", "Groups", "GroupName", "GroupName"),
    "aws_iam_group_policy": _group_policy,
    "aws_iam_group_policy_attachment": _attachment("group", "GroupName"),
    "aws_iam_role_policy_attachment": _attachment("role", "RoleName"),
    "aws_iam_user_policy_attachment": _attachment("user", "UserName"),
    "aws_iam_user_group_membership": _membership,
    "aws_iam_role": _entity("role", "list_roles", "Roles", "RoleName", "RoleName"),
    "aws_iam_user": _entity("user", "list_users", "Users", "UserName", "UserName"),
    "aws_iam_user_login_profile": _login_profile,
    "aws_iam_openid_connect_provider": _identity_provider,
    "aws_iam_role_policy": _role_policy,
    "aws_iam_service_linked_role": _service_linked_role,
    "aws_iam_policy": _entity("policy", "list_policies", "Policies", "PolicyName", "Arn", Scope="Local"),
    "aws_iam_account_alias": _account_alias,
}
