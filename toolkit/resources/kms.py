"""AWS Key Management Service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.resources.base import (
    IDENTITY,
    NAMES,
    ResourceType,
    Strength,
    Stronger,
    each,
    iam_actions,
)
from toolkit.resources.price import Free, Price
from toolkit.resources.reading import Account, Live, OnCreate, Reading, Unreadable, UnreadableError

_AWS_OWN = "alias/aws/"
"""How the aliases of AWS managed keys begin: https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"""


def _every_alias(account: Account, region: str) -> tuple[Any, ...]:
    return account.pages("kms", "list_aliases", "Aliases", region)


def _aliases(account: Account, region: str) -> Iterator[Live]:
    for alias in _every_alias(account, region):
        name = alias["AliasName"]
        values = {"name": name, "target_key_id": alias.get("TargetKeyId")}
        called, own = f"the key alias {name!r} in {region}", name.startswith(_AWS_OWN)
        yield Live({"name": name}, values, called, name, arn=alias.get("AliasArn"), by_default=own)


def own_key_ids(account: Account, region: str) -> tuple[str, ...]:
    """Ids of a region's keys but AWS's, which their aliases tell from the others without a call for each."""
    managed = {one.get("TargetKeyId") for one in _every_alias(account, region) if one["AliasName"].startswith(_AWS_OWN)}
    listed = account.pages("kms", "list_keys", "Keys", region, Limit=1000)
    return tuple(one["KeyId"] for one in listed if one["KeyId"] not in managed)


def _keys(account: Account, region: str) -> Iterator[Live | Unreadable]:
    """Keys of the account's own.

    A key's policy may let in nobody who scans, whatever IAM allows: that key is unreadable then, and the others are
    not. https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
    """

    def read(key: str) -> Live | Unreadable | None:
        try:
            return _key(account, region, key)
        except UnreadableError as e:
            return e.of("aws_kms_key")

    found = account.side_by_side(read, own_key_ids(account, region))
    yield from dict.fromkeys(one for one in found if isinstance(one, Unreadable))
    yield from (one for one in found if isinstance(one, Live))


def _key(account: Account, region: str, key: str) -> Live | None:
    """None for a key of AWS's, and for one that waits for its deletion: Terraform takes that for deleted."""
    answer = account.call("kms", "describe_key", region, absent=("NotFoundException",), KeyId=key)
    if answer is None:
        return None
    found = answer["KeyMetadata"]
    state = found["KeyState"]
    if found["KeyManager"] != "CUSTOMER" or state in ("PendingDeletion", "PendingReplicaDeletion"):
        return None
    values = {"description": found.get("Description", ""), "is_enabled": found["Enabled"]}
    if state in ("Enabled", "Disabled"):
        # Keys of some kinds never rotate (KMS API Reference, GetKeyRotationStatus).
        absent = ("UnsupportedOperationException",)
        rotation = account.call("kms", "get_key_rotation_status", region, absent=absent, KeyId=key) or {}
        values |= {
            "enable_key_rotation": rotation.get("KeyRotationEnabled", False),
            "rotation_period_in_days": rotation.get("RotationPeriodInDays"),
        }
    policy = account.call("kms", "get_key_policy", region, KeyId=key, PolicyName="default") or {}
    values |= {"policy": policy["Policy"]}
    return Live({"key_id": key}, values, f"the key {key} in {region}", key, arn=found["Arn"])


def _find_key(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    return _key(account, region, planned["key_id"])


TYPES = (
    ResourceType(
        "aws_kms_alias",
        unrecorded=iam_actions("kms", "UpdateAlias"),
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
        unrecorded=iam_actions("kms", "DisableKey DisableKeyRotation EnableKey PutKeyPolicy UpdateKeyDescription"),
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
        key=("key_id",),
        reading=Reading(
            _keys,
            OnCreate.HARMLESS,
            finds=_find_key,
            actions=tuple(
                f"kms:{name}"
                for name in ("ListAliases", "ListKeys", "DescribeKey", "GetKeyRotationStatus", "GetKeyPolicy")
            ),
            unread={
                "parameters of Terraform's own calls": "deletion_window_in_days bypass_policy_lockout_safety_check"
            },
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
