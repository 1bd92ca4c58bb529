"""The policy of a topic that a create would overwrite: asked of moto."""

from __future__ import annotations

from typing import Any, cast

import pytest

from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.resources.reading import Live
from toolkit.resources.registry import RESOURCES

from .conftest import ENVIRONMENT, REGION, allows, client, existing, judged, plan_of, policy, statement

pytestmark = pytest.mark.usefixtures("aws")


def test_the_policy_of_a_topic_that_is_imported():
    arn = "arn:aws:sns:eu-central-1:123456789012:mine"
    values = {"arn": arn, "policy": allows("sns:Publish")}
    plan = plan_of("guardduty", "aws_sns_topic_policy", values)
    assert existing(plan) is None
    sns = client("sns")
    sns.create_topic(Name="mine")
    assert existing(plan) is None, "SNS gave it one by itself"
    denies = policy(statement("Deny", "sns:Publish", Resource=arn))
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=denies)
    found = judged(plan)
    assert [(f.attribute, f.blocks) for f in found] == [("policy", True), (None, False)]
    of_a_new_topic = plan_of("guardduty", "aws_sns_topic_policy", {"policy": values["policy"]}, {"arn": True})
    assert existing(of_a_new_topic) is None


def test_of_a_subscriber_on_the_web_nothing_is_kept_but_the_host():
    """Its path is often its only secret."""
    sns = client("sns")
    topic = sns.create_topic(Name="mine")["TopicArn"]
    web, mail = "https://user:pass@events.example.com/integration/s3cret/enqueue?token=t0ken", "a@example.com"
    for protocol, endpoint in (("https", web), ("email", mail)):
        sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
    found = list(Inventory(AwsSession(ENVIRONMENT, {})).every(["aws_sns_topic_subscription"], [REGION]))
    assert all(isinstance(one, Live) for one in found)
    told = repr(found)
    assert [secret for secret in ("user:", "pass", "s3cret", "t0ken") if secret in told] == []
    assert "the https subscription of events.example.com to the topic 'mine'" in told
    assert "the email subscription of a@example.com to the topic 'mine'" in told


class Topics:
    """Answers as AWS documents it; moto leaves both out (SNS API Reference, GetTopicAttributes)."""

    def pages(self, *_: Any) -> list[dict[str, str]]:
        return [{"TopicArn": "arn:aws:sns:eu-central-1:123456789012:mine"}]

    def call(self, *_: Any, **__: Any) -> dict[str, dict[str, str]]:
        return {"Attributes": {"SQSSuccessFeedbackSampleRate": "100", "SignatureVersion": "2"}}


def test_what_a_topic_says_of_numbers_is_a_number():
    """SNS answers each attribute as text, and a text is no value to compare with a number of Terraform."""
    reading = RESOURCES["aws_sns_topic"].reading
    assert reading
    assert reading.lists
    (found,) = reading.lists(cast(Any, Topics()), REGION)
    assert (found.values["sqs_success_feedback_sample_rate"], found.values["signature_version"]) == (100, 2)
    assert found.values["http_success_feedback_sample_rate"] is None
