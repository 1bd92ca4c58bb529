"""AWS Key Management Service."""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.resources.base import IDENTITY, NAMES, ResourceType, Strength, Stronger, each
from toolkit.resources.reading import Account, Live, OnCreate, Reading


def _aliases(account: Account, region: str) -> Iterator[Live]:
    for alias in account.pages("kms", "list_aliases", "Aliases", region):
        name = alias["AliasName"]
        values = {"name": name, "target_key_id": alias.get("TargetKeyId")}
        called, own = f"the key alias {name!r} in {region}", name.startswith("alias/aws/")
        yield Live({"name": name}, values, called, name, arn=alias.get("AliasArn"), by_default=own)


TYPES = (
    ResourceType(
        "aws_kms_alias",
        key=("name",),
        reading=Reading(_aliases, OnCreate.COLLIDES, actions=("kms:ListAliases",)),
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
