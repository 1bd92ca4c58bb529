"""Readers of IAM: what exists once per account or by name there."""

from __future__ import annotations

from toolkit.aws.existing.reader import Reader, named
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


def _group(clients: ClientFactory, change: Change) -> Existing | None:
    iam = clients.client("iam")
    name = named(change, "name") or ""
    try:
        iam.get_group(GroupName=name, MaxItems=1)
    except iam.exceptions.NoSuchEntityException:
        return None
    return Existing({}, False, name, f"the group {name!r}")


def _role(clients: ClientFactory, change: Change) -> Existing | None:
    iam = clients.client("iam")
    name = named(change, "name") or ""
    try:
        iam.get_role(RoleName=name)
    except iam.exceptions.NoSuchEntityException:
        return None
    return Existing({}, False, name, f"the role {name!r}")


def _user(clients: ClientFactory, change: Change) -> Existing | None:
    iam = clients.client("iam")
    name = named(change, "name") or ""
    try:
        iam.get_user(UserName=name)
    except iam.exceptions.NoSuchEntityException:
        return None
    return Existing({}, False, name, f"the user {name!r}")


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


def _policy(clients: ClientFactory, change: Change) -> Existing | None:
    name = named(change, "name")
    pages = clients.client("iam").get_paginator("list_policies").paginate(Scope="Local")
    arn = next((p["Arn"] for page in pages for p in page["Policies"] if p["PolicyName"] == name), None)
    return Existing({}, False, arn, f"the policy {name!r}") if arn else None


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


READERS: dict[str, Reader] = {
    "aws_iam_account_password_policy": _password_policy,
    "aws_iam_group": _group,
    "aws_iam_role": _role,
    "aws_iam_user": _user,
    "aws_iam_openid_connect_provider": _identity_provider,
    "aws_iam_service_linked_role": _service_linked_role,
    "aws_iam_policy": _policy,
    "aws_ssoadmin_permission_set": _permission_set,
    "aws_iam_account_alias": _account_alias,
}
