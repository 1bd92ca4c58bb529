"""Amazon Inspector."""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.resources.base import (
    ResourceType,
    Stronger,
    each,
)
from toolkit.resources.price import Price, created, either, grows
from toolkit.resources.reading import Account, Live, OnCreate, Reading

_TYPES = {"ec2": "EC2", "ecr": "ECR", "lambda": "LAMBDA", "lambdaCode": "LAMBDA_CODE"}


def _enabled(account: Account, region: str) -> Iterator[Live]:
    ids = [account.account_id]
    answer = account.call("inspector2", "batch_get_account_status", region, accountIds=ids) or {}
    states = answer["accounts"][0]["resourceState"] if answer["accounts"] else {}
    types = [_TYPES[kind] for kind in _TYPES if states.get(kind, {}).get("status") in ("ENABLED", "ENABLING")]
    if types:
        # The provider's create enables what the settings name, and disables whatever else is scanned.
        yield Live({}, {"resource_types": sorted(types)}, f"Inspector in {region}", None)


TYPES = (
    ResourceType(
        "aws_inspector2_enabler",
        price=Price(
            "Inspector",
            (
                "1.2528 per instance with an agent and month (1.7512 without), 0.09 per image and 0.01 "
                "per later scan of it, 0.30 per function and month, 0.60 more with its code; 15 days free"
            ),
            "https://aws.amazon.com/inspector/pricing/",
            "2026-11-28",
            driver="number of instances, images and functions of the region",
            unconfirmed="1.7512 per instance without an agent; 15 days free",
            starts=either(created, grows("resource_types")),
        ),
        reading=Reading(
            _enabled,
            OnCreate.OVERWRITES,
            quiet=True,
            actions=("inspector2:BatchGetAccountStatus",),
            unread={"always this account alone": "account_ids"},
        ),
        strengths=each(Stronger.SUPERSET, "resource_types", "account_ids"),
    ),
)
