"""AWS Key Management Service."""

from __future__ import annotations

from toolkit.resources.base import IDENTITY, NAMES, ResourceType, Strength, Stronger, each

TYPES = (
    ResourceType(
        "aws_kms_alias",
        strengths=(Strength("target_key_id", Stronger.KEY),),
        no_weaker_side={IDENTITY: "name name_prefix"},
    ),
    ResourceType(
        "aws_kms_key",
        unread="a new key has a new id",
        strengths=(
            *each(Stronger.TRUE, "enable_key_rotation", "is_enabled"),
            Strength("rotation_period_in_days", Stronger.LOWER),
            Strength("deletion_window_in_days", Stronger.HIGHER),
            Strength("policy", Stronger.POLICY),
            # Without the check, a policy may leave nobody who can change it.
            Strength("bypass_policy_lockout_safety_check", Stronger.FALSE),
        ),
        no_weaker_side={
            IDENTITY: "custom_key_store_id customer_master_key_spec key_usage multi_region xks_key_id",
            NAMES: "description",
        },
    ),
)
