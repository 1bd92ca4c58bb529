"""Amazon CloudWatch: alarms, log groups and their filters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.resources.base import (
    COST,
    IDENTITY,
    NAMES,
    TERRAFORM,
    ResourceType,
    Strength,
    Stronger,
    each,
    iam_actions,
)
from toolkit.resources.price import Price
from toolkit.resources.quota import Count, Regional, listed
from toolkit.resources.reading import Account, Live, OnCreate, Reading

_ALL_CLEAR = "who is notified when an alarm ends: the alarm itself is not affected"


def _alarms(account: Account, region: str) -> Iterator[Live]:
    for alarm in account.pages("cloudwatch", "describe_alarms", "MetricAlarms", region, AlarmTypes=["MetricAlarm"]):
        yield _alarm(alarm)


def _find_alarm(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    name = planned["alarm_name"]
    found = account.pages(
        "cloudwatch", "describe_alarms", "MetricAlarms", region, AlarmNames=[name], AlarmTypes=["MetricAlarm"]
    )
    return _alarm(found[0]) if found else None


def _alarm(alarm: Mapping[str, Any]) -> Live:
    name = alarm["AlarmName"]
    values = {
        "threshold": alarm.get("Threshold"),
        "comparison_operator": alarm.get("ComparisonOperator"),
        "period": alarm.get("Period"),
        "evaluation_periods": alarm.get("EvaluationPeriods"),
        "datapoints_to_alarm": alarm.get("DatapointsToAlarm"),
        "treat_missing_data": alarm.get("TreatMissingData", "missing"),
        "namespace": alarm.get("Namespace"),
        "metric_name": alarm.get("MetricName"),
        "dimensions": {one["Name"]: one["Value"] for one in alarm.get("Dimensions", ())},
        "statistic": alarm.get("Statistic"),
        "extended_statistic": alarm.get("ExtendedStatistic"),
        "actions_enabled": alarm.get("ActionsEnabled", False),
        "alarm_actions": sorted(alarm.get("AlarmActions", ())),
        "insufficient_data_actions": sorted(alarm.get("InsufficientDataActions", ())),
        "unit": alarm.get("Unit"),
        "evaluate_low_sample_count_percentiles": alarm.get("EvaluateLowSampleCountPercentile"),
        "threshold_metric_id": alarm.get("ThresholdMetricId"),
        "metric_query": [{"id": one["Id"], "expression": one.get("Expression")} for one in alarm.get("Metrics", ())],
    }
    return Live({"alarm_name": name}, values, f"the alarm {name!r}", name, arn=alarm.get("AlarmArn"))


def _log_groups(account: Account, region: str) -> Iterator[Live]:
    for group in account.pages("logs", "describe_log_groups", "logGroups", region):
        yield _log_group(group)


def _find_log_group(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    name = planned["name"]
    found = account.pages("logs", "describe_log_groups", "logGroups", region, logGroupNamePrefix=name)
    return next((_log_group(group) for group in found if group["logGroupName"] == name), None)


def _log_group(group: Mapping[str, Any]) -> Live:
    name = group["logGroupName"]
    values = {
        "name": name,
        # No retention is for ever, which Terraform calls 0.
        "retention_in_days": group.get("retentionInDays", 0),
        "kms_key_id": group.get("kmsKeyId", ""),
        "log_group_class": group.get("logGroupClass", "STANDARD"),
    }
    # Of the two that AWS answers, the one without a ":*" at its end is the one that tags are read with.
    # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html
    return Live({"name": name}, values, f"the log group {name!r}", name, arn=group.get("logGroupArn"))


def _streams(account: Account, region: str, values: Mapping[str, Any]) -> str | None:
    name = values["name"]
    answer = account.call(
        "logs", "describe_log_streams", region, absent=_NO_GROUP, first=True, logGroupName=name, limit=1
    )
    streams = (answer or {}).get("logStreams", ())
    return f"the log group has streams, such as {streams[0]['logStreamName']}" if streams else None


_NO_GROUP = ("ResourceNotFoundException",)
"""The log group is still to be made."""


def _metric_filters(account: Account, region: str) -> Iterator[Live]:
    for one in account.pages("logs", "describe_metric_filters", "metricFilters", region):
        yield _metric_filter(one)


def _find_metric_filter(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    group, name = planned["log_group_name"], planned["name"]
    found = account.pages(
        "logs",
        "describe_metric_filters",
        "metricFilters",
        region,
        absent=_NO_GROUP,
        logGroupName=group,
        filterNamePrefix=name,
    )
    return next((_metric_filter({"logGroupName": group, **one}) for one in found if one["filterName"] == name), None)


def _metric_filter(found: Mapping[str, Any]) -> Live:
    group, name, counts = found["logGroupName"], found["filterName"], found["metricTransformations"][0]
    counted = {"name": counts["metricName"], "namespace": counts["metricNamespace"], "value": counts["metricValue"]}
    values = {"log_group_name": group, "pattern": found["filterPattern"], "metric_transformation": [counted]}
    key = {"log_group_name": group, "name": name}
    return Live(key, values, f"the metric filter {name!r}", f"{group}:{name}")


def _subscription_filters(account: Account, region: str) -> Iterator[Live]:
    for group in account.live("aws_cloudwatch_log_group", region):
        yield from _subscriptions(account, region, group.key["name"])


def _find_subscription_filter(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    found = _subscriptions(account, region, planned["log_group_name"])
    return next((one for one in found if one.key["name"] == planned["name"]), None)


def _subscriptions(account: Account, region: str, group: str) -> Iterator[Live]:
    found = account.pages(
        "logs", "describe_subscription_filters", "subscriptionFilters", region, absent=_NO_GROUP, logGroupName=group
    )
    for one in found:
        name = one["filterName"]
        values = {
            "destination_arn": one["destinationArn"],
            "filter_pattern": one["filterPattern"],
            # Cross-account destinations have none.
            "role_arn": one.get("roleArn", ""),
        }
        key = {"log_group_name": group, "name": name}
        yield Live(key, values, f"the subscription filter {name!r}", f"{group}|{name}")


def _in_log_group(operation: str, member: str) -> Count:
    return lambda account, region, group: len(
        account.pages("logs", operation, member, region, absent=_NO_GROUP, logGroupName=group)
    )


_PRICES = "https://aws.amazon.com/cloudwatch/pricing/"
_LOGS_QUOTAS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"


TYPES = (
    ResourceType(
        "aws_cloudwatch_metric_alarm",
        unrecorded=iam_actions("cloudwatch", "DisableAlarmActions EnableAlarmActions"),
        price=Price(
            "CloudWatch alarm",
            "0.10 per alarm and month",
            _PRICES,
            "2026-11-28",
            fixed=0.1,
            regions="AWS's page says that prices vary by region",
        ),
        quota=Regional(
            "alarms in {region}",
            5000,
            "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html",
            listed("cloudwatch", "describe_alarms", "MetricAlarms"),
            own_value=("monitoring", "alarms"),
        ),
        key=("alarm_name",),
        reading=Reading(_alarms, OnCreate.OVERWRITES, finds=_find_alarm, actions=("cloudwatch:DescribeAlarms",)),
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
        sets=("metric_query",),
    ),
    ResourceType(
        "aws_cloudwatch_log_group",
        unrecorded=iam_actions("logs", "AssociateKmsKey DeleteRetentionPolicy DisassociateKmsKey"),
        price=Price(
            "CloudWatch log group",
            "0.50 per GB taken in, 0.03 per GB and month kept",
            _PRICES,
            "2026-11-28",
            driver="volume of events",
            regions="AWS's page says that prices vary by region",
        ),
        key=("name",),
        contents=_streams,
        reading=Reading(_log_groups, OnCreate.COLLIDES, finds=_find_log_group, actions=("logs:DescribeLogGroups",)),
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
        price=Price(
            "CloudWatch metric of a filter",
            "0.30 per metric and month, for the hours in which something matches",
            _PRICES,
            "2026-11-28",
            driver="number of hours with matching events",
            regions="AWS's page says that prices vary by region",
        ),
        quota=Regional(
            "metric filters of the log group {owner}",
            100,
            _LOGS_QUOTAS,
            _in_log_group("describe_metric_filters", "metricFilters"),
            owner="log_group_name",
        ),
        key=("log_group_name", "name"),
        reading=Reading(
            _metric_filters, OnCreate.OVERWRITES, finds=_find_metric_filter, actions=("logs:DescribeMetricFilters",)
        ),
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
        price=Price(
            "CloudWatch Logs subscription",
            (
                "the subscription itself is free; a Firehose stream 0.029 per GB taken in, a Kinesis "
                "stream 0.015 per shard and hour and 0.014 per million units of 25 KB; data that leaves "
                "the region 0.02 per GB and more"
            ),
            "https://aws.amazon.com/firehose/pricing/",
            "2026-11-28",
            driver="volume of the trail's events",
            unconfirmed="that the subscription itself is free; 0.02 per GB that leaves the region",
        ),
        quota=Regional(
            "subscription filters of the log group {owner}",
            2,
            _LOGS_QUOTAS,
            _in_log_group("describe_subscription_filters", "subscriptionFilters"),
            owner="log_group_name",
        ),
        key=("log_group_name", "name"),
        reading=Reading(
            _subscription_filters,
            OnCreate.OVERWRITES,
            finds=_find_subscription_filter,
            actions=("logs:DescribeLogGroups", "logs:DescribeSubscriptionFilters"),
        ),
        strengths=(
            Strength("destination_arn", Stronger.SAME),
            Strength("filter_pattern", Stronger.FILTER),
            Strength("role_arn", Stronger.PRESENT),
        ),
        no_weaker_side={IDENTITY: "name log_group_name", COST: "distribution"},
    ),
)
