"""What somebody with an account's keys does to blind it, and which checks of `toolkit audit` must see it.

Each act is done to the account that `environments/complete` describes, over boto3, as AWS lets it be done.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from toolkit.audit.checks import monitors

Client = Callable[..., Any]
"""Makes a boto3 client: service, and region unless it is the home region."""

TRAIL, USER = "baseline", "mallory"
ANYTHING = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)  # fmt: skip


def passwords(client: Client) -> None:
    """Passwords may be short, simple, old and used again."""
    client("iam").update_account_password_policy(MinimumPasswordLength=6)


def contacts(client: Client) -> None:
    """AWS reaches nobody."""
    account = client("account")
    account.delete_alternate_contact(AlternateContactType="SECURITY")
    known = account.get_contact_information()["ContactInformation"]
    account.put_contact_information(ContactInformation={**known, "PhoneNumber": "0000"})


def trail(client: Client) -> None:
    """The trail logs less, in the clear, and what it wrote can be changed unseen."""
    cloudtrail = client("cloudtrail")
    cloudtrail.put_insight_selectors(TrailName=TRAIL, InsightSelectors=[])
    cloudtrail.put_event_selectors(
        TrailName=TRAIL,
        EventSelectors=[{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True, "DataResources": []}],
    )
    cloudtrail.update_trail(Name=TRAIL, EnableLogFileValidation=False, KmsKeyId="", IsMultiRegionTrail=False)
    cloudtrail.stop_logging(Name=TRAIL)


def log_bucket(client: Client) -> None:
    """Anyone reads the log, and no request for it is on record."""
    bucket = client("cloudtrail").describe_trails()["trailList"][0]["S3BucketName"]
    s3 = client("s3")
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    account = client("sts").get_caller_identity()["Account"]
    client("s3control").delete_public_access_block(AccountId=account)


def alarms(client: Client) -> None:
    """No alarm is left."""
    cloudwatch = client("cloudwatch")
    names = [one["AlarmName"] for one in cloudwatch.describe_alarms()["MetricAlarms"]]
    cloudwatch.delete_alarms(AlarmNames=names)


def recorder(client: Client) -> None:
    """Config records nothing, under a role of the intruder's."""
    config = client("config")
    config.stop_configuration_recorder(ConfigurationRecorderName="default")
    known = config.describe_configuration_recorders()["ConfigurationRecorders"][0]
    role = {"roleARN": "arn:aws:iam::111122223333:role/own"}
    config.put_configuration_recorder(
        ConfigurationRecorder={"name": "default", "recordingGroup": known["recordingGroup"], **role}
    )


def defaults(client: Client) -> None:
    """What is new is open to everyone."""
    ec2 = client("ec2")
    ec2.disable_ebs_encryption_by_default()
    ec2.disable_snapshot_block_public_access()
    ec2.modify_instance_metadata_defaults(HttpTokens="optional")
    ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="off")
    group = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])["SecurityGroups"][0]
    ec2.authorize_security_group_egress(
        GroupId=group["GroupId"], IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    )
    setting = "/ssm/documents/console/public-sharing-permission"
    client("ssm").update_service_setting(SettingId=setting, SettingValue="Enable")
    client("ecr").put_registry_scanning_configuration(scanType="BASIC", rules=[])


def doors(client: Client) -> None:
    """Everyone reaches SSH, RDP and file shares, sends messages and writes events."""
    ec2 = client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="open", Description="open", VpcId=vpc)["GroupId"]
    anywhere = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    ports = [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **anywhere} for port in (22, 445, 3389)]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=ports)
    statement = {"Sid": "open", "Effect": "Allow", "Principal": "*", "Resource": "*"}

    def policy(action: str) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Action": action}]})

    client("events").put_permission(EventBusName="default", Policy=policy("events:PutEvents"))
    topic = client("sns").list_topics()["Topics"][0]["TopicArn"]
    client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy("sns:Publish"))


def detectors(client: Client) -> None:
    """Nothing watches."""
    guardduty = client("guardduty")
    (detector,) = guardduty.list_detectors()["DetectorIds"]
    off = [{"Name": name, "Status": "DISABLED"} for name in ("RUNTIME_MONITORING", "S3_DATA_EVENTS")]
    guardduty.update_detector(DetectorId=detector, Enable=False, Features=off)
    inspector = client("inspector2")
    account = client("sts").get_caller_identity()["Account"]
    inspector.disable(accountIds=[account], resourceTypes=["EC2", "ECR", "LAMBDA", "LAMBDA_CODE"])
    client("macie2").disable_macie()
    client("securityhub").disable_security_hub()


def messages(client: Client) -> None:
    """Rules match, and tell nobody."""
    events = client("events")
    for rule in events.list_rules()["Rules"]:
        targets = [one["Id"] for one in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]]
        if targets:
            events.remove_targets(Rule=rule["Name"], Ids=targets)


