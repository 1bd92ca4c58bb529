"""AWS Budgets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from toolkit.resources.base import (
    IDENTITY,
    NAMES,
    ResourceType,
    Strength,
    Stronger,
    each,
    iam_actions,
)
from toolkit.resources.price import Free
from toolkit.resources.reading import Account, Live, OnCreate, Reading, arn_of

_MEASURE = "which of the same costs is looked at: each is a sound measure of what is spent"


def _budgets(account: Account, region: str) -> Iterator[Live]:
    found = account.pages("budgets", "describe_budgets", "Budgets", region, AccountId=account.account_id)
    for budget in found:
        name, period, types = budget["BudgetName"], budget.get("TimePeriod", {}), budget.get("CostTypes")
        limit, adjusts = budget.get("BudgetLimit", {}), budget.get("AutoAdjustData")
        values = {
            "budget_type": budget["BudgetType"],
            "limit_amount": limit.get("Amount"),
            "limit_unit": limit.get("Unit"),
            "time_unit": budget["TimeUnit"],
            "time_period_start": _time(period.get("Start")),
            "time_period_end": _time(period.get("End")),
            "cost_filter": [{"name": n, "values": v} for n, v in sorted(budget.get("CostFilters", {}).items())],
            "auto_adjust_data": [{"auto_adjust_type": adjusts["AutoAdjustType"]}] if adjusts else [],
            "planned_limit": [
                {"start_time": start, "amount": one["Amount"], "unit": one["Unit"]}
                for start, one in sorted(budget.get("PlannedBudgetLimits", {}).items())
            ],
            "cost_types": [{ours: types.get(theirs, True) for ours, theirs in _TYPES.items()}] if types else [],
        }
        arn = arn_of(account, "budgets", "", f"budget/{name}")
        yield Live({"name": name}, values, f"the budget {name!r}", f"{account.account_id}:{name}", arn=arn)


_TYPES = {
    "include_other_subscription": "IncludeOtherSubscription",
    "include_recurring": "IncludeRecurring",
    "include_subscription": "IncludeSubscription",
    "include_support": "IncludeSupport",
    "include_tax": "IncludeTax",
    "include_upfront": "IncludeUpfront",
}


def _time(value: Any) -> str | None:
    """As the provider writes it, in UTC: 2026-01-31_00:00."""
    return value.astimezone(UTC).strftime("%Y-%m-%d_%H:%M") if isinstance(value, datetime) else None


TYPES = (
    ResourceType(
        "aws_budgets_budget",
        unrecorded=iam_actions("budgets", "ListTagsForResource ModifyBudget TagResource UntagResource ViewBudget"),
        named_by=("name",),
        unsupported_in_simulator="created, but not read back: the state would be stuck",
        price=Free(
            "a budget that only notifies is free; only budgets with actions, and reports, bill",
            "https://aws.amazon.com/aws-cost-management/aws-budgets/pricing/",
            "2026-11-28",
        ),
        key=("name",),
        reading=Reading(
            _budgets,
            OnCreate.COLLIDES,
            is_global=True,
            actions=("budgets:ViewBudget",),
            unread={
                "each takes two calls of its own; a budget of ours is made or imported, never merged": "notification"
            },
        ),
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
        sets=("cost_filter", "planned_limit"),
    ),
)
