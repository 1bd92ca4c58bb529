"""IAM Identity Center."""

from __future__ import annotations

from toolkit.resources.base import ATTACHES, IDENTITY, NAMES, ResourceType, Strength, Stronger

_LANDING = "which page opens after the sign-in: what may be done there stays the same"
_HOURS = tuple(f"PT{hours}H" for hours in range(12, 0, -1))
"""Lengths of a session that Identity Center takes, 1 to 12 hours, the longest first."""

TYPES = (
    ResourceType(
        "aws_ssoadmin_permission_set",
        strengths=(Strength("session_duration", Stronger.ORDER, order=_HOURS),),
        no_weaker_side={IDENTITY: "instance_arn name", NAMES: "description", _LANDING: "relay_state"},
    ),
    ResourceType(
        "aws_ssoadmin_permission_set_inline_policy",
        strengths=(Strength("inline_policy", Stronger.POLICY),),
        no_weaker_side={IDENTITY: "instance_arn permission_set_arn"},
    ),
    ResourceType(
        "aws_ssoadmin_permissions_boundary_attachment",
        no_weaker_side={IDENTITY: "instance_arn permission_set_arn permissions_boundary"},
    ),
    ResourceType(
        "aws_ssoadmin_account_assignment",
        unread="assigning a set that is assigned already changes nothing",
        no_weaker_side={IDENTITY: "instance_arn permission_set_arn principal_id principal_type target_id target_type"},
    ),
    ResourceType(
        "aws_ssoadmin_managed_policy_attachment",
        no_weaker_side={ATTACHES: "instance_arn managed_policy_arn permission_set_arn"},
    ),
    ResourceType(
        "aws_ssoadmin_customer_managed_policy_attachment",
        unread="it adds a policy to those that the set has",
        no_weaker_side={ATTACHES: "instance_arn permission_set_arn customer_managed_policy_reference"},
    ),
)
