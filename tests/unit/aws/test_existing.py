"""What is there already, of every type that moto has: found, listed alike, and overwritten or in the way.

A table over all types. What is particular to one service is in the file of its name, as in toolkit/resources.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from toolkit.aws.gather import gather
from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.plan import existing as module
from toolkit.plan.existing import ExistingWanted
from toolkit.resources.reading import Live, Unreadable
from toolkit.resources.registry import RESOURCES

from .conftest import (
    BUCKET,
    ENVIRONMENT,
    REGION,
    allows,
    bucket,
    client,
    creates,
    default_vpc,
    existing,
    judged,
    make_alarm,
    make_channel,
    make_recorder,
    plan_of,
    read_existing,
)

pytestmark = pytest.mark.usefixtures("aws")


def make_trail() -> None:
    bucket()
    client("cloudtrail").create_trail(Name="mine", S3BucketName=BUCKET)


def block_public_access() -> None:
    client("s3control").put_public_access_block(
        AccountId="123456789012",
        PublicAccessBlockConfiguration={"BlockPublicAcls": True, "BlockPublicPolicy": False},
    )


def make_contact() -> None:
    client("account").put_alternate_contact(
        AlternateContactType="BILLING", Name="N", Title="T", EmailAddress="a@example.com", PhoneNumber="+49 30 1234567"
    )


def make_budget() -> None:
    limit = {"Amount": "1", "Unit": "USD"}
    client("budgets").create_budget(
        AccountId="123456789012",
        Budget={"BudgetName": "mine", "BudgetLimit": limit, "TimeUnit": "MONTHLY", "BudgetType": "COST"},
    )


def make_metric_filter() -> None:
    client("logs").create_log_group(logGroupName="/mine")
    client("logs").put_metric_filter(
        logGroupName="/mine",
        filterName="mine",
        filterPattern="{ $.a=1 }",
        metricTransformations=[{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}],
    )


def make_subscription_filter() -> None:
    client("kinesis").create_stream(StreamName="mine", ShardCount=1)
    client("iam").create_role(RoleName="logs", AssumeRolePolicyDocument="{}")
    client("logs").create_log_group(logGroupName="/mine")
    client("logs").put_subscription_filter(
        logGroupName="/mine",
        filterName="mine",
        filterPattern="",
        destinationArn=f"arn:aws:kinesis:{REGION}:123456789012:stream/mine",
        roleArn="arn:aws:iam::123456789012:role/logs",
    )


EXISTING: dict[str, tuple[dict[str, Any], Callable[[], Any], bool, str]] = {
    # resource: (values of the create, what makes it, whether a create overwrites it, what AWS calls it)
    "aws_iam_account_password_policy": (
        {}, lambda: client("iam").update_account_password_policy(MinimumPasswordLength=20), True, "a password policy",
    ),
    "aws_config_configuration_recorder": ({"name": "mine"}, make_recorder, True, "recorder 'mine'"),
    "aws_config_delivery_channel": ({"name": "mine"}, make_channel, True, "channel 'mine'"),
    "aws_guardduty_detector": (
        {}, lambda: client("guardduty").create_detector(Enable=True), False, "a GuardDuty detector",
    ),
    "aws_iam_group": ({"name": "mine"}, lambda: client("iam").create_group(GroupName="mine"), False, "group 'mine'"),
    "aws_iam_user": ({"name": "mine"}, lambda: client("iam").create_user(UserName="mine"), False, "user 'mine'"),
    "aws_iam_openid_connect_provider": (
        {"url": "https://token.actions.githubusercontent.com"},
        lambda: client("iam").create_open_id_connect_provider(
            Url="https://token.actions.githubusercontent.com", ThumbprintList=["a" * 40]
        ),
        False,
        "identity provider of token.actions.githubusercontent.com",
    ),
    "aws_iam_role": (
        {"name": "mine"},
        lambda: client("iam").create_role(RoleName="mine", AssumeRolePolicyDocument="{}"), False, "role 'mine'",
    ),
    "aws_iam_service_linked_role": (
        {"aws_service_name": "config.amazonaws.com"},
        lambda: client("iam").create_service_linked_role(AWSServiceName="config.amazonaws.com"), False,
        "service-linked role 'AWSServiceRoleFor",
    ),
    "aws_iam_policy": (
        {"name": "mine"},
        lambda: client("iam").create_policy(
            PolicyName="mine",
            PolicyDocument=allows("*"),
        ), False, "policy 'mine'",
    ),
    "aws_cloudtrail": ({"name": "mine"}, make_trail, False, "trail 'mine'"),
    "aws_cloudwatch_log_group": (
        {"name": "/mine"}, lambda: client("logs").create_log_group(logGroupName="/mine"), False, "log group '/mine'",
    ),
    "aws_s3_bucket": ({"bucket": BUCKET}, bucket, False, f"bucket '{BUCKET}'"),
    "aws_s3_account_public_access_block": ({}, block_public_access, True, "block of public access to S3"),
    "aws_ebs_encryption_by_default": (
        {}, lambda: client("ec2").enable_ebs_encryption_by_default(), True, "EBS encryption by default in eu-central-1",
    ),
    "aws_iam_account_alias": (
        {}, lambda: client("iam").create_account_alias(AccountAlias="mine"), True, "the account alias 'mine'",
    ),
    "aws_account_alternate_contact": (
        {"alternate_contact_type": "BILLING"}, make_contact, True, "the alternate contact BILLING",
    ),
    "aws_budgets_budget": ({"name": "mine"}, make_budget, False, "the budget 'mine'"),
    "aws_cloudwatch_metric_alarm": ({"alarm_name": "mine"}, make_alarm, True, "the alarm 'mine'"),
    "aws_cloudwatch_log_metric_filter": (
        {"log_group_name": "/mine", "name": "mine"}, make_metric_filter, True, "the metric filter 'mine'",
    ),
    "aws_cloudwatch_log_subscription_filter": (
        {"log_group_name": "/mine", "name": "mine"}, make_subscription_filter, True, "the subscription filter 'mine'",
    ),
    "aws_cloudwatch_event_rule": (
        {"name": "mine"}, lambda: client("events").put_rule(Name="mine", EventPattern='{"source": ["x"]}'), True,
        "the EventBridge rule 'mine'",
    ),
    "aws_scheduler_schedule_group": (
        {"name": "mine"}, lambda: client("scheduler").create_schedule_group(Name="mine"), False,
        "the schedule group 'mine'",
    ),
    "aws_sns_topic": ({"name": "mine"}, lambda: client("sns").create_topic(Name="mine"), False, "the topic 'mine'"),
    "aws_shield_subscription": (
        {}, lambda: client("shield").create_subscription(), False, "a subscription to Shield Advanced",
    ),
    "aws_shield_protection": (
        {"resource_arn": "arn:aws:cloudfront::123456789012:distribution/E1EXAMPLE"},
        lambda: client("shield").create_protection(
            Name="mine", ResourceArn="arn:aws:cloudfront::123456789012:distribution/E1EXAMPLE"
        ), False, "the protection 'mine'",
    ),
    "aws_securityhub_account": (
        {}, lambda: client("securityhub").enable_security_hub(), False, "Security Hub in eu-central-1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("resource", EXISTING)
def test_an_empty_account_has_nothing_in_the_way(resource: str, clients: AwsSession):
    values, *_ = EXISTING[resource]
    assert read_existing(creates(resource, **values), Inventory(clients)) == {}


@pytest.mark.parametrize("resource", EXISTING)
def test_what_is_there_is_found(resource: str, clients: AwsSession):
    values, make, overwritten, named = EXISTING[resource]
    make()
    (found,) = read_existing(creates(resource, **values), Inventory(clients)).values()
    assert found.overwritten is overwritten
    assert named in found.named
    assert found.import_id


READ = [resource for resource in EXISTING if RESOURCES[resource].reading]


@pytest.mark.parametrize("resource", READ)
def test_a_list_and_a_search_find_the_same(
    resource: str, clients: AwsSession, list_and_search_agree: Callable[..., None]
):
    values, make, *_ = EXISTING[resource]
    make()
    list_and_search_agree(clients, resource, values)


@pytest.mark.parametrize(
    "resource", ["aws_iam_group", "aws_iam_role", "aws_iam_user", "aws_iam_policy", "aws_cloudtrail"]
)
def test_another_name_is_not_in_the_way(resource: str, clients: AwsSession):
    EXISTING[resource][1]()
    assert read_existing(creates(resource, name="other"), Inventory(clients)) == {}


@pytest.mark.parametrize("kind", ["Role", "User"])
def test_tags_of_a_role_or_user_say_who_manages_it(kind: str, clients: AwsSession):
    """The tagging API, which is asked for other types, knows no tags of either."""
    create = getattr(client("iam"), f"create_{kind.lower()}")
    more = {"AssumeRolePolicyDocument": "{}"} if kind == "Role" else {}
    create(**{f"{kind}Name": "mine"}, Tags=[{"Key": "managed-by", "Value": "terraform of another team"}], **more)
    wanted = ExistingWanted("module.x.y.z", f"aws_iam_{kind.lower()}", "us-east-1", {"name": "Mine"})
    found = gather([wanted], Inventory(clients))[wanted]
    assert isinstance(found, Live)
    assert found.managed_by is not None
    assert "terraform of another team" in found.managed_by


def test_a_list_of_every_type_is_answered_by_resources_and_what_is_unreadable_alone(
    clients: AwsSession, monkeypatch: pytest.MonkeyPatch
):
    asks = BaseClient._make_api_call  # type: ignore[attr-defined]

    def answers(one: Any, operation: str, parameters: Any) -> Any:
        try:
            return asks(one, operation, parameters)
        except NotImplementedError as e:
            # As the embedded AWS answers what it lacks.
            raise ClientError({"Error": {"Code": "InternalFailure", "Message": str(e)}}, operation) from e

    monkeypatch.setattr(BaseClient, "_make_api_call", answers)
    for _, make, *_ in EXISTING.values():
        with suppress(ClientError):  # Several make the same bucket or log group first.
            make()
    found = list(Inventory(clients).every([name for name in RESOURCES if RESOURCES[name].reading], [REGION]))
    there = [one for one in found if isinstance(one, Live)]
    assert len({one.type for one in there}) > 25
    for one in there:
        assert (one.region, one.account_id) == (REGION, "123456789012")
        reading = RESOURCES[one.type].reading
        assert reading is not None
        assert one.evidence
        assert {call.action for call in one.evidence} <= set(reading.actions), one.type
    assert all(one.message for one in found if isinstance(one, Unreadable))


def test_a_list_is_asked_once_for_all_that_may_be_in_it():
    client("sns").create_topic(Name="mine")
    clients = AwsSession(ENVIRONMENT, {})
    asked: list[str] = []
    clients.client("sns").meta.events.register("before-call.sns.ListTopics", lambda **_: asked.append("ListTopics"))
    plans = [plan_of("guardduty", "aws_sns_topic", {"name": name}) for name in ("mine", "other", "mine")]
    found = read_existing(
        replace(plans[0], changes=tuple(c for plan in plans for c in plan.changes)), Inventory(clients)
    )
    assert found
    assert asked == ["ListTopics"]


def make_flow_log() -> None:
    ec2 = client("ec2")
    bucket()
    ec2.create_flow_logs(
        ResourceIds=[default_vpc()], ResourceType="VPC", TrafficType="ALL", LogDestinationType="s3",
        LogDestination=f"arn:aws:s3:::{BUCKET}",
    )  # fmt: skip


def make_alias() -> None:
    kms = client("kms")
    kms.create_alias(AliasName="alias/mine", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])


def make_password() -> None:
    iam = client("iam")
    iam.create_user(UserName="ana")
    iam.create_login_profile(UserName="ana", Password="Correct-Horse-9-Battery")


def make_schedule() -> None:
    client("scheduler").create_schedule(
        Name="mine",
        ScheduleExpression="rate(7 days)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:aws:lambda:eu-central-1:123456789012:function:x", "RoleArn": "arn:aws:iam::123456789012:x"},
    )


COLLIDES: list[Any] = [
    # component, resource, values of the create, what makes it, another create that it does not meet
    (
        "account_defaults",
        "aws_flow_log",
        lambda: {"vpc_id": default_vpc(), "log_destination": f"arn:aws:s3:::{BUCKET}", "traffic_type": "ALL"},
        make_flow_log,
        {"traffic_type": "REJECT"},
    ),
    ("guardduty", "aws_kms_alias", lambda: {"name": "alias/mine"}, make_alias, {"name": "alias/other"}),
    ("iam_users", "aws_iam_user_login_profile", lambda: {"user": "ana"}, make_password, {"user": "bo"}),
    (
        "activity_alarms",
        "aws_scheduler_schedule",
        lambda: {"name": "mine", "group_name": None},
        make_schedule,
        {"name": "other"},
    ),
]


@pytest.mark.parametrize(("component", "resource", "values", "make", "other"), COLLIDES)
def test_what_collides(
    component: str,
    resource: str,
    values: Callable[[], dict[str, Any]],
    make: Callable[[], None],
    other: dict[str, Any],
):
    planned = values()
    plan = plan_of(component, resource, planned)
    assert existing(plan) is None
    make()
    (finding,) = judged(plan)
    assert finding.blocks
    assert finding.consent is None
    assert existing(plan_of(component, resource, {**planned, **other})) is None


def test_an_identity_provider_has_the_name_that_the_plan_spells(clients: AwsSession):
    """AWS answers without the scheme; taken for another name, it would be kept apart from itself."""
    values, make, *_ = EXISTING["aws_iam_openid_connect_provider"]
    make()
    (found,) = read_existing(creates("aws_iam_openid_connect_provider", **values), Inventory(clients)).values()
    assert found.live is not None
    assert found.live.key == values


def test_a_policy_of_the_same_text_is_in_the_way_of_nothing_but_is_adopted(clients: AwsSession):
    """The group's grants are judged from the state: adopted without its policy, it would be granted it anew."""
    text = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}})
    client("iam").create_group(GroupName="mine")
    client("iam").put_group_policy(GroupName="mine", PolicyName="own", PolicyDocument=text)
    plan = creates("aws_iam_group_policy", group="mine", name="own", policy=text)
    facts = gather(module.existing_wanted(plan), Inventory(clients))
    assert module.existing(plan, facts) == {}
    (found,) = module.existing(plan, facts, adopts=True).values()
    assert (found.import_id, found.overwritten) == ("mine:own", True)
