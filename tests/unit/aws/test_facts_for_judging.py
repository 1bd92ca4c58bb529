"""Facts that judging a plan asks of AWS: what is there already, and who gets in. Asked of moto."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from toolkit.aws.existing import read_existing
from toolkit.aws.session import ClientFactory
from toolkit.aws.users import read_users
from toolkit.environment import load_text
from toolkit.plan.model import Attribution, Plan, parse_plan

REGION = "eu-central-1"
ENVIRONMENT = load_text(
    'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\n', name="x", shown_as="x"
)
ANYTHING = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
ATTRIBUTION = Attribution(("config", "x"), (REGION,), REGION)


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def clients() -> ClientFactory:
    return ClientFactory(ENVIRONMENT, {})


def client(service: str) -> Any:
    return boto3.client(service, REGION)


def creates(resource: str, **values: Any) -> Plan:
    entry = {
        "address": f"module.x.{resource}.this",
        "mode": "managed",
        "type": resource,
        "name": "this",
        "change": {"actions": ["create"], "before": None, "after": values},
    }
    return parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION)


def make_recorder() -> None:
    client("config").put_configuration_recorder(
        ConfigurationRecorder={"name": "mine", "roleARN": "arn:aws:iam::123456789012:role/x"}
    )


def make_channel() -> None:
    make_recorder()
    make_bucket()
    client("config").put_delivery_channel(DeliveryChannel={"name": "mine", "s3BucketName": "mine-mine"})


def make_bucket() -> None:
    client("s3").create_bucket(Bucket="mine-mine", CreateBucketConfiguration={"LocationConstraint": REGION})


def make_trail() -> None:
    make_bucket()
    client("cloudtrail").create_trail(Name="mine", S3BucketName="mine-mine")


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
            PolicyDocument=ANYTHING,
        ), False, "policy 'mine'",
    ),
    "aws_cloudtrail": ({"name": "mine"}, make_trail, False, "trail 'mine'"),
    "aws_cloudwatch_log_group": (
        {"name": "/mine"}, lambda: client("logs").create_log_group(logGroupName="/mine"), False, "log group '/mine'",
    ),
    "aws_s3_bucket": ({"bucket": "mine-mine"}, make_bucket, False, "bucket 'mine-mine'"),
}  # fmt: skip


@pytest.mark.parametrize("resource", EXISTING)
def test_an_empty_account_has_nothing_in_the_way(resource: str, clients: ClientFactory):
    values, *_ = EXISTING[resource]
    assert read_existing(creates(resource, **values), clients) == {}


@pytest.mark.parametrize("resource", EXISTING)
def test_what_is_there_is_found(resource: str, clients: ClientFactory):
    values, make, overwritten, named = EXISTING[resource]
    make()
    (found,) = read_existing(creates(resource, **values), clients).values()
    assert found.overwritten is overwritten
    assert named in found.named
    assert found.import_id


@pytest.mark.parametrize("resource", ["aws_iam_group", "aws_iam_role", "aws_iam_policy", "aws_cloudtrail"])
def test_another_name_is_not_in_the_way(resource: str, clients: ClientFactory):
    EXISTING[resource][1]()
    assert read_existing(creates(resource, name="other"), clients) == {}


def test_a_recorder_of_another_name_collides(clients: ClientFactory):
    make_recorder()
    (found,) = read_existing(creates("aws_config_configuration_recorder", name="default"), clients).values()
    assert not found.overwritten


def test_values_of_the_password_policy_are_those_that_terraform_would_hold(clients: ClientFactory):
    client("iam").update_account_password_policy(MinimumPasswordLength=20, MaxPasswordAge=30, RequireSymbols=True)
    (found,) = read_existing(creates("aws_iam_account_password_policy"), clients).values()
    assert found.values["minimum_password_length"] == 20
    assert found.values["max_password_age"] == 30
    assert found.values["require_symbols"] is True
    assert found.values["require_numbers"] is False


def test_users_and_how_they_get_in(clients: ClientFactory):
    iam = client("iam")
    for name in ("admin", "dev", "robot"):
        iam.create_user(UserName=name)
    for group in ("administrators", "developers"):
        iam.create_group(GroupName=group)
    policy = iam.create_policy(
        PolicyName="AdministratorAccess",
        PolicyDocument=ANYTHING,
    )["Policy"]["Arn"]
    iam.attach_group_policy(GroupName="administrators", PolicyArn=policy)
    iam.add_user_to_group(GroupName="administrators", UserName="admin")
    iam.add_user_to_group(GroupName="developers", UserName="dev")
    iam.create_login_profile(UserName="dev", Password="Correct-Horse-9-Battery")
    iam.enable_mfa_device(
        UserName="dev", SerialNumber="arn:aws:iam::123456789012:mfa/phone", AuthenticationCode1="123456",
        AuthenticationCode2="654321",
    )  # fmt: skip
    iam.create_access_key(UserName="robot")
    off = iam.create_access_key(UserName="robot")["AccessKey"]["AccessKeyId"]
    iam.update_access_key(UserName="robot", AccessKeyId=off, Status="Inactive")
    users = {u.name: u for u in read_users(clients, with_password_age=True)}
    assert (users["admin"].administrator, users["dev"].administrator) == (True, False)
    assert users["dev"].groups == {"developers"}
    assert (users["dev"].console_password, users["robot"].console_password) == (True, False)
    assert (users["dev"].mfa_devices, users["robot"].mfa_devices) == (1, 0)
    assert (users["robot"].active_keys, users["dev"].active_keys) == (1, 0)
    assert users["dev"].password_age_days in (0, None)
