"""IAM groups: who may do what, with nobody but administrators able to raise their own rights."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from toolkit.components.base import Component, Every, IamName, Identities, Made, Place, Protected, Role, Scope, Seen
from toolkit.policies import Need
from toolkit.privileges import ADMINISTRATOR_POLICIES, CREDENTIALS, IDENTITY_ADMINISTRATION, overlap
from toolkit.regions import ARN, PARTITION
from toolkit.settings.base import Mismatch, Settings
from toolkit.settings.delegation import delegated_policies
from toolkit.settings.iam import EntityName, IamPath
from toolkit.settings.managed_policies import ManagedPolicy
from toolkit.spelling import nearest

_OWN_USER = re.compile(ARN + r":iam::[^:]*:user/(.*/)?\$\{aws:username\}")
_RESOURCE = re.compile(rf"\*|arn:({PARTITION}|[^:]*[*?][^:]*):([^:]*:){{3}}.+", re.DOTALL)
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_ROLE_ARN = re.compile(ARN + r":iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@-][A-Za-z0-9_+=,.@/*?-]*")
_COMPARISONS = {
    "String": "Equals NotEquals EqualsIgnoreCase NotEqualsIgnoreCase Like NotLike",
    "Numeric": "Equals NotEquals LessThan LessThanEquals GreaterThan GreaterThanEquals",
    "Date": "Equals NotEquals LessThan LessThanEquals GreaterThan GreaterThanEquals",
    "Arn": "Equals NotEquals Like NotLike",
}
_CONDITION_TESTS = (
    *(f"{kind}{test}" for kind, tests in _COMPARISONS.items() for test in tests.split()),
    *("Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "Null"),
)

INLINE_QUOTA = 5120
"""Characters, white space not counted, of all inline policies of one group together (IAM quota, fixed)."""

MANAGED_QUOTA = 10
"""Managed policies on one group (IAM quota); `mfa_enforcement` takes one, the guardrails two of each group but
administrator groups."""


SIGN_IN = "SignInLocalDevelopmentAccess"
"""AWS's policy for `aws login`: authorizing a client in the browser, and its token
(https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sign-in.html)."""


def _sid(sid: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]{1,100}", sid):
        raise ValueError(f"{sid!r} is not a statement id: expected 1 to 100 letters and digits")
    return sid


def _action(action: str) -> str:
    if not _ACTION.fullmatch(action):
        raise ValueError(f"{action!r} is not an action: expected service:Action, wildcards allowed, as in s3:Get*")
    return action


def _resource(resource: str) -> str:
    if not _RESOURCE.fullmatch(resource):
        raise ValueError(f"{resource!r} is not a resource: expected an ARN, wildcards allowed, or *")
    return resource


def _role(arn: str) -> str:
    if not _ROLE_ARN.fullmatch(arn):
        raise ValueError(
            f"{arn!r} names no limited set of roles: expected arn:aws:iam::123456789012:role/NAME; wildcards may "
            "follow at least one character of a path or name, as in role/app/*"
        )
    return arn


def _condition_test(test: str) -> str:
    bare = re.sub(r"^(ForAllValues|ForAnyValue):", "", test)
    bare = bare if bare == "NullIfExists" else bare.removesuffix("IfExists")  # Null is about existing itself
    if bare not in _CONDITION_TESTS:
        guess = nearest(bare, _CONDITION_TESTS)
        hint = f"; did you mean {guess}?" if guess else "; expected one of IAM's, such as StringEquals or Bool"
        raise ValueError(f"{test!r} is not a condition operator{hint}")
    return test


def _over_defaults(groups: Any) -> Any:
    """Lays what the user wrote over the default groups, field by field; everything else is left to validation."""
    if not isinstance(groups, dict):
        return groups
    defaults = {name: group.model_dump() for name, group in DEFAULT_GROUPS.items() if group}
    return defaults | {
        name: defaults[name] | group if name in defaults and isinstance(group, dict) else group
        for name, group in groups.items()
    }


def _not_empty(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        raise ValueError("the list is empty; expected at least one entry")
    return values


# Not Field(min_length=1): that counts valid entries only, and reports a list with one wrong entry as empty as well.
_NOT_EMPTY = AfterValidator(_not_empty)

Roles = Annotated[tuple[Annotated[str, AfterValidator(_role)], ...], Field(strict=False)]


class Condition(Settings):
    """One condition of a statement; all conditions of a statement must hold."""

    test: Annotated[str, AfterValidator(_condition_test)] = Field(
        description="Condition operator, such as StringEquals, Bool or ForAnyValue:StringLike."
    )
    variable: Annotated[str, Field(min_length=3)] = Field(
        description="Condition key, such as aws:RequestedRegion or s3:prefix."
    )
    values: Annotated[tuple[str, ...], Field(strict=False), _NOT_EMPTY] = Field(
        description="Values, of which one has to match."
    )


class Statement(Settings):
    """One statement of an inline policy."""

    sid: Annotated[str, AfterValidator(_sid)] = Field(
        description="Statement id: letters and digits, unique in a policy."
    )
    effect: Literal["Allow", "Deny"] = Field("Allow", description="Whether the statement allows or denies.")
    actions: Annotated[tuple[Annotated[str, AfterValidator(_action)], ...], Field(strict=False), _NOT_EMPTY] = Field(
        description="Actions as service:Action, wildcards allowed."
    )
    resources: Annotated[tuple[Annotated[str, AfterValidator(_resource)], ...], Field(strict=False), _NOT_EMPTY] = (
        Field(description="ARNs, wildcards allowed, or *.")
    )
    conditions: Annotated[tuple[Condition, ...], Field(strict=False)] = Field(
        (), description="Conditions, all of which have to hold."
    )


class Group(Settings):
    """One group: its path, whether it administers identities, and its policies."""

    administrator: bool = Field(
        False,
        description="Whether members may administer identities; all other groups get the guardrail policies, and the "
        "toolkit refuses policies with which their members could escalate privileges.",
    )
    path: IamPath = Field("/", description="IAM path of the group, / or /name/.")
    managed_policies: Annotated[tuple[ManagedPolicy, ...], Field(strict=False)] = Field(
        (), description="Names of AWS managed policies, with a path as in job-function/Billing, or ARNs of your own."
    )
    inline_policies: dict[EntityName, Annotated[tuple[Statement, ...], Field(strict=False), _NOT_EMPTY]] = Field(
        {}, description="Inline policies: name to list of statements."
    )

    @model_validator(mode="after")
    def _managed_policies_fit(self) -> Group:
        if len(set(self.managed_policies)) != len(self.managed_policies):
            raise ValueError("managed_policies names a policy twice; expected each once")
        room = MANAGED_QUOTA - (1 if self.administrator else 3)
        if len(self.managed_policies) > room:
            raise ValueError(
                f"managed_policies has {len(self.managed_policies)} entries; expected at most {room}: IAM allows "
                f"{MANAGED_QUOTA} on a group, and {MANAGED_QUOTA - room} are kept for guardrails and MFA enforcement"
            )
        return self

    @model_validator(mode="after")
    def _inline_policies_fit(self) -> Group:
        for name, statements in self.inline_policies.items():
            sids = [statement.sid for statement in statements]
            if len(set(sids)) != len(sids):
                raise ValueError(f"inline policy {name!r} uses a sid twice; expected each once")
        size = sum(policy_size(statements) for statements in self.inline_policies.values())
        if size > INLINE_QUOTA:
            raise ValueError(
                f"inline_policies have {size} characters together; expected at most {INLINE_QUOTA} (IAM's quota for a "
                "group): move some into a managed policy"
            )
        return self

    @model_validator(mode="after")
    def _only_administrators_raise_rights(self) -> Group:
        if self.administrator:
            return self
        found = [
            f"managed policy {policy}"
            for policy in self.managed_policies
            if policy.split(":policy/")[-1] in ADMINISTRATOR_POLICIES
        ]
        for name, action, resources in _allowed_actions(self):
            if any(overlap(action, denied) for denied in IDENTITY_ADMINISTRATION):
                found.append(f"{name} allows {action}")
            elif any(overlap(action, denied) for denied in CREDENTIALS) and not all(
                map(_OWN_USER.fullmatch, resources)
            ):
                found.append(f"{name} allows {action} on users other than ${{aws:username}}")
        if found:
            raise ValueError(
                f"members could raise their own rights: {'; '.join(found)}. Expected policies without identity "
                "administration, or administrator: true for a group that is meant to administer identities"
            )
        return self


def _allowed_actions(group: Group) -> list[tuple[str, str, tuple[str, ...]]]:
    """(place for messages, action, resources) of every action that an inline policy allows."""
    return [
        (f"inline policy {name!r}, statement {statement.sid!r},", action, statement.resources)
        for name, statements in group.inline_policies.items()
        for statement in statements
        if statement.effect == "Allow"
        for action in statement.actions
    ]


def policy_size(statements: tuple[Statement, ...]) -> int:
    """Characters of the policy document as the module renders it, white space not counted, as IAM counts."""

    def scalar(values: tuple[str, ...]) -> str | list[str]:
        unique = sorted(set(values))
        return unique[0] if len(unique) == 1 else unique

    rendered = []
    for statement in statements:
        conditions: dict[str, dict[str, str | list[str]]] = {}
        for condition in statement.conditions:
            conditions.setdefault(condition.test, {})[condition.variable] = scalar(condition.values)
        rendered.append(
            {
                "Sid": statement.sid,
                "Effect": statement.effect,
                "Action": scalar(statement.actions),
                "Resource": scalar(statement.resources),
            }
            | ({"Condition": conditions} if conditions else {})
        )
    document = {"Version": "2012-10-17", "Statement": rendered if len(rendered) > 1 else rendered[0]}
    return len(re.sub(r"\s", "", json.dumps(document, separators=(",", ":"), ensure_ascii=False)))


DEFAULT_GROUPS: dict[str, Group | None] = {
    "administrators": Group(administrator=True, managed_policies=("AdministratorAccess",)),
    "developers": Group(managed_policies=("PowerUserAccess",)),
    "auditors": Group(managed_policies=("SecurityAudit", "job-function/ViewOnlyAccess")),
    "billing": Group(managed_policies=("job-function/Billing",)),
    "support": Group(managed_policies=("AWSSupportAccess",)),
}


class SelfService(Settings):
    """What members of all groups but administrator groups may do for themselves."""

    access_keys: Literal["none", "rotate"] = Field(
        "none",
        description="Whether they may rotate their own access keys, in sessions with MFA: create, list, deactivate and "
        "delete them.",
    )
    aws_login: bool = Field(
        False,
        description="Whether they may get credentials for the command line from their console session (`aws login`): "
        f"each group gets AWS's policy {SIGN_IN}. Developers have it by PowerUserAccess.",
    )
    policy_name: EntityName = Field(
        "rotate-own-access-keys", description="Name of the managed policy that allows rotation."
    )


class IamGroups(Settings):
    """Settings of `iam_groups`."""

    groups: Annotated[dict[EntityName, Group | None], BeforeValidator(_over_defaults)] = Field(
        DEFAULT_GROUPS,
        description="Groups by name, merged over the defaults administrators, developers, auditors, billing and "
        "support: a default group keeps the fields that you omit, and null removes it.",
    )
    passable_roles: Roles = Field(
        (),
        description="ARNs of the roles that members of all groups but administrator groups may pass to services, if "
        "their policies allow it; a user who may pass a role can use its permissions.",
    )
    assumable_roles: Roles = Field(
        (),
        description="ARNs of the roles, of this account or others, that members of all groups but administrator "
        "groups may assume, if their policies allow it (PowerUserAccess does).",
    )
    self_service: SelfService = Field(
        SelfService(), description="What members of all groups but administrator groups may do for themselves."
    )
    guardrail_policy_name: EntityName = Field(
        "deny-identity-administration",
        description="Name of the managed policy that denies identity administration to every group that is not an "
        "administrator group.",
    )
    log_guardrail_policy_name: EntityName = Field(
        "deny-changes-to-logs-and-alerts",
        description="Name of the managed policy that denies changes to what holds logs and carries alerts to every "
        "group that is not an administrator group.",
    )

    @model_validator(mode="after")
    def _self_service_fits(self) -> IamGroups:
        """What self-service adds to a group's managed policies, beside what each group checks by itself."""
        room = MANAGED_QUOTA - 3 - (self.self_service.access_keys == "rotate")
        for name, group in self.groups.items():
            if group is None or group.administrator:
                continue
            policies = {*group.managed_policies, *((SIGN_IN,) if self.self_service.aws_login else ())}
            if len(policies) > room:
                raise ValueError(
                    f"group {name!r} has {len(policies)} managed policies with those of self_service; expected at most "
                    f"{room}: IAM allows {MANAGED_QUOTA} on a group, and {MANAGED_QUOTA - room} are kept for the "
                    "guardrails, MFA enforcement and the rotation of access keys"
                )
        return self

    @model_validator(mode="after")
    def _roles_are_listed(self) -> IamGroups:
        found = []
        for group_name, group in self.groups.items():
            if group is None or group.administrator:
                continue
            for place, action, resources in _allowed_actions(group):
                for guarded, setting, roles in (
                    ("iam:PassRole", "passable_roles", self.passable_roles),
                    ("sts:AssumeRole", "assumable_roles", self.assumable_roles),
                ):
                    unlisted = sorted(set(resources) - set(roles))
                    if overlap(action, guarded) and unlisted:
                        found.append(
                            f"group {group_name!r}, {place} allows {action} on {', '.join(unlisted)}; expected only "
                            f"what {setting} lists"
                        )
        if found:
            raise ValueError("members could take on a role's rights: " + "; ".join(found))
        return self


