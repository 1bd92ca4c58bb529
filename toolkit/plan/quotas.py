"""Judges what a plan adds against the quotas of the account: AWS refuses what exceeds one, after part is applied.

In: what is used and allowed of each quota that a plan adds to, as `toolkit.plan.usage` finds it. Out: findings. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from toolkit.findings import Finding, Rule, Severity, register
from toolkit.plan.model import Change

EXCEEDS_QUOTA = register(
    Rule(
        "exceeds-quota",
        "The plan adds more than a quota of the account allows, and the apply would fail after part of it is done.",
        Severity.CRITICAL,
        refused="a group gets an eleventh managed policy, and the quota of managed policies per group is 10",
        instead="detach a policy that is not needed, or request a higher quota",
    )
)


@dataclass(frozen=True)
class Usage:
    """One quota, as it is before the plan."""

    of: str
    """What it limits, for people ("managed policies on the group 'developers'")."""
    adds: int
    """How many more there are after the plan than before."""
    change: Change
    """The first change that adds to it."""
    used: int | None
    """How many there are now; None: not known."""
    limit: int | None
    """How many AWS allows; None: not known."""
    why: str = ""
    """Why `used` or `limit` is not known, or where the limit comes from."""
    otherwise: str | None = "request a higher quota (Service Quotas)"
    """What helps other than using less; None: nothing does, AWS raises it for nobody."""


def judge_quotas(usages: Iterable[Usage]) -> Iterator[Finding]:
    """A finding for each quota that the plan exceeds, and a note for each of which that is not known."""
    for usage in usages:
        if usage.adds <= 0:
            continue
        known = usage.used is not None and usage.limit is not None
        if usage.used is not None and usage.limit is not None and usage.used + usage.adds <= usage.limit:
            continue
        if known:
            summary = f"The plan exceeds the quota of {usage.of}: the apply would fail after part of it is done."
            otherwise = f", or {usage.otherwise}" if usage.otherwise else " (AWS does not raise this quota)"
            remedy = f"delete or detach some that are not needed{otherwise}; then plan again"
        else:
            summary = f"Whether the quota of {usage.of} is enough is not known."
            remedy = "look it up before you apply: in Service Quotas, or in IAM's account summary"
        yield Finding(
            rule=EXCEEDS_QUOTA,
            severity=Severity.CRITICAL if known else Severity.NOTE,
            resource=usage.change.resource,
            attribute=None,
            summary=summary,
            evidence=f"{_count(usage.used)} of {_count(usage.limit)} used, the plan adds {usage.adds}"
            + (f"; {usage.why}" if usage.why else ""),
            remedy=remedy,
            consent=None,
            component=usage.change.component,
        )


def _count(value: int | None) -> str:
    return "an unknown number" if value is None else str(value)
