"""AWS Config."""

from __future__ import annotations

from toolkit.resources.base import IDENTITY, NAMES, PLACE, ResourceType, Strength, Stronger, each

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

_DEBUG = "writes a log for whoever develops the rule: what it finds stays the same"

TYPES = (
    ResourceType(
        "aws_config_configuration_recorder",
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
            Strength("recording_mode[0].recording_frequency", Stronger.ORDER, order=("DAILY", "CONTINUOUS")),
            Strength("recording_mode[0].recording_mode_override", Stronger.RECORDED, order=("DAILY", "CONTINUOUS")),
        ),
        no_weaker_side={IDENTITY: "name"},
        single=("recording_group.exclusion_by_resource_types", "recording_group.recording_strategy"),
    ),
    ResourceType(
        "aws_config_configuration_recorder_status",
        strengths=(Strength("is_enabled", Stronger.TRUE),),
        no_weaker_side={IDENTITY: "name"},
    ),
    ResourceType(
        "aws_config_delivery_channel",
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
    ),
    ResourceType(
        "aws_config_configuration_aggregator",
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
