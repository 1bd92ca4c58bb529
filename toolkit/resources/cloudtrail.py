"""AWS CloudTrail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.resources.base import (
    IDENTITY,
    NAMES,
    PLACE,
    ResourceType,
    Strength,
    Stronger,
    each,
    iam_actions,
)
from toolkit.resources.price import Price, created, either, grows
from toolkit.resources.quota import Regional
from toolkit.resources.reading import Account, Live, OnCreate, Reading


def _trails(account: Account, region: str) -> Iterator[Live]:
    """Trails whose home is the region, so that none is there twice."""
    for trail in _visible(account, region):
        if trail.get("HomeRegion", region) == region:
            yield _trail(account, region, trail)


def _find_trail(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    """By name alone: that it is there is enough to collide, and needs no further right."""
    name = planned["name"]
    arns = [
        trail["TrailARN"]
        for trail in _visible(account, region)
        if trail["Name"] == name and (trail.get("HomeRegion", region) == region or _is_of_another(account, trail))
    ]
    # The account's own first.
    arn = min(arns, key=lambda one: f":{account.account_id}:" not in one, default=None)
    return None if arn is None else Live({"name": name}, {"name": name}, f"the trail {name!r}", arn, arn=arn)


def _visible(account: Account, region: str) -> tuple[Mapping[str, Any], ...]:
    """Trails that record in a region, those of other regions and of the organization among them.

    CloudTrail API Reference, DescribeTrails: without shadow trails, an organization's trail is not answered in its
    member accounts.
    """
    answer = account.call("cloudtrail", "describe_trails", region, includeShadowTrails=True) or {}
    return tuple(answer["trailList"])


def _is_of_another(account: Account, trail: Mapping[str, Any]) -> bool:
    """Whether it is the organization's, in a member account."""
    return str(trail["TrailARN"]).split(":")[4] != account.account_id


def _trail(account: Account, region: str, trail: Mapping[str, Any]) -> Live:
    arn = trail["TrailARN"]
    status = account.call("cloudtrail", "get_trail_status", region, Name=arn) or {}
    selectors = account.call("cloudtrail", "get_event_selectors", region, TrailName=arn) or {}
    # CloudTrail API Reference, GetInsightSelectors: InsightNotEnabledException for a trail without any.
    none = ("InsightNotEnabledException",)
    insights = account.call("cloudtrail", "get_insight_selectors", region, absent=none, TrailName=arn) or {}
    values = {
        "name": trail["Name"],
        "s3_bucket_name": trail["S3BucketName"],
        "s3_key_prefix": trail.get("S3KeyPrefix", ""),
        "enable_logging": status.get("IsLogging", False),
        "enable_log_file_validation": trail.get("LogFileValidationEnabled", False),
        "include_global_service_events": trail.get("IncludeGlobalServiceEvents", False),
        "is_multi_region_trail": trail.get("IsMultiRegionTrail", False),
        "is_organization_trail": trail.get("IsOrganizationTrail", False),
        "kms_key_id": trail.get("KmsKeyId", ""),
        "cloud_watch_logs_group_arn": trail.get("CloudWatchLogsLogGroupArn", ""),
        "cloud_watch_logs_role_arn": trail.get("CloudWatchLogsRoleArn", ""),
        "sns_topic_name": trail.get("SnsTopicName", ""),
        "advanced_event_selector": [_advanced(one) for one in selectors.get("AdvancedEventSelectors") or ()],
        "event_selector": [_selector(one) for one in selectors.get("EventSelectors") or ()],
        "insight_selector": [{"insight_type": one["InsightType"]} for one in insights.get("InsightSelectors", ())],
    }
    return Live({"name": trail["Name"]}, values, f"the trail {trail['Name']!r}", arn, arn=arn)


def _recording(account: Account, region: str, _: str) -> int:
    """Trails, with those of other regions that record in this one, too: the quota counts each."""
    return len(_visible(account, region))


_OPERATORS = {
    "equals": "Equals",
    "not_equals": "NotEquals",
    "starts_with": "StartsWith",
    "not_starts_with": "NotStartsWith",
    "ends_with": "EndsWith",
    "not_ends_with": "NotEndsWith",
}


def _advanced(selector: Mapping[str, Any]) -> dict[str, Any]:
    fields = [
        {"field": one["Field"], **{ours: one.get(theirs) or [] for ours, theirs in _OPERATORS.items()}}
        for one in selector["FieldSelectors"]
    ]
    return {"name": selector.get("Name", ""), "field_selector": fields}


def _selector(selector: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "read_write_type": selector.get("ReadWriteType", "All"),
        "include_management_events": selector.get("IncludeManagementEvents", True),
        "exclude_management_event_sources": sorted(selector.get("ExcludeManagementEventSources") or ()),
        "data_resource": [
            {"type": one["Type"], "values": list(one.get("Values") or ())}
            for one in selector.get("DataResources") or ()
        ],
    }


TYPES = (
    ResourceType(
        "aws_cloudtrail",
        unrecorded=iam_actions("cloudtrail", "StopLogging UpdateTrail"),
        price=Price(
            "CloudTrail trail",
            (
                "the first copy of management events in a region is free; a second trail's costs 2.00 per "
                "100,000 events; data events 0.10 per 100,000; insights 0.35 per 100,000 analysed"
            ),
            "https://aws.amazon.com/cloudtrail/pricing/",
            "2026-11-28",
            driver="number of API calls, if another trail exists or data events or insights are on",
            starts=either(created, grows("advanced_event_selector", "insight_selector")),
        ),
        quota=Regional(
            "trails that record in {region}",
            5,
            "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html",
            _recording,
        ),
        key=("name",),
        reading=Reading(
            _trails,
            OnCreate.COLLIDES,
            finds=_find_trail,
            actions=(
                "cloudtrail:DescribeTrails",
                "cloudtrail:GetTrailStatus",
                "cloudtrail:GetEventSelectors",
                "cloudtrail:GetInsightSelectors",
            ),
        ),
        strengths=(
            *each(
                Stronger.TRUE,
                "enable_logging",
                "enable_log_file_validation",
                "include_global_service_events",
                "is_multi_region_trail",
                "is_organization_trail",
            ),
            Strength("kms_key_id", Stronger.KEY),
            # Without either, nothing reaches CloudWatch Logs; whoever is notified of log files may read them.
            *each(Stronger.PRESENT, "cloud_watch_logs_group_arn", "cloud_watch_logs_role_arn", "sns_topic_name"),
            Strength("s3_bucket_name", Stronger.SAME),
            Strength("advanced_event_selector", Stronger.SUPERSET),
            # Of a trail that is taken over: advanced selectors, which the module sets, replace these.
            Strength("event_selector", Stronger.SUPERSET),
            Strength("insight_selector", Stronger.SUPERSET),
        ),
        no_weaker_side={IDENTITY: "name", PLACE: "s3_key_prefix", NAMES: "advanced_event_selector.name"},
        # A selector is what it selects: AWS gives its name no meaning (CloudTrail API, AdvancedEventSelector).
        keys={"advanced_event_selector": ("field_selector",)},
        sets=("advanced_event_selector.field_selector", "insight_selector"),
    ),
)
