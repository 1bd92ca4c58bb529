"""AWS Identity and Access Management."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from toolkit.resources.base import (
    ATTACHES,
    ELSEWHERE,
    IDENTITY,
    NAMES,
    TERRAFORM,
    Gives,
    Owner,
    ResourceType,
    Strength,
    Stronger,
    each,
    iam_actions,
)
from toolkit.resources.managers import by_tags, tag_pairs
from toolkit.resources.price import Free
from toolkit.resources.quota import AccountWide, PerOwner
from toolkit.resources.reading import Account, Live, OnCreate, Reading, UnreadableError, found_for

_MEMBERSHIP = "judged by what the groups grant, which is a part of the groups (toolkit/plan/memberships.py)"
_CREDENTIAL = "another key or password is a new login profile; who is left without one is judged as a lock-out"


_DETAILS = "GetAccountAuthorizationDetails"
_MOST = 1000
"""Items that IAM answers at a time at most; without MaxItems, it answers 100."""
_NONE = ("NoSuchEntity",)
"""https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html and each operation's errors."""


def _every(account: Account, region: str, operation: str, member: str, **parameters: Any) -> tuple[Any, ...]:
    return account.pages("iam", operation, member, region, MaxItems=_MOST, **parameters)


def _password_policy(account: Account, region: str) -> Iterator[Live]:
    answer = account.call("iam", "get_account_password_policy", region, absent=_NONE)
    if answer is None:
        return
    policy = answer["PasswordPolicy"]
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
    yield Live({}, values, "a password policy", "iam-account-password-policy")


def _account_alias(account: Account, region: str) -> Iterator[Live]:
    for alias in account.pages("iam", "list_account_aliases", "AccountAliases", region):
        yield Live({}, {"account_alias": alias}, f"the account alias {alias!r}", alias)


def _groups(account: Account, region: str) -> Iterator[Live]:
    for group in _every(account, region, "list_groups", "Groups"):
        name = group["GroupName"]
        values = {"name": name, "path": group["Path"]}
        yield Live({"name": name}, values, f"the group {name!r}", name, arn=group["Arn"])


def _details(account: Account, region: str, kind: str) -> tuple[Any, ...]:
    """Every user, group or role with what it has: a page tells of hundreds what would be calls for each.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
    """
    return _every(account, region, "get_account_authorization_details", f"{kind}DetailList", Filter=[kind])


def _detailed(
    account: Account, region: str, kind: str, live: _Made, every: Iterable[Mapping[str, Any]]
) -> Iterator[Live]:
    """Users or roles with boundary and tags, which the lists lack (IAM API Reference, ListUsers and ListRoles)."""
    listed = list(every)
    details = {one[f"{kind}Name"]: one for one in (_details(account, region, kind) if listed else ())}
    for one in listed:
        yield _with_detail(live, one, details.get(one[f"{kind}Name"], {}))


_Made = Callable[..., Live]


def _with_detail(live: _Made, one: Mapping[str, Any], detail: Mapping[str, Any]) -> Live:
    boundary = detail.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return replace(live(one, permissions_boundary=boundary), managed_by=by_tags(tag_pairs(detail.get("Tags", ()))))


def _user(user: Mapping[str, Any], **more: str | None) -> Live:
    name = user["UserName"]
    values = {"name": name, "path": user["Path"], **more}
    return Live({"name": name}, values, f"the user {name!r}", name, arn=user["Arn"])


def _role(role: Mapping[str, Any], **more: str | None) -> Live:
    name = role["RoleName"]
    values = {
        "name": name,
        "path": role["Path"],
        "description": role.get("Description", ""),
        "assume_role_policy": json.dumps(role["AssumeRolePolicyDocument"]),
        "max_session_duration": role.get("MaxSessionDuration", 3600),
        **more,
    }
    return Live({"name": name}, values, f"the role {name!r}", name, arn=role["Arn"])


def _users(account: Account, region: str) -> Iterator[Live]:
    yield from _detailed(account, region, "User", _user, _every(account, region, "list_users", "Users"))


def _roles(account: Account, region: str) -> Iterator[Live]:
    """Service-linked roles are a type of their own."""
    roles = _every(account, region, "list_roles", "Roles")
    own = (role for role in roles if not role["Path"].startswith(_SERVICE_LINKED))
    yield from _detailed(account, region, "Role", _role, own)


_SERVICE_LINKED = "/aws-service-role/"


