"""Amazon SNS."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

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
    iam_actions,
)
from toolkit.resources.price import Free, Price
from toolkit.resources.reading import Account, Live, OnCreate, Reading, found_for

_PROTOCOLS = ("application", "firehose", "http", "lambda", "sqs")
_REPLAY = "sends again what the topic's archive holds, once"


_ATTRIBUTES = {
    "kms_master_key_id": "KmsMasterKeyId",
    "archive_policy": "ArchivePolicy",
    "delivery_policy": "DeliveryPolicy",
    "signature_version": "SignatureVersion",
    "tracing_config": "TracingConfig",
    **{
        f"{protocol}_{ours}": f"{theirs}{attribute}"
        for protocol, theirs in zip(_PROTOCOLS, ("Application", "Firehose", "HTTP", "Lambda", "SQS"), strict=True)
        for ours, attribute in (
            ("failure_feedback_role_arn", "FailureFeedbackRoleArn"),
            ("success_feedback_role_arn", "SuccessFeedbackRoleArn"),
            ("success_feedback_sample_rate", "SuccessFeedbackSampleRate"),
        )
    },
}
"""Terraform's attribute → SNS's (SNS API Reference, GetTopicAttributes)."""
_NUMBERS = {"signature_version", *(f"{protocol}_success_feedback_sample_rate" for protocol in _PROTOCOLS)}
"""Numbers of Terraform: SNS answers every attribute as text."""


def _arns(account: Account, region: str) -> Iterator[tuple[str, str]]:
    for topic in account.pages("sns", "list_topics", "Topics", region):
        yield topic["TopicArn"].rsplit(":", 1)[-1], topic["TopicArn"]


def _topics(account: Account, region: str) -> Iterator[Live]:
    for name, arn in _arns(account, region):
        found = (account.call("sns", "get_topic_attributes", region, TopicArn=arn) or {})["Attributes"]
        texts = {ours: found.get(theirs) for ours, theirs in _ATTRIBUTES.items()}
        yield _topic(
            name, arn, {ours: int(text) if text and ours in _NUMBERS else text for ours, text in texts.items()}
        )


def _find_topic(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    found = ((name, arn) for name, arn in _arns(account, region) if name == planned["name"])
    return next((_topic(name, arn, {}) for name, arn in found), None)


def _topic(name: str, arn: str, values: Mapping[str, Any]) -> Live:
    """CreateTopic answers an existing topic's ARN, and refuses only where the tags differ.

    Its attributes would be set then, and its policy, which is a type of its own: so it is taken over knowingly, by an
    import, or not at all.
    """
    return Live({"name": name}, {"name": name, **values}, f"the topic {name!r}", arn, arn=arn)


def _policies(account: Account, region: str) -> Iterator[Live]:
    yield from found_for(account, region, _find_policy, ({"arn": arn} for _, arn in _arns(account, region)))


def _find_policy(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    arn = planned["arn"]
    answer = account.call("sns", "get_topic_attributes", region, absent=("NotFound",), TopicArn=arn)
    if answer is None:
        return None
    policy = answer["Attributes"]["Policy"]
    called = f"the policy of the topic {arn.rsplit(':', 1)[-1]!r}"
    return Live({"arn": arn}, {"policy": policy}, called, arn, by_default=_is_given_by_sns(policy))


def _is_given_by_sns(policy: str) -> bool:
    """Whether it is that of a new topic, which lets in the topic's account and denies nothing."""
    statements = json.loads(policy)["Statement"]
    return len(statements) == 1 and str(statements[0].get("Sid")).endswith("__default_statement_ID")


_SUBSCRIBED = {
    "filter_policy": "FilterPolicy",
    "filter_policy_scope": "FilterPolicyScope",
    "delivery_policy": "DeliveryPolicy",
    "redrive_policy": "RedrivePolicy",
    "subscription_role_arn": "SubscriptionRoleArn",
}
"""Terraform's attribute → SNS's (SNS API Reference, GetSubscriptionAttributes)."""


def _subscriptions(account: Account, region: str) -> Iterator[Live]:
    """Those that are confirmed: SNS sends nothing to the others, and its list does not say their ARN.

    The path of a web address may be its only secret, so nothing but its host is kept.
    """
    listed = account.pages("sns", "list_subscriptions", "Subscriptions", region)
    confirmed = [one for one in listed if one["SubscriptionArn"].startswith("arn:")]

    def read(one: Mapping[str, Any]) -> Live | None:
        arn, topic, protocol, endpoint = (one[name] for name in ("SubscriptionArn", "TopicArn", "Protocol", "Endpoint"))
        # Between the two calls, it may have ended.
        answer = account.call("sns", "get_subscription_attributes", region, absent=("NotFound",), SubscriptionArn=arn)
        if answer is None:
            return None
        found = answer["Attributes"]
        values = {ours: found.get(theirs) for ours, theirs in _SUBSCRIBED.items()}
        is_web = protocol in ("http", "https")
        shown = urlsplit(endpoint).hostname or "a web address" if is_web else endpoint
        values |= {"topic_arn": topic, "protocol": protocol, **({} if is_web else {"endpoint": endpoint})}
        called = f"the {protocol} subscription of {shown} to the topic {topic.rsplit(':', 1)[-1]!r}"
        return Live({"arn": arn}, values, called, arn, arn=arn)

    yield from filter(None, account.side_by_side(read, confirmed))


_PRICES = "https://aws.amazon.com/sns/pricing/"


TYPES = (
    ResourceType(
        "aws_sns_topic",
        price=Price(
            "SNS topic",
            "the first million requests a month are free, then 0.50 per million",
            _PRICES,
            "2026-11-28",
            driver="number of notifications",
        ),
        key=("name",),
        reading=Reading(
            _topics, OnCreate.COLLIDES, finds=_find_topic, actions=("sns:ListTopics", "sns:GetTopicAttributes")
        ),
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
        price=Free(
            "says who may publish; requests bill with the topic",
            "https://aws.amazon.com/sns/pricing/",
            "2026-11-28",
        ),
        key=("arn",),
        reading=Reading(
            _policies,
            OnCreate.OVERWRITES,
            finds=_find_policy,
            quiet=True,
            actions=("sns:ListTopics", "sns:GetTopicAttributes"),
        ),
        strengths=(Strength("policy", Stronger.POLICY),),
        no_weaker_side={IDENTITY: "arn"},
    ),
    ResourceType(
        "aws_sns_topic_subscription",
        unrecorded=iam_actions("sns", "SetSubscriptionAttributes"),
        price=Price(
            "SNS subscription",
            (
                "by e-mail: 1,000 a month are free, then 2.00 per 100,000; by HTTPS: 100,000 a month are "
                "free, then 0.60 per million"
            ),
            _PRICES,
            "2026-11-28",
            driver="number of notifications",
        ),
        key=("arn",),
        reading=Reading(
            _subscriptions, OnCreate.HARMLESS, actions=("sns:ListSubscriptions", "sns:GetSubscriptionAttributes")
        ),
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
