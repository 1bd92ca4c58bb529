"""AWS Organizations."""

from __future__ import annotations

from typing import get_args

from toolkit.policy_types import AnyManagementType, AuthorizationType
from toolkit.resources.base import IDENTITY, NAMES, TERRAFORM, Irreversible, ResourceType, Strength, Stronger, each

_CONTROLS = get_args(AuthorizationType)
_MANAGES = get_args(AnyManagementType)

TYPES = (
    ResourceType(
        "aws_organizations_delegated_administrator", no_weaker_side={IDENTITY: "account_id service_principal"}
    ),
    ResourceType(
        "aws_organizations_organization",
        strengths=(
            *each(Stronger.SUPERSET, "aws_service_access_principals", "enabled_policy_types"),
            Strength("feature_set", Stronger.ORDER, order=("CONSOLIDATED_BILLING", "ALL")),
        ),
    ),
    ResourceType("aws_organizations_organizational_unit", no_weaker_side={IDENTITY: "parent_id", NAMES: "name"}),
    ResourceType(
        "aws_organizations_policy",
        strengths=(
            Strength("content", Stronger.POLICY, only=("type", _CONTROLS)),
            # Of a grammar of their own, in which each line switches something on or asks for something.
            Strength("content", Stronger.CONTENT, only=("type", _MANAGES)),
        ),
        no_weaker_side={IDENTITY: "type", NAMES: "name description", TERRAFORM: "skip_destroy"},
        irreversible=(
            Irreversible(
                "AI services delete the content that they had stored to improve themselves.",
                "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_ai-opt-out.html, "
                "read on 2026-11-28",
                "type",
                ("AISERVICES_OPT_OUT_POLICY",),
            ),
        ),
    ),
    ResourceType(
        "aws_organizations_policy_attachment",
        no_weaker_side={IDENTITY: "policy_id target_id", TERRAFORM: "skip_destroy"},
    ),
)
