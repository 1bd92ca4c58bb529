"""Amazon Inspector."""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.resources.base import ResourceType, Stronger, each
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
