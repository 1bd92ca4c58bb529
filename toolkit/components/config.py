"""A recorder of resource configuration in every region, and managed rules that judge what it records."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from toolkit.components import log_bucket
from toolkit.components.base import Component, Need, Protected, Scope, Settings
from toolkit.components.cloudtrail import BucketName, LogBucket

_RULE_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_IDENTIFIER = re.compile(r"[A-Z][A-Z0-9_]{1,255}")
_RESOURCE_TYPE = re.compile(r"AWS::[A-Za-z0-9]+::[A-Za-z0-9:]+")
_KEY_ARN = re.compile(r"arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+")
_AGGREGATOR_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")

Interval = Literal["One_Hour", "Three_Hours", "Six_Hours", "Twelve_Hours", "TwentyFour_Hours"]
Frequency = Literal["CONTINUOUS", "DAILY"]


def _rule_name(value: str) -> str:
    if not _RULE_NAME.fullmatch(value):
        raise ValueError("expected a rule name of 1 to 128 letters, digits, underscores and hyphens")
    return value


def _identifier(value: str) -> str:
    if not _IDENTIFIER.fullmatch(value):
        raise ValueError(
            "expected the identifier of an AWS managed rule: uppercase letters, digits and underscores, such as "
            "IAM_PASSWORD_POLICY"
        )
    return value


def _resource_type(value: str) -> str:
    if not _RESOURCE_TYPE.fullmatch(value):
        raise ValueError("expected a resource type such as AWS::EC2::Instance")
    return value


def _key_arn(value: str) -> str:
    if not _KEY_ARN.fullmatch(value):
        raise ValueError("expected the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID)")
    return value


def _aggregator_name(value: str) -> str:
    if not _AGGREGATOR_NAME.fullmatch(value):
        raise ValueError("expected 1 to 256 letters, digits, underscores and hyphens")
    return value


ResourceTypes = Annotated[tuple[Annotated[str, AfterValidator(_resource_type)], ...], Field(strict=False)]
RuleName = Annotated[str, AfterValidator(_rule_name)]


class Rule(Settings):
    """An AWS managed rule (AWS Config Developer Guide, "List of AWS Config Managed Rules")."""

    identifier: Annotated[str, AfterValidator(_identifier)] = Field(
        description="Identifier of the managed rule, such as IAM_PASSWORD_POLICY."
    )
    input_parameters: dict[str, str] = Field(
        {}, description="The rule's parameters; numbers and truth values are texts too, such as '90' and 'true'."
    )
    resource_types: ResourceTypes = Field(
        (), description="Resource types that the rule is limited to; empty leaves it to the rule."
    )
    maximum_execution_frequency: Interval | None = Field(
        None, description="How often a periodic rule is evaluated; null: once a day."
    )
    home_region_only: bool = Field(
        False, description="Whether only the home region evaluates the rule: set for rules about IAM and the account."
    )


def _default_rules() -> dict[str, Rule]:
    return {
        "access-keys-rotated": Rule(
            identifier="ACCESS_KEYS_ROTATED", input_parameters={"maxAccessKeyAge": "90"}, home_region_only=True
        ),
        "iam-password-policy": Rule(
            identifier="IAM_PASSWORD_POLICY",
            input_parameters={
                "MaxPasswordAge": "90",
                "MinimumPasswordLength": "14",
                "PasswordReusePrevention": "24",
                "RequireLowercaseCharacters": "true",
                "RequireNumbers": "true",
                "RequireSymbols": "true",
                "RequireUppercaseCharacters": "true",
            },
            home_region_only=True,
        ),
        "iam-policy-no-statements-with-admin-access": Rule(
            identifier="IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS", home_region_only=True
        ),
        "iam-root-access-key-check": Rule(identifier="IAM_ROOT_ACCESS_KEY_CHECK", home_region_only=True),
        "iam-user-mfa-enabled": Rule(identifier="IAM_USER_MFA_ENABLED", home_region_only=True),
        "iam-user-no-policies-check": Rule(identifier="IAM_USER_NO_POLICIES_CHECK", home_region_only=True),
        "iam-user-unused-credentials-check": Rule(
            identifier="IAM_USER_UNUSED_CREDENTIALS_CHECK",
            input_parameters={"maxCredentialUsageAge": "45"},
            home_region_only=True,
        ),
        "mfa-enabled-for-iam-console-access": Rule(
            identifier="MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS", home_region_only=True
        ),
        "root-account-mfa-enabled": Rule(identifier="ROOT_ACCOUNT_MFA_ENABLED", home_region_only=True),
        "cloud-trail-cloud-watch-logs-enabled": Rule(
            identifier="CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED", home_region_only=True
        ),
        "cloud-trail-encryption-enabled": Rule(identifier="CLOUD_TRAIL_ENCRYPTION_ENABLED", home_region_only=True),
        "cloud-trail-log-file-validation-enabled": Rule(
            identifier="CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED", home_region_only=True
        ),
        "multi-region-cloudtrail-enabled": Rule(identifier="MULTI_REGION_CLOUD_TRAIL_ENABLED", home_region_only=True),
        "s3-account-level-public-access-blocks-periodic": Rule(
            identifier="S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC", home_region_only=True
        ),
        "cmk-backing-key-rotation-enabled": Rule(identifier="CMK_BACKING_KEY_ROTATION_ENABLED"),
        "ec2-ebs-encryption-by-default": Rule(identifier="EC2_EBS_ENCRYPTION_BY_DEFAULT"),
        "guardduty-enabled-centralized": Rule(identifier="GUARDDUTY_ENABLED_CENTRALIZED"),
        "restricted-ssh": Rule(identifier="INCOMING_SSH_DISABLED"),
        "s3-bucket-public-read-prohibited": Rule(identifier="S3_BUCKET_PUBLIC_READ_PROHIBITED"),
        "s3-bucket-public-write-prohibited": Rule(identifier="S3_BUCKET_PUBLIC_WRITE_PROHIBITED"),
        "s3-bucket-ssl-requests-only": Rule(identifier="S3_BUCKET_SSL_REQUESTS_ONLY"),
        "vpc-default-security-group-closed": Rule(identifier="VPC_DEFAULT_SECURITY_GROUP_CLOSED"),
        "vpc-flow-logs-enabled": Rule(identifier="VPC_FLOW_LOGS_ENABLED"),
    }


class RecordingOverride(Settings):
    """Resource types that are recorded at another frequency than the others."""

    frequency: Frequency = Field(description="How often these types are recorded.")
    resource_types: ResourceTypes = Field(description="The types, at least one.")

    @model_validator(mode="after")
    def _of_some_type(self) -> RecordingOverride:
        if not self.resource_types:
            raise ValueError("resource_types must name at least one type, such as AWS::EC2::Instance")
        return self


class DeliveryBucket(LogBucket):
    """The bucket that receives snapshots and history; Config cannot deliver to one with object lock."""

    kms_key_arn: Annotated[str, AfterValidator(_key_arn)] | None = Field(
        None, description="ARN of a KMS key of the home region that encrypts them; null: S3's own keys."
    )
    access_log_bucket: BucketName | None = Field(
        None, description="Name of a bucket that receives the bucket's access logs; null writes none."
    )


class Aggregator(Settings):
    """The view of all regions in the home region."""

    enabled: bool = Field(False, description="Whether to make the aggregator.")
    name: Annotated[str, AfterValidator(_aggregator_name)] = Field("baseline", description="Name of the aggregator.")


class Config(Settings):
    """Settings of `config`; bounds are those of the Config API."""

    recorder_name: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        "default", description="Name of each region's recorder; another name replaces an existing recorder."
    )
    delivery_channel_name: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        "default", description="Name of each region's delivery channel; another name replaces an existing channel."
    )
    recording_frequency: Frequency = Field(
        "CONTINUOUS", description="CONTINUOUS records every change, DAILY once a day what changed."
    )
    recording_override: RecordingOverride | None = Field(
        None, description="Resource types that are recorded at another frequency; null makes no exception."
    )
    snapshot_delivery_frequency: Interval = Field(
        "TwentyFour_Hours", description="How often a snapshot of all resources is written to the bucket."
    )
    rules: dict[RuleName, Rule] = Field(
        default_factory=_default_rules,
        description="AWS managed rules by name; giving any replaces the whole default list.",
    )
    additional_rules: dict[RuleName, Rule] = Field(
        {}, description="AWS managed rules by name, evaluated beside those of rules."
    )
    bucket: DeliveryBucket = Field(DeliveryBucket(), description="The bucket that receives snapshots and history.")
    create_service_linked_role: bool = Field(
        True,
        description="Whether to create the role AWSServiceRoleForConfig; false where the account has it already, since "
        "creating it a second time fails.",
    )
    aggregator: Aggregator = Field(Aggregator(), description="The view of all regions in the home region.")

    @model_validator(mode="after")
    def _no_rule_twice(self) -> Config:
        both = sorted(self.rules.keys() & self.additional_rules.keys())
        if both:
            raise ValueError(
                f"additional_rules must not repeat a name of rules ({', '.join(both)}); to change a rule, give the "
                "whole list in rules"
            )
        return self


COMPONENT = Component(
    name="config",
    title="Config",
    purpose="Each region's resources are recorded and checked against managed rules.",
    scope=Scope.EVERY_REGION,
    settings=Config,
    protects=(
        Protected("aws_config_configuration_recorder"),
        Protected("aws_config_configuration_recorder_status"),
        Protected("aws_config_delivery_channel"),
        Protected("aws_config_config_rule"),
        Protected("aws_iam_service_linked_role"),
        *log_bucket.PROTECTED,
    ),
    derived=("is_home_region", "bucket_name", "role_arn", "s3_kms_key_arn"),
    bills="each recorded item and each evaluation of a rule, in every region, and storage in S3",
    profiles={
        "standard": {"recording_frequency": "CONTINUOUS"},
        "strict": {"recording_frequency": "CONTINUOUS", "aggregator": {"enabled": True}},
    },
    needs=(
        Need("config:PutConfigurationRecorder"),
        Need("config:StartConfigurationRecorder"),
        Need("config:PutDeliveryChannel"),
        Need("config:PutConfigRule", "arn:{partition}:config:{region}:{account}:config-rule/baseline"),
        Need("config:DescribeConfigurationRecorders"),
    ),
)
