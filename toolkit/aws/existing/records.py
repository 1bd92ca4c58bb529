"""Readers of what records: CloudTrail, Config, log groups."""

from __future__ import annotations

from typing import Any

from toolkit.aws.existing.reader import Reader, named, overwriting
from toolkit.aws.session import ClientFactory
from toolkit.plan.guards import Existing
from toolkit.plan.model import Change


def _trail(clients: ClientFactory, change: Change) -> Existing | None:
    name = named(change, "name")
    trails = clients.client("cloudtrail", change.region).describe_trails(includeShadowTrails=False)["trailList"]
    arn = next((t["TrailARN"] for t in trails if t["Name"] == name), None)
    return Existing({}, False, arn, f"the trail {name!r}") if arn else None


def _recorder(clients: ClientFactory, change: Change) -> Existing | None:
    client = clients.client("config", change.region)
    recorders = client.describe_configuration_recorders()["ConfigurationRecorders"]
    if not recorders:
        return None
    recorder = recorders[0]
    group, mode = recorder.get("recordingGroup", {}), recorder.get("recordingMode", {})
    values = {
        "name": recorder["name"],
        "role_arn": recorder.get("roleARN"),
        "recording_group": [
            {
                "all_supported": group.get("allSupported", False),
                "include_global_resource_types": group.get("includeGlobalResourceTypes", False),
                "resource_types": sorted(group.get("resourceTypes", ())),
                "exclusion_by_resource_types": [
                    {"resource_types": sorted(group.get("exclusionByResourceTypes", {}).get("resourceTypes", ()))}
                ],
                "recording_strategy": [{"use_only": _strategy(group)}],
            }
        ],
        "recording_mode": [
            {
                "recording_frequency": mode.get("recordingFrequency", "CONTINUOUS"),
                "recording_mode_override": [
                    {"recording_frequency": o["recordingFrequency"], "resource_types": sorted(o["resourceTypes"])}
                    for o in mode.get("recordingModeOverrides", ())
                ],
            }
        ],
    }
    same_name = recorder["name"] == change.after.get("name")
    return Existing(values, same_name, recorder["name"], f"the configuration recorder {recorder['name']!r}")


def _strategy(group: dict[str, Any]) -> str:
    """A recorder's strategy; one from before there were strategies has all types or a list (API RecordingGroup)."""
    named: str | None = group.get("recordingStrategy", {}).get("useOnly")
    return named or ("ALL_SUPPORTED_RESOURCE_TYPES" if group.get("allSupported") else "INCLUSION_BY_RESOURCE_TYPES")


def _delivery_channel(clients: ClientFactory, change: Change) -> Existing | None:
    channels = clients.client("config", change.region).describe_delivery_channels()["DeliveryChannels"]
    if not channels:
        return None
    channel = channels[0]
    frequency = channel.get("configSnapshotDeliveryProperties", {}).get("deliveryFrequency")
    values = {
        "name": channel["name"],
        "s3_bucket_name": channel["s3BucketName"],
        "s3_kms_key_arn": channel.get("s3KmsKeyArn"),
        "sns_topic_arn": channel.get("snsTopicARN"),
        "snapshot_delivery_properties": [{"delivery_frequency": frequency}],
    }
    same_name = channel["name"] == change.after.get("name")
    return Existing(values, same_name, channel["name"], f"the delivery channel {channel['name']!r}")


def _recorder_status(clients: ClientFactory, change: Change) -> Existing | None:
    statuses = clients.client("config", change.region).describe_configuration_recorder_status()
    name = named(change, "name")
    status = next((s for s in statuses["ConfigurationRecordersStatus"] if s["name"] == name), None)
    if status is None:
        return None
    what = f"the state of the recorder {name!r}"
    return overwriting(change, {"is_enabled": status["recording"]}, name, what)


