"""MFA enforcement: without MFA a user can enrol a device of their own and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from toolkit.components.base import Component, Every, IamName, Identities, Made, Place, Protected, Role, Scope, Seen
from toolkit.policies import Need
from toolkit.settings.base import Settings
from toolkit.settings.iam import UserName


def _policy_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_+=,.@-]{1,128}", name):
        raise ValueError(
            f"{name!r} is not a policy name: expected 1 to 128 of the characters A-Z a-z 0-9 _ + = , . @ -"
        )
    return name


class MfaEnforcement(Settings):
    """Settings of `mfa_enforcement`."""

    policy_name: Annotated[str, AfterValidator(_policy_name)] = Field(
        "mfa-enforcement", description="Name of the managed policy that is attached to every group."
    )
    allow_password_change_before_mfa: bool = Field(
        True,
        description="Whether a user who signed in to the console without MFA may change their own password, which a "
        "forced change at the first sign-in needs; IAM requires the current password, so it helps only a person who "
        "could also enroll a device. With false such a user cannot sign in without an administrator's help.",
    )
    access_key_enrolment_users: Annotated[tuple[UserName, ...], Field(strict=False, max_length=20)] = Field(
        (),
        description="Names of users without a console password who may enroll an MFA device with a long-lived access "
        "key. Risk: a thief of such a key can enroll a device and act as a user with MFA. Remove a name as soon as its "
        "device is enrolled.",
    )


def _identities(settings: MfaEnforcement, others: Mapping[str, Any]) -> Identities:
    """The template attaches the policy to every group of iam_groups."""
    groups = others["iam_groups"].groups
    return Identities(
        with_mfa=frozenset(name for name, group in groups.items() if group is not None),
        enrolling_users=frozenset(settings.access_key_enrolment_users),
    )


def _read_back(settings: MfaEnforcement, place: Place, every: Every) -> Iterator[Seen]:
    groups = every("aws_iam_group", place.home_region)
    attachments = every("aws_iam_group_policy_attachment", place.home_region)
    suffix = f":policy/{settings.policy_name}"
    enforced = {one.key["group"] for one in attachments if one.key["policy_arn"].endswith(suffix)}
    text = f"attached to {len(enforced)} of {len(groups)} groups"
    yield Seen(place.home_region, text, len(enforced) == len(groups) > 0)


COMPONENT = Component(
    name="mfa_enforcement",
    title="MFA enforcement",
    purpose="Without MFA, users in the groups can only enroll their own MFA device.",
    scope=Scope.GLOBAL,
    settings=MfaEnforcement,
    read_back=_read_back,
    requires=("iam_groups",),
    derived=("group_names",),
    identities=_identities,
    roles={Role.ENFORCES_MFA: Made("aws_iam_group_policy_attachment")},
    protects=(
        Protected("aws_iam_policy"),
        Protected("aws_iam_group_policy_attachment", released_by=("aws_iam_group", "name", "group")),
    ),
    profiles={"minimal": {}, "standard": {}, "strict": {}},
    iam_names=(IamName("aws_iam_policy", "policy_name"),),
    needs=(
        Need("iam:CreatePolicyVersion", "arn:{partition}:iam::{account}:policy/baseline-mfa-enforcement"),
        Need("iam:AttachGroupPolicy", "arn:{partition}:iam::{account}:group/administrators"),
        Need("iam:GetPolicyVersion", "arn:{partition}:iam::{account}:policy/baseline-mfa-enforcement"),
    ),
)
