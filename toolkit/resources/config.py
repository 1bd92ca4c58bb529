"""AWS Config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.addresses import value_at
from toolkit.resources.base import (
    IDENTITY,
    NAMES,
    PLACE,
    ResourceType,
    Strength,
    Stronger,
    each,
    iam_actions,
)
from toolkit.resources.price import Free, Price, Step, created, either, grows, more
from toolkit.resources.quota import Regional, listed
from toolkit.resources.reading import Account, Live, OnCreate, Reading

_INTERVALS = ("TwentyFour_Hours", "Twelve_Hours", "Six_Hours", "Three_Hours", "One_Hour")

_PARAMETERS = (
    ("maxAccessKeyAge", Stronger.LOWER),
    ("maxCredentialUsageAge", Stronger.LOWER),
    ("MaxPasswordAge", Stronger.LOWER),
    ("MinimumPasswordLength", Stronger.HIGHER),
    ("PasswordReusePrevention", Stronger.HIGHER),
    ("RequireLowercaseCharacters", Stronger.TRUE),
    ("RequireNumbers", Stronger.TRUE),
    ("RequireSymbols", Stronger.TRUE),
    ("RequireUppercaseCharacters", Stronger.TRUE),
)
"""Parameters of managed rules whose stronger side is known (AWS Config Developer Guide, list of managed rules)."""

_DEBUG = "writes a log for the rule's developers: its findings stay the same"


def _recorders(account: Account, region: str) -> Iterator[Live]:
    """A region has at most one (AWS Config Developer Guide); of another name it still is in the way."""
    answer = account.call("config", "describe_configuration_recorders", region) or {}
    for recorder in answer["ConfigurationRecorders"]:
        group, mode = recorder.get("recordingGroup", {}), recorder.get("recordingMode", {})
        values = {
            "name": recorder["name"],
            "role_arn": recorder.get("roleARN"),
            "recording_group": [
                {
                    "all_supported": group.get("allSupported", False),
                    "include_global_resource_types": group.get("includeGlobalResourceTypes", False),
                    "resource_types": sorted(group.get("resourceTypes", ())),
                    "exclusion_by_resource_types": [
                        {"resource_types": sorted(group.get("exclusionByResourceTypes", {}).get("resourceTypes", ()))}
                    ],
                    "recording_strategy": [{"use_only": _strategy(group)}],
                }
            ],
            "recording_mode": [
                {
                    "recording_frequency": mode.get("recordingFrequency", "CONTINUOUS"),
                    "recording_mode_override": [
                        {"recording_frequency": o["recordingFrequency"], "resource_types": sorted(o["resourceTypes"])}
                        for o in mode.get("recordingModeOverrides", ())
                    ],
                }
            ],
        }
        called = f"the configuration recorder {recorder['name']!r}"
        # A service that has a recorder of its own is named in it (API Reference, ConfigurationRecorder).
        by, arn = recorder.get("servicePrincipal"), recorder.get("arn")
        yield Live({"name": recorder["name"]}, values, called, recorder["name"], arn=arn, managed_by=by)


def _strategy(group: Mapping[str, Any]) -> str:
    """A recorder's strategy; one from before there were strategies has all types or a list (API RecordingGroup)."""
    named: str | None = group.get("recordingStrategy", {}).get("useOnly")
    return named or ("ALL_SUPPORTED_RESOURCE_TYPES" if group.get("allSupported") else "INCLUSION_BY_RESOURCE_TYPES")


_OFTEN: Any = {"order": ("DAILY", "CONTINUOUS"), "unset": "CONTINUOUS"}
"""How often a type is recorded; unless one says otherwise, continuously (AWS Config Developer Guide, "Recording AWS
Resources with AWS Config")."""

_DEFAULT_NAME = {"name": "default"}
"""AWS Config's own name (API Reference, ConfigurationRecorder and DeliveryChannel), and the provider's."""


def _recorder_statuses(account: Account, region: str) -> Iterator[Live]:
    answer = account.call("config", "describe_configuration_recorder_status", region) or {}
    for status in answer["ConfigurationRecordersStatus"]:
        name = status["name"]
        values = {"name": name, "is_enabled": status["recording"]}
        yield Live({"name": name}, values, f"the state of the recorder {name!r}", name)


def _delivery_channels(account: Account, region: str) -> Iterator[Live]:
    answer = account.call("config", "describe_delivery_channels", region) or {}
    for channel in answer["DeliveryChannels"]:
        frequency = channel.get("configSnapshotDeliveryProperties", {}).get("deliveryFrequency")
        values = {
            "name": channel["name"],
            "s3_bucket_name": channel["s3BucketName"],
            "s3_kms_key_arn": channel.get("s3KmsKeyArn"),
            "sns_topic_arn": channel.get("snsTopicARN"),
            "snapshot_delivery_properties": [{"delivery_frequency": frequency}],
        }
        yield Live({"name": channel["name"]}, values, f"the delivery channel {channel['name']!r}", channel["name"])


