"""What AWS does and moto does not: Simple Notification Service."""

from __future__ import annotations

from collections.abc import Callable

import boto3
import pytest

from toolkit.sandbox.patches import sns


def topics_answer_how_deliveries_are_logged() -> bool:
    client = boto3.client("sns", "eu-central-1")
    role, name = "arn:aws:iam::123456789012:role/feedback", "HTTPFailureFeedbackRoleArn"
    topic = client.create_topic(Name="alerts", Attributes={name: role})["TopicArn"]
    client.set_topic_attributes(TopicArn=topic, AttributeName="SQSSuccessFeedbackSampleRate", AttributeValue="50")
    found = client.get_topic_attributes(TopicArn=topic)["Attributes"]
    return (found.get(name), found.get("SQSSuccessFeedbackSampleRate")) == (role, "50") and (
        "LambdaFailureFeedbackRoleArn" not in found
    )


CASES: dict[str, Callable[[], bool]] = {"sns-feedback": topics_answer_how_deliveries_are_logged}


@pytest.mark.parametrize("name", CASES)
def test_moto_needs_the_patch(name: str, check: Callable[..., None]) -> None:
    check(sns.PATCHES, CASES, name)