def _named(operation: str, member: str, of: str, live: _Made, detailed: str | None = None) -> Any:
    """Finds by a name of any case.

    It lists: AWS does not document whether GetGroup and kin take a name of any case.

    Args:
        operation: What lists.
        member: What of the answer is the list.
        of: What of an entry is the name.
        live: What an entry becomes.
        detailed: "User" or "Role", of which the lists lack boundary and tags: they are asked for one by one. The
            tagging API knows no tags of either (Resource Groups Tagging API Reference, "Supported services").
    """

    def find(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
        name = str(planned["name"]).lower()
        one = next((one for one in _every(account, region, operation, member) if one[of].lower() == name), None)
        if one is None or detailed is None:
            return None if one is None else live(one)
        answer = account.call("iam", f"get_{detailed.lower()}", region, absent=_NONE, **{of: one[of]})
        return _with_detail(live, one, (answer or {}).get(detailed, {}))

    return find


def _policies(account: Account, region: str) -> Iterator[Live]:
    details = _every(account, region, "get_account_authorization_details", "Policies", Filter=["LocalManagedPolicy"])
    for policy in details:
        document = next(v["Document"] for v in policy["PolicyVersionList"] if v["IsDefaultVersion"])
        yield _policy(policy, json.dumps(document))


def _policy(policy: Mapping[str, Any], document: str | None = None) -> Live:
    arn = policy["Arn"]
    name = arn.rsplit("/", 1)[-1]
    values = {"name": name, "path": policy["Path"], **({} if document is None else {"policy": document})}
    return Live({"name": name}, values, f"the policy {name!r}", arn, arn=arn)


def _find_policy(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    name = str(planned["name"]).lower()
    every = _every(account, region, "list_policies", "Policies", Scope="Local")
    return next((_policy(one) for one in every if one["PolicyName"].lower() == name), None)


def _identity_providers(account: Account, region: str) -> Iterator[Live]:
    for arn in _provider_arns(account, region):
        yield _identity_provider(account, region, arn)


def _find_identity_provider(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    host = str(planned["url"]).removeprefix("https://")
    arn = next((a for a in _provider_arns(account, region) if a.partition(":oidc-provider/")[2] == host), None)
    return arn and _identity_provider(account, region, arn)  # type: ignore[return-value]


def _provider_arns(account: Account, region: str) -> tuple[str, ...]:
    answer = account.call("iam", "list_open_id_connect_providers", region) or {}
    return tuple(one["Arn"] for one in answer["OpenIDConnectProviderList"])


def _identity_provider(account: Account, region: str, arn: str) -> Live:
    found = account.call("iam", "get_open_id_connect_provider", region, OpenIDConnectProviderArn=arn) or {}
    host = arn.partition(":oidc-provider/")[2]
    values = {
        "url": host,
        "client_id_list": sorted(found.get("ClientIDList", ())),
        "thumbprint_list": list(found.get("ThumbprintList", ())),
    }
    return Live({"url": host}, values, f"the identity provider of {host}", arn, arn=arn)


def _service_linked_roles(account: Account, region: str) -> Iterator[Live]:
    for role in _every(account, region, "list_roles", "Roles", PathPrefix=_SERVICE_LINKED):
        service = role["Path"].removeprefix(_SERVICE_LINKED).rstrip("/")
        values = {"aws_service_name": service, "description": role.get("Description", "")}
        called = f"the service-linked role {role['RoleName']!r}"
        yield Live({"aws_service_name": service}, values, called, role["Arn"], arn=role["Arn"], managed_by=service)


def _access_keys(account: Account, region: str) -> Iterator[Live]:
    """Every user's access keys: what IAM says of them, and when they were last used. No call answers with a secret.

    The ids take ListAccessKeys, a call for each user: the credential report has none, and may be four hours old. When a
    key was last used takes GetAccessKeyLastUsed, a call for each key; the report has that of all in one, so keys that
    it says it of beyond doubt take none. It is then as old as the report.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
    """
    users = _every(account, region, "list_users", "Users")

    def keys(user: Mapping[str, Any]) -> tuple[Any, ...]:
        name = user["UserName"]
        # Whoever was deleted meanwhile has none.
        return account.pages("iam", "list_access_keys", "AccessKeyMetadata", region, absent=_NONE, UserName=name)

    found = [key for several in account.side_by_side(keys, users) for key in several]
    used = _used_by_report(account, region) if len(found) > _FEW else {}

    def read(key: Mapping[str, Any]) -> Live:
        identifier, user, made = key["AccessKeyId"], key["UserName"], key["CreateDate"]
        last = used.get((user, key["Status"] == "Active", made)) or _last_used(account, region, identifier)
        values = {"user": user, "status": key["Status"], "create_date": made, **last}
        return Live({"id": identifier}, values, f"the access key {identifier} of the user {user!r}", identifier)

    yield from account.side_by_side(read, found)


_FEW = 50
"""Access keys that are asked about one by one; the credential report takes IAM some seconds."""
_USED = ("last_used_date", "last_used_service", "last_used_region")
_REPORTED = "last_used_reported"
"""When IAM made the report that the last use is taken from; None: it was asked of the key itself."""
_Slot = tuple[str, bool, datetime]
"""User, whether the key is active, when it was created: what both the report and ListAccessKeys say of a key."""


def _last_used(account: Account, region: str, identifier: str) -> Mapping[str, Any]:
    answer = account.call("iam", "get_access_key_last_used", region, AccessKeyId=identifier) or {}
    found = answer["AccessKeyLastUsed"]
    # A key that was never used has no date, and "N/A" for the others.
    if found.get("LastUsedDate") is None:
        return dict.fromkeys((*_USED, _REPORTED))
    last = (found["LastUsedDate"], found["ServiceName"], found["Region"])
    return {**dict(zip(_USED, last, strict=True)), _REPORTED: None}


def _used_by_report(account: Account, region: str) -> Mapping[_Slot, Mapping[str, Any]]:
    """Which key was last used when, by the credential report; nothing where it cannot be read.

    The report has no ids. It dates a key by its creation, or by its last change: a key with a matching creation is the
    only one of its user that was created in that second, unless two say the same.
    """
    try:
        account.call(
            "iam", "generate_credential_report", region, unfinished=lambda answer: answer["State"] != "COMPLETE"
        )
        report = account.call("iam", "get_credential_report", region) or {}
    except UnreadableError:
        return {}  # each key is asked about then
    found: defaultdict[_Slot, list[dict[str, Any]]] = defaultdict(list)
    for row in csv.DictReader(io.StringIO(report["Content"].decode())):
        for slot in ("access_key_1", "access_key_2"):
            with suppress(ValueError):  # "N/A" where there is no key
                made = datetime.fromisoformat(row[f"{slot}_last_rotated"])
                date, *more = (row[f"{slot}_{name}"] for name in _USED)
                never = date == "N/A"
                last = [None] * 3 if never else [datetime.fromisoformat(date), *more]
                key = (row["user"], row[f"{slot}_active"] == "true", made)
                found[key].append({**dict(zip(_USED, last, strict=True)), _REPORTED: report["GeneratedTime"]})
    return {key: several[0] for key, several in found.items() if len(several) == 1}


def _login_profiles(account: Account, region: str) -> Iterator[Live]:
    users = _every(account, region, "list_users", "Users")
    yield from found_for(account, region, _find_login_profile, ({"user": user["UserName"]} for user in users))


def _find_login_profile(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    user = planned["user"]
    answer = account.call("iam", "get_login_profile", region, absent=_NONE, UserName=user)
    if answer is None:
        return None
    values = {"user": user, "password_reset_required": answer["LoginProfile"].get("PasswordResetRequired", False)}
    return Live({"user": user}, values, f"a console password of the user {user!r}", user)


def _inline(owner: str) -> Reading:
    """Policies in a group, role or user: PutGroupPolicy and kin update one of the same name in place.

    Args:
        owner: "group" or "role".
    """
    kind = owner.title()

    def live(of: str, name: str, document: Any) -> Live:
        values = {owner: of, "name": name, "policy": json.dumps(document)}
        called = f"the inline policy {name!r} of the {owner} {of!r}"
        return Live({owner: of, "name": name}, values, called, f"{of}:{name}")

    def find(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
        of, name = planned[owner], planned["name"]
        request = {f"{kind}Name": of, "PolicyName": name}
        answer = account.call("iam", f"get_{owner}_policy", region, absent=_NONE, **request)
        return None if answer is None else live(of, name, answer["PolicyDocument"])

    def lists(account: Account, region: str) -> Iterator[Live]:
        for one in _details(account, region, kind):
            for policy in one.get(f"{kind}PolicyList", ()):
                yield live(one[f"{kind}Name"], policy["PolicyName"], policy["PolicyDocument"])

    actions = (f"iam:{_DETAILS}", f"iam:Get{kind}Policy")
    return Reading(lists, OnCreate.OVERWRITES, finds=find, is_global=True, quiet=True, actions=actions)


def _attached_to(owner: str, account: Account, region: str, of: str) -> tuple[str, ...]:
    """ARNs of managed policies; an owner that is still to be made has none."""
    request = {f"{owner.title()}Name": of}
    operation = f"list_attached_{owner}_policies"
    found = account.pages("iam", operation, "AttachedPolicies", region, absent=_NONE, **request)
    return tuple(policy["PolicyArn"] for policy in found)


def _attached(owner: str) -> Reading:
    """Managed policies at a group, role or user: attaching one that is attached already does nothing.

    IAM API Reference, AttachGroupPolicy and kin: an attachment has no content of its own.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachGroupPolicy.html

    Args:
        owner: "group", "role" or "user".
    """
    kind = owner.title()

    def live(of: str, arn: str, *, own: bool = False) -> Live:
        values = {owner: of, "policy_arn": arn}
        return Live(values, values, f"the policy {arn} at the {owner} {of!r}", f"{of}/{arn}", by_default=own)

    def find(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
        of, arn = planned[owner], planned["policy_arn"]
        return live(of, arn) if arn in _attached_to(owner, account, region, of) else None

    def lists(account: Account, region: str) -> Iterator[Live]:
        for one in _details(account, region, kind):
            for policy in one.get("AttachedManagedPolicies", ()):
                # A service attaches what its role has, and nobody else can.
                own = one["Path"].startswith(_SERVICE_LINKED)
                yield live(one[f"{kind}Name"], policy["PolicyArn"], own=own)

    actions = (f"iam:{_DETAILS}", f"iam:ListAttached{kind}Policies")
    return Reading(lists, OnCreate.SAME, finds=find, is_global=True, actions=actions)


def _policies_per(owner: str) -> PerOwner:
    key, of = f"AttachedPoliciesPer{owner.title()}Quota", f"managed policies on the {owner}"
    return PerOwner(owner, key, of, partial(_attached_to, owner))


def _memberships(account: Account, region: str) -> Iterator[Live]:
    for user in _details(account, region, "User"):
        if groups := user.get("GroupList"):
            yield _membership(user["UserName"], list(groups))


def _membership(user: str, groups: list[str]) -> Live:
    import_id = "/".join([user, *groups])
    return Live({"user": user}, {"user": user, "groups": groups}, f"the groups of the user {user!r}", import_id)


def _find_membership(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    user = planned["user"]
    return _planned_groups(_membership(user, list(_groups_of(account, region, user))), planned)


def _planned_groups(found: Live, planned: Mapping[str, Any]) -> Live | None:
    """The planned groups of a user; None unless the user is in all of them."""
    groups = planned.get("groups")
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        return None
    return _membership(found.key["user"], groups) if set(groups) <= set(found.values["groups"]) else None


def _groups_of(account: Account, region: str, user: str) -> tuple[str, ...]:
    found = account.pages("iam", "list_groups_for_user", "Groups", region, absent=_NONE, UserName=user)
    return tuple(group["GroupName"] for group in found)


def _root_features(account: Account, region: str) -> Iterator[Live]:
    absent = (
        "OrganizationNotFoundException",
        "OrganizationNotInAllFeaturesModeException",
        "ServiceAccessNotEnabledException",
    )
    answer = account.call("iam", "list_organizations_features", region, absent=absent) or {}
    features = sorted(answer.get("EnabledFeatures", ()))
    if features:
        # Enabling a feature leaves the others as they are; Terraform would then see them and switch them off.
        values = {"enabled_features": features}
        yield Live({}, values, "features of central root access", answer["OrganizationId"])


def _actions(*names: str) -> tuple[str, ...]:
    return tuple(f"iam:{name}" for name in names)


_FREE = Free(
    "AWS offers IAM at no additional charge",
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/introduction.html",
    "2026-11-28",
)


TYPES = (
    ResourceType(
        # No module makes it: how old each is and when it was last used are requirements of CIS.
        "aws_iam_access_key",
        key=("id",),
        reading=Reading(
            _access_keys,
            OnCreate.HARMLESS,
            is_global=True,
            actions=_actions(
                "ListUsers", "ListAccessKeys", "GetAccessKeyLastUsed", "GenerateCredentialReport", "GetCredentialReport"
            ),
        ),
        unread="a new key has a new id",
        used=(*_USED, _REPORTED),
    ),
    ResourceType(
        "aws_iam_account_alias",
        price=_FREE,
        reading=Reading(_account_alias, OnCreate.OVERWRITES, is_global=True, actions=_actions("ListAccountAliases")),
        no_weaker_side={NAMES: "account_alias"},
    ),
    ResourceType(
        "aws_iam_account_password_policy",
        price=_FREE,
        reading=Reading(
            _password_policy, OnCreate.OVERWRITES, is_global=True, actions=_actions("GetAccountPasswordPolicy")
        ),
        strengths=(
            *each(Stronger.HIGHER, "minimum_password_length", "password_reuse_prevention"),
            *each(
                Stronger.TRUE,
                "require_lowercase_characters",
                "require_uppercase_characters",
                "require_numbers",
                "require_symbols",
                "hard_expiry",
            ),
            # Whoever fears that a password has leaked changes it at once.
            Strength("allow_users_to_change_password", Stronger.TRUE, unset_is_strongest=True),
            # No age, and AWS's 0, mean for ever.
            Strength("max_password_age", Stronger.LOWER),
        ),
    ),
    ResourceType(
        "aws_iam_group",
        unrecorded=iam_actions("iam", "UpdateGroup"),
        owner=Owner("group", "name"),
        price=_FREE,
        quota=AccountWide("Groups", "groups in the account"),
        key=("name",),
        reading=Reading(_groups, OnCreate.COLLIDES, is_global=True, case_blind=True, actions=_actions("ListGroups")),
        no_weaker_side={NAMES: "name path"},
    ),
    ResourceType(
        "aws_iam_group_policy",
        gives=Gives("group", "group", "policy"),
        price=_FREE,
        key=("group", "name"),
        reading=_inline("group"),
        strengths=(Strength("policy", Stronger.POLICY),),
        no_weaker_side={IDENTITY: "group name name_prefix"},
    ),
    ResourceType(
        "aws_iam_group_policy_attachment",
        gives=Gives("group", "group", "policy_arn", managed=True),
        price=_FREE,
        quota=_policies_per("group"),
        key=("group", "policy_arn"),
        reading=_attached("group"),
        no_weaker_side={ATTACHES: "group policy_arn"},
    ),
    ResourceType(
        "aws_iam_openid_connect_provider",
        unrecorded=iam_actions(
            "iam",
            "AddClientIDToOpenIDConnectProvider RemoveClientIDFromOpenIDConnectProvider "
            "UntagOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint",
        ),
        price=_FREE,
        key=("url",),
        reading=Reading(
            _identity_providers,
            OnCreate.COLLIDES,
            finds=_find_identity_provider,
            # The provider's documentation writes it with the scheme, without which AWS and the state have it.
            prefixes={"url": "https://"},
            is_global=True,
            actions=_actions("ListOpenIDConnectProviders", "GetOpenIDConnectProvider"),
        ),
        # Each audience and each certificate authority is one more whose tokens are accepted.
        strengths=(
            Strength("client_id_list", Stronger.SUBSET),
            Strength("thumbprint_list", Stronger.SUBSET, by_aws=True),
        ),
        no_weaker_side={IDENTITY: "url"},
    ),
    ResourceType(
        "aws_iam_organizations_features",
        unrecorded=iam_actions(
            "iam",
            "DisableOrganizationsRootCredentialsManagement DisableOrganizationsRootSessions "
            "EnableOrganizationsRootCredentialsManagement EnableOrganizationsRootSessions "
            "ListOrganizationsFeatures",
        ),
        unsupported_in_simulator="moto does not have it",
        price=_FREE,
        reading=Reading(
            _root_features, OnCreate.OVERWRITES, is_global=True, actions=_actions("ListOrganizationsFeatures")
        ),
        strengths=(Strength("enabled_features", Stronger.SUPERSET),),
    ),
    ResourceType(
        "aws_iam_policy",
        unrecorded=iam_actions("iam", "CreatePolicyVersion DeletePolicyVersion"),
        named_by=("name",),
        price=_FREE,
        quota=AccountWide("Policies", "customer managed policies in the account"),
        key=("name",),
        reading=Reading(
            _policies,
            OnCreate.COLLIDES,
            finds=_find_policy,
            is_global=True,
            case_blind=True,
            actions=_actions("ListPolicies", _DETAILS),
        ),
        strengths=(Strength("policy", Stronger.POLICY),),
        no_weaker_side={IDENTITY: "name name_prefix path", NAMES: "description"},
    ),
    ResourceType(
        "aws_iam_role",
        named_by=("name",),
        owner=Owner("role", "name", boundary="permissions_boundary"),
        price=_FREE,
        quota=AccountWide("Roles", "roles in the account"),
        key=("name",),
        reading=Reading(
            _roles,
            OnCreate.COLLIDES,
            finds=_named("list_roles", "Roles", "RoleName", _role, "Role"),
            is_global=True,
            case_blind=True,
            actions=_actions("ListRoles", "GetRole", _DETAILS),
        ),
        strengths=(
            Strength("assume_role_policy", Stronger.POLICY),
            Strength("permissions_boundary", Stronger.PRESENT),
            Strength("max_session_duration", Stronger.LOWER),
        ),
        no_weaker_side={
            IDENTITY: "name name_prefix path",
            NAMES: "description",
            TERRAFORM: "force_detach_policies",
            ELSEWHERE: "managed_policy_arns inline_policy",
        },
        sets=("inline_policy",),
    ),
    ResourceType(
        "aws_iam_role_policy",
        gives=Gives("role", "role", "policy"),
        price=_FREE,
        key=("role", "name"),
        reading=_inline("role"),
        strengths=(Strength("policy", Stronger.POLICY),),
        no_weaker_side={IDENTITY: "name name_prefix role"},
    ),
    ResourceType(
        "aws_iam_role_policy_attachment",
        gives=Gives("role", "role", "policy_arn", managed=True),
        price=_FREE,
        quota=_policies_per("role"),
        key=("role", "policy_arn"),
        reading=_attached("role"),
        no_weaker_side={ATTACHES: "role policy_arn"},
    ),
    ResourceType(
        "aws_iam_service_linked_role",
        unrecorded=iam_actions("iam", "UpdateRoleDescription"),
        price=_FREE,
        key=("aws_service_name",),
        reading=Reading(_service_linked_roles, OnCreate.COLLIDES, is_global=True, actions=_actions("ListRoles")),
        no_weaker_side={IDENTITY: "aws_service_name custom_suffix", NAMES: "description"},
    ),
    ResourceType(
        "aws_iam_user",
        unrecorded=iam_actions("iam", "UntagUser UpdateUser"),
        named_by=("name",),
        owner=Owner("user", "name", boundary="permissions_boundary"),
        price=_FREE,
        quota=AccountWide("Users", "users in the account"),
        key=("name",),
        reading=Reading(
            _users,
            OnCreate.COLLIDES,
            finds=_named("list_users", "Users", "UserName", _user, "User"),
            is_global=True,
            case_blind=True,
            actions=_actions("ListUsers", "GetUser", _DETAILS),
        ),
        strengths=(Strength("permissions_boundary", Stronger.PRESENT),),
        no_weaker_side={NAMES: "name path", TERRAFORM: "force_destroy"},
    ),
    ResourceType(
        "aws_iam_user_group_membership",
        price=_FREE,
        quota=PerOwner("user", "GroupsPerUserQuota", "groups of the user", _groups_of),
        key=("user",),
        reading=Reading(
            _memberships,
            OnCreate.SAME,
            finds=_find_membership,
            beside=_planned_groups,
            is_global=True,
            actions=_actions(_DETAILS, "ListGroupsForUser"),
        ),
        no_weaker_side={IDENTITY: "user", _MEMBERSHIP: "groups"},
    ),
    ResourceType(
        # No module makes it: a plan of another configuration, or by hand, may.
        "aws_iam_user_policy",
        gives=Gives("user", "user", "policy"),
        key=("user", "name"),
        reading=_inline("user"),
    ),
    ResourceType(
        # No module makes it: a plan of another configuration, or by hand, may.
        "aws_iam_user_policy_attachment",
        gives=Gives("user", "user", "policy_arn", managed=True),
        key=("user", "policy_arn"),
        reading=_attached("user"),
        no_weaker_side={ATTACHES: "user policy_arn"},
    ),
    ResourceType(
        "aws_iam_user_login_profile",
        unrecorded=iam_actions("iam", "CreateLoginProfile DeleteLoginProfile GetLoginProfile"),
        price=_FREE,
        key=("user",),
        reading=Reading(
            _login_profiles,
            OnCreate.COLLIDES,
            finds=_find_login_profile,
            is_global=True,
            actions=_actions("ListUsers", "GetLoginProfile"),
            unread={"AWS never answers with a password": "password_length"},
        ),
        strengths=(
            Strength("password_length", Stronger.HIGHER),
            Strength("password_reset_required", Stronger.TRUE),
        ),
        no_weaker_side={IDENTITY: "user", _CREDENTIAL: "pgp_key"},
    ),
)