def _rules(account: Account, region: str) -> Iterator[Live]:
    for rule in account.pages("config", "describe_config_rules", "ConfigRules", region):
        name, scope, source = rule["ConfigRuleName"], rule.get("Scope", {}), rule["Source"]
        values: dict[str, Any] = {
            "input_parameters": rule.get("InputParameters") or None,
            "maximum_execution_frequency": rule.get("MaximumExecutionFrequency"),
            "source": [{"owner": source["Owner"], "source_identifier": source.get("SourceIdentifier")}],
        }
        # No scope is the widest.
        limits = {
            "compliance_resource_types": sorted(scope.get("ComplianceResourceTypes", ())),
            "compliance_resource_id": scope.get("ComplianceResourceId"),
            "tag_key": scope.get("TagKey"),
            "tag_value": scope.get("TagValue"),
        }
        values["scope"] = [limits] if any(limits.values()) else []
        # The service that made it, where a service did (API Reference, ConfigRule).
        by, arn = rule.get("CreatedBy"), rule.get("ConfigRuleArn")
        yield Live({"name": name}, values, f"the Config rule {name!r}", name, arn=arn, managed_by=by)


def _aggregators(account: Account, region: str) -> Iterator[Live]:
    found = account.pages("config", "describe_configuration_aggregators", "ConfigurationAggregators", region)
    for aggregator in found:
        name = aggregator["ConfigurationAggregatorName"]
        sources = [
            {
                "account_ids": source["AccountIds"],
                "all_regions": source.get("AllAwsRegions", False),
                "regions": source.get("AwsRegions"),
            }
            for source in aggregator.get("AccountAggregationSources", ())
        ]
        values: dict[str, Any] = {"account_aggregation_source": sources}
        if organization := aggregator.get("OrganizationAggregationSource"):
            values["organization_aggregation_source"] = [{"all_regions": organization.get("AllAwsRegions", False)}]
        arn = aggregator.get("ConfigurationAggregatorArn")
        yield Live({"name": name}, values, f"the configuration aggregator {name!r}", name, arn=arn)


def _actions(*names: str) -> tuple[str, ...]:
    return tuple(f"config:{name}" for name in names)


def _records_more(step: Step) -> bool:
    """Whether a recorder that is there records types that it did not record before."""
    if not step.changed:
        return False
    before, after = (value_at(side, "recording_group[0]") for side in (step.before, step.after))
    excluded, iam = "exclusion_by_resource_types[0].resource_types", "include_global_resource_types"
    if value_at(before, "all_supported") is True:
        # IAM's types are beside all others: the one region that records them may be another one.
        return value_at(after, iam) is True and value_at(before, iam) is not True
    if value_at(before, excluded):
        # All but some: more when one of those is no longer left out, or when all are recorded.
        return value_at(after, "all_supported") is True or bool(
            value_at(after, excluded) and more(value_at(after, excluded), value_at(before, excluded))
        )
    return bool(
        value_at(after, "all_supported") is True
        or value_at(after, excluded)
        or more(value_at(before, "resource_types"), value_at(after, "resource_types"))
    )


_PRICES = "https://aws.amazon.com/config/pricing/"


