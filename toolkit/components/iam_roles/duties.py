"""Separation of duties: who may assume both of two roles, at once or by way of others.

The number of the environment's own account is not known here: `anna` among a role's users and her ARN among another's
principals are told to be one by modules/iam_roles, when Terraform plans.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

Roles: TypeAlias = Mapping[str, tuple[Iterable[str], Iterable[str]]]
"""Role → (names of users of this account, ARNs of accounts, users and roles) that may assume it."""


def share(roles: Roles, first: str, second: str) -> list[str]:
    """Whoever may assume both roles: `user NAME`, an ARN, or `role NAME` of this component; sorted."""
    one, other = _entitled(roles, first), _entitled(roles, second)
    # Whoever has the one role could go on to the other.
    found = (one & other) | ({f"role {first}"} & other) | ({f"role {second}"} & one)
    for these, those in ((one, other), (other, one)):
        # An account stands for everybody in it.
        accounts = {arn.split(":")[4] for arn in these if arn.endswith(":root")}
        found |= {arn for arn in those if arn.startswith("arn:") and arn.split(":")[4] in accounts}
    return sorted(found)


def _entitled(roles: Roles, name: str) -> set[str]:
    """Principals that get to a role, through roles of this component, too: those stand there as `role NAME`."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        users, principals = roles[waiting.pop()]
        found |= {f"user {user}" for user in users} | set(principals)
        for arn in principals:
            via = arn.rsplit("/", 1)[-1] if ":role/" in arn else ""
            if via in roles and f"role {via}" not in found:
                found.add(f"role {via}")
                waiting.append(via)
    return found