def user(client: Client) -> None:
    """A user with a password, two keys, everything allowed and no MFA, and one who can give itself as much."""
    iam = client("iam")
    iam.create_user(UserName=USER)
    iam.create_login_profile(UserName=USER, Password="An-Example-0nly")
    iam.create_access_key(UserName=USER)
    iam.create_access_key(UserName=USER)
    growing = {"Effect": "Allow", "Action": "iam:PutUserPolicy", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [growing]})
    iam.create_user(UserName="trudy")
    iam.put_user_policy(UserName="trudy", PolicyName="more", PolicyDocument=document)
    policy = iam.create_policy(PolicyName="anything", PolicyDocument=ANYTHING)["Policy"]["Arn"]
    for arn in (
        policy,
        *(f"arn:aws:iam::aws:policy/{name}" for name in ("AdministratorAccess", "AWSCloudShellFullAccess")),
    ):
        iam.attach_user_policy(UserName=USER, PolicyArn=arn)


def roles(client: Client) -> None:
    """Auditors and AWS Support are kept out."""
    iam = client("iam")
    for role in iam.list_roles()["Roles"]:
        for one in iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]:
            if one["PolicyName"] in ("SecurityAudit", "AWSSupportAccess"):
                iam.detach_role_policy(RoleName=role["RoleName"], PolicyArn=one["PolicyArn"])


def keys(client: Client) -> None:
    """Keys open to every account, that do not rotate, one of them about to be lost."""
    kms = client("kms")
    key, lost = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    kms.put_key_policy(
        KeyId=key, PolicyName="default", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    kms.schedule_key_deletion(KeyId=lost, PendingWindowInDays=7)


def organization(client: Client) -> None:
    """The organization's guardrails are gone."""
    organizations = client("organizations")
    for kind in ("SERVICE_CONTROL_POLICY", "AISERVICES_OPT_OUT_POLICY", "TAG_POLICY"):
        for policy in organizations.list_policies(Filter=kind)["Policies"]:
            for target in organizations.list_targets_for_policy(PolicyId=policy["Id"])["Targets"]:
                if not policy["AwsManaged"]:
                    organizations.detach_policy(PolicyId=policy["Id"], TargetId=target["TargetId"])


SEEN_BY: dict[Callable[[Client], None], tuple[str, ...]] = {
    passwords: (
        "iam_password_policy_expires_passwords_within_90_days_or_less",
        "iam_password_policy_lowercase",
        "iam_password_policy_minimum_length_14",
        "iam_password_policy_number",
        "iam_password_policy_reuse_24",
        "iam_password_policy_symbol",
        "iam_password_policy_uppercase",
    ),
    contacts: (
        "account_maintain_current_contact_details",
        "account_maintain_different_contact_details_to_security_billing_and_operations",
        "account_security_contact_information_is_registered",
    ),
    alarms: tuple(check.id for check in monitors.CHECKS),
    trail: (
        "cloudtrail_cloudwatch_logging_enabled",
        "cloudtrail_insights_exist",
        "cloudtrail_kms_encryption_enabled",
        "cloudtrail_log_file_validation_enabled",
        "cloudtrail_multi_region_enabled",
        "cloudtrail_s3_dataevents_read_enabled",
        "cloudtrail_s3_dataevents_write_enabled",
    ),
    log_bucket: (
        "cloudtrail_log_bucket_blocks_public_access",
        "cloudtrail_logs_s3_bucket_access_logging_enabled",
        "cloudtrail_logs_s3_bucket_is_not_publicly_accessible",
        "s3_account_level_public_access_blocks",
        "s3_bucket_level_public_access_block",
    ),
    recorder: ("config_recorder_all_regions_enabled", "config_recorder_using_aws_service_role"),
    defaults: (
        "ec2_ebs_default_encryption",
        "ec2_ebs_snapshot_account_block_public_access",
        "ec2_instance_account_imdsv2_enabled",
        "ec2_securitygroup_default_restrict_traffic",
        "ec2_vpc_block_public_access",
        "ecr_repositories_are_scanned",
        "ssm_documents_public_sharing_blocked",
    ),
    detectors: (
        "guardduty_eks_runtime_monitoring_enabled",
        "guardduty_is_enabled",
        "guardduty_s3_protection_enabled",
        "inspector2_is_enabled",
        "macie_is_enabled",
        "securityhub_enabled",
    ),
    doors: (
        "ec2_securitygroup_cifs_restricted",
        "ec2_securitygroup_remote_administration_from_ipv4_restricted",
        "ec2_securitygroup_remote_administration_from_ipv6_restricted",
        "eventbridge_bus_exposed",
        "sns_topics_not_publicly_accessible",
    ),
    messages: ("eventbridge_alert_rules_deliver",),
    user: (
        "iam_customer_attached_policy_no_administrative_privileges",
        "iam_policy_allows_privilege_escalation",
        "iam_policy_attached_only_to_group_or_roles",
        "iam_policy_cloudshell_admin_not_attached",
        "iam_user_in_environment",
        "iam_user_mfa_enabled_console_access",
        "iam_user_no_setup_initial_access_key",
        "iam_user_two_active_access_key",
    ),
    roles: ("iam_securityaudit_role_created", "iam_support_role_created"),
    keys: ("kms_cmk_not_deleted_unintentionally", "kms_cmk_rotation_enabled", "kms_key_not_publicly_accessible"),
    organization: (
        "organizations_opt_out_ai_services_policy",
        "organizations_scp_attached",
        "organizations_scp_check_deny_regions",
        "organizations_tags_policies_enabled_and_attached",
    ),
}
"""Act → the checks that pass before it and fail after it."""
