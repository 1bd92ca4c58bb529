"""Who manages a resource, by what a service says, by its owner, its name, or its tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from toolkit.resources.managers import (
    _DELEGATED,
    by_administrator,
    by_control_tower,
    by_delegation,
    by_owner_or_name,
    by_prefix,
    by_tags,
    prefixes,
    read_tags,
    tagged_in,
)
from toolkit.resources.reading import Live, UnreadableError

REGION, ACCOUNT = "eu-central-1", "123456789012"


def named(kind: str = "aws_iam_role", own_arn: str | None = None, **key: str) -> str | None:
    return by_owner_or_name(Live(key, {}, "x", None, arn=own_arn, type=kind, region=REGION, account_id=ACCOUNT))


@pytest.mark.parametrize(
    ("key", "who"),
    [
        ({"name": "AWSControlTowerExecution"}, "AWS Control Tower"),
        ({"name": "aws-controltower-BaselineCloudTrail"}, "AWS Control Tower"),
        ({"name": "aws-controltower/CloudTrailLogs"}, "AWS Control Tower"),
        ({"arn": "arn:aws:sns:eu-central-1:123456789012:aws-controltower-SecurityNotifications"}, "AWS Control Tower"),
        ({"role": "AWSControlTowerExecution", "policy_arn": "arn:aws:iam::aws:policy/x"}, "AWS Control Tower"),
        ({"bucket": "aws-accelerator-central-logs"}, "Landing Zone Accelerator on AWS"),
        ({"name": "AWSAccelerator-CloudTrail"}, "Landing Zone Accelerator on AWS"),
        ({"name": "AWSReservedSSO_Admin_0123456789abcdef"}, "IAM Identity Center"),
        ({"name": "stacksets-exec-0123456789abcdef"}, "CloudFormation StackSets"),
        ({"name": "AWSServiceRoleForSupport"}, "an AWS service"),
        ({"name": "ops"}, None),
        ({"name": "my-aws-controltower-notes"}, None),
        # A policy at a role says nothing of who manages the role.
        ({"role": "ops", "policy_arn": "arn:aws:iam::aws:policy/service-role/AWSControlTowerServiceRolePolicy"}, None),
        ({}, None),
    ],
)
def test_a_name_says_it_at_its_beginning(key: dict[str, str], who: str | None):
    assert named(**key) == who


def test_what_is_another_account_s_is_managed_there():
    assert named("aws_cloudtrail", "arn:aws:cloudtrail:eu-central-1:111122223333:trail/org", name="org") == (
        "account 111122223333"
    )
    assert named("aws_cloudtrail", "arn:aws:cloudtrail:eu-central-1:123456789012:trail/own", name="own") is None
    assert named("aws_iam_policy", "arn:aws:iam::aws:policy/ReadOnlyAccess", name="ReadOnlyAccess") is None


@pytest.mark.parametrize(
    ("tags", "who"),
    [
        ({"aws:cloudformation:stack-name": "network"}, "the CloudFormation stack network"),
        ({"aws:cloudformation:stack-name": "StackSet-AWSControlTowerBP-BASELINE-CLOUDTRAIL-1"}, "AWS Control Tower"),
        ({"aws:cloudformation:stack-name": "AWSAccelerator-LoggingStack"}, "Landing Zone Accelerator on AWS"),
        (
            {"aws:cloudformation:stack-name": "Acme-LoggingStack", "Accelerator": "Acme"},
            "Landing Zone Accelerator on AWS (tag Accelerator=Acme)",
        ),
        ({"Accelerator": "Acme"}, "Landing Zone Accelerator on AWS (tag Accelerator=Acme)"),
        ({"ManagedBy": "Terraform"}, "Terraform (tag ManagedBy=Terraform)"),
        ({"managed-by": "platform/terragrunt"}, "terragrunt (tag managed-by=platform/terragrunt)"),
        ({"provisioner": "pulumi"}, "pulumi (tag provisioner=pulumi)"),
        ({"terraform": "true"}, "terraform (tag terraform=true)"),
        ({"terraform": "false"}, None),
        ({"Name": "terraform-state"}, None),
        ({"ManagedBy": "anna"}, None),
        ({}, None),
    ],
)
def test_tags_say_it(tags: dict[str, str], who: str | None):
    assert by_tags(tags) == who


class Answers:
    """Answers by operation."""

    account_id, home_region, simulated = ACCOUNT, REGION, False

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[Mapping[str, Any]] = []

    def call(self, service: str, operation: str, region: str, **more: Any) -> Any:
        self.asked.append(more)
        return self.answers[operation]

    def pages(self, service: str, operation: str, member: str, region: str, **more: Any) -> Any:
        self.asked.append(more)
        return self.answers[operation]

    def live(self, kind: str, region: str) -> tuple[Live, ...]:
        raise NotImplementedError


def test_tags_are_read_a_hundred_resources_at_a_time():
    answer = {"ResourceTagMappingList": [{"ResourceARN": "arn:1", "Tags": [{"Key": "a", "Value": "b"}]}]}
    account = Answers(get_resources=answer)
    assert read_tags(account, REGION, [f"arn:{n}" for n in range(250)]) == {"arn:1": {"a": "b"}}
    assert [len(one["ResourceARNList"]) for one in account.asked] == [100, 100, 50]


@pytest.mark.parametrize(
    ("region", "own_arn", "where"),
    [
        ("eu-central-1", "arn:aws:sns:eu-central-1:123456789012:topic", "eu-central-1"),
        ("eu-central-1", "arn:aws:s3:::bucket", "eu-central-1"),
        ("eu-central-1", "arn:aws:iam::123456789012:policy/x", "us-east-1"),
        ("eu-central-1", "arn:aws:organizations::123456789012:policy/o-1/service_control_policy/p-1", "us-east-1"),
        ("eu-central-1", "arn:aws:shield::123456789012:protection/x", "us-east-1"),
        ("eu-central-1", "arn:aws:sso:::permissionSet/ssoins-1/ps-1", "eu-central-1"),
        ("us-gov-east-1", "arn:aws-us-gov:organizations::123456789012:ou/o-1/ou-1", "us-gov-west-1"),
        ("cn-north-1", "arn:aws-cn:organizations::123456789012:ou/o-1/ou-1", "cn-northwest-1"),
        ("cn-northwest-1", "arn:aws-cn:iam::123456789012:policy/x", "cn-north-1"),
    ],
)
def test_tags_are_read_where_the_service_lives(region: str, own_arn: str, where: str):
    assert tagged_in(Live({}, {}, "x", None, arn=own_arn, region=region, account_id=ACCOUNT)) == where


@pytest.mark.parametrize(
    ("kind", "answer", "who"),
    [
        ("aws_guardduty_detector", {"Administrator": {"AccountId": "111122223333"}}, "111122223333"),
        ("aws_guardduty_detector_feature", {"Administrator": {"AccountId": "111122223333"}}, "111122223333"),
        ("aws_securityhub_account", {"Administrator": {"AccountId": "111122223333"}}, "111122223333"),
        (
            "aws_inspector2_enabler",
            {"delegatedAdmin": {"accountId": "111122223333", "relationshipStatus": "ENABLED"}},
            "111122223333",
        ),
        (
            "aws_inspector2_enabler",
            {"delegatedAdmin": {"accountId": "111122223333", "relationshipStatus": "REMOVED"}},
            None,
        ),
        ("aws_inspector2_enabler", None, None),
        ("aws_macie2_account", {"administrator": {"accountId": "111122223333"}}, "111122223333"),
        ("aws_securityhub_account", {"Administrator": {"AccountId": ACCOUNT}}, None),
        ("aws_guardduty_detector", {}, None),
        ("aws_securityhub_account", None, None),
        ("aws_iam_user", {}, None),
    ],
)
def test_an_organization_s_administrator_of_a_service_is_named(kind: str, answer: Any, who: str | None):
    account = Answers(
        get_administrator_account=answer, get_delegated_admin_account=answer, list_detectors=("12abc34d",)
    )
    assert by_administrator(account, kind, REGION) == (who and f"the administrator account {who}")


def organization(management: str) -> dict[str, Any]:
    return {"Organization": {"Id": "o-exampleorgid", "MasterAccountId": management}}


MANAGES = {"describe_organization": organization(ACCOUNT)}


@pytest.mark.parametrize(
    ("kind", "answers", "who"),
    [
        (
            "aws_guardduty_detector",
            {
                **MANAGES,
                "list_delegated_administrators": ({"Id": "444455556666"},),
            },
            "the delegated administrator 444455556666",
        ),
        (
            "aws_detective_graph",
            {**MANAGES, "list_delegated_administrators": ()},
            None,
        ),
        # It is the administrator itself.
        (
            "aws_macie2_account",
            {**MANAGES, "list_delegated_administrators": ({"Id": ACCOUNT},)},
            None,
        ),
        # Of a member, Organizations is not asked: it would deny the call.
        ("aws_securityhub_account", {"describe_organization": organization("111122223333")}, None),
        ("aws_inspector2_enabler", {"describe_organization": None}, None),
        ("aws_iam_user", {}, None),
    ],
)
def test_a_delegated_administrator_is_named_in_the_management_account(
    kind: str, answers: dict[str, Any], who: str | None
):
    account = Answers(**answers)
    assert by_delegation(account, kind) == who
    assert [one["ServicePrincipal"] for one in account.asked if "ServicePrincipal" in one] == (
        [_DELEGATED[kind]] if "list_delegated_administrators" in answers else []
    )


ROLE = {"Role": {"RoleName": "AWSControlTowerExecution"}}
RECORDER = "aws_config_configuration_recorder"


def baseline(account: str) -> dict[str, str]:
    return {"targetIdentifier": f"arn:aws:organizations::111122223333:account/o-exampleorgid/{account}"}


@pytest.mark.parametrize(
    ("kind", "answers", "who"),
    [
        (RECORDER, {"get_role": ROLE, "list_enabled_baselines": (baseline(ACCOUNT),)}, "AWS Control Tower"),
        ("aws_config_delivery_channel", {"get_role": ROLE, "list_enabled_baselines": (baseline(ACCOUNT),)},
         "AWS Control Tower"),
        # Without its role, an account is not enrolled: nothing more is asked.
        (RECORDER, {"get_role": None}, None),
        # Of other types, names and tags say it.
        ("aws_iam_user", {}, None),
    ],
)  # fmt: skip
def test_control_tower_governs_a_recorder_of_any_name(kind: str, answers: dict[str, Any], who: str | None):
    assert by_control_tower(Answers(**answers), kind) == who


@pytest.mark.parametrize("baselines", [(), (baseline("444455556666"),)])
def test_that_no_baseline_is_listed_here_says_nothing(baselines: tuple[Any, ...]):
    """The landing zone may have its home in another region, or the account may have left it."""
    with pytest.raises(UnreadableError, match="may be elsewhere"):
        by_control_tower(Answers(get_role=ROLE, list_enabled_baselines=baselines), RECORDER)


@pytest.mark.parametrize(
    ("key", "managed"),
    [
        ({"name": "Acme-SecurityHubFindingsRule"}, True),
        ({"bucket": "acme-central-logs-123456789012"}, True),
        ({"name": "alias/Acme/kms/key"}, True),
        ({"name": "/Acme/logs"}, True),
        ({"name": "Acmeister"}, False),
        ({"name": "my-Acme-rule"}, False),
    ],
)
def test_what_the_accelerator_cannot_tag_is_known_by_the_prefix_of_its_tags(key: dict[str, str], managed: bool):
    stack = "aws:cloudformation:stack-name"
    found = prefixes([{"Accelerator": "Acme", stack: "Acme-LoggingStack"}, {"Accelerator": "GPU"}, {stack: "x"}])
    assert found == {"Acme"}
    live = Live(key, {}, "x", None, type="aws_cloudwatch_event_rule", region=REGION, account_id=ACCOUNT)
    assert (by_prefix(live, found) == "Landing Zone Accelerator on AWS (prefix Acme)") is managed
