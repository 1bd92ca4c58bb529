"""AWS Budgets."""

from __future__ import annotations

from toolkit.resources.base import IDENTITY, NAMES, ResourceType, Strength, Stronger, each

_MEASURE = "which of the same costs is looked at: each is a sound measure of what is spent"

TYPES = (
    ResourceType(
        "aws_budgets_budget",
        strengths=(
            Strength("limit_amount", Stronger.LOWER),
            *each(Stronger.SAME, "budget_type", "limit_unit", "time_unit", "time_period_end"),
            Strength("time_period_start", Stronger.SAME, by_aws=True),
            # A filter leaves costs out, a limit that follows costs is never reached.
            *each(Stronger.SAME, "cost_filter", "auto_adjust_data", "planned_limit", unset_is_strongest=True),
            *each(
                Stronger.TRUE,
                "cost_types[0].include_other_subscription",
                "cost_types[0].include_recurring",
                "cost_types[0].include_subscription",
                "cost_types[0].include_support",
                "cost_types[0].include_tax",
                "cost_types[0].include_upfront",
                unset_is_strongest=True,
            ),
            Strength("notification", Stronger.SUPERSET),
            *each(
                Stronger.SUPERSET,
                "notification[*].subscriber_email_addresses",
                "notification[*].subscriber_sns_topic_arns",
            ),
        ),
        no_weaker_side={
            IDENTITY: "account_id",
            NAMES: "name name_prefix",
            _MEASURE: "cost_types.include_credit cost_types.include_discount cost_types.include_refund "
            "cost_types.use_amortized cost_types.use_blended",
        },
        keys={"notification": ("comparison_operator", "notification_type", "threshold", "threshold_type")},
    ),
)
