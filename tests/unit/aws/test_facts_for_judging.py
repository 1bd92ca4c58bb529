"""Facts that judging a plan asks of AWS: what is there already, and who gets in. Asked of moto."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.errors import ToolkitError
from toolkit.plan.denials import GroupPoliciesWanted
from toolkit.plan.guards import judge
from toolkit.plan.model import Attribution, Plan, parse_plan
from toolkit.plan.users import UsersWanted
from toolkit.resources.reading import Live, Unreadable
from toolkit.resources.registry import RESOURCES

from .conftest import read, read_existing

REGION = "eu-central-1"
ENVIRONMENT = load_text(
    'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\n', name="x", shown_as="x"
)
ANYTHING = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
ATTRIBUTION = Attribution(("config", "x"), (REGION,), REGION)

pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture
def clients() -> AwsSession:
    return AwsSession(ENVIRONMENT, {})


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


def block_public_access() -> None:
    client("s3control").put_public_access_block(
        AccountId="123456789012",
        PublicAccessBlockConfiguration={"BlockPublicAcls": True, "BlockPublicPolicy": False},
    )


def default_vpc() -> str:
    return str(client("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"])


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


def make_alarm() -> None:
    client("cloudwatch").put_metric_alarm(
        AlarmName="mine", Namespace="n", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold", ActionsEnabled=True,
    )  # fmt: skip


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
            PolicyDocument=ANYTHING,
        ), False, "policy 'mine'",
    ),
    "aws_cloudtrail": ({"name": "mine"}, make_trail, False, "trail 'mine'"),
    "aws_cloudwatch_log_group": (
        {"name": "/mine"}, lambda: client("logs").create_log_group(logGroupName="/mine"), False, "log group '/mine'",
    ),
    "aws_s3_bucket": ({"bucket": "mine-mine"}, make_bucket, False, "bucket 'mine-mine'"),
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


def test_a_recorder_of_another_name_collides(clients: AwsSession):
    make_recorder()
    (found,) = read_existing(creates("aws_config_configuration_recorder", name="default"), Inventory(clients)).values()
    assert not found.overwritten


@pytest.mark.parametrize(
    ("resource", "make"),
    [("aws_config_configuration_recorder", make_recorder), ("aws_config_delivery_channel", make_channel)],
)
def test_a_recorder_or_channel_collides_also_where_the_planned_name_is_not_known(
    resource: str, make: Callable[[], Any], clients: AwsSession
):
    make()
    (found,) = read_existing(creates(resource), Inventory(clients)).values()
    assert not found.overwritten


def test_the_default_security_group_of_a_vpc_that_is_gone_is_an_absence(clients: AwsSession):
    plan = creates("aws_default_security_group", vpc_id="vpc-0a1b2c3d4e5f60718")
    assert read_existing(plan, Inventory(clients)) == {}


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


def test_values_of_the_password_policy_are_those_that_terraform_would_hold(clients: AwsSession):
    client("iam").update_account_password_policy(MinimumPasswordLength=20, MaxPasswordAge=30, RequireSymbols=True)
    (found,) = read_existing(creates("aws_iam_account_password_policy"), Inventory(clients)).values()
    assert found.values["minimum_password_length"] == 20
    assert found.values["max_password_age"] == 30
    assert found.values["require_symbols"] is True
    assert found.values["require_numbers"] is False


class Stubbed(AwsSession):
    """Answers that moto does not give: one service, its recorded answers."""

    def __init__(self, service: str, *answers: tuple[str, dict[str, Any]]) -> None:
        super().__init__(ENVIRONMENT, {})
        self.one = boto3.client(service, REGION)  # type: ignore[call-overload]
        self.stubber = Stubber(self.one)
        for method, answer in answers:
            self.stubber.add_response(method, answer)
        self.stubber.activate()

    def client(self, service: str, region: str | None = None) -> Any:
        assert (service, region) in ((self.one.meta.service_model.service_name, r) for r in (None, REGION))
        return self.one


KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
HELD: list[Any] = [
    # resource, call, AWS's answer, values as Terraform holds them; None where there is nothing to overwrite
    ("aws_ebs_default_kms_key", "get_ebs_default_kms_key_id", {"KmsKeyId": KEY}, {"key_arn": KEY}),
    ("aws_ebs_default_kms_key", "get_ebs_default_kms_key_id", {"KmsKeyId": "alias/aws/ebs"}, None),
    (
        "aws_ebs_default_kms_key",
        "get_ebs_default_kms_key_id",
        {"KmsKeyId": "arn:aws:kms:eu-central-1:123456789012:alias/aws/ebs"},
        None,
    ),
    (
        "aws_ebs_snapshot_block_public_access",
        "get_snapshot_block_public_access_state",
        {"State": "block-new-sharing"},
        {"state": "block-new-sharing"},
    ),
    (
        "aws_ebs_snapshot_block_public_access",
        "get_snapshot_block_public_access_state",
        {"State": "unblocked"},
        None,
    ),
    (
        "aws_ec2_instance_metadata_defaults",
        "get_instance_metadata_defaults",
        {"AccountLevel": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2}},
        {"http_tokens": "required", "http_put_response_hop_limit": 2},
    ),
    ("aws_ec2_instance_metadata_defaults", "get_instance_metadata_defaults", {"AccountLevel": {}}, None),
    ("aws_ec2_instance_metadata_defaults", "get_instance_metadata_defaults", {}, None),
    (
        "aws_ec2_serial_console_access",
        "get_serial_console_access_status",
        {"SerialConsoleAccessEnabled": True},
        {"enabled": True},
    ),
    ("aws_ec2_serial_console_access", "get_serial_console_access_status", {"SerialConsoleAccessEnabled": False}, None),
    *(
        (
            "aws_vpc_block_public_access_options",
            "describe_vpc_block_public_access_options",
            {"VpcBlockPublicAccessOptions": {"InternetGatewayBlockMode": mode}},
            values,
        )
        for mode, values in (
            ("block-bidirectional", {"internet_gateway_block_mode": "block-bidirectional"}),
            ("off", None),
        )
    ),
]


@pytest.mark.parametrize(("resource", "call", "answer", "values"), HELD)
def test_what_a_region_holds_once(resource: str, call: str, answer: dict[str, Any], values: dict[str, Any] | None):
    found = read_existing(creates(resource), Inventory(Stubbed("ec2", (call, answer))))
    assert [(e.values, e.overwritten) for e in found.values()] == ([] if values is None else [(values, True)])


SHARING = "arn:aws:ssm:eu-central-1:123456789012:servicesetting/ssm/documents/console/public-sharing-permission"


@pytest.mark.parametrize(
    ("value", "status", "planned", "differences"),
    [
        ("Enable", "Default", "Disable", None),
        ("Enable", "Customized", "Disable", ('setting_value: "Enable" → "Disable"',)),
        ("Disable", "Customized", "Disable", None),
        ("Disable", "Customized", "Enable", ('setting_value: "Disable" → "Enable"',)),
    ],
)
def test_a_setting_of_the_region_s_documents(
    value: str, status: str, planned: str, differences: tuple[str, ...] | None
):
    plan = creates("aws_ssm_service_setting", setting_id=SHARING, setting_value=planned)
    (create,) = plan.changes
    answer = {"ServiceSetting": {"SettingValue": value, "Status": status}}
    found = read_existing(plan, Inventory(Stubbed("ssm", ("get_service_setting", answer))))
    assert [(e.import_id, e.differences(create)) for e in found.values()] == (
        [] if differences is None else [(SHARING, differences)]
    )


def test_a_stronger_value_of_the_region_is_refused_by_name():
    clients = Stubbed("ec2", ("get_snapshot_block_public_access_state", {"State": "block-all-sharing"}))
    attribution = Attribution(("account_defaults",), (REGION,), REGION)
    entry = {
        "address": 'module.account_defaults_eu_central_1.aws_ebs_snapshot_block_public_access.this["snapshots"]',
        "mode": "managed",
        "type": "aws_ebs_snapshot_block_public_access",
        "name": "this",
        "change": {"actions": ["create"], "before": None, "after": {"state": "block-new-sharing"}},
    }
    plan = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, attribution)
    weakens, note = judge(plan, REGISTRY, read_existing(plan, Inventory(clients)))
    assert weakens.blocks
    assert weakens.evidence == '"block-all-sharing" → "block-new-sharing"'
    assert "a block of public snapshots in eu-central-1" in note.summary


def test_the_primary_contact_that_every_account_has():
    contact = {
        "FullName": "Erika Mustermann",
        "AddressLine1": "Example Street 1",
        "City": "Berlin",
        "PostalCode": "10115",
        "CountryCode": "DE",
        "PhoneNumber": "+49 30 1234567",
    }
    clients = Stubbed("account", ("get_contact_information", {"ContactInformation": contact}))
    (found,) = read_existing(creates("aws_account_primary_contact"), Inventory(clients)).values()
    assert found.values == {
        "full_name": "Erika Mustermann",
        "address_line_1": "Example Street 1",
        "city": "Berlin",
        "postal_code": "10115",
        "country_code": "DE",
        "phone_number": "+49 30 1234567",
    }


def test_an_analyzer_of_the_same_name_collides():
    analyzer = {
        "arn": "arn:aws:access-analyzer:eu-central-1:123456789012:analyzer/mine",
        "name": "mine",
        "type": "ACCOUNT",
        "createdAt": datetime(2026, 1, 1, tzinfo=UTC),
        "status": "ACTIVE",
    }
    answer = ("list_analyzers", {"analyzers": [analyzer]})
    plan = creates("aws_accessanalyzer_analyzer", analyzer_name="mine")
    (found,) = read_existing(plan, Inventory(Stubbed("accessanalyzer", answer))).values()
    assert (found.overwritten, found.import_id) == (False, "mine")
    other = creates("aws_accessanalyzer_analyzer", analyzer_name="other")
    assert read_existing(other, Inventory(Stubbed("accessanalyzer", answer))) == {}


def test_the_embedded_aws_is_not_asked_about_the_analyzers_that_it_lacks():
    text = 'account_id: "123456789012"\nregions: {home: eu-central-1}\nsimulator: moto\ncomponents: {}\n'
    clients = AwsSession(load_text(text, name="x", shown_as="x"), {})
    assert read_existing(creates("aws_accessanalyzer_analyzer", analyzer_name="mine"), Inventory(clients)) == {}


def test_another_regions_finding_aggregator_collides():
    arn = "arn:aws:securityhub:us-east-1:123456789012:finding-aggregator/123e4567-e89b-12d3-a456-426652340000"
    plan = creates("aws_securityhub_finding_aggregator")
    answer = {"FindingAggregators": [{"FindingAggregatorArn": arn}]}
    (found,) = read_existing(plan, Inventory(Stubbed("securityhub", ("list_finding_aggregators", answer)))).values()
    assert (found.overwritten, found.import_id) == (False, arn)
    nothing = Stubbed("securityhub", ("list_finding_aggregators", {"FindingAggregators": []}))
    assert read_existing(plan, Inventory(nothing)) == {}


def test_another_role_of_the_shield_response_team_is_overwritten():
    role = "arn:aws:iam::123456789012:role/theirs"
    plan = creates("aws_shield_drt_access_role_arn_association")
    (found,) = read_existing(plan, Inventory(Stubbed("shield", ("describe_drt_access", {"RoleArn": role})))).values()
    assert (found.overwritten, found.values) == (True, {"role_arn": role})
    assert read_existing(plan, Inventory(Stubbed("shield", ("describe_drt_access", {})))) == {}


def test_firewall_manager_has_one_administrator_and_names_its_policies_once():
    plan = creates("aws_fms_admin_account")
    (found,) = read_existing(
        plan, Inventory(Stubbed("fms", ("get_admin_account", {"AdminAccount": "111122223333"})))
    ).values()
    assert (found.overwritten, found.import_id) == (False, "111122223333")
    assert read_existing(plan, Inventory(Stubbed("fms", ("get_admin_account", {})))) == {}
    policy = "12345678-1234-1234-1234-123456789012"
    answer = {
        "PolicyList": [{"PolicyName": "theirs", "PolicyId": "x" * 36}, {"PolicyName": "mine", "PolicyId": policy}]
    }
    plan = creates("aws_fms_policy", name="mine")
    (found,) = read_existing(plan, Inventory(Stubbed("fms", ("list_policies", answer)))).values()
    assert (found.overwritten, found.import_id) == (False, policy)
    assert read_existing(plan, Inventory(Stubbed("fms", ("list_policies", {"PolicyList": []})))) == {}


@pytest.mark.parametrize(
    ("kind", "call"), [("aws_fms_admin_account", "get_admin_account"), ("aws_fms_policy", "list_policies")]
)
def test_firewall_manager_without_an_administrator_is_told_from_a_missing_right(kind: str, call: str):
    nobody = Stubbed("fms")
    text = "Account 123456789012 is not currently delegated by AWS FM"
    nobody.stubber.add_client_error(call, "AccessDeniedException", text)
    assert read_existing(creates(kind, name="mine"), Inventory(nobody)) == {}
    refused = Stubbed("fms")
    refused.stubber.add_client_error(call, "AccessDeniedException", "User: x is not authorized to perform: fms:Get")
    with pytest.raises(ToolkitError):
        read_existing(creates(kind, name="mine"), Inventory(refused))


def test_a_permission_set_of_the_same_name_collides():
    instance = "arn:aws:sso:::instance/ssoins-1234567890abcdef"
    arns = [f"arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-123456789012345{n}" for n in "67"]
    answers = [
        ("list_permission_sets", {"PermissionSets": arns}),
        *(("describe_permission_set", {"PermissionSet": {"Name": name}}) for name in ("theirs", "mine")),
    ]
    plan = creates("aws_ssoadmin_permission_set", instance_arn=instance, name="mine")
    (found,) = read_existing(plan, Inventory(Stubbed("sso-admin", *answers))).values()
    assert (found.overwritten, found.import_id) == (False, f"{arns[1]},{instance}")
    assert read_existing(plan, Inventory(Stubbed("sso-admin", ("list_permission_sets", {"PermissionSets": []})))) == {}
    # An instance that Terraform only looks up while it applies cannot be asked.
    assert read_existing(creates("aws_ssoadmin_permission_set", name="mine"), Inventory(Stubbed("sso-admin"))) == {}


@pytest.mark.parametrize(
    ("code", "text", "there"),
    [
        ("AccessDeniedException", "Macie is not enabled.", True),
        ("AccessDeniedException", "User: x is not authorized to perform: macie2:GetMacieSession", False),
    ],
)
def test_macie_that_is_off_is_told_from_a_missing_right(code: str, text: str, there: bool):
    stubbed = Stubbed("macie2")
    stubbed.stubber.add_client_error("get_macie_session", code, text)
    if there:
        assert read_existing(creates("aws_macie2_account"), Inventory(stubbed)) == {}
    else:
        with pytest.raises(ToolkitError):
            read_existing(creates("aws_macie2_account"), Inventory(stubbed))


def test_macie_that_is_on_collides():
    (found,) = read_existing(
        creates("aws_macie2_account"), Inventory(Stubbed("macie2", ("get_macie_session", {})))
    ).values()
    assert (found.overwritten, found.import_id) == (False, "123456789012")


def test_another_export_of_macies_results_is_overwritten():
    key = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    kind = "aws_macie2_classification_export_configuration"
    answer = {"configuration": {"s3Destination": {"bucketName": "theirs", "kmsKeyArn": key}}}
    plan = creates(kind, s3_destination=[{"bucket_name": "ours", "key_prefix": None, "kms_key_arn": key}])
    stubbed = Stubbed("macie2", ("get_classification_export_configuration", answer))
    (found,) = read_existing(plan, Inventory(stubbed)).values()
    assert (found.overwritten, found.values["s3_destination"][0]["bucket_name"]) == (True, "theirs")
    assert read_existing(plan, Inventory(Stubbed("macie2", ("get_classification_export_configuration", {})))) == {}
    off = Stubbed("macie2")
    call = "get_classification_export_configuration"
    off.stubber.add_client_error(call, "AccessDeniedException", "Macie is not enabled")
    assert read_existing(plan, Inventory(off)) == {}


def test_what_detective_does_with_new_members_is_overwritten():
    graph = "arn:aws:detective:eu-central-1:123456789012:graph:123412341234"
    kind = "aws_detective_organization_configuration"
    answer = ("describe_organization_configuration", {"AutoEnable": True})
    (found,) = read_existing(
        creates(kind, graph_arn=graph, auto_enable=False), Inventory(Stubbed("detective", answer))
    ).values()
    assert (found.overwritten, found.values) == (True, {"auto_enable": True})
    assert (
        read_existing(creates(kind, graph_arn=graph, auto_enable=True), Inventory(Stubbed("detective", answer))) == {}
    )
    assert read_existing(creates(kind, auto_enable=True), Inventory(Stubbed("detective"))) == {}


def test_inspector_tells_what_it_scans(clients: AwsSession):
    client("inspector2").enable(accountIds=["123456789012"], resourceTypes=["EC2", "LAMBDA_CODE"])
    (found,) = read_existing(creates("aws_inspector2_enabler"), Inventory(clients)).values()
    assert found.values == {"resource_types": ["EC2", "LAMBDA_CODE"]}


def test_another_behaviour_graph_collides():
    graph = "arn:aws:detective:eu-central-1:123456789012:graph:123412341234"
    plan = creates("aws_detective_graph")
    (found,) = read_existing(
        plan, Inventory(Stubbed("detective", ("list_graphs", {"GraphList": [{"Arn": graph}]})))
    ).values()
    assert (found.overwritten, found.import_id) == (False, graph)
    assert read_existing(plan, Inventory(Stubbed("detective", ("list_graphs", {"GraphList": []})))) == {}


def test_an_alarm_that_wants_fewer_events_is_not_overwritten_unasked(clients: AwsSession):
    make_alarm()
    attribution = Attribution(("activity_alarms",), (REGION,), REGION)
    entry = {
        "address": 'module.activity_alarms.aws_cloudwatch_metric_alarm.monitor["root_use"]',
        "mode": "managed",
        "type": "aws_cloudwatch_metric_alarm",
        "name": "monitor",
        "change": {
            "actions": ["create"],
            "before": None,
            "after": {
                "alarm_name": "mine",
                "namespace": "n",
                "metric_name": "m",
                "statistic": "Sum",
                "period": 60,
                "evaluation_periods": 1,
                "comparison_operator": "GreaterThanOrEqualToThreshold",
                "treat_missing_data": "notBreaching",
                "threshold": 5,
                "actions_enabled": True,
            },
        },
    }
    plan = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, attribution)
    weakens, _note = judge(plan, REGISTRY, read_existing(plan, Inventory(clients)))
    assert (weakens.attribute, weakens.blocks) == ("threshold", True)


def test_rules_that_closing_the_default_security_group_takes_away(clients: AwsSession):
    ec2, vpc = client("ec2"), default_vpc()
    plan = creates("aws_default_security_group", vpc_id=vpc)
    filters = [{"Name": "group-name", "Values": ["default"]}, {"Name": "vpc-id", "Values": [vpc]}]
    (group,) = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    identifier = group["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=identifier, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="192.0.2.0/24"
    )
    subnet = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"][0]["SubnetId"]
    ec2.create_network_interface(SubnetId=subnet, Groups=[identifier])
    (found,) = read_existing(plan, Inventory(clients)).values()
    assert "tcp 22 from 192.0.2.0/24" in found.values["ingress"]
    assert found.values["egress"] == ["everything to 0.0.0.0/0"]
    assert found.named == f"the rules of {identifier} in eu-central-1 (used by 1 network interface)"
    ec2.revoke_security_group_ingress(GroupId=identifier, IpPermissions=group["IpPermissions"])
    for direction in ("Ingress", "Egress"):
        (group,) = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
        rules = group["IpPermissions" if direction == "Ingress" else "IpPermissionsEgress"]
        if rules:
            getattr(ec2, f"revoke_security_group_{direction.lower()}")(GroupId=identifier, IpPermissions=rules)
    assert read_existing(plan, Inventory(clients)) == {}


def test_what_policies_groups_have_and_what_they_say(clients: AwsSession):
    iam = client("iam")
    denies, grants = ANYTHING.replace("Allow", "Deny"), ANYTHING
    for group in ("a", "b"):
        iam.create_group(GroupName=group)
    iam.put_group_policy(GroupName="a", PolicyName="mine", PolicyDocument=denies)
    own = iam.create_policy(PolicyName="own", PolicyDocument=denies)["Policy"]["Arn"]
    # The default version counts, whichever is newest.
    iam.create_policy_version(PolicyArn=own, PolicyDocument=grants)
    iam.attach_group_policy(GroupName="b", PolicyArn=own)
    found = read(GroupPoliciesWanted(), clients)
    assert {n: {k: json.loads(v) for k, v in p.items()} for n, p in found.inline.items()} == {
        "a": {"mine": json.loads(denies)},
        "b": {},
    }
    assert found.attached == {"a": frozenset(), "b": {own}}
    assert {k: json.loads(v) for k, v in found.documents.items()} == {own: json.loads(denies)}
    with Stubber(clients.client("iam")) as stub:
        stub.add_client_error("get_account_authorization_details", "AccessDenied", http_status_code=403)
        with pytest.raises(ToolkitError, match=r"cannot be read: iam:GetAccountAuthorizationDetails in .*: denied"):
            read(GroupPoliciesWanted(), clients)


def test_users_and_how_they_get_in(clients: AwsSession):
    iam = client("iam")
    for name in ("admin", "dev", "robot"):
        iam.create_user(UserName=name)
    for group in ("administrators", "developers"):
        iam.create_group(GroupName=group)
    # One of the account's own that is called like AWS's makes nobody an administrator: its text is not looked at here.
    own = iam.create_policy(PolicyName="AdministratorAccess", PolicyDocument=ANYTHING)["Policy"]["Arn"]
    iam.attach_group_policy(GroupName="administrators", PolicyArn=own)
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
    users = {u.name: u for u in read(UsersWanted(with_password_age=True), clients)}
    assert (users["admin"].administrator, users["dev"].administrator) == (False, False)
    assert users["admin"].administrator_groups == frozenset()
    assert users["admin"].arn == "arn:aws:iam::123456789012:user/admin"
    assert users["dev"].administrator_groups == frozenset()
    assert users["dev"].groups == {"developers"}
    assert (users["dev"].console_password, users["robot"].console_password) == (True, False)
    assert (users["dev"].mfa_devices, users["robot"].mfa_devices) == (1, 0)
    assert (users["robot"].active_keys, users["dev"].active_keys) == (1, 0)
    assert users["dev"].password_age_days in (0, None)


def test_the_boundary_and_the_administration_of_a_user_are_read(clients: AwsSession):
    """Of a Stubber: moto does not put boundaries on users, and loads AWS's policies only where it is told to."""
    boundary = "arn:aws:iam::123456789012:policy/limits"

    def user(name: str, **more: Any) -> dict[str, Any]:
        arn = f"arn:aws:iam::123456789012:user/{name}"
        return {"UserName": name, "Arn": arn, "GroupList": [], "AttachedManagedPolicies": [], **more}

    limited = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
    of_aws = [{"PolicyName": "AdministratorAccess", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}]
    details = {
        "UserDetailList": [user("a", PermissionsBoundary=limited, GroupList=["staff"])],
        "GroupDetailList": [{"GroupName": "staff", "AttachedManagedPolicies": of_aws}],
        "IsTruncated": False,
    }
    with Stubber(clients.client("iam")) as stub:
        for kind in ("User", "Group"):
            stub.add_response("get_account_authorization_details", details, {"Filter": [kind]})
        stub.add_client_error("get_login_profile", "NoSuchEntity", http_status_code=404)
        stub.add_response("list_mfa_devices", {"MFADevices": [], "IsTruncated": False})
        stub.add_response("list_access_keys", {"AccessKeyMetadata": [], "IsTruncated": False})
        (found,) = read(UsersWanted(with_password_age=False), clients)
    assert found.boundary == boundary
    assert (found.administrator, found.administrator_groups) == (True, {"staff"})
