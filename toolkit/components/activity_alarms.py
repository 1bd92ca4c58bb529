"""Alarms on activity that should not go unseen, after CIS AWS Foundations 7.0, section 5."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from toolkit.components.base import SECURITY_EMAIL, Component, Protected, Scope
from toolkit.policies import Need
from toolkit.settings.base import Settings
from toolkit.settings.contacts import Subscribers
from toolkit.settings.values import checked

# 43: a role's name has at most 64 characters, and the longest suffix is -root-sign-in-forward.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,42}")

_name = checked(_NAME, "1 to 43 letters, digits, underscores and hyphens, a letter or digit first")

Threshold = Annotated[int, Field(ge=1)]
Minutes = Annotated[int, Field(ge=1, le=1440)]


class Monitor(Settings):
    """One monitor whose every event counts; bounds are those of the CloudWatch API (PutMetricAlarm)."""

    enabled: bool = Field(True, description="Whether it watches.")
    threshold: Threshold = Field(1, description="How many matching events within the period raise the alarm.")
    period_minutes: Minutes = Field(5, description="Minutes within which events are counted, 1 to 1440.")


class DeniedCalls(Monitor):
    """The monitor of denied calls, of which single ones are everyday life."""

    threshold: Threshold = Field(10, description="How many matching events within the period raise the alarm.")


class FailedSignIns(Monitor):
    """The monitor of failed sign-ins, of which single ones are everyday life."""

    threshold: Threshold = Field(5, description="How many matching events within the period raise the alarm.")
    period_minutes: Minutes = Field(15, description="Minutes within which events are counted, 1 to 1440.")


class Monitors(Settings):
    """The monitors of CIS 7.0, section 5, in its order."""

    unauthorized_api_calls: DeniedCalls = Field(DeniedCalls(), description="4.1: API calls that were denied.")
    console_sign_in_without_mfa: Monitor = Field(
        Monitor(), description="4.2: IAM users who sign in to the console without MFA."
    )
    root_use: Monitor = Field(Monitor(), description="4.3: anything that root does.")
    iam_policy_changes: Monitor = Field(Monitor(), description="4.4: changes of IAM policies.")
    cloudtrail_changes: Monitor = Field(Monitor(), description="4.5: changes of trails.")
    console_sign_in_failures: FailedSignIns = Field(
        FailedSignIns(), description="4.6: sign-ins to the console that failed."
    )
    kms_key_deletions: Monitor = Field(
        Monitor(), description="4.7: KMS keys that are disabled or scheduled for deletion."
    )
    s3_bucket_policy_changes: Monitor = Field(Monitor(), description="4.8: changes of who reaches S3 buckets.")
    config_changes: Monitor = Field(Monitor(), description="4.9: changes of AWS Config's recorder and delivery.")
    security_group_changes: Monitor = Field(Monitor(), description="4.10: changes of security groups.")
    network_acl_changes: Monitor = Field(Monitor(), description="4.11: changes of network ACLs.")
    network_gateway_changes: Monitor = Field(Monitor(), description="4.12: changes of network gateways.")
    route_table_changes: Monitor = Field(Monitor(), description="4.13: changes of route tables.")
    vpc_changes: Monitor = Field(Monitor(), description="4.14: changes of VPCs and peerings.")
    organizations_changes: Monitor = Field(Monitor(), description="4.15: changes of the organization.")


class ActivityAlarms(Settings):
    """Settings of `activity_alarms`."""

    name: Annotated[str, _name] = Field(
        "baseline-activity",
        description="Name of the topic, the key's alias and the metrics' namespace; the names of alarms, filters and "
        "rules start with it.",
    )
    subscribers: Subscribers = Field(description="The recipients, at least one address.")
    monitors: Monitors = Field(Monitors(), description="The fifteen monitors of CIS 7.0, section 5.")
    patterns: Literal["refined", "benchmark"] = Field(
        "refined",
        description="What the monitors match: refined adds calls that the benchmark does not list, and excludes calls "
        "of service-linked roles, central root sessions and denied reads in the console; benchmark matches "
        "the benchmark's events and nothing else.",
    )
    root_sign_in_alerts: bool = Field(
        True,
        description="Whether EventBridge rules in every active region report root sign-ins immediately, in addition to "
        "the alarm of root_use within minutes. AWS records them in us-east-1 (us-gov-west-1, cn-north-1): if that is "
        "not an active region, there is only the alarm.",
    )


COMPONENT = Component(
    name="activity_alarms",
    title="Activity alarms",
    purpose="Alerts on root user activity, console sign-ins without MFA, and changes to what protects the account.",
    scope=Scope.EVERY_REGION,
    settings=ActivityAlarms,
    requires=("cloudtrail",),
    derived=("log_group_name", "event_bus_arn", "role_arn"),
    protects=(
        Protected("aws_cloudwatch_metric_alarm"),
        Protected("aws_cloudwatch_log_metric_filter"),
        Protected("aws_cloudwatch_event_rule"),
        Protected("aws_cloudwatch_event_target"),
        Protected("aws_sns_topic"),
        # Without its policy, a topic refuses what EventBridge and CloudWatch send.
        Protected("aws_sns_topic_policy", released_by=("aws_sns_topic", "arn", "arn")),
        # Whoever is taken out is told nothing any more; a topic takes its subscribers with it.
        Protected("aws_sns_topic_subscription", released_by=("aws_sns_topic", "arn", "topic_arn")),
        Protected("aws_kms_key"),
        # The other regions' rules reach the home region through this role.
        Protected("aws_iam_role"),
        Protected("aws_iam_role_policy"),
    ),
    bills="an alarm per monitor, a KMS key, and a metric for the hours in which something matches",
    profiles={
        "standard": {"subscribers": {"email_addresses": [SECURITY_EMAIL]}},
        "strict": {"subscribers": {"email_addresses": [SECURITY_EMAIL]}},
    },
    needs=(
        Need("logs:PutMetricFilter", "arn:{partition}:logs:{region}:{account}:log-group:/aws/cloudtrail/baseline"),
        Need("cloudwatch:PutMetricAlarm", "arn:{partition}:cloudwatch:{region}:{account}:alarm:baseline-root-use"),
        Need("sns:CreateTopic", "arn:{partition}:sns:{region}:{account}:baseline-activity"),
        Need("events:PutRule", "arn:{partition}:events:{region}:{account}:rule/baseline-root-sign-in"),
        Need("cloudwatch:DescribeAlarms"),
    ),
)
