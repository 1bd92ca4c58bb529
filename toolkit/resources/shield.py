"""AWS Shield Advanced."""

from __future__ import annotations

from toolkit.resources.base import IDENTITY, NAMES, OFF_ON, TERRAFORM, Irreversible, ResourceType, Strength, Stronger

TYPES = (
    ResourceType(
        "aws_shield_subscription",
        strengths=(Strength("auto_renew", Stronger.ORDER, order=OFF_ON),),
        no_weaker_side={TERRAFORM: "skip_destroy"},
        irreversible=(
            Irreversible(
                "Shield Advanced is paid for one year: AWS does not end the subscription before.",
                "https://docs.aws.amazon.com/goto/WebAPI/shield/DeleteSubscription, read on 2026-11-28",
            ),
        ),
    ),
    ResourceType("aws_shield_protection", no_weaker_side={NAMES: "name", IDENTITY: "resource_arn"}),
    ResourceType(
        "aws_shield_protection_health_check_association",
        no_weaker_side={IDENTITY: "health_check_arn shield_protection_id"},
    ),
    ResourceType(
        "aws_shield_application_layer_automatic_response",
        strengths=(Strength("action", Stronger.ORDER, order=("COUNT", "BLOCK")),),
        no_weaker_side={IDENTITY: "resource_arn"},
    ),
    ResourceType(
        "aws_shield_protection_group",
        strengths=(
            Strength("pattern", Stronger.ORDER, order=("ARBITRARY", "BY_RESOURCE_TYPE", "ALL")),
            Strength("members", Stronger.SUPERSET, only=("pattern", ("ARBITRARY", None))),
            # How attacks on members add up, and which are members.
            Strength("aggregation", Stronger.SAME),
            Strength("resource_type", Stronger.SAME, only=("pattern", ("BY_RESOURCE_TYPE", None))),
        ),
        no_weaker_side={IDENTITY: "protection_group_id"},
    ),
    ResourceType(
        "aws_shield_proactive_engagement",
        strengths=(
            Strength("enabled", Stronger.TRUE),
            # Any other person is as good, nobody is not.
            Strength("emergency_contact", Stronger.PRESENT),
        ),
    ),
    ResourceType("aws_shield_drt_access_role_arn_association", strengths=(Strength("role_arn", Stronger.PRESENT),)),
    ResourceType(
        "aws_shield_drt_access_log_bucket_association",
        unread="it adds a bucket to those that there are",
        no_weaker_side={IDENTITY: "log_bucket role_arn_association_id"},
    ),
)
