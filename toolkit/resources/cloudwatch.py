"""Amazon CloudWatch: alarms, log groups and their filters."""

from __future__ import annotations

from toolkit.resources.base import (
    COST,
    IDENTITY,
    NAMES,
    TERRAFORM,
    ResourceType,
    Strength,
    Stronger,
    each,
)

_ALL_CLEAR = "who is notified when an alarm ends: the alarm itself is not affected"

TYPES = (
    ResourceType(
        "aws_cloudwatch_metric_alarm",
        strengths=(
            Strength("actions_enabled", Stronger.TRUE, unset_is_strongest=True),
            Strength("threshold", Stronger.THRESHOLD),
            *each(Stronger.SUPERSET, "alarm_actions", "insufficient_data_actions"),
            # Fewer periods in a row, or of several, are reached sooner.
            Strength("evaluation_periods", Stronger.LOWER),
            Strength("datapoints_to_alarm", Stronger.LOWER, otherwise=("evaluation_periods", 1)),
            # A shorter period counts less in each, a longer one reports later: neither is known to be harmless.
            *each(Stronger.SAME, "period", "comparison_operator", "statistic", "extended_statistic"),
            # What is looked at: another metric, or one dimension of it, is another alarm.
            *each(Stronger.SAME, "metric_name", "namespace", "threshold_metric_id", "metric_query"),
            *each(Stronger.SAME, "dimensions", "unit", unset_is_strongest=True),
            # CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data": with `ignore` an alarm
            # keeps its state, so one that is raised is not raised again; with `breaching` silence raises it.
            Strength("treat_missing_data", Stronger.ORDER, order=("ignore", "missing", "notBreaching", "breaching")),
            Strength(
                "evaluate_low_sample_count_percentiles", Stronger.ORDER, order=("ignore", "evaluate"), by_aws=True
            ),
        ),
        no_weaker_side={IDENTITY: "alarm_name", NAMES: "alarm_description", _ALL_CLEAR: "ok_actions"},
    ),
    ResourceType(
        "aws_cloudwatch_log_group",
        strengths=(
            Strength("retention_in_days", Stronger.HIGHER, unset_is_strongest=True),
            Strength("kms_key_id", Stronger.KEY),
            # Only the standard class has metric filters; subscriptions differ, too.
            Strength(
                "log_group_class", Stronger.ORDER, order=("DELIVERY", "INFREQUENT_ACCESS", "STANDARD"), by_aws=True
            ),
        ),
        no_weaker_side={IDENTITY: "name name_prefix", TERRAFORM: "skip_destroy"},
    ),
    ResourceType(
        "aws_cloudwatch_log_metric_filter",
        strengths=(
            Strength("log_group_name", Stronger.SAME),
            Strength("pattern", Stronger.FILTER),
            # An alarm finds the count by these.
            *each(
                Stronger.SAME,
                "metric_transformation[0].name",
                "metric_transformation[0].namespace",
                "metric_transformation[0].value",
                "metric_transformation[0].default_value",
                "metric_transformation[0].unit",
            ),
            Strength("metric_transformation[0].dimensions", Stronger.SAME, unset_is_strongest=True),
        ),
        no_weaker_side={IDENTITY: "name"},
    ),
    ResourceType(
        "aws_cloudwatch_log_subscription_filter",
        strengths=(
            Strength("destination_arn", Stronger.SAME),
            Strength("filter_pattern", Stronger.FILTER),
            Strength("role_arn", Stronger.PRESENT),
        ),
        no_weaker_side={IDENTITY: "name log_group_name", COST: "distribution"},
    ),
)
