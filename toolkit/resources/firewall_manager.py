"""AWS Firewall Manager."""

from __future__ import annotations

from toolkit.resources.base import IDENTITY, NAMES, TERRAFORM, ResourceType, Strength, Stronger, each

TYPES = (
    ResourceType("aws_fms_admin_account", no_weaker_side={IDENTITY: "account_id"}),
    ResourceType(
        "aws_fms_policy",
        strengths=(
            Strength("remediation_enabled", Stronger.TRUE),
            # Without a map of its own a policy holds for the whole organization; with one, for those in it.
            Strength("include_map", Stronger.ABSENT),
            *each(Stronger.SUPERSET, "include_map[0].account", "include_map[0].orgunit"),
            *each(Stronger.SUBSET, "exclude_map[0].account", "exclude_map[0].orgunit", unset_is_strongest=True),
            # Tags limit a policy to what has them, or take that out, by the second of the two.
            Strength("resource_tags", Stronger.SAME, unset_is_strongest=True),
            Strength("exclude_resource_tags", Stronger.SAME),
            Strength("resource_type", Stronger.SAME),
            Strength("resource_set_ids", Stronger.SAME, by_aws=True),
            Strength("resource_type_list", Stronger.SUPERSET),
            # Protections are taken from what leaves the policy's scope.
            Strength("delete_unused_fm_managed_resources", Stronger.FALSE),
            *each(
                Stronger.SAME,
                "security_service_policy_data[0].type",
                "security_service_policy_data[0].policy_option",
            ),
            Strength("security_service_policy_data[0].managed_service_data", Stronger.CONTENT),
        ),
        no_weaker_side={NAMES: "name description", TERRAFORM: "delete_all_policy_resources"},
    ),
)