def _mismatches(settings: IamGroups, others: Mapping[str, Any]) -> Iterable[Mismatch]:
    """Policies that bounded administrators may rewrite: a group has no boundary that would limit its members."""
    return delegated_policies(
        others,
        (
            (("groups", name, "managed_policies", index), policy)
            for name, group in settings.groups.items()
            if group is not None
            for index, policy in enumerate(group.managed_policies)
        ),
    )


def _identities(settings: IamGroups, _: Mapping[str, Any]) -> Identities:
    guarded = (name for name, group in settings.groups.items() if group is not None and not group.administrator)
    return Identities(without_administration=frozenset(guarded))


def _read_back(_: IamGroups, place: Place, every: Every) -> Iterator[Seen]:
    groups = sorted(group.key["name"] for group in every("aws_iam_group", place.home_region))
    yield Seen(place.home_region, ", ".join(groups) or "no groups", bool(groups))


COMPONENT = Component(
    name="iam_groups",
    title="IAM groups",
    purpose="Users get permissions through groups; only administrators can change IAM permissions.",
    scope=Scope.GLOBAL,
    settings=IamGroups,
    read_back=_read_back,
    protects=(
        Protected("aws_iam_policy", "guardrail"),
        # Managed policies may come and go; a guardrail goes only with its group.
        Protected("aws_iam_group_policy_attachment", "guardrail", released_by=("aws_iam_group", "name", "group")),
        Protected("aws_iam_policy", "log_guardrail"),
        Protected("aws_iam_group_policy_attachment", "log_guardrail", released_by=("aws_iam_group", "name", "group")),
        Protected("aws_iam_group_policy", released_by=("aws_iam_group", "name", "group"), denying="policy"),
    ),
    profiles={"minimal": {}, "standard": {}, "strict": {}},
    mismatches=_mismatches,
    identities=_identities,
    derived=("protected",),
    roles={Role.DENIES_IDENTITY_ADMINISTRATION: Made("aws_iam_group_policy_attachment", "guardrail")},
    iam_names=(
        IamName("aws_iam_group", "groups.*"),
        IamName("aws_iam_policy", "guardrail_policy_name"),
        IamName("aws_iam_policy", "log_guardrail_policy_name"),
        IamName("aws_iam_policy", "self_service.policy_name"),
    ),
    needs=(
        Need("iam:CreateGroup", "arn:{partition}:iam::{account}:group/billing"),
        Need("iam:CreatePolicy", "arn:{partition}:iam::{account}:policy/baseline"),
        Need("iam:AttachGroupPolicy", "arn:{partition}:iam::{account}:group/billing"),
        Need("iam:GetGroup", "arn:{partition}:iam::{account}:group/billing"),
    ),
)
