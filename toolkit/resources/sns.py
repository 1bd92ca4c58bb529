"""Amazon SNS."""

from __future__ import annotations

from toolkit.resources.base import (
    COST,
    FORMAT,
    IDENTITY,
    LEFT_ALONE,
    NAMES,
    TERRAFORM,
    ResourceType,
    Strength,
    Stronger,
    each,
)

_PROTOCOLS = ("application", "firehose", "http", "lambda", "sqs")
_REPLAY = "sends again what the topic's archive holds, once"

TYPES = (
    ResourceType(
        "aws_sns_topic",
        strengths=(
            Strength("kms_master_key_id", Stronger.KEY),
            # A log of what was not delivered, and of what was.
            *each(
                Stronger.PRESENT,
                *(f"{protocol}_failure_feedback_role_arn" for protocol in _PROTOCOLS),
                *(f"{protocol}_success_feedback_role_arn" for protocol in _PROTOCOLS),
                "archive_policy",
            ),
            *each(Stronger.HIGHER, *(f"{protocol}_success_feedback_sample_rate" for protocol in _PROTOCOLS)),
            Strength("delivery_policy", Stronger.SAME),
            # 2 signs messages with SHA-256, 1 with SHA-1.
            Strength("signature_version", Stronger.HIGHER, by_aws=True),
            Strength("tracing_config", Stronger.ORDER, order=("PassThrough", "Active"), by_aws=True),
        ),
        no_weaker_side={
            IDENTITY: "name name_prefix fifo_topic",
            NAMES: "display_name",
            COST: "content_based_deduplication fifo_throughput_scope",
            LEFT_ALONE: "policy",
        },
    ),
    ResourceType(
        "aws_sns_topic_policy",
        strengths=(Strength("policy", Stronger.POLICY),),
        no_weaker_side={IDENTITY: "arn"},
    ),
    ResourceType(
        "aws_sns_topic_subscription",
        unread="subscribing an address that is subscribed already answers that subscription; with "
        "other attributes SNS refuses it",
        strengths=(
            Strength("filter_policy", Stronger.SAME, unset_is_strongest=True),
            Strength("filter_policy_scope", Stronger.SAME, by_aws=True),
            Strength("delivery_policy", Stronger.SAME),
            *each(Stronger.PRESENT, "redrive_policy", "subscription_role_arn"),
        ),
        no_weaker_side={
            IDENTITY: "endpoint protocol topic_arn",
            FORMAT: "raw_message_delivery",
            _REPLAY: "replay_policy",
            TERRAFORM: "confirmation_timeout_in_minutes endpoint_auto_confirms",
        },
    ),
)
