"""The policy of a topic that a create would overwrite: asked of moto."""

from __future__ import annotations

import pytest

from .conftest import allows, client, existing, judged, plan_of, policy, statement

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
