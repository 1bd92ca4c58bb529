"""A recorder of resource configuration in every region, and managed rules that judge what it records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from toolkit.aws_lists import aws_list
from toolkit.components.base import LOG_BUCKET, Component, Ending, Every, Place, Protected, Scope, Seen
from toolkit.components.password_policy import PasswordPolicy
from toolkit.policies import Need
from toolkit.regions import ARN
from toolkit.settings.base import Settings
from toolkit.settings.listed import listed
from toolkit.settings.s3 import BucketName, LogBucket
from toolkit.settings.values import checked

_RULE_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_IDENTIFIER = re.compile(r"[A-Z][A-Z0-9_]{1,255}")
_RESOURCE_TYPE = re.compile(r"AWS::[A-Za-z0-9]+::[A-Za-z0-9:]+")
_KEY_ARN = re.compile(ARN + r":kms:[a-z0-9-]+:[0-9]{12}:key/.+")
_AGGREGATOR_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")

Interval = Literal["One_Hour", "Three_Hours", "Six_Hours", "Twelve_Hours", "TwentyFour_Hours"]
Frequency = Literal["CONTINUOUS", "DAILY"]

_rule_name = checked(_RULE_NAME, "a rule name of 1 to 128 letters, digits, underscores and hyphens")


def _identifier(value: str, info: ValidationInfo) -> str:
    if not _IDENTIFIER.fullmatch(value):
        raise ValueError(
            "expected the identifier of an AWS managed rule: uppercase letters, digits and underscores, such as "
            "IAM_PASSWORD_POLICY"
        )
    return listed(value, aws_list("config_rules"), info)


def _resource_type(value: str, info: ValidationInfo) -> str:
    if not _RESOURCE_TYPE.fullmatch(value):
        raise ValueError("expected a resource type such as AWS::EC2::Instance")
    return listed(value, aws_list("config_resource_types"), info)


_key_arn = checked(_KEY_ARN, "the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID)")
_aggregator_name = checked(_AGGREGATOR_NAME, "1 to 256 letters, digits, underscores and hyphens")

ResourceTypes = Annotated[tuple[Annotated[str, AfterValidator(_resource_type)], ...], Field(strict=False)]
RuleName = Annotated[str, _rule_name]


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
        False,
        description="Whether only the home region (iam_region, where it is given) evaluates the rule: set for rules "
        "about IAM and the account.",
    )

    @field_validator("input_parameters")
    @classmethod
    def _of_the_rule(cls, given: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        rules = aws_list("config_rules")
        identifier = info.data.get("identifier")
        if identifier in rules:
            known = replace(rules, title=f"the parameters of {identifier}", items=tuple(rules.items[identifier]))
            for name in given:
                listed(name, known, info)
        return given


def _password_parameters(policy: PasswordPolicy) -> dict[str, str]:
    """The parameters of IAM_PASSWORD_POLICY that check what a policy sets; AWS does not check what is left out.

    https://docs.aws.amazon.com/config/latest/developerguide/iam-password-policy.html. "Default values are not supplied
    for the API": https://docs.aws.amazon.com/config/latest/developerguide/managing-rules-by-region-availability.html
    """
    asked = {
        "MaxPasswordAge": policy.max_password_age,
        "MinimumPasswordLength": policy.minimum_password_length,
        "PasswordReusePrevention": policy.password_reuse_prevention,
        "RequireLowercaseCharacters": policy.require_lowercase_characters,
        "RequireNumbers": policy.require_numbers,
        "RequireSymbols": policy.require_symbols,
        "RequireUppercaseCharacters": policy.require_uppercase_characters,
    }
    return {name: str(value).lower() for name, value in asked.items() if value is not None}


def _default_rules() -> dict[str, Rule]:
    return {
        "access-keys-rotated": Rule(
            identifier="ACCESS_KEYS_ROTATED", input_parameters={"maxAccessKeyAge": "90"}, home_region_only=True
        ),
        "iam-password-policy": Rule(
            identifier="IAM_PASSWORD_POLICY",
            input_parameters=_password_parameters(PasswordPolicy()),
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

    kms_key_arn: Annotated[str, _key_arn] | None = Field(
        None, description="ARN of a KMS key of the home region that encrypts them; null: S3's own keys."
    )
    access_log_bucket: BucketName | None = Field(
        None, description="Name of a bucket that receives the bucket's access logs; null writes none."
    )


class Aggregator(Settings):
    """The view of all regions in the home region."""

    enabled: bool = Field(False, description="Whether to make the aggregator.")
    name: Annotated[str, _aggregator_name] = Field("baseline", description="Name of the aggregator.")


class Config(Settings):
    """Settings of `config`; bounds are those of the Config API."""

    recorder_name: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        "default", description="Name of each region's recorder; another name replaces an existing recorder."
    )
    delivery_channel_name: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        "default", description="Name of each region's delivery channel; another name replaces an existing channel."
    )
    iam_region: str | None = Field(
        None,
        description="Active region that records IAM's resource types and evaluates the rules about IAM and the "
        "account; null: the home region. Needed where AWS Config does not record IAM's types in the home region.",
    )
    recording_frequency: Frequency = Field(
        "CONTINUOUS", description="CONTINUOUS records every change, DAILY the resources that changed, once a day."
    )
    recording_override: RecordingOverride | None = Field(
        None, description="Resource types that are recorded at another frequency; null: no exception."
    )
    snapshot_delivery_frequency: Interval = Field(
        "TwentyFour_Hours", description="How often Config writes a snapshot of all resources to the bucket."
    )
    rules: dict[RuleName, Rule] = Field(
        default_factory=_default_rules,
        description="AWS managed rules by name; setting it replaces the whole default list, in which "
        "iam-password-policy checks what password_policy sets.",
    )
    additional_rules: dict[RuleName, Rule] = Field(
        {}, description="AWS managed rules by name, evaluated in addition to those of rules."
    )
    bucket: DeliveryBucket = Field(DeliveryBucket(), description="The bucket that receives snapshots and history.")
    create_service_linked_role: bool = Field(
        True,
        description="Whether to create the role AWSServiceRoleForConfig; false where the account already has it, "
        "because creating it again fails.",
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


def _compose(settings: Config, place: Place) -> Mapping[str, Any]:
    rules = {name: rule.model_dump() for name, rule in settings.rules.items()}
    policy = place.settings.get("password_policy")
    if _follows(settings) and isinstance(policy, PasswordPolicy):
        rules["iam-password-policy"]["input_parameters"] = _password_parameters(policy)
    return {"rules": rules}


def _follows(settings: Config) -> Mapping[str, str]:
    # Rules that the file gives are taken as they are.
    given = "rules" in settings.model_fields_set
    return {} if given else {"rules.iam-password-policy.input_parameters": "password_policy"}


_NO_IAM_TYPES = tuple(aws_list("config_regions_without_iam").items)
"""Regions in which AWS Config does not record IAM's users, groups, roles and policies: those since February 2022.

