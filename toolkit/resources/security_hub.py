"""AWS Security Hub."""

from __future__ import annotations

from toolkit.resources.base import IDENTITY, NAMES, OFF_ON, ResourceType, Strength, Stronger

_GROUPING = "whether a control has one finding for all standards or one in each: what is found stays the same"
_ONCE = "decides once, when Security Hub is switched on, which standards it starts with"
_CONTROLS = "configuration_policy[0].security_controls_configuration[0]"
_LINKING = ("NO_REGIONS", "SPECIFIED_REGIONS", "ALL_REGIONS_EXCEPT_SPECIFIED", "ALL_REGIONS")

TYPES = (
    ResourceType(
        "aws_securityhub_account",
        strengths=(Strength("auto_enable_controls", Stronger.TRUE),),
        no_weaker_side={_GROUPING: "control_finding_generator", _ONCE: "enable_default_standards"},
    ),
    ResourceType(
        "aws_securityhub_configuration_policy",
        strengths=(
            Strength("configuration_policy[0].service_enabled", Stronger.TRUE),
            Strength("configuration_policy[0].enabled_standard_arns", Stronger.SUPERSET),
            # All controls but these, or, where the other list is given, only those.
            Strength(f"{_CONTROLS}.disabled_control_identifiers", Stronger.SUBSET, unset_is_strongest=True),
            Strength(f"{_CONTROLS}.enabled_control_identifiers", Stronger.SUPERSET, unset_is_strongest=True),
            # Parameters of controls have no common direction.
            Strength(f"{_CONTROLS}.security_control_custom_parameter", Stronger.SAME, unset_is_strongest=True),
        ),
        no_weaker_side={NAMES: "name description"},
    ),
    ResourceType(
        "aws_securityhub_configuration_policy_association",
        # Another policy may switch off what this one switches on.
        strengths=(Strength("policy_id", Stronger.SAME),),
        no_weaker_side={IDENTITY: "target_id"},
    ),
    ResourceType(
        "aws_securityhub_finding_aggregator",
        strengths=(
            Strength("linking_mode", Stronger.ORDER, order=_LINKING),
            # The regions that are linked, or those that are not.
            Strength("specified_regions", Stronger.SUPERSET, only=("linking_mode", ("SPECIFIED_REGIONS",))),
            Strength(
                "specified_regions",
                Stronger.SUBSET,
                unset_is_strongest=True,
                only=("linking_mode", ("ALL_REGIONS_EXCEPT_SPECIFIED",)),
            ),
        ),
    ),
    ResourceType("aws_securityhub_organization_admin_account", no_weaker_side={IDENTITY: "admin_account_id"}),
    ResourceType(
        "aws_securityhub_organization_configuration",
        strengths=(
            Strength("organization_configuration[0].configuration_type", Stronger.ORDER, order=("LOCAL", "CENTRAL")),
            # With central configuration, configuration policies decide, and Security Hub refuses these.
            Strength(
                "auto_enable",
                Stronger.TRUE,
                only=("organization_configuration[0].configuration_type", ("LOCAL", None)),
            ),
            Strength(
                "auto_enable_standards",
                Stronger.ORDER,
                order=("NONE", "DEFAULT"),
                only=("organization_configuration[0].configuration_type", ("LOCAL", None)),
            ),
        ),
    ),
    ResourceType(
        "aws_securityhub_standards_control_association",
        strengths=(Strength("association_status", Stronger.ORDER, order=OFF_ON),),
        no_weaker_side={IDENTITY: "security_control_id standards_arn", NAMES: "updated_reason"},
    ),
    ResourceType(
        "aws_securityhub_standards_subscription",
        unread="enabling a standard that is enabled leaves its controls as they are",
        no_weaker_side={IDENTITY: "standards_arn"},
    ),
)
