"""What stands beside a thing that exists already and that a create would overwrite unseen: read as Terraform holds it.

Asked of moto, and of stubs where moto lacks the call. Each case says what is there, what the plan would put in its
place, and what the judge makes of it: the attribute that gets weaker, or none where it does not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.errors import ToolkitError
from toolkit.findings import Finding
from toolkit.plan.guards import Existing, judge
from toolkit.plan.model import Attribution, Plan, parse_plan

from .conftest import read_existing

REGION = "eu-central-1"
BUCKET = "example-logs"
ENVIRONMENT = load_text(
    'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\n', name="x", shown_as="x"
)
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"

pytestmark = pytest.mark.usefixtures("aws")


def client(service: str) -> Any:
    return boto3.client(service, REGION)  # type: ignore[call-overload]


def plan_of(
    component: str,
    resource: str,
    values: dict[str, Any],
    unknown: dict[str, Any] | None = None,
    *,
    imports: tuple[str, dict[str, Any]] | None = None,
) -> Plan:
    """A plan of one create, and of the import of what it stands beside."""
    entry = {
        "address": f"module.{component}.{resource}.this",
        "mode": "managed",
        "type": resource,
        "name": "this",
        "change": {"actions": ["create"], "before": None, "after": values, "after_unknown": unknown or {}},
    }
    attribution = Attribution(tuple(REGISTRY), (REGION,), REGION)
    entries = [entry]
    if imports:
        kind, same = imports
        change = {"actions": ["no-op"], "before": same, "after": same, "importing": {"id": "x"}}
        owner = f"module.{component}.{kind}.this"
        entries.append({"address": owner, "mode": "managed", "type": kind, "name": "this", "change": change})
    return parse_plan({"format_version": "1.2", "resource_changes": entries}, attribution)


def existing(plan: Plan, clients: AwsSession | None = None) -> Existing | None:
    return next(iter(read_existing(plan, Inventory(clients or AwsSession(ENVIRONMENT, {}))).values()), None)


def judged(plan: Plan, clients: AwsSession | None = None) -> list[Finding]:
    return list(judge(plan, REGISTRY, read_existing(plan, Inventory(clients or AwsSession(ENVIRONMENT, {})))))


def bucket(**arguments: Any) -> Any:
    s3 = client("s3")
    location = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location, **arguments)
    return s3


def statement(effect: str, action: str, **more: Any) -> dict[str, Any]:
    resource = f"arn:aws:s3:::{BUCKET}/*"
    return {"Sid": f"{effect}It", "Effect": effect, "Principal": "*", "Action": action, "Resource": resource, **more}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def on_bucket(call: str, **arguments: Any) -> Callable[[], Any]:
    return lambda: getattr(bucket(), call)(Bucket=BUCKET, **arguments)


def lifecycle(*rules: dict[str, Any], versioned: bool = True) -> Callable[[], Any]:
    def make() -> None:
        s3 = bucket()
        if versioned:
            s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        if rules:
            s3.put_bucket_lifecycle_configuration(
                Bucket=BUCKET, LifecycleConfiguration={"Rules": [{"Status": "Enabled", "ID": "x", **r} for r in rules]}
            )

    return make


def logged_bucket() -> None:
    s3 = bucket(ObjectOwnership="BucketOwnerPreferred", ACL="log-delivery-write")
    target = {"TargetBucket": BUCKET, "TargetPrefix": "own/"}
    s3.put_bucket_logging(Bucket=BUCKET, BucketLoggingStatus={"LoggingEnabled": target})


def locked_bucket() -> None:
    s3 = bucket(ObjectLockEnabledForBucket=True)
    retention = {"Mode": "COMPLIANCE", "Years": 7}
    s3.put_object_lock_configuration(
        Bucket=BUCKET,
        ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}},
    )


def keeps(days: int | None, noncurrent: int | None) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": "logs", "expiration": [], "noncurrent_version_expiration": []}
    if days:
        rule["expiration"] = [{"days": days}]
    if noncurrent:
        rule["noncurrent_version_expiration"] = [{"noncurrent_days": noncurrent}]
    return {"rule": [rule]}


def algorithm(name: str, key: str | None = None) -> dict[str, Any]:
    default = {"sse_algorithm": name, "kms_master_key_id": key}
    return {"rule": [{"apply_server_side_encryption_by_default": [default]}]}


def retention(mode: str, days: int) -> dict[str, Any]:
    return {"rule": [{"default_retention": [{"mode": mode, "days": days}]}]}


BLOCKS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
EXPIRATION = "rule[0].expiration[0].days"
NONCURRENT = "rule[0].noncurrent_version_expiration[0].noncurrent_days"
DENY = statement("Deny", "s3:DeleteObject")
ALLOW = statement("Allow", "s3:GetObject")
PUBLIC = {"BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True}
ENCRYPTED = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}}]

BESIDE_A_BUCKET: list[Any] = [
    # resource (after aws_s3_bucket_), what is there, what the plan sets, what gets weaker (None: nothing is said)
    ("policy", on_bucket("put_bucket_policy", Policy=policy(DENY)), {"policy": policy()}, {"policy"}),
    ("policy", on_bucket("put_bucket_policy", Policy=policy(ALLOW)), {"policy": policy(DENY)}, set()),
    ("policy", on_bucket("put_bucket_policy", Policy=policy(DENY)), {"policy": policy(DENY)}, None),
    ("policy", bucket, {"policy": policy(ALLOW)}, None),
    (
        "public_access_block",
        on_bucket("put_public_access_block", PublicAccessBlockConfiguration=PUBLIC),
        {**dict.fromkeys(BLOCKS, True), "block_public_policy": False},
        {"block_public_policy"},
    ),
    (
        "public_access_block",
        on_bucket("put_public_access_block", PublicAccessBlockConfiguration=PUBLIC),
        dict.fromkeys(BLOCKS, True),
        None,
    ),
    (
        "versioning",
        on_bucket("put_bucket_versioning", VersioningConfiguration={"Status": "Enabled"}),
        {"versioning_configuration": [{"status": "Suspended"}]},
        {"versioning_configuration[0].status"},
    ),
    ("versioning", bucket, {"versioning_configuration": [{"status": "Enabled"}]}, None),
    (
        "ownership_controls",
        on_bucket("put_bucket_ownership_controls", OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}),
        {"rule": [{"object_ownership": "BucketOwnerEnforced"}]},
        set(),
    ),
    (
        "server_side_encryption_configuration",
        on_bucket("put_bucket_encryption", ServerSideEncryptionConfiguration={"Rules": ENCRYPTED}),
        algorithm("AES256"),
        {
            "rule[0].apply_server_side_encryption_by_default[0].sse_algorithm",
            "rule[0].apply_server_side_encryption_by_default[0].kms_master_key_id",
        },
    ),
    (
        "server_side_encryption_configuration",
        on_bucket("put_bucket_encryption", ServerSideEncryptionConfiguration={"Rules": ENCRYPTED}),
        algorithm("aws:kms", KEY),
        None,
    ),
    ("logging", logged_bucket, {"target_bucket": "example-elsewhere", "target_prefix": "x/"}, {"target_bucket"}),
    ("logging", bucket, {"target_bucket": "example-elsewhere", "target_prefix": "x/"}, None),
    (
        "object_lock_configuration",
        locked_bucket,
        retention("GOVERNANCE", 365),
        {"rule[0].default_retention[0].mode", "rule[0].default_retention[0].days"},
    ),
    ("object_lock_configuration", locked_bucket, retention("COMPLIANCE", 7 * 365), None),
    # Without a lifecycle everything stays: a first one starts to delete.
    ("lifecycle_configuration", lifecycle(), keeps(365, 90), {EXPIRATION, NONCURRENT}),
    ("lifecycle_configuration", lifecycle(versioned=False), keeps(365, 90), {EXPIRATION}),
    ("lifecycle_configuration", lifecycle(versioned=False), keeps(None, 90), None),
    ("lifecycle_configuration", lifecycle({"Filter": {}, "Expiration": {"Days": 730}}), keeps(365, None), {EXPIRATION}),
    ("lifecycle_configuration", lifecycle({"Prefix": "", "Expiration": {"Days": 30}}), keeps(365, None), set()),
    # What is about some objects says nothing about the others, which were kept.
    (
        "lifecycle_configuration",
        lifecycle({"Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 1}}),
        keeps(365, None),
        {EXPIRATION},
    ),
]


@pytest.mark.parametrize(("kind", "make", "planned", "weaker"), BESIDE_A_BUCKET)
def test_settings_of_a_bucket_that_exists(
    kind: str,
    make: Callable[[], Any],
    planned: dict[str, Any],
    weaker: set[str] | None,
    list_and_search_agree: Callable[..., None],
):
    bucket_itself = ("aws_s3_bucket", {"bucket": BUCKET})
    resource, values = f"aws_s3_bucket_{kind}", {"bucket": BUCKET, **planned}
    plan = plan_of("cloudtrail", resource, values, imports=bucket_itself)
    assert existing(plan) is None, "there is no bucket yet"
    make()
    found = judged(plan)
    if weaker is None:
        assert found == []
        return
    list_and_search_agree(AwsSession(ENVIRONMENT, {}), resource, {"bucket": BUCKET})
    assert {f.attribute for f in found if f.blocks} == weaker
    assert all(f"bucket '{BUCKET}'" in f.summary for f in found)
    # What the create overwrites is told, and with which line it becomes visible as a change.
    assert f": '{BUCKET}' under `imports`" in found[-1].remedy


def test_a_bucket_of_ours_that_an_interrupt_left_without_a_lifecycle_gets_it_unasked():
    lifecycle()()
    values = {"bucket": BUCKET, **keeps(365, 90)}
    assert existing(plan_of("cloudtrail", "aws_s3_bucket_lifecycle_configuration", values)) is None
    # Another bucket that is imported says nothing about it.
    other = ("aws_s3_bucket", {"bucket": "example-other"})
    assert existing(plan_of("cloudtrail", "aws_s3_bucket_lifecycle_configuration", values, imports=other)) is None


def test_an_interval_of_years_is_told_in_days():
    locked_bucket()
    planned = {"bucket": BUCKET, **retention("COMPLIANCE", 365)}
    weakens, _note = judged(plan_of("cloudtrail", "aws_s3_bucket_object_lock_configuration", planned))
    assert weakens.evidence == "2555 → 365"


def test_a_policy_that_is_overwritten_is_told_by_its_statements():
    bucket().put_bucket_policy(Bucket=BUCKET, Policy=policy(ALLOW))
    (note,) = judged(plan_of("cloudtrail", "aws_s3_bucket_policy", {"bucket": BUCKET, "policy": policy(DENY)}))
    assert "policy: - Allow AllowIt: s3:GetObject" in note.evidence
    assert "policy: + Deny DenyIt: s3:DeleteObject" in note.evidence


def test_versions_of_which_some_are_kept_are_not_all_expired():
    some = {"NoncurrentDays": 10, "NewerNoncurrentVersions": 5}
    rule = {"ID": "x", "Status": "Enabled", "Filter": {}, "NoncurrentVersionExpiration": some}
    answers = (
        ("get_bucket_lifecycle_configuration", {"Rules": [rule]}),
        ("get_bucket_versioning", {"Status": "Enabled"}),
    )
    values = {"bucket": BUCKET, **keeps(None, 90)}
    plan = plan_of("cloudtrail", "aws_s3_bucket_lifecycle_configuration", values)
    weakens, _note = judged(plan, Stubbed("s3", *answers))
    assert (weakens.attribute, weakens.evidence) == (NONCURRENT, "5 noncurrent versions kept → 0")


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


def make_detector(status: str = "ENABLED") -> str:
    agents = [{"Name": "EC2_AGENT_MANAGEMENT", "Status": "ENABLED"}]
    features = [
        {"Name": "S3_DATA_EVENTS", "Status": status},
        {"Name": "RUNTIME_MONITORING", "Status": status, "AdditionalConfiguration": agents},
    ]
    return str(client("guardduty").create_detector(Enable=True, Features=features)["DetectorId"])


IMPORTED = ("aws_guardduty_detector", {"enable": True})


def test_a_protection_plan_that_is_on_does_not_go_off_unseen():
    identifier = make_detector()
    values = {"name": "S3_DATA_EVENTS", "status": "DISABLED", "detector_id": identifier}
    weakens, note = judged(plan_of("guardduty", "aws_guardduty_detector_feature", values, imports=IMPORTED))
    assert weakens.blocks
    assert (weakens.attribute, weakens.evidence) == ("status", '"ENABLED" → "DISABLED"')
    assert "S3_DATA_EVENTS of the GuardDuty detector in eu-central-1" in note.summary
    on = {**values, "status": "ENABLED"}
    assert judged(plan_of("guardduty", "aws_guardduty_detector_feature", on, imports=IMPORTED)) == []


def test_what_aws_switched_on_with_a_detector_of_ours_goes_off_unasked_what_people_did_does_not():
    """As after an apply that was interrupted between the detector and its plans."""
    created = datetime(2026, 1, 1, tzinfo=UTC)
    values = {"name": "S3_DATA_EVENTS", "status": "DISABLED"}
    plan = plan_of("guardduty", "aws_guardduty_detector_feature", values)

    def answers(updated: datetime) -> Stubbed:
        feature = {"Name": "S3_DATA_EVENTS", "Status": "ENABLED", "UpdatedAt": updated}
        detector = {"Status": "ENABLED", "ServiceRole": "x", "CreatedAt": "2026-01-01T00:00:00.000Z"}
        return Stubbed(
            "guardduty",
            ("list_detectors", {"DetectorIds": ["12abc34d"]}),
            ("get_detector", {**detector, "Features": [feature]}),
        )

    assert judged(plan, answers(created + timedelta(seconds=1))) == []
    weakens, _note = judged(plan, answers(created + timedelta(days=1)))
    assert weakens.blocks


def test_agents_are_compared_by_name():
    make_detector()
    agents = [
        {"name": "EKS_ADDON_MANAGEMENT", "status": "DISABLED"},
        {"name": "EC2_AGENT_MANAGEMENT", "status": "DISABLED"},
    ]
    values = {"name": "RUNTIME_MONITORING", "status": "ENABLED", "additional_configuration": agents}
    found = judged(plan_of("guardduty", "aws_guardduty_detector_feature", values, imports=IMPORTED))
    assert [f.attribute for f in found if f.blocks] == ["additional_configuration[1].status"]


def allows(*actions: str, effect: str = "Allow") -> str:
    return policy({"Sid": "It", "Effect": effect, "Action": list(actions), "Resource": "*"})


def test_inline_policies_of_the_same_name():
    iam = client("iam")
    iam.create_group(GroupName="operators")
    iam.create_role(RoleName="delivery", AssumeRolePolicyDocument="{}")
    group = plan_of(
        "iam_groups",
        "aws_iam_group_policy",
        {"group": "operators", "name": "x", "policy": allows("ec2:StartInstances")},
    )
    role = plan_of(
        "cloudtrail", "aws_iam_role_policy", {"role": "delivery", "name": "x", "policy": allows("logs:PutLogEvents")}
    )
    assert existing(group) is None
    assert existing(role) is None
    iam.put_group_policy(GroupName="operators", PolicyName="x", PolicyDocument=allows("*", effect="Deny"))
    iam.put_role_policy(RoleName="delivery", PolicyName="x", PolicyDocument=allows("logs:*"))
    found = judged(group)
    assert [(f.attribute, f.blocks) for f in found] == [("policy", True), (None, False)]
    assert "denies less: It" in found[0].evidence
    (note,) = judged(role)
    assert "the inline policy 'x' of the role 'delivery'" in note.summary
    assert "'delivery:x' under `imports`" in note.remedy
    same = {"role": "delivery", "name": "x", "policy": allows("logs:*")}
    assert existing(plan_of("cloudtrail", "aws_iam_role_policy", same)) is None


def make_recorder() -> Any:
    config = client("config")
    config.put_configuration_recorder(
        ConfigurationRecorder={"name": "default", "roleARN": "arn:aws:iam::123456789012:role/x"}
    )
    return config


def test_a_recorder_that_records_is_not_stopped_unseen():
    config = make_recorder()
    bucket()
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": BUCKET})
    stops = plan_of("config", "aws_config_configuration_recorder_status", {"name": "default", "is_enabled": False})
    assert existing(stops) is None, "it does not record yet"
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    weakens, _note = judged(stops)
    assert (weakens.attribute, weakens.evidence, weakens.blocks) == ("is_enabled", "true → false", True)
    starts = plan_of("config", "aws_config_configuration_recorder_status", {"name": "default", "is_enabled": True})
    assert existing(starts) is None


def test_a_config_rule_of_the_same_name():
    source = {"source": [{"owner": "AWS", "source_identifier": "IAM_PASSWORD_POLICY"}]}
    parameters = json.dumps({"MinimumPasswordLength": "14"})
    plan = plan_of("config", "aws_config_config_rule", {"name": "mine", "input_parameters": parameters, **source})
    assert existing(plan) is None
    make_recorder().put_config_rule(
        ConfigRule={
            "ConfigRuleName": "mine",
            "Source": {"Owner": "AWS", "SourceIdentifier": "IAM_PASSWORD_POLICY"},
            "Scope": {"ComplianceResourceTypes": ["AWS::IAM::User"]},
            "InputParameters": json.dumps({"MinimumPasswordLength": "20"}),
        }
    )
    found = existing(plan)
    assert found is not None
    assert (found.overwritten, found.import_id) == (True, "mine")
    assert found.values["source"] == source["source"]
    assert json.loads(found.values["input_parameters"]) == {"MinimumPasswordLength": "20"}
    assert found.values["scope"][0]["compliance_resource_types"] == ["AWS::IAM::User"]


def test_an_aggregator_of_the_same_name():
    values = {"name": "mine", "account_aggregation_source": [{"account_ids": ["123456789012"], "all_regions": True}]}
    plan = plan_of("config", "aws_config_configuration_aggregator", values)
    assert existing(plan) is None
    accounts = ["111122223333", "123456789012"]
    client("config").put_configuration_aggregator(
        ConfigurationAggregatorName="mine",
        AccountAggregationSources=[{"AccountIds": accounts, "AllAwsRegions": True}],
    )
    weakens, note = judged(plan)
    assert (weakens.attribute, weakens.blocks) == ("account_aggregation_source[0].account_ids", True)
    assert "the configuration aggregator 'mine'" in note.summary
    assert '"111122223333" → "123456789012"' in note.evidence


def test_a_rule_and_a_target_of_the_same_names():
    events = client("events")
    rule = plan_of("guardduty", "aws_cloudwatch_event_rule", {"name": "mine", "event_pattern": '{"source": ["y"]}'})
    values = {"rule": "mine", "target_id": "topic", "arn": "arn:aws:sns:eu-central-1:123456789012:ours"}
    target = plan_of("siem_export", "aws_cloudwatch_event_target", values)
    assert existing(rule) is None
    assert existing(target) is None
    events.put_rule(Name="mine", EventPattern='{"source": ["x"]}')
    assert existing(target) is None
    theirs = "arn:aws:sns:eu-central-1:123456789012:theirs"
    events.put_targets(Rule="mine", Targets=[{"Id": "topic", "Arn": theirs}])
    found = existing(rule)
    assert found is not None
    assert found.values["event_pattern"] == '{"source": ["x"]}'
    weakens, note = judged(target)
    assert (weakens.attribute, weakens.blocks) == ("arn", True)
    assert "'mine/topic' under `imports`" in note.remedy
    other = plan_of("siem_export", "aws_cloudwatch_event_target", {**values, "target_id": "other"})
    assert existing(other) is None


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


def make_flow_log() -> None:
    ec2 = client("ec2")
    bucket()
    ec2.create_flow_logs(
        ResourceIds=[default_vpc()], ResourceType="VPC", TrafficType="ALL", LogDestinationType="s3",
        LogDestination=f"arn:aws:s3:::{BUCKET}",
    )  # fmt: skip


def default_vpc() -> str:
    return str(client("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"])


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
        lambda: {"vpc_id": default_vpc(), "log_destination": f"arn:aws:s3:::{BUCKET}"},
        make_flow_log,
        {"log_destination": "arn:aws:s3:::example-elsewhere"},
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


class Stubbed(AwsSession):
    """One service with recorded answers, where moto lacks the calls."""

    def __init__(self, service: str, *answers: tuple[str, dict[str, Any] | str]) -> None:
        super().__init__(ENVIRONMENT, {})
        self.one = client(service)
        stubber = Stubber(self.one)
        for method, answer in answers:
            if isinstance(answer, str):
                stubber.add_client_error(method, answer)
            else:
                stubber.add_response(method, answer)
        stubber.activate()

    def client(self, service: str, region: str | None = None) -> Any:
        assert service == self.one.meta.service_model.service_name
        return self.one


def test_an_export_of_findings_that_is_there_collides():
    plan = plan_of("guardduty", "aws_guardduty_publishing_destination", {"destination_type": "S3"})
    detectors = ("list_detectors", {"DetectorIds": ["12abc34d"]})
    destination = {"DestinationId": "56ef", "DestinationType": "S3", "Status": "PUBLISHING"}
    found = existing(
        plan, Stubbed("guardduty", detectors, ("list_publishing_destinations", {"Destinations": [destination]}))
    )
    assert found is not None
    assert (found.overwritten, found.import_id) == (False, "12abc34d:56ef")
    nothing = Stubbed("guardduty", detectors, ("list_publishing_destinations", {"Destinations": []}))
    assert existing(plan, nothing) is None
    assert existing(plan, Stubbed("guardduty", ("list_detectors", {"DetectorIds": []}))) is None


def test_an_archive_rule_of_the_same_name_collides():
    plan = plan_of("access_analyzer", "aws_accessanalyzer_archive_rule", {"analyzer_name": "a", "rule_name": "mine"})
    now = datetime(2026, 1, 1, tzinfo=UTC)
    rule = {"ruleName": "mine", "filter": {}, "createdAt": now, "updatedAt": now}
    found = existing(plan, Stubbed("accessanalyzer", ("get_archive_rule", {"archiveRule": rule})))
    assert found is not None
    assert (found.overwritten, found.import_id) == (False, "a/mine")
    absent = Stubbed("accessanalyzer", ("get_archive_rule", "ResourceNotFoundException"))
    assert existing(plan, absent) is None


WEB = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/web/0123456789abcdef"


def test_what_shield_does_already():
    response = {"Status": "ENABLED", "Action": {"Block": {}}}
    protection = {"Name": "web", "ResourceArn": WEB, "ApplicationLayerAutomaticResponseConfiguration": response}
    there = ("describe_protection", {"Protection": protection})
    resource = "aws_shield_application_layer_automatic_response"
    plan = plan_of("shield", resource, {"resource_arn": WEB, "action": "COUNT"})
    weakens, _note = judged(plan, Stubbed("shield", there))
    assert (weakens.attribute, weakens.evidence, weakens.blocks) == ("action", '"BLOCK" → "COUNT"', True)
    blocks = plan_of("shield", resource, {"resource_arn": WEB, "action": "BLOCK"})
    assert existing(blocks, Stubbed("shield", there)) is None
    assert existing(plan, Stubbed("shield", ("describe_protection", "ResourceNotFoundException"))) is None

    contacts = plan_of("shield", "aws_shield_proactive_engagement", {"emergency_contact": []})
    answer = {"EmergencyContactList": [{"EmailAddress": "security@example.com"}]}
    weakens, note = judged(contacts, Stubbed("shield", ("describe_emergency_contact_settings", answer)))
    assert (weakens.attribute, weakens.blocks) == ("emergency_contact", True)
    assert 'emergency_contact[0].email_address: "security@example.com" → null' in note.evidence
    assert existing(contacts, Stubbed("shield", ("describe_emergency_contact_settings", {}))) is None

    identifier, check = "1234abcd-12ab-34cd-56ef-1234567890ab", "abcd1234-12ab-34cd-56ef-1234567890ab"
    health = "aws_shield_protection_health_check_association"
    checks = plan_of("shield", health, {"shield_protection_id": identifier})
    for ids, import_id in (([check], f"{identifier}+arn:aws:route53:::healthcheck/{check}"), ([], None)):
        answer = {"Protection": {**protection, "HealthCheckIds": ids}}
        found = existing(checks, Stubbed("shield", ("describe_protection", answer)))
        assert (found.import_id if found else None) == import_id
    assert existing(checks, Stubbed("shield", ("describe_protection", "ResourceNotFoundException"))) is None
    assert existing(plan_of("shield", health, {}), Stubbed("shield")) is None

    group = plan_of("shield", "aws_shield_protection_group", {"protection_group_id": "web"})
    answer = {"ProtectionGroup": {"ProtectionGroupId": "web", "Aggregation": "SUM", "Pattern": "ALL", "Members": []}}
    (finding,) = judged(group, Stubbed("shield", ("describe_protection_group", answer)))
    assert finding.blocks
    assert existing(group, Stubbed("shield", ("describe_protection_group", "ResourceNotFoundException"))) is None


def test_what_a_permission_set_that_is_imported_has():
    instance, permissions = "arn:aws:sso:::instance/ssoins-1", "arn:aws:sso:::permissionSet/ssoins-1/ps-1"
    ours = {"instance_arn": instance, "permission_set_arn": permissions}
    resource = "aws_ssoadmin_permission_set_inline_policy"
    plan = plan_of("identity_center", resource, {**ours, "inline_policy": allows("s3:*")})
    call = "get_inline_policy_for_permission_set"
    denies = {"InlinePolicy": allows("*", effect="Deny")}
    weakens, note = judged(plan, Stubbed("sso-admin", (call, denies)))
    assert (weakens.attribute, weakens.blocks) == ("inline_policy", True)
    assert f"'{permissions},{instance}' under `imports`" in note.remedy
    assert existing(plan, Stubbed("sso-admin", (call, {}))) is None
    of_a_new_set = plan_of("identity_center", resource, {"instance_arn": instance}, {"permission_set_arn": True})
    assert existing(of_a_new_set) is None

    planned = {"permissions_boundary": [{"managed_policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}]}
    plan = plan_of("identity_center", "aws_ssoadmin_permissions_boundary_attachment", {**ours, **planned})
    call = "get_permissions_boundary_for_permission_set"
    reading = {"PermissionsBoundary": {"ManagedPolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}}
    (note,) = judged(plan, Stubbed("sso-admin", (call, reading)))
    assert "ReadOnlyAccess" in note.evidence
    assert "AdministratorAccess" in note.evidence
    assert existing(plan, Stubbed("sso-admin", (call, "ResourceNotFoundException"))) is None


STANDARD = "arn:aws:securityhub:eu-central-1::standards/cis-aws-foundations-benchmark/v/5.0.0"


def associations(status: str, standard: str = STANDARD, **more: str) -> tuple[str, dict[str, Any]]:
    summary = {
        "StandardsArn": standard,
        "SecurityControlId": "IAM.6",
        "SecurityControlArn": "arn:aws:securityhub:eu-central-1:123456789012:security-control/IAM.6",
        "AssociationStatus": status,
        **more,
    }
    return "list_standards_control_associations", {"StandardsControlAssociationSummaries": [summary]}


def test_a_control_that_is_on_is_not_switched_off_unseen():
    values = {"security_control_id": "IAM.6", "standards_arn": STANDARD, "association_status": "DISABLED"}
    resource, hub = "aws_securityhub_standards_control_association", ("aws_securityhub_account", {"id": "x"})
    plan = plan_of("security_hub", resource, values, imports=hub)
    weakens, note = judged(plan, Stubbed("securityhub", associations("ENABLED")))
    assert weakens.blocks
    assert weakens.evidence == '"ENABLED" → "DISABLED"'
    assert "the control IAM.6 in eu-central-1" in note.summary
    assert judged(plan, Stubbed("securityhub", associations("DISABLED"))) == []
    assert judged(plan, Stubbed("securityhub", associations("ENABLED", "arn:aws:securityhub:::other"))) == []
    # Of a hub that is in the state, only what somebody has switched: AWS switches all on by itself.
    ours = plan_of("security_hub", resource, values)
    assert judged(ours, Stubbed("securityhub", associations("ENABLED"))) == []
    weakens, _note = judged(ours, Stubbed("securityhub", associations("ENABLED", UpdatedReason="we need it")))
    assert weakens.blocks
    no_hub = Stubbed("securityhub", ("list_standards_control_associations", "InvalidAccessException"))
    assert judged(plan, no_hub) == []


def test_another_accounts_bucket_is_nothing_of_ours_but_a_denial_of_ours_is_an_error():
    plan = plan_of("cloudtrail", "aws_s3_bucket_policy", {"bucket": BUCKET, "policy": policy(DENY)})
    theirs = Stubbed("s3", ("get_bucket_policy", "AccessDenied"), ("list_buckets", {"Buckets": []}))
    assert existing(plan, theirs) is None
    ours = Stubbed("s3", ("get_bucket_policy", "AccessDenied"), ("list_buckets", {"Buckets": [{"Name": BUCKET}]}))
    with pytest.raises(ToolkitError, match=r"s3:GetBucketPolicy in eu-central-1: denied \(AccessDenied"):
        existing(plan, ours)