They are those for which iam-group-has-users-check, a rule about a recorded group, is not offered; the reason:
https://docs.aws.amazon.com/config/latest/developerguide/select-resources.html#select-resources-all
"""


def _read_back(_: Config, place: Place, every: Every) -> Iterator[Seen]:
    for region in place.active:
        recorder = next(iter(every("aws_config_configuration_recorder", region)), None)  # a region has at most one
        if recorder is None:
            yield Seen(region, "no recorder", False)
            continue
        statuses = every("aws_config_configuration_recorder_status", region)
        recording = any(status.values["is_enabled"] for status in statuses)
        global_types = recorder.values["recording_group"][0]["include_global_resource_types"]
        rules = len(every("aws_config_config_rule", region))
        state = "recording" if recording else "NOT RECORDING"
        types = "with global types" if global_types else "without global types"
        good = recording and global_types == (region == place.home_region) and rules > 0
        yield Seen(region, f"{recorder.key['name']}: {state} {types}, {rules} rules", good)


COMPONENT = Component(
    name="config",
    title="Config",
    purpose="Records each region's resources and checks them with AWS managed rules.",
    scope=Scope.EVERY_REGION,
    settings=Config,
    read_back=_read_back,
    protects=(
        Protected("aws_config_configuration_recorder"),
        Protected("aws_config_configuration_recorder_status"),
        Protected("aws_config_delivery_channel"),
        Protected("aws_config_config_rule"),
        Protected("aws_iam_service_linked_role"),
        *LOG_BUCKET,
    ),
    regions_in=("iam_region",),
    unable_in=(("iam_region", "AWS Config does not record IAM's resource types", _NO_IAM_TYPES),),
    composed=("iam_region",),
    compose=_compose,
    follows=_follows,
    derived=("is_home_region", "taken_over", "bucket_name", "role_arn", "s3_kms_key_arn"),
    bills="each recorded item and each evaluation of a rule, in every region, and storage in S3",
    ending=Ending(("config:StopConfigurationRecorder",)),
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