def _config_rule(clients: ClientFactory, change: Change) -> Existing | None:
    """PutConfigRule updates a rule of the same name."""
    name = named(change, "name")
    rules = clients.listed("config", "describe_config_rules", "ConfigRules", change.region)
    rule = next((rule for rule in rules if rule["ConfigRuleName"] == name), None)
    if rule is None:
        return None
    scope, source = rule.get("Scope", {}), rule["Source"]
    values: dict[str, Any] = {
        "input_parameters": rule.get("InputParameters") or None,
        "maximum_execution_frequency": rule.get("MaximumExecutionFrequency"),
        "source": [{"owner": source["Owner"], "source_identifier": source.get("SourceIdentifier")}],
    }
    # No scope is the widest.
    limits = {
        "compliance_resource_types": sorted(scope.get("ComplianceResourceTypes", ())),
        "compliance_resource_id": scope.get("ComplianceResourceId"),
        "tag_key": scope.get("TagKey"),
        "tag_value": scope.get("TagValue"),
    }
    values["scope"] = [limits] if any(limits.values()) else []
    return Existing(values, True, name, f"the Config rule {name!r}")


def _aggregator(clients: ClientFactory, change: Change) -> Existing | None:
    """PutConfigurationAggregator replaces the sources of an aggregator of the same name."""
    name = named(change, "name")
    config = clients.client("config", change.region)
    try:
        (aggregator,) = config.describe_configuration_aggregators(ConfigurationAggregatorNames=[name])[
            "ConfigurationAggregators"
        ]
    except config.exceptions.NoSuchConfigurationAggregatorException:
        return None
    sources = [
        {
            "account_ids": source["AccountIds"],
            "all_regions": source.get("AllAwsRegions", False),
            "regions": source.get("AwsRegions"),
        }
        for source in aggregator.get("AccountAggregationSources", ())
    ]
    values: dict[str, Any] = {"account_aggregation_source": sources}
    if organization := aggregator.get("OrganizationAggregationSource"):
        values["organization_aggregation_source"] = [{"all_regions": organization.get("AllAwsRegions", False)}]
    return Existing(values, True, name, f"the configuration aggregator {name!r}")


def _log_group(clients: ClientFactory, change: Change) -> Existing | None:
    name = named(change, "name") or "?"
    logs = clients.client("logs", change.region)
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    if not any(g["logGroupName"] == name for page in pages for g in page["logGroups"]):
        return None
    return Existing({}, False, name, f"the log group {name!r}")


def _metric_filter(clients: ClientFactory, change: Change) -> Existing | None:
    group, name = named(change, "log_group_name"), named(change, "name")
    if group is None or name is None:
        return None
    logs = clients.client("logs", change.region)
    try:
        found = logs.describe_metric_filters(logGroupName=group, filterNamePrefix=name)["metricFilters"]
    except logs.exceptions.ResourceNotFoundException:
        # The log group is still to be made.
        return None
    same = next((one for one in found if one["filterName"] == name), None)
    if same is None:
        return None
    counts = same["metricTransformations"][0]
    counted = {"name": counts["metricName"], "namespace": counts["metricNamespace"], "value": counts["metricValue"]}
    values = {"log_group_name": group, "pattern": same["filterPattern"], "metric_transformation": [counted]}
    return Existing(values, True, f"{group}:{name}", f"the metric filter {name!r}")


def _subscription_filter(clients: ClientFactory, change: Change) -> Existing | None:
    group, name = named(change, "log_group_name"), named(change, "name")
    if group is None or name is None:
        return None
    logs = clients.client("logs", change.region)
    try:
        found = logs.describe_subscription_filters(logGroupName=group, filterNamePrefix=name)["subscriptionFilters"]
    except logs.exceptions.ResourceNotFoundException:
        # The log group is still to be made.
        return None
    same = next((one for one in found if one["filterName"] == name), None)
    if same is None:
        return None
    values = {"destination_arn": same["destinationArn"], "filter_pattern": same["filterPattern"]}
    return Existing(values, True, f"{group}|{name}", f"the subscription filter {name!r}")


READERS: dict[str, Reader] = {
    "aws_config_config_rule": _config_rule,
    "aws_config_configuration_aggregator": _aggregator,
    "aws_config_configuration_recorder": _recorder,
    "aws_config_configuration_recorder_status": _recorder_status,
    "aws_config_delivery_channel": _delivery_channel,
    "aws_cloudtrail": _trail,
    "aws_cloudwatch_log_group": _log_group,
    "aws_cloudwatch_log_metric_filter": _metric_filter,
    "aws_cloudwatch_log_subscription_filter": _subscription_filter,
}
