"""AWS Key Management Service."""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.resources.base import IDENTITY, NAMES, ResourceType, Strength, Stronger, each
from toolkit.resources.price import Free, Price
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
        price=Free(
            "AWS's price page bills keys, their rotations and requests, not names of keys",
            "https://aws.amazon.com/kms/pricing/",
            "2026-11-28",
        ),
        key=("name",),
        reading=Reading(_aliases, OnCreate.COLLIDES, actions=("kms:ListAliases",)),
        strengths=(Strength("target_key_id", Stronger.KEY),),
        no_weaker_side={IDENTITY: "name name_prefix"},
    ),
    ResourceType(
        "aws_kms_key",
        named_by=(),
        price=Price(
            "KMS key",
            (
                "1.00 per customer-managed key and month, plus 1.00 for each of its first two rotations; "
                "requests at 0.03 per 10,000"
            ),
            "https://aws.amazon.com/kms/pricing/",
            "2026-11-28",
            fixed=1.0,
            driver="requests to the key",
        ),
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
