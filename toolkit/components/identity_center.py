"""IAM Identity Center: permission sets, and who gets them in which account."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from toolkit.components.base import Component, Place, Protected, Scope
from toolkit.policies import Need
from toolkit.regions import ARN
from toolkit.settings.accounts import AccountId
from toolkit.settings.base import Mismatch, Settings
from toolkit.settings.delegation import delegated_policies
from toolkit.settings.managed_policies import aws_managed_policy
from toolkit.settings.regions import Region
from toolkit.settings.values import checked, no_repetition

_INSTANCE_ARN = re.compile(ARN + r":sso:::instance/(sso)?ins-[A-Za-z0-9.-]{16}")
_STORE_ID = re.compile(r"d-[0-9a-f]{10}|[0-9a-f-]{36}")
_SET_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,32}")
_POLICY_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,128}")
_PATH = re.compile(r"/([A-Za-z0-9_+=,.@-]+/)*")
_RELAY_STATE = re.compile(r"https://[A-Za-z0-9_%&?=/:.#~-]{1,232}")
_PRINCIPAL_ID = re.compile(r"([0-9a-f]{10}-)?[A-Fa-f0-9]{8}(-[A-Fa-f0-9]{4}){3}-[A-Fa-f0-9]{12}")
_FEWEST_HOURS, _MOST_HOURS = 1, 12

_instance_arn = checked(_INSTANCE_ARN, "the ARN of an instance, such as arn:aws:sso:::instance/ssoins-1234567890abcdef")
_store_id = checked(_STORE_ID, "the id of an identity store, such as d-1234567890")
_set_name = checked(_SET_NAME, "1 to 32 letters, digits and the characters _ + = , . @ -")
_policy_name = checked(_POLICY_NAME, "the name of a policy, 1 to 128 letters, digits and the characters _ + = , . @ -")
_path = checked(_PATH, "a path that starts and ends with /, such as / or /team/")


def _managed_policy(value: str, info: ValidationInfo) -> str:
    if value.startswith("arn:"):
        raise ValueError(
            "expected the name of an AWS managed policy, with its path, as in job-function/Billing; your own go under "
            "customer_managed_policies"
        )
    return aws_managed_policy(value, info, path_needed=True)


_relay_state = checked(_RELAY_STATE, "an address that starts with https://, at most 240 characters long")
_principal_id = checked(
    _PRINCIPAL_ID,
    "the id of a group or user, such as 1234567890-12345678-1234-1234-1234-123456789012; names go under groups and "
    "users",
)


def _display_name(value: str) -> str:
    if not value.strip() or len(value) > 1024:
        raise ValueError("expected a name of 1 to 1024 characters")
    return value


PolicyPath = Annotated[str, _path]
ManagedPolicy = Annotated[str, AfterValidator(_managed_policy)]
POLICIES_QUOTA = 20
"""Managed policies of a permission set (https://docs.aws.amazon.com/singlesignon/latest/userguide/limits.html)."""

CustomerPolicy = Annotated[str, _policy_name]
Names = Annotated[
    tuple[Annotated[str, AfterValidator(_display_name)], ...], Field(strict=False), AfterValidator(no_repetition)
]
Ids = Annotated[tuple[Annotated[str, _principal_id], ...], Field(strict=False), AfterValidator(no_repetition)]


class Instance(Settings):
    """The organization's instance of Identity Center."""

    arn: Annotated[str, _instance_arn] = Field(description="Its ARN.")
    identity_store_id: Annotated[str, _store_id] = Field(description="Id of its identity store.")


class Boundary(Settings):
    """The most that a permission set can grant."""

    managed_policy: ManagedPolicy | None = Field(
        None, description="Name of an AWS managed policy; null: customer_managed_policy is set."
    )
    customer_managed_policy: CustomerPolicy | None = Field(
        None, description="Name of a policy that exists in every account of the set; null: managed_policy is set."
    )
    path: PolicyPath = Field("/", description="Path of the customer managed policy.")

    @model_validator(mode="after")
    def _one_of_two(self) -> Boundary:
        if (self.managed_policy is None) == (self.customer_managed_policy is None):
            raise ValueError("permissions_boundary must have either managed_policy or customer_managed_policy")
        return self


class Assignment(Settings):
    """Who gets a permission set in an account."""

    groups: Names = Field((), description="Display names of groups, which must exist.")
    users: Names = Field((), description="User names, which must exist; groups are easier to review.")
    group_ids: Ids = Field((), description="Ids of groups.")
    user_ids: Ids = Field((), description="Ids of users.")

    @model_validator(mode="after")
    def _somebody(self) -> Assignment:
        if not (self.groups or self.users or self.group_ids or self.user_ids):
            raise ValueError("an assignment must name at least one of groups, users, group_ids and user_ids")
        return self


class PermissionSet(Settings):
    """What people may do in the accounts in which they have it; bounds are those of the IAM Identity Center API."""

    description: Annotated[str, Field(min_length=1, max_length=700)] | None = Field(
        None, description="Description that users see when they sign in; null for none."
    )
    session_hours: Annotated[int, Field(ge=_FEWEST_HOURS, le=_MOST_HOURS)] = Field(
        1, description="Length of a session in hours, 1 to 12."
    )
    relay_state: Annotated[str, _relay_state] | None = Field(
        None, description="Address that opens after the sign-in; null: the console's start page."
    )
    managed_policies: Annotated[tuple[ManagedPolicy, ...], Field(strict=False), AfterValidator(no_repetition)] = Field(
        (), description="Names of AWS managed policies, with a path as in job-function/Billing."
    )
    customer_managed_policies: dict[CustomerPolicy, PolicyPath] = Field(
        {}, description="Name => path of policies of your own, which must be in every account of the set."
    )
    permissions_boundary: Boundary | None = Field(
        None, description="Maximum permissions that it can grant; null sets none."
    )
    assignments: dict[AccountId, Assignment] = Field(
        {}, description="Account id => the users and groups that get it there."
    )

    @model_validator(mode="after")
    def _policies_fit(self) -> PermissionSet:
        count = len(self.managed_policies) + len(self.customer_managed_policies)
        if count > POLICIES_QUOTA:
            raise ValueError(
                f"the set has {count} managed_policies and customer_managed_policies; expected at most "
                f"{POLICIES_QUOTA} together, which AWS does not raise"
            )
        return self


class IdentityCenter(Settings):
    """Settings of `identity_center`."""

    region: Region | None = Field(
        None, description="Active region in which Identity Center was enabled; null: the home region."
    )
    instance: Instance | None = Field(
        None, description="The organization's instance; null looks it up, each time that Terraform plans."
    )
    permission_sets: dict[Annotated[str, _set_name], PermissionSet] = Field(
        description="Name => permission set, at least one."
    )
    inline_policy_files: dict[str, str] = Field(
        {}, description="Name of a permission set => JSON file, next to environment.yaml, with its inline policy."
    )

    @model_validator(mode="after")
    def _sets_are_there(self) -> IdentityCenter:
        if not self.permission_sets:
            raise ValueError("permission_sets must have at least one")
        other = sorted(set(self.inline_policy_files) - set(self.permission_sets))
        if other:
            raise ValueError(f"inline_policy_files must be of sets under permission_sets, unlike {', '.join(other)}")
        return self


def _compose(settings: IdentityCenter, place: Place) -> Mapping[str, Any]:
    return {
        "region": settings.region or place.home_region,
        "inline_policies": {name: json.loads(place.files[file]) for name, file in settings.inline_policy_files.items()},
    }


def _mismatches(settings: IdentityCenter, others: Mapping[str, Any]) -> Iterator[Mismatch]:
    """Policies, and boundaries, that bounded administrators of this account may rewrite."""
    for name, permissions in settings.permission_sets.items():
        place = ("permission_sets", name)
        attached = [
            ((*place, "customer_managed_policies", policy), path, policy)
            for policy, path in permissions.customer_managed_policies.items()
        ]
        boundary = permissions.permissions_boundary
        if boundary is not None and boundary.customer_managed_policy is not None:
            attached.append(((*place, "permissions_boundary", "path"), boundary.path, boundary.customer_managed_policy))
        yield from delegated_policies(others, ((where, f":policy{path}{policy}") for where, path, policy in attached))


COMPONENT = Component(
    name="identity_center",
    title="IAM Identity Center",
    purpose="Groups of users get permission sets in an organization's accounts, instead of IAM users in each account.",
    scope=Scope.HOME_REGION,
    settings=IdentityCenter,
    composed=("region", "inline_policy_files"),
    compose=_compose,
    derived=("inline_policies",),
    regions_in=("region",),
    files_in=("inline_policy_files.*",),
    protects=(
        Protected("aws_ssoadmin_permission_set"),
        Protected("aws_ssoadmin_permissions_boundary_attachment"),
        # Without its assignment somebody cannot get in any more.
        Protected("aws_ssoadmin_account_assignment"),
        # A mere grant may go; what denies goes only with its set.
        Protected(
            "aws_ssoadmin_permission_set_inline_policy",
            released_by=("aws_ssoadmin_permission_set", "arn", "permission_set_arn"),
            denying="inline_policy",
        ),
    ),
    mismatches=_mismatches,
    trusts=lambda _: ("sso.amazonaws.com",),
    needs=(
        Need("sso:CreatePermissionSet"),
        Need("sso:CreateAccountAssignment"),
        Need("identitystore:GetGroupId"),
    ),
)