TYPES = (
    ResourceType(
        "aws_config_configuration_recorder",
        price=Price(
            "Config recorder",
            "0.003 per configuration item recorded continuously, 0.012 per item recorded daily",
            _PRICES,
            "2026-11-28",
            driver="number of changes to resources in the region",
            starts=either(created, _records_more),
        ),
        key=("name",),
        reading=Reading(
            _recorders,
            OnCreate.OVERWRITES,
            sole=True,
            assumed=_DEFAULT_NAME,
            actions=_actions("DescribeConfigurationRecorders"),
        ),
        strengths=(
            Strength("role_arn", Stronger.PRESENT),
            *each(
                Stronger.TRUE,
                "recording_group[0].all_supported",
                "recording_group[0].include_global_resource_types",
            ),
            # No list: all types, where `all_supported` says so; that is judged above.
            Strength("recording_group[0].resource_types", Stronger.SUPERSET, unset_is_strongest=True),
            Strength(
                "recording_group[0].exclusion_by_resource_types[0].resource_types",
                Stronger.SUBSET,
                unset_is_strongest=True,
            ),
            Strength(
                "recording_group[0].recording_strategy[0].use_only",
                Stronger.ORDER,
                order=("INCLUSION_BY_RESOURCE_TYPES", "EXCLUSION_BY_RESOURCE_TYPES", "ALL_SUPPORTED_RESOURCE_TYPES"),
            ),
            Strength("recording_mode[0].recording_frequency", Stronger.ORDER, **_OFTEN),
            Strength("recording_mode[0].recording_mode_override", Stronger.RECORDED, **_OFTEN),
        ),
        no_weaker_side={IDENTITY: "name"},
        single=("recording_group.exclusion_by_resource_types", "recording_group.recording_strategy"),
    ),
    ResourceType(
        "aws_config_configuration_recorder_status",
        price=Price(
            "Config recorder that is started again",
            "0.003 per configuration item recorded continuously, 0.012 per item recorded daily",
            _PRICES,
            "2026-11-28",
            driver="number of changes to resources in the region",
            # A new recorder is counted as such; this is one that was there, and off.
            starts=grows("is_enabled"),
        ),
        key=("name",),
        reading=Reading(
            _recorder_statuses, OnCreate.OVERWRITES, quiet=True, actions=_actions("DescribeConfigurationRecorderStatus")
        ),
        strengths=(Strength("is_enabled", Stronger.TRUE),),
        no_weaker_side={IDENTITY: "name"},
    ),
    ResourceType(
        "aws_config_delivery_channel",
        price=Free(
            "says where the recorder delivers; its items bill with the recorder, files with the bucket",
            "https://aws.amazon.com/config/pricing/",
            "2026-11-28",
        ),
        key=("name",),
        reading=Reading(
            _delivery_channels,
            OnCreate.OVERWRITES,
            sole=True,
            assumed=_DEFAULT_NAME,
            actions=_actions("DescribeDeliveryChannels"),
        ),
        strengths=(
            Strength("s3_bucket_name", Stronger.SAME),
            Strength("s3_kms_key_arn", Stronger.KEY),
            Strength("sns_topic_arn", Stronger.PRESENT),
            Strength("snapshot_delivery_properties[0].delivery_frequency", Stronger.ORDER, order=_INTERVALS),
        ),
        no_weaker_side={IDENTITY: "name", PLACE: "s3_key_prefix"},
    ),
    ResourceType(
        "aws_config_config_rule",
        payloads=("input_parameters",),
        price=Price(
            "Config rule",
            "0.001 per evaluation up to 100,000 a month, 0.0008 up to 500,000, 0.0005 beyond",
            _PRICES,
            "2026-11-28",
            driver="number of evaluations: resources in the rule's scope and how often they change",
        ),
        quota=Regional(
            "Config rules in {region}",
            1000,
            "https://docs.aws.amazon.com/config/latest/developerguide/configlimits.html",
            listed("config", "describe_config_rules", "ConfigRules"),
            own_value=("config", "config rules per region"),
        ),
        key=("name",),
        reading=Reading(
            _rules,
            OnCreate.OVERWRITES,
            actions=_actions("DescribeConfigRules"),
            unread={"a create leaves the modes in which a rule runs": "evaluation_mode"},
        ),
        strengths=(
            # A rule that looks for less reports less, whatever its name says.
            *each(Stronger.SAME, "source[0].owner", "source[0].source_identifier"),
            *each(
                Stronger.SAME,
                "source[0].custom_policy_details[0].policy_runtime",
                "source[0].custom_policy_details[0].policy_text",
            ),
            Strength("source[0].source_detail", Stronger.SUPERSET),
            Strength("input_parameters", Stronger.PARAMETERS, members=_PARAMETERS),
            Strength("scope[0].compliance_resource_types", Stronger.SUPERSET, unset_is_strongest=True),
            *each(
                Stronger.SAME,
                "scope[0].compliance_resource_id",
                "scope[0].tag_key",
                "scope[0].tag_value",
                unset_is_strongest=True,
            ),
            Strength("maximum_execution_frequency", Stronger.ORDER, order=_INTERVALS),
            Strength("evaluation_mode", Stronger.SUPERSET, by_aws=True),
        ),
        no_weaker_side={
            IDENTITY: "name",
            NAMES: "description",
            _DEBUG: "source.custom_policy_details.enable_debug_log_delivery",
        },
        sets=("evaluation_mode", "source.source_detail"),
    ),
    ResourceType(
        "aws_config_configuration_aggregator",
        unrecorded=iam_actions("config", "UntagResource"),
        price=Price(
            "Config aggregator",
            "no charge of its own is known; what it collects was billed where it was recorded",
            _PRICES,
            "2026-11-28",
            fixed=0.0,
            unconfirmed="that an aggregator is free",
        ),
        key=("name",),
        reading=Reading(_aggregators, OnCreate.OVERWRITES, actions=_actions("DescribeConfigurationAggregators")),
        strengths=(
            *each(
                Stronger.TRUE,
                "organization_aggregation_source[0].all_regions",
                "account_aggregation_source[0].all_regions",
            ),
            *each(
                Stronger.SUPERSET,
                "organization_aggregation_source[0].regions",
                "account_aggregation_source[0].regions",
                unset_is_strongest=True,
            ),
            Strength("account_aggregation_source[0].account_ids", Stronger.SUPERSET),
            Strength("organization_aggregation_source[0].role_arn", Stronger.PRESENT),
        ),
        no_weaker_side={IDENTITY: "name"},
    ),
)
