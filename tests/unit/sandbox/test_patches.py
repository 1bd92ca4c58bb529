"""Each patch makes moto do what AWS does, and is still needed.

Every case asks moto through boto3 and answers whether it behaved as AWS does: with the patches it must, without them it
must not. When the second fails, moto has learnt it: delete the patch.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from toolkit.sandbox import patches

REGION = "eu-central-1"
ALLOWS = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]}
)
ROLE = "arn:aws:iam::123456789012:role/config"


def trails_are_filtered() -> bool:
    boto3.client("s3", REGION).create_bucket(
        Bucket="trail-logs", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    client, elsewhere = boto3.client("cloudtrail", REGION), boto3.client("cloudtrail", "us-east-1")
    client.create_trail(Name="one", S3BucketName="trail-logs")
    client.create_trail(Name="two", S3BucketName="trail-logs")
    far = elsewhere.create_trail(Name="far", S3BucketName="trail-logs")["TrailARN"]

    def names(*wanted: str) -> list[str]:
        return [trail["Name"] for trail in client.describe_trails(trailNameList=list(wanted))["trailList"]]

    everything = [trail["Name"] for trail in client.describe_trails()["trailList"]]
    return bool(
        (names("one"), names(far), names("none"), names("two", far)) == (["one"], ["far"], [], ["two", "far"])
    ) and everything == ["one", "two"]  # fmt: skip


def trails_are_deleted_by_arn() -> bool:
    boto3.client("s3", REGION).create_bucket(
        Bucket="trail-logs", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    client = boto3.client("cloudtrail", REGION)
    arn = client.create_trail(Name="one", S3BucketName="trail-logs")["TrailARN"]
    client.create_trail(Name="two", S3BucketName="trail-logs")
    client.delete_trail(Name=arn)
    return [trail["Name"] for trail in client.describe_trails()["trailList"]] == ["two"]


def macie_is_off_until_it_is_enabled() -> bool:
    client = boto3.client("macie2", REGION)
    try:
        client.get_macie_session()
    except ClientError:
        client.enable_macie(findingPublishingFrequency="ONE_HOUR")
        return bool(client.get_macie_session()["findingPublishingFrequency"] == "ONE_HOUR")
    return False


def sessions_belong_to_their_roles_account() -> bool:
    os.environ["MOTO_ACCOUNT_ID"] = "444455556666"
    try:
        role = "arn:aws:iam::999999999999:role/state"
        session = boto3.client("sts", REGION).assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        there = boto3.client(
            "sts",
            REGION,
            aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key=session["SecretAccessKey"],
            aws_session_token=session["SessionToken"],
        )
        here = boto3.client("sts", REGION).get_caller_identity()["Account"]
        return (here, there.get_caller_identity()["Account"]) == ("444455556666", "999999999999")
    finally:
        del os.environ["MOTO_ACCOUNT_ID"]


def metric_filters_are_updated() -> bool:
    client = boto3.client("logs", REGION)
    client.create_log_group(logGroupName="trail")
    metric = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    for pattern in ("{ $.a = 1 }", "{ $.a = 2 }"):
        client.put_metric_filter(
            logGroupName="trail", filterName="f", filterPattern=pattern, metricTransformations=[metric]
        )
    return [f["filterPattern"] for f in client.describe_metric_filters()["metricFilters"]] == ["{ $.a = 2 }"]


def recorder_is_updated_in_place() -> bool:
    client = boto3.client("config", REGION)
    group = {"allSupported": True, "includeGlobalResourceTypes": True}
    client.put_configuration_recorder(
        ConfigurationRecorder={"name": "default", "roleARN": ROLE, "recordingGroup": group}
    )
    continuous = client.describe_configuration_recorders()["ConfigurationRecorders"][0]
    changed = {**continuous["recordingGroup"], "includeGlobalResourceTypes": False}
    try:
        client.put_configuration_recorder(
            ConfigurationRecorder={
                "name": "default",
                "roleARN": ROLE,
                "recordingGroup": {**changed, "exclusionByResourceTypes": {}},  # what the Terraform provider sends
                "recordingMode": {"recordingFrequency": "DAILY"},
            }
        )
    except ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidRecordingGroupException"
        return False
    daily = client.describe_configuration_recorders()["ConfigurationRecorders"][0]
    return (
        continuous.get("recordingMode") == {"recordingFrequency": "CONTINUOUS"}
        and daily["recordingMode"] == {"recordingFrequency": "DAILY"}
        and daily["recordingGroup"]["includeGlobalResourceTypes"] is False
        and daily["recordingGroup"]["allSupported"] is True
    )


def features_are_merged() -> bool:
    client = boto3.client("guardduty", REGION)
    detector = client.create_detector(Enable=True)["DetectorId"]

    def runtime(name: str, status: str) -> dict[str, object]:
        return {
            "Name": "RUNTIME_MONITORING",
            "Status": "ENABLED",
            "AdditionalConfiguration": [{"Name": name, "Status": status}],
        }

    for feature in (
        {"Name": "S3_DATA_EVENTS", "Status": "ENABLED"},
        runtime("EKS_ADDON_MANAGEMENT", "ENABLED"),
        {"Name": "S3_DATA_EVENTS", "Status": "DISABLED"},
        runtime("ECS_FARGATE_AGENT_MANAGEMENT", "DISABLED"),
    ):
        client.update_detector(DetectorId=detector, Features=[feature])
    client.update_detector(DetectorId=detector, FindingPublishingFrequency="ONE_HOUR")
    found = {f["Name"]: f for f in client.get_detector(DetectorId=detector)["Features"]}
    return {name: f["Status"] for name, f in found.items()} == {
        "S3_DATA_EVENTS": "DISABLED",
        "RUNTIME_MONITORING": "ENABLED",
    } and {c["Name"]: c["Status"] for c in found["RUNTIME_MONITORING"]["AdditionalConfiguration"]} == {
        "EKS_ADDON_MANAGEMENT": "ENABLED",
        "ECS_FARGATE_AGENT_MANAGEMENT": "DISABLED",
    }


def features_show_as_data_sources() -> bool:
    client = boto3.client("guardduty", REGION)
    detector = client.create_detector(Enable=True)["DetectorId"]
    plans = {"S3_DATA_EVENTS": "ENABLED", "EKS_AUDIT_LOGS": "DISABLED", "EBS_MALWARE_PROTECTION": "ENABLED"}
    for name, status in plans.items():
        client.update_detector(DetectorId=detector, Features=[{"Name": name, "Status": status}])
    shown = client.get_detector(DetectorId=detector)["DataSources"]
    return plans == {
        "S3_DATA_EVENTS": shown["S3Logs"]["Status"],
        "EKS_AUDIT_LOGS": shown["Kubernetes"]["AuditLogs"]["Status"],
        "EBS_MALWARE_PROTECTION": shown.get("MalwareProtection", {})
        .get("ScanEc2InstanceWithFindings", {})
        .get("EbsVolumes", {})
        .get("Status"),
    }


def detector_tags_change() -> bool:
    client = boto3.client("guardduty", REGION)
    detector = client.create_detector(Enable=True, Tags={"a": "1", "b": "2"})["DetectorId"]
    arn = f"arn:aws:guardduty:{REGION}:123456789012:detector/{detector}"
    client.tag_resource(ResourceArn=arn, Tags={"b": "3", "c": "4"})
    client.untag_resource(ResourceArn=arn, TagKeys=["a"])
    tags: dict[str, str] = client.list_tags_for_resource(ResourceArn=arn)["Tags"]
    return bool(tags == client.get_detector(DetectorId=detector)["Tags"] == {"b": "3", "c": "4"})


def rotation_has_a_period() -> bool:
    client = boto3.client("kms", REGION)

    def rotated(**period: int) -> object:
        key = client.create_key()["KeyMetadata"]
        assert "RotationPeriodInDays" not in client.get_key_rotation_status(KeyId=key["KeyId"])
        client.enable_key_rotation(KeyId=key["Arn"], **period)
        return client.get_key_rotation_status(KeyId=key["KeyId"]).get("RotationPeriodInDays")

    return (rotated(), rotated(RotationPeriodInDays=180)) == (365, 180)


def a_policy_that_denies_plain_http_lets_tls_through() -> bool:
    client = boto3.client("s3", REGION)
    client.create_bucket(Bucket="state", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client.put_object(Bucket="state", Key="state", Body=b"1")
    everything: dict[str, object] = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Resource": "arn:aws:s3:::state/*"}
    plain = {**everything, "Action": "s3:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}

    def denied(key: str, *statements: dict[str, object]) -> bool:
        policy = {"Version": "2012-10-17", "Statement": list(statements)}
        client.put_bucket_policy(Bucket="state", Policy=json.dumps(policy))
        try:
            client.get_object(Bucket="state", Key=key)
        except ClientError as error:
            return bool(error.response["Error"]["Code"] == "403")
        return False

    unconditional = {**everything, "Action": "s3:GetObject"}
    return not denied("state", plain) and denied("state", plain, unconditional)


def retention_is_told() -> bool:
    client = boto3.client("s3", REGION)
    where = {"LocationConstraint": "eu-central-1"}
    client.create_bucket(Bucket="kept", CreateBucketConfiguration=where, ObjectLockEnabledForBucket=True)
    until = datetime(2099, 1, 2, 3, 4, 5, tzinfo=UTC)
    client.put_object(Bucket="kept", Key="k", Body=b"1", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until)
    client.put_object(Bucket="kept", Key="free", Body=b"1")

    def told(key: str) -> object:
        try:
            return client.get_object_retention(Bucket="kept", Key=key)["Retention"]
        except ClientError as error:
            return error.response["Error"]["Code"]

    wanted = {"Mode": "COMPLIANCE", "RetainUntilDate": until}
    return [told("k"), told("free")] == [wanted, "NoSuchObjectLockConfiguration"]


def snapshots_are_blocked() -> bool:
    client = boto3.client("ec2", REGION)

    def state() -> object:
        return client.get_snapshot_block_public_access_state()["State"]

    states = [state()]
    for wanted in ("block-all-sharing", "block-new-sharing"):
        assert client.enable_snapshot_block_public_access(State=wanted)["State"] == wanted
        states.append(state())
    # The other regions of the account have values of their own.
    states.append(boto3.client("ec2", "us-east-1").get_snapshot_block_public_access_state()["State"])
    client.disable_snapshot_block_public_access()
    states.append(state())
    return states == ["unblocked", "block-all-sharing", "block-new-sharing", "unblocked", "unblocked"]


def images_are_blocked() -> bool:
    client = boto3.client("ec2", REGION)

    def state() -> object:
        return client.get_image_block_public_access_state()["ImageBlockPublicAccessState"]

    states = [state()]
    client.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")
    states.append(state())
    client.disable_image_block_public_access()
    states.append(state())
    return states == ["unblocked", "block-new-sharing", "unblocked"]


def ebs_has_a_default_key() -> bool:
    client = boto3.client("ec2", REGION)
    key = boto3.client("kms", REGION).create_key()["KeyMetadata"]["Arn"]
    keys = [client.get_ebs_default_kms_key_id()["KmsKeyId"]]
    client.modify_ebs_default_kms_key_id(KmsKeyId=key)
    keys.append(client.get_ebs_default_kms_key_id()["KmsKeyId"])
    client.reset_ebs_default_kms_key_id()
    keys.append(client.get_ebs_default_kms_key_id()["KmsKeyId"])
    return keys == ["alias/aws/ebs", key, "alias/aws/ebs"]


def the_serial_console_has_a_switch() -> bool:
    client = boto3.client("ec2", REGION)

    def enabled() -> object:
        return client.get_serial_console_access_status()["SerialConsoleAccessEnabled"]

    found = [enabled()]
    client.enable_serial_console_access()
    found += [enabled(), boto3.client("ec2", "us-east-1").get_serial_console_access_status()]
    client.disable_serial_console_access()
    found.append(enabled())
    return [f if isinstance(f, bool) else f["SerialConsoleAccessEnabled"] for f in found] == [False, True, False, False]


def vpcs_are_blocked() -> bool:
    client = boto3.client("ec2", REGION)

    def mode() -> object:
        return client.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"][
            "InternetGatewayBlockMode"
        ]

    modes = [mode()]
    for wanted in ("block-ingress", "block-bidirectional", "off"):
        client.modify_vpc_block_public_access_options(InternetGatewayBlockMode=wanted)
        modes.append(mode())
    return modes == ["off", "block-ingress", "block-bidirectional", "off"]


def documents_have_a_sharing_permission() -> bool:
    client = boto3.client("ssm", REGION)
    setting = "/ssm/documents/console/public-sharing-permission"
    arn = f"arn:aws:ssm:{REGION}:123456789012:servicesetting{setting}"

    def found() -> object:
        answer = client.get_service_setting(SettingId=setting)["ServiceSetting"]
        assert answer["ARN"] == arn
        return answer["SettingValue"], answer["Status"]

    values = [found()]
    client.update_service_setting(SettingId=arn, SettingValue="Disable")
    values.append(found())
    client.reset_service_setting(SettingId=arn)
    values.append(found())
    return values == [("Enable", "Default"), ("Disable", "Customized"), ("Enable", "Default")]


def instance_metadata_has_defaults() -> bool:
    client = boto3.client("ec2", REGION)
    found = [client.get_instance_metadata_defaults()["AccountLevel"]]
    for values in (
        {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        {"HttpEndpoint": "enabled", "HttpPutResponseHopLimit": -1},
        {"HttpTokens": "no-preference", "HttpEndpoint": "no-preference"},
    ):
        client.modify_instance_metadata_defaults(**values)
        found.append(client.get_instance_metadata_defaults()["AccountLevel"])
    return found == [
        {},
        {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        {"HttpTokens": "required", "HttpEndpoint": "enabled"},
        {},
    ]


def the_account_has_a_primary_contact() -> bool:
    client = boto3.client("account", REGION)
    contact = {
        "FullName": "Erika Mustermann",
        "AddressLine1": "Example Street 1",
        "City": "Berlin",
        "PostalCode": "10115",
        "CountryCode": "DE",
        "PhoneNumber": "+49 30 1234567",
    }
    try:
        client.get_contact_information()
    except client.exceptions.ResourceNotFoundException:
        client.put_contact_information(ContactInformation=contact)
        return bool(client.get_contact_information()["ContactInformation"] == contact)
    return False


def users_without_service_credentials_have_none() -> bool:
    client = boto3.client("iam")
    client.create_user(UserName="anna")
    return bool(client.list_service_specific_credentials(UserName="anna")["ServiceSpecificCredentials"] == [])


def a_hub_is_as_it_was_configured() -> bool:
    client = boto3.client("securityhub", REGION)

    def settings() -> tuple[bool, str]:
        hub = client.describe_hub()
        return hub["AutoEnableControls"], hub["ControlFindingGenerator"]

    client.enable_security_hub(EnableDefaultStandards=False, ControlFindingGenerator="STANDARD_CONTROL")
    first = settings()
    try:
        client.update_security_hub_configuration(AutoEnableControls=False)
    except NotImplementedError:
        return False
    second = settings()
    client.update_security_hub_configuration(ControlFindingGenerator="SECURITY_CONTROL")
    return (first, second, settings()) == (
        (True, "STANDARD_CONTROL"),
        (False, "STANDARD_CONTROL"),
        (False, "SECURITY_CONTROL"),
    )


def an_organization_trusts_iam() -> bool:
    client = boto3.client("organizations", REGION)
    client.create_organization(FeatureSet="ALL")
    try:
        client.enable_aws_service_access(ServicePrincipal="iam.amazonaws.com")
    except client.exceptions.InvalidInputException:
        return False
    trusted = client.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    return "iam.amazonaws.com" in [t["ServicePrincipal"] for t in trusted]


def an_organization_has_declarative_policies() -> bool:
    client = boto3.client("organizations", REGION)
    client.create_organization(FeatureSet="ALL")
    root = client.list_roots()["Roots"][0]["Id"]
    kind = "DECLARATIVE_POLICY_EC2"
    try:
        client.enable_policy_type(RootId=root, PolicyType=kind)
        created = client.create_policy(Name="x", Type=kind, Description="", Content="{}")["Policy"]["PolicySummary"]
        listed = client.list_policies(Filter=kind)["Policies"]
    except (client.exceptions.InvalidInputException, ClientError):
        return False
    return listed == [created] and f"/{kind.lower()}/p-" in created["Arn"]


def unique(call: str, parameter: str, **request: str) -> Callable[[], bool]:
    """Whether a second one whose name differs by case only is refused, and one of another name is not."""

    def case() -> bool:
        create = getattr(boto3.client("iam", REGION), call)
        create(**{parameter: "MyResource"}, **request)
        try:
            create(**{parameter: "myresource"}, **request)
        except ClientError as e:
            create(**{parameter: "other"}, **request)
            return e.response["Error"]["Code"] == "EntityAlreadyExists"
        return False

    return case


def users_are_renamed_to_no_name_of_another_case() -> bool:
    iam = boto3.client("iam", REGION)
    iam.create_user(UserName="ann")
    iam.update_user(UserName="ann", NewUserName="ann", NewPath="/people/")
    try:
        iam.update_user(UserName="ann", NewUserName="Ann")
    except ClientError as e:
        iam.update_user(UserName="ann", NewUserName="ben")
        return [user["UserName"] for user in iam.list_users()["Users"]] == ["ben"] and (
            e.response["Error"]["Code"] == "EntityAlreadyExists"
        )
    return False


def tag(key: str, value: str = "x") -> dict[str, str]:
    return {"Key": key, "Value": value}


def users_are_not_made_with_a_tag_twice() -> bool:
    iam = boto3.client("iam", REGION)
    try:
        iam.create_user(UserName="ann", Tags=[tag("Owner"), tag("owner")])
    except ClientError as e:
        iam.create_user(UserName="ann", Tags=[tag("Owner"), tag("Team")])
        return e.response["Error"]["Code"] == "InvalidInput"
    return False


def a_tag_of_another_case_replaces_the_first() -> bool:
    iam = boto3.client("iam", REGION)
    iam.create_user(UserName="ann", Tags=[tag("Owner", "a")])
    iam.tag_user(UserName="ann", Tags=[tag("owner", "b"), tag("Team")])
    return iam.list_user_tags(UserName="ann")["Tags"] == [tag("owner", "b"), tag("Team")]


CASES: dict[str, Callable[[], bool]] = {
    "organizations-trusts-iam": an_organization_trusts_iam,
    "organizations-policy-types": an_organization_has_declarative_policies,
    "organizations-create-policy": an_organization_has_declarative_policies,
    "organizations-enable-policy-type": an_organization_has_declarative_policies,
    "cloudtrail-describe-trails-names": trails_are_filtered,
    "cloudtrail-delete-trail-arn": trails_are_deleted_by_arn,
    "macie-off-at-first": macie_is_off_until_it_is_enabled,
    "sts-session-of-another-account": sessions_belong_to_their_roles_account,
    "config-recorder-update": recorder_is_updated_in_place,
    "logs-metric-filter-update": metric_filters_are_updated,
    "guardduty-feature-merge": features_are_merged,
    "guardduty-data-sources": features_show_as_data_sources,
    "guardduty-tag": detector_tags_change,
    "guardduty-untag": detector_tags_change,
    "guardduty-list-tags": detector_tags_change,
    "ec2-snapshot-block-get": snapshots_are_blocked,
    "ec2-snapshot-block-enable": snapshots_are_blocked,
    "ec2-snapshot-block-disable": snapshots_are_blocked,
    "ec2-image-block-get": images_are_blocked,
    "ec2-image-block-enable": images_are_blocked,
    "ec2-image-block-disable": images_are_blocked,
    "ec2-ebs-key-get": ebs_has_a_default_key,
    "ec2-ebs-key-reset": ebs_has_a_default_key,
    "ec2-metadata-defaults-modify": instance_metadata_has_defaults,
    "ec2-metadata-defaults-get": instance_metadata_has_defaults,
    "ec2-serial-get": the_serial_console_has_a_switch,
    "ec2-serial-enable": the_serial_console_has_a_switch,
    "ec2-serial-disable": the_serial_console_has_a_switch,
    "ec2-vpc-block-get": vpcs_are_blocked,
    "ec2-vpc-block-modify": vpcs_are_blocked,
    "ssm-setting-get": documents_have_a_sharing_permission,
    "ssm-setting-update": documents_have_a_sharing_permission,
    "ssm-setting-reset": documents_have_a_sharing_permission,
    "account-contact-put": the_account_has_a_primary_contact,
    "account-contact-get": the_account_has_a_primary_contact,
    "kms-enable-rotation": rotation_has_a_period,
    "kms-rotation-status": rotation_has_a_period,
    "iam-service-specific-credentials": users_without_service_credentials_have_none,
    "iam-unique-group": unique("create_group", "GroupName"),
    "iam-unique-user": unique("create_user", "UserName"),
    "iam-unique-policy": unique("create_policy", "PolicyName", PolicyDocument=ALLOWS),
    "iam-unique-role": unique("create_role", "RoleName", AssumeRolePolicyDocument=ALLOWS),
    "iam-user-tags-create": users_are_not_made_with_a_tag_twice,
    "iam-user-tags-change": a_tag_of_another_case_replaces_the_first,
    "iam-unique-rename": users_are_renamed_to_no_name_of_another_case,
    "securityhub-enable": a_hub_is_as_it_was_configured,
    "securityhub-configure": a_hub_is_as_it_was_configured,
    "securityhub-describe": a_hub_is_as_it_was_configured,
    "s3-tls-only-policy": a_policy_that_denies_plain_http_lets_tls_through,
    "s3-object-retention": retention_is_told,
}


@pytest.fixture
def moto() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def patched(monkeypatch: pytest.MonkeyPatch) -> None:
    for patch in patches.PATCHES:
        original = getattr(patch.owner, patch.method, None)
        monkeypatch.setattr(patch.owner, patch.method, patch.correct(original), raising=False)  # type: ignore[arg-type]
    for paths, pattern, dispatch in patches.ROUTES:
        monkeypatch.setitem(paths, pattern, dispatch)


def test_every_patch_has_a_case() -> None:
    assert {patch.name for patch in patches.PATCHES} == set(CASES)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.usefixtures("patched", "moto")
def test_with_the_patches_moto_does_what_aws_does(name: str) -> None:
    assert CASES[name]()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.usefixtures("moto")
def test_without_them_it_does_not(name: str) -> None:
    patch = next(patch for patch in patches.PATCHES if patch.name == name)
    learnt = f"moto now does this by itself: delete the patch {name}"
    if not hasattr(patch.owner, patch.method):
        return  # moto has no such call at all; asking it would go out to the network
    assert not CASES[name](), learnt


def test_a_reason_says_what_aws_does() -> None:
    assert all(" API, " in patch.reason for patch in patches.PATCHES)
