"""Lists of what moto lacks, from answers in the shape that AWS documents: every resource, with its values."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from toolkit.aws.session import AwsSession
from toolkit.environment import load_text
from toolkit.resources.registry import RESOURCES

REGION = "eu-central-1"
ENVIRONMENT = load_text(
    'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\n', name="x", shown_as="x"
)
KEYS = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "example"}
DAY = datetime(2026, 1, 1, tzinfo=UTC)
DETECTOR = ("list_detectors", {"DetectorIds": ["12abc34d"]})
POLICY_ID = "a1b2c3d4-5678-90ab-cdef-111111111111"
POLICY = {"Id": POLICY_ID, "Name": "members", "ServiceEnabled": True, "UpdatedAt": DAY}
GRAPH = "arn:aws:detective:eu-central-1:123456789012:graph:123412341234"
AGGREGATOR = "arn:aws:securityhub:eu-central-1:123456789012:finding-aggregator/123e4567-e89b-12d3-a456-426652340000"
HUB_V2 = "arn:aws:securityhub:eu-central-1:123456789012:hubv2/25054a12-7926-47bc-924f-368e03d43e94"
AGGREGATOR_V2 = "arn:aws:securityhub:eu-central-1:123456789012:aggregatorv2/123e4567-e89b-12d3-a456-426652340000"
ANALYZER = {
    "arn": "arn:aws:access-analyzer:eu-central-1:123456789012:analyzer/mine", "name": "mine", "type": "ACCOUNT",
    "createdAt": DAY, "status": "ACTIVE",
}  # fmt: skip
RULE = {"ruleName": "known", "filter": {"isPublic": {"eq": ["false"]}}, "createdAt": DAY, "updatedAt": DAY}

KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = "arn:aws:iam::123456789012:role/example"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:mine"
SUBSCRIPTION = f"{TOPIC}:2bcfbf39-05c3-41de-beaa-fcfcc21c8f55"
STANDARD = "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0"
SUBSCRIBED = {
    "StandardsSubscriptionArn": (
        "arn:aws:securityhub:eu-central-1:123456789012:subscription/cis-aws-foundations-benchmark/v/1.2.0"
    ),
    "StandardsArn": STANDARD,
    "StandardsInput": {},
    "StandardsStatus": "READY",
}
SWITCHED = {
    "StandardsArn": STANDARD, "SecurityControlId": "IAM.6", "SecurityControlArn": "x", "AssociationStatus": "DISABLED",
    "UpdatedReason": "no hardware devices",
}  # fmt: skip
INSTANCE = "arn:aws:sso:::instance/ssoins-1234567890abcdef"
SET = "arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-1234567890abcdef"
DISTRIBUTION = "arn:aws:cloudfront::123456789012:distribution/E1EXAMPLE"
ANYWHERE = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
GROUPS = {
    "SecurityGroups": [{"GroupId": "sg-1", "VpcId": "vpc-1", "IpPermissions": [], "IpPermissionsEgress": ANYWHERE}]
}
ROOTS = {"Roots": [{"Id": "r-ab12", "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]}]}
SCPS = {"Policies": [{"Id": "p-examplepol", "Name": "mine", "Type": "SERVICE_CONTROL_POLICY"}]}
PROTECTION = {"Id": POLICY_ID, "Name": "mine", "ResourceArn": DISTRIBUTION}
PROTECTED = {"ProtectionGroupId": "mine", "Aggregation": "SUM", "Pattern": "ALL", "Members": []}
OFF = {"status": "DISABLED", "errorCode": "ALREADY_DISABLED", "errorMessage": "off"}
ON = {**OFF, "status": "ENABLED"}
INSPECTED = {"accountId": "123456789012", "state": ON, "resourceState": {"ec2": ON, "ecr": OFF}}
INSTANCES: tuple[str, dict[str, Any]] = ("list_instances", {"Instances": [{"InstanceArn": INSTANCE}]})
SETS: list[tuple[str, dict[str, Any]]] = [
    ("list_permission_sets", {"PermissionSets": [SET]}),
    (
        "describe_permission_set",
        {"PermissionSet": {"Name": "mine", "PermissionSetArn": SET, "SessionDuration": "PT4H"}},
    ),
]


def of_iam(kind: str, **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:iam::123456789012:{kind.lower()}/ops"
    one = {f"{kind}Name": "ops", "Path": "/", f"{kind}Id": "AIDACKCEVSQ6C2EXAMPLE", "Arn": arn, "CreateDate": DAY}
    return {f"{kind}s": [{**one, **more}], "IsTruncated": False}


def details(kind: str) -> dict[str, Any]:
    (one,) = of_iam(kind, **{f"{kind}PolicyList": [{"PolicyName": "mine", "PolicyDocument": "{}"}]}, **HAS)[f"{kind}s"]
    return {f"{kind}DetailList": [one], "IsTruncated": False}


SHARING = "arn:aws:ssm:eu-central-1:123456789012:servicesetting/ssm/documents/console/public-sharing-permission"
IAM_USERS = of_iam("User")
HAS = {"AttachedManagedPolicies": [{"PolicyName": "ReadOnlyAccess", "PolicyArn": READ_ONLY}]}
ATTACHED = {"AttachedPolicies": HAS["AttachedManagedPolicies"]}

Answer = tuple[str, dict[str, Any]]
CASES: dict[str, tuple[str, dict[str, str], list[Answer]]] = {
    # type: (service, key of one, answers in the order in which a search and then a list asks for them)
    "aws_guardduty_publishing_destination": (
        "guardduty", {"destination_type": "S3"}, [
            DETECTOR,
            ("list_publishing_destinations",
             {"Destinations": [{"DestinationId": "56ef", "DestinationType": "S3", "Status": "PUBLISHING"}]}),
            ("describe_publishing_destination",
             {"DestinationId": "56ef", "DestinationType": "S3", "Status": "PUBLISHING",
              "PublishingFailureStartTimestamp": 0,
              "DestinationProperties": {"DestinationArn": "arn:aws:s3:::example", "KmsKeyArn": "arn:aws:kms:x"}}),
        ],
    ),
    "aws_guardduty_organization_configuration_feature": (
        "guardduty", {"name": "S3_DATA_EVENTS"}, [
            DETECTOR,
            ("describe_organization_configuration",
             {"MemberAccountLimitReached": False, "AutoEnableOrganizationMembers": "ALL",
              "Features": [{"Name": "S3_DATA_EVENTS", "AutoEnable": "ALL"}]}),
        ],
    ),
    "aws_guardduty_organization_admin_account": (
        "guardduty", {}, [
            ("list_organization_admin_accounts", {"AdminAccounts": [{"AdminAccountId": "111122223333"}]}),
        ],
    ),
    "aws_accessanalyzer_analyzer": (
        "accessanalyzer", {"analyzer_name": "mine"}, [("list_analyzers", {"analyzers": [ANALYZER]})],
    ),
    "aws_accessanalyzer_archive_rule": (
        "accessanalyzer", {"analyzer_name": "mine", "rule_name": "known"}, [
            ("get_archive_rule", {"archiveRule": RULE}),
            ("list_analyzers", {"analyzers": [ANALYZER]}),
            ("list_archive_rules", {"archiveRules": [RULE]}),
        ],
    ),
    "aws_securityhub_finding_aggregator": (
        "securityhub", {}, [
            ("list_finding_aggregators", {"FindingAggregators": [{"FindingAggregatorArn": AGGREGATOR}]}),
            ("get_finding_aggregator", {"FindingAggregatorArn": AGGREGATOR, "RegionLinkingMode": "ALL_REGIONS"}),
        ],
    ),
    "aws_securityhub_account_v2": (
        "securityhub", {}, [("describe_security_hub_v2", {"HubV2Arn": HUB_V2, "SubscribedAt": "2026-01-01T00:00:00Z"})],
    ),
    "aws_securityhub_aggregator_v2": (
        "securityhub", {}, [
            ("list_aggregators_v2", {"AggregatorsV2": [{"AggregatorV2Arn": AGGREGATOR_V2}]}),
            ("get_aggregator_v2", {
                "AggregatorV2Arn": AGGREGATOR_V2, "AggregationRegion": REGION,
                "RegionLinkingMode": "SPECIFIED_REGIONS", "LinkedRegions": ["us-east-1", "eu-west-1"],
            }),
        ],
    ),
    "aws_securityhub_organization_admin_account": (
        "securityhub", {}, [("list_organization_admin_accounts", {"AdminAccounts": [{"AccountId": "111122223333"}]})],
    ),
    "aws_securityhub_organization_configuration": (
        "securityhub", {}, [
            ("describe_organization_configuration", {"AutoEnable": True, "MemberAccountLimitReached": False}),
        ],
    ),
    "aws_securityhub_standards_control_association": (
        "securityhub", {"security_control_id": "IAM.6", "standards_arn": STANDARD}, [
            ("list_standards_control_associations", {"StandardsControlAssociationSummaries": [SWITCHED]}),
            ("get_enabled_standards", {"StandardsSubscriptions": [SUBSCRIBED]}),
            ("list_security_control_definitions",
             {"SecurityControlDefinitions": [
                 {"SecurityControlId": name, "Title": "t", "Description": "d", "RemediationUrl": "u",
                  "SeverityRating": "LOW", "CurrentRegionAvailability": "AVAILABLE"} for name in ("IAM.5", "IAM.6")]}),
            ("batch_get_standards_control_associations",
             {"StandardsControlAssociationDetails": [
                 {"StandardsArn": STANDARD, "SecurityControlId": "IAM.5", "SecurityControlArn": "x",
                  "AssociationStatus": "ENABLED"},
                 SWITCHED]}),
        ],
    ),
    "aws_securityhub_configuration_policy": (
        "securityhub", {"name": "members"}, [
            ("list_configuration_policies", {"ConfigurationPolicySummaries": [POLICY]}),
            ("get_configuration_policy",
             {"Id": POLICY_ID, "Name": "members",
              "ConfigurationPolicy": {"SecurityHub": {
                  "ServiceEnabled": True, "EnabledStandardIdentifiers": ["arn:aws:securityhub:::standards/x"],
                  "SecurityControlsConfiguration": {"DisabledSecurityControlIdentifiers": ["IAM.6"]},
              }}}),
        ],
    ),
    "aws_securityhub_configuration_policy_association": (
        "securityhub", {"target_id": "r-ab12"}, [
            ("get_configuration_policy_association",
             {"ConfigurationPolicyId": POLICY_ID, "TargetId": "r-ab12", "AssociationType": "APPLIED"}),
            ("list_configuration_policy_associations",
             {"ConfigurationPolicyAssociationSummaries": [
                 {"ConfigurationPolicyId": POLICY_ID, "TargetId": "r-ab12", "AssociationType": "APPLIED"}]}),
        ],
    ),
    "aws_macie2_account": (
        "macie2", {}, [("get_macie_session", {"status": "ENABLED", "findingPublishingFrequency": "ONE_HOUR"})],
    ),
    "aws_macie2_classification_export_configuration": (
        "macie2", {}, [
            ("get_classification_export_configuration",
             {"configuration": {"s3Destination": {"bucketName": "example", "kmsKeyArn": "arn:aws:kms:x"}}}),
        ],
    ),
    "aws_detective_graph": ("detective", {}, [("list_graphs", {"GraphList": [{"Arn": GRAPH}]})]),
    "aws_detective_organization_configuration": (
        "detective", {"graph_arn": GRAPH}, [
            ("describe_organization_configuration", {"AutoEnable": True}),
            ("list_graphs", {"GraphList": [{"Arn": GRAPH}]}),
        ],
    ),
    "aws_ebs_default_kms_key": ("ec2", {}, [("get_ebs_default_kms_key_id", {"KmsKeyId": KEY})]),
    "aws_ebs_snapshot_block_public_access": (
        "ec2", {}, [("get_snapshot_block_public_access_state", {"State": "block-all-sharing"})],
    ),
    "aws_ec2_instance_metadata_defaults": (
        "ec2", {}, [
            ("get_instance_metadata_defaults",
             {"AccountLevel": {"HttpTokens": "required", "HttpEndpoint": "enabled", "InstanceMetadataTags": "disabled",
                               "HttpPutResponseHopLimit": 2}}),
        ],
    ),
    "aws_ec2_serial_console_access": (
        "ec2", {}, [("get_serial_console_access_status", {"SerialConsoleAccessEnabled": True})],
    ),
    "aws_vpc_block_public_access_options": (
        "ec2", {}, [
            ("describe_vpc_block_public_access_options",
             {"VpcBlockPublicAccessOptions": {"InternetGatewayBlockMode": "block-ingress"}}),
        ],
    ),
    "aws_flow_log": (
        "ec2", {"vpc_id": "vpc-1", "log_destination": "arn:aws:s3:::example", "traffic_type": "ALL"}, [
            ("describe_flow_logs",
             {"FlowLogs": [
                 {"FlowLogId": "fl-1", "ResourceId": "vpc-1", "LogDestination": "arn:aws:s3:::example",
                  "LogDestinationType": "s3", "TrafficType": "ALL", "MaxAggregationInterval": 600},
                 {"FlowLogId": "fl-2", "ResourceId": "subnet-1", "LogDestination": "arn:aws:s3:::example"}]}),
        ],
    ),
    "aws_default_security_group": (
        "ec2", {"vpc_id": "vpc-1"}, [
            ("describe_security_groups", GROUPS), ("describe_network_interfaces", {"NetworkInterfaces": []}),
            ("describe_security_groups", GROUPS),
        ],
    ),
    "aws_kms_alias": (
        "kms", {"name": "alias/mine"}, [
            ("list_aliases", {"Aliases": [{"AliasName": "alias/mine", "TargetKeyId": "k"}]}),
        ],
    ),
    "aws_sns_topic_policy": (
        "sns", {"arn": TOPIC}, [
            ("get_topic_attributes", {"Attributes": {"Policy": '{"Statement": [{"Sid": "Mine"}]}'}}),
            ("list_topics", {"Topics": [{"TopicArn": TOPIC}]}),
        ],
    ),
    "aws_cloudwatch_event_target": (
        "events", {"rule": "mine", "target_id": "t"}, [
            ("list_targets_by_rule", {"Targets": [{"Id": "t", "Arn": TOPIC}]}),
            ("list_rules", {"Rules": [{"Name": "mine"}]}),
        ],
    ),
    "aws_scheduler_schedule": (
        "scheduler", {"group_name": "default", "name": "mine"}, [
            ("get_schedule",
             {"Name": "mine", "GroupName": "default", "State": "ENABLED", "ScheduleExpression": "rate(7 days)",
              "Target": {"Arn": TOPIC, "RoleArn": ROLE}}),
            ("list_schedules", {"Schedules": [{"Name": "mine", "GroupName": "default"}]}),
        ],
    ),
    "aws_config_configuration_recorder_status": (
        "config", {"name": "mine"}, [
            ("describe_configuration_recorder_status",
             {"ConfigurationRecordersStatus": [{"name": "mine", "recording": True}]}),
        ],
    ),
    "aws_config_config_rule": (
        "config", {"name": "mine"}, [
            ("describe_config_rules",
             {"ConfigRules": [{"ConfigRuleName": "mine", "Source": {"Owner": "AWS", "SourceIdentifier": "ROOT_MFA"}}]}),
        ],
    ),
    "aws_config_configuration_aggregator": (
        "config", {"name": "mine"}, [
            ("describe_configuration_aggregators",
             {"ConfigurationAggregators": [
                 {"ConfigurationAggregatorName": "mine", "OrganizationAggregationSource": {"RoleArn": ROLE}}]}),
        ],
    ),
    "aws_guardduty_detector_feature": (
        "guardduty", {"name": "S3_DATA_EVENTS"}, [
            DETECTOR,
            ("get_detector",
             {"Status": "ENABLED", "ServiceRole": ROLE, "CreatedAt": "2026-01-01T00:00:00Z",
              "Features": [{"Name": "S3_DATA_EVENTS", "Status": "ENABLED"}]}),
        ],
    ),
    "aws_guardduty_organization_configuration": (
        "guardduty", {}, [
            DETECTOR,
            ("describe_organization_configuration",
             {"MemberAccountLimitReached": False, "AutoEnableOrganizationMembers": "ALL"}),
        ],
    ),
    "aws_account_primary_contact": (
        "account", {}, [
            ("get_contact_information",
             {"ContactInformation": {"FullName": "N", "AddressLine1": "A", "City": "C", "PostalCode": "1",
                                     "CountryCode": "DE", "PhoneNumber": "+49301234567"}}),
        ],
    ),
    "aws_iam_organizations_features": (
        "iam", {}, [
            ("list_organizations_features",
             {"OrganizationId": "o-exampleorgid", "EnabledFeatures": ["RootSessions"]}),
        ],
    ),
    "aws_organizations_organization": (
        "organizations", {}, [
            ("describe_organization", {"Organization": {"Id": "o-exampleorgid", "FeatureSet": "ALL"}}),
            ("list_aws_service_access_for_organization",
             {"EnabledServicePrincipals": [{"ServicePrincipal": "sso.amazonaws.com"}]}),
            ("list_roots", ROOTS),
        ],
    ),
    "aws_organizations_organizational_unit": (
        "organizations", {"name": "inner", "parent_id": "ou-ab12-cdefgh34"}, [
            ("list_organizational_units_for_parent",
             {"OrganizationalUnits": [{"Id": "ou-ab12-inner111", "Name": "inner"}]}),
            ("list_roots", ROOTS),
            ("list_organizational_units_for_parent",
             {"OrganizationalUnits": [{"Id": "ou-ab12-cdefgh34", "Name": "outer"}]}),
            ("list_organizational_units_for_parent", {"OrganizationalUnits": []}),
        ],
    ),
    "aws_organizations_policy": (
        "organizations", {"name": "mine", "type": "SERVICE_CONTROL_POLICY"}, [
            ("list_policies", SCPS), ("list_roots", ROOTS), ("describe_policy", {"Policy": {"Content": "{}"}}),
        ],
    ),
    "aws_organizations_policy_attachment": (
        "organizations", {"policy_id": "p-examplepol", "target_id": "r-ab12"}, [
            ("list_targets_for_policy", {"Targets": [{"TargetId": "r-ab12"}]}),
            ("list_roots", ROOTS), ("list_policies", SCPS), ("describe_policy", {"Policy": {"Content": "{}"}}),
        ],
    ),
    "aws_organizations_delegated_administrator": (
        "organizations", {"account_id": "111122223333", "service_principal": "guardduty.amazonaws.com"}, [
            ("list_delegated_administrators", {"DelegatedAdministrators": [{"Id": "111122223333"}]}),
            ("list_delegated_administrators", {"DelegatedAdministrators": [{"Id": "111122223333"}]}),
            ("list_delegated_services_for_account",
             {"DelegatedServices": [{"ServicePrincipal": "guardduty.amazonaws.com"}]}),
        ],
    ),
    "aws_shield_application_layer_automatic_response": (
        "shield", {"resource_arn": DISTRIBUTION}, [
            ("describe_protection", {"Protection": {**PROTECTION, "ApplicationLayerAutomaticResponseConfiguration":
                                                    {"Status": "ENABLED", "Action": {"Block": {}}}}}),
            ("list_protections", {"Protections": [PROTECTION]}),
        ],
    ),
    "aws_shield_protection_health_check_association": (
        "shield", {"shield_protection_id": POLICY_ID}, [
            ("describe_protection", {"Protection": {**PROTECTION, "HealthCheckIds": [POLICY_ID]}}),
            ("list_protections", {"Protections": [PROTECTION]}),
        ],
    ),
    "aws_shield_protection_group": (
        "shield", {"protection_group_id": "mine"}, [
            ("describe_protection_group", {"ProtectionGroup": PROTECTED}),
            ("list_protection_groups", {"ProtectionGroups": [PROTECTED]}),
        ],
    ),
    "aws_shield_proactive_engagement": (
        "shield", {}, [
            ("describe_emergency_contact_settings", {"EmergencyContactList": [{"EmailAddress": "soc@example.com"}]}),
            ("describe_subscription",
             {"Subscription": {"ProactiveEngagementStatus": "ENABLED", "SubscriptionLimits": {
                 "ProtectionLimits": {"ProtectedResourceTypeLimits": []},
                 "ProtectionGroupLimits": {"MaxProtectionGroups": 1,
                                           "PatternTypeLimits": {"ArbitraryPatternLimits": {"MaxMembers": 1}}}}}}),
        ],
    ),
    "aws_shield_drt_access_role_arn_association": ("shield", {}, [("describe_drt_access", {"RoleArn": ROLE})]),
    "aws_fms_admin_account": ("fms", {}, [("get_admin_account", {"AdminAccount": "111122223333"})]),
    "aws_fms_policy": (
        "fms", {"name": "mine"}, [
            ("list_policies", {"PolicyList": [{"PolicyId": POLICY_ID, "PolicyName": "mine"}]}),
            ("get_policy",
             {"Policy": {"PolicyName": "mine", "PolicyUpdateToken": "t", "ResourceType": "AWS::EC2::Instance",
                         "ExcludeResourceTags": False, "RemediationEnabled": True,
                         "SecurityServicePolicyData": {"Type": "SECURITY_GROUPS_COMMON"}}}),
        ],
    ),
    "aws_ssoadmin_permission_set": ("sso-admin", {"instance_arn": INSTANCE, "name": "mine"}, [*SETS, INSTANCES]),
    "aws_ssoadmin_permission_set_inline_policy": (
        "sso-admin", {"instance_arn": INSTANCE, "permission_set_arn": SET}, [
            ("get_inline_policy_for_permission_set", {"InlinePolicy": "{}"}), INSTANCES, *SETS,
        ],
    ),
    "aws_ssoadmin_permissions_boundary_attachment": (
        "sso-admin", {"instance_arn": INSTANCE, "permission_set_arn": SET}, [
            ("get_permissions_boundary_for_permission_set",
             {"PermissionsBoundary": {"ManagedPolicyArn": "arn:aws:iam::aws:policy/PowerUserAccess"}}),
            INSTANCES, *SETS,
        ],
    ),
    "aws_ssoadmin_managed_policy_attachment": (
        "sso-admin", {"instance_arn": INSTANCE, "permission_set_arn": SET, "managed_policy_arn": READ_ONLY}, [
            ("list_managed_policies_in_permission_set",
             {"AttachedManagedPolicies": [{"Name": "r", "Arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]}),
            INSTANCES, *SETS,
        ],
    ),
    "aws_ssoadmin_customer_managed_policy_attachment": (
        "sso-admin",
        {"instance_arn": INSTANCE, "permission_set_arn": SET, "customer_managed_policy_reference": "/teams/mine"}, [
            INSTANCES, *SETS,
            ("list_customer_managed_policy_references_in_permission_set",
             {"CustomerManagedPolicyReferences": [{"Name": "mine", "Path": "/teams/"}]}),
        ],
    ),
    "aws_ssoadmin_account_assignment": (
        "sso-admin",
        {"instance_arn": INSTANCE, "permission_set_arn": SET, "principal_id": POLICY_ID, "principal_type": "GROUP",
         "target_id": "111122223333", "target_type": "AWS_ACCOUNT"}, [
            INSTANCES, *SETS,
            ("list_accounts_for_provisioned_permission_set", {"AccountIds": ["111122223333"]}),
            ("list_account_assignments",
             {"AccountAssignments": [{"AccountId": "111122223333", "PermissionSetArn": SET, "PrincipalType": "GROUP",
                                      "PrincipalId": POLICY_ID}]}),
        ],
    ),
    "aws_shield_drt_access_log_bucket_association": (
        "shield", {"log_bucket": "example"}, [("describe_drt_access", {"RoleArn": ROLE, "LogBucketList": ["example"]})],
    ),
    "aws_ec2_image_block_public_access": (
        "ec2", {}, [
            ("get_image_block_public_access_state",
             {"ImageBlockPublicAccessState": "block-new-sharing", "ManagedBy": "account"}),
        ],
    ),
    "aws_kms_key": (
        "kms", {"key_id": "1234abcd-12ab-34cd-56ef-1234567890ab"}, [
            ("describe_key",
             {"KeyMetadata": {"KeyId": "1234abcd-12ab-34cd-56ef-1234567890ab", "Arn": KEY, "KeyManager": "CUSTOMER",
                              "KeyState": "Enabled", "Enabled": True}}),
            ("get_key_rotation_status", {"KeyRotationEnabled": True, "RotationPeriodInDays": 90}),
            ("get_key_policy", {"Policy": "{}"}),
            ("list_aliases", {"Aliases": [{"AliasName": "alias/aws/ebs", "TargetKeyId": POLICY_ID}]}),
            ("list_keys",
             {"Keys": [{"KeyId": POLICY_ID}, {"KeyId": "1234abcd-12ab-34cd-56ef-1234567890ab", "KeyArn": KEY}]}),
        ],
    ),
    "aws_sns_topic_subscription": (
        "sns", {"arn": SUBSCRIPTION}, [
            ("list_subscriptions",
             {"Subscriptions": [
                 {"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": "b@example.com",
                  "TopicArn": TOPIC, "Owner": "123456789012"},
                 {"SubscriptionArn": SUBSCRIPTION, "Protocol": "email", "Endpoint": "a@example.com",
                  "TopicArn": TOPIC, "Owner": "123456789012"},
             ]}),
            ("get_subscription_attributes", {"Attributes": {"FilterPolicy": "{}"}}),
        ],
    ),
    "aws_securityhub_standards_subscription": (
        "securityhub", {"standards_arn": STANDARD}, [
            ("get_enabled_standards", {"StandardsSubscriptions": [SUBSCRIBED]}),
        ],
    ),
    "aws_iam_access_key": (
        "iam", {"id": "AKIAIOSFODNN7EXAMPLE"}, [
            ("list_users", IAM_USERS),
            ("list_access_keys",
             {"AccessKeyMetadata": [{"UserName": "ops", "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "Status": "Active",
                                     "CreateDate": DAY}], "IsTruncated": False}),
            ("get_access_key_last_used",
             {"UserName": "ops", "AccessKeyLastUsed": {"ServiceName": "N/A", "Region": "N/A"}}),
        ],
    ),
    "aws_iam_group_policy": (
        "iam", {"group": "ops", "name": "mine"}, [
            ("get_group_policy", {"GroupName": "ops", "PolicyName": "mine", "PolicyDocument": "{}"}),
            ("get_account_authorization_details", details("Group")),
        ],
    ),
    "aws_iam_role_policy": (
        "iam", {"role": "ops", "name": "mine"}, [
            ("get_role_policy", {"RoleName": "ops", "PolicyName": "mine", "PolicyDocument": "{}"}),
            ("get_account_authorization_details", details("Role")),
        ],
    ),
    "aws_iam_group_policy_attachment": (
        "iam", {"group": "ops", "policy_arn": READ_ONLY}, [
            ("list_attached_group_policies", ATTACHED), ("get_account_authorization_details", details("Group")),
        ],
    ),
    "aws_iam_role_policy_attachment": (
        "iam", {"role": "ops", "policy_arn": READ_ONLY}, [
            ("list_attached_role_policies", ATTACHED), ("get_account_authorization_details", details("Role")),
        ],
    ),
    "aws_ecr_account_setting": (
        "ecr", {"name": "BASIC_SCAN_TYPE_VERSION"}, [
            ("get_account_setting", {"name": "BASIC_SCAN_TYPE_VERSION", "value": "CLAIR"}),
            ("get_account_setting", {"name": "REGISTRY_POLICY_SCOPE", "value": "V2"}),
        ],
    ),
    "aws_ecr_registry_scanning_configuration": (
        "ecr", {}, [
            ("get_registry_scanning_configuration",
             {"registryId": "123456789012",
              "scanningConfiguration": {"scanType": "ENHANCED", "rules": [
                  {"scanFrequency": "CONTINUOUS_SCAN",
                   "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}]}}),
        ],
    ),
    "aws_ssm_service_setting": (
        "ssm", {"setting_id": SHARING}, [("get_service_setting", {"ServiceSetting": {
            "SettingId": "/ssm/documents/console/public-sharing-permission", "SettingValue": "Disable",
            "ARN": SHARING, "Status": "Customized",
        }})],
    ),
    "aws_inspector2_enabler": (
        "inspector2", {}, [("batch_get_account_status", {"accounts": [INSPECTED]})],
    ),
    "aws_vpc": (
        "ec2", {"id": "vpc-1"}, [
            ("describe_vpcs", {"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "InstanceTenancy": "default",
                                         "OwnerId": "123456789012", "IsDefault": True}]}),
        ],
    ),
    "aws_iam_user_policy": (
        "iam", {"user": "ops", "name": "mine"}, [
            ("get_user_policy", {"UserName": "ops", "PolicyName": "mine", "PolicyDocument": "{}"}),
            ("get_account_authorization_details", details("User")),
        ],
    ),
    "aws_iam_user_policy_attachment": (
        "iam", {"user": "ops", "policy_arn": READ_ONLY}, [
            ("list_attached_user_policies", ATTACHED), ("get_account_authorization_details", details("User")),
        ],
    ),
    "aws_iam_user_login_profile": (
        "iam", {"user": "ops"}, [
            ("get_login_profile",
             {"LoginProfile": {"UserName": "ops", "CreateDate": DAY, "PasswordResetRequired": True}}),
            ("list_users", IAM_USERS),
        ],
    ),
}  # fmt: skip


class Recorded(AwsSession):
    """One service with recorded answers."""

    def __init__(self, service: str, answers: list[Answer]) -> None:
        super().__init__(ENVIRONMENT, {})
        self.one = boto3.client(service, REGION, **KEYS)  # type: ignore[call-overload]
        self.stubber = Stubber(self.one)
        for method, answer in answers:
            # boto3 parses policies in the answer itself.
            self.stubber.add_response(method, deepcopy(answer))
        self.stubber.activate()

    def client(self, service: str, region: str | None = None) -> Any:
        assert service == self.one.meta.service_model.service_name
        return self.one


@pytest.mark.parametrize("resource", CASES)
def test_a_list_and_a_search_find_the_same(resource: str, list_and_search_agree: Callable[..., None]):
    service, key, answers = CASES[resource]
    clients = Recorded(service, answers)
    list_and_search_agree(clients, resource, key)
    clients.stubber.assert_no_pending_responses()


def test_every_list_is_compared_with_a_search():
    """Here, or from an account of moto's in test_existing.py and test_s3.py."""
    by_moto = {
        *re.findall(r'^    "(aws_\w+)": \(', Path(__file__).with_name("test_existing.py").read_text(), re.M),
        *(kind for kind in RESOURCES if kind.startswith("aws_s3_bucket_")),
        "aws_iam_user_group_membership",
    }
    listed = {kind for kind, record in RESOURCES.items() if record.reading and record.reading.lists}
    assert listed - by_moto - set(CASES) == set()


def test_what_is_read_is_listed_or_says_why_not():
    readings = [record.reading for record in RESOURCES.values() if record.reading]
    assert [one for one in readings if (one.lists is None) != bool(one.unlisted)] == []
