"""What a plan starts to bill: an estimate with its price basis, or an honest "unknown" with what it depends on.

In: a Plan. Out: CostLines. The prices are a dated table beside this file (prices.json). Nothing that bills is ever
shown as zero because its usage is unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from toolkit.plan.model import Action, Change, Plan


@dataclass(frozen=True)
class CostLine:
    """One kind of thing that the plan starts or stops to bill."""

    what: str
    count: int
    """How many of it start to bill."""
    monthly_usd: float | None
    """Fixed part per month for all of them, in US dollars; None where all depends on usage."""
    basis: str
    driver: str | None
    """What the part that depends on usage depends on; None where the fixed part is all."""


@dataclass(frozen=True)
class Estimate:
    """Everything a plan starts to bill."""

    lines: tuple[CostLine, ...]
    as_of: str
    """Date of the price table."""

    @property
    def fixed_usd(self) -> float:
        """Sum of the fixed parts, US dollars per month; what depends on usage comes on top."""
        return sum(line.monthly_usd or 0 for line in self.lines)


def estimate(plan: Plan) -> Estimate:
    """What the plan's creates and switched-on features start to bill."""
    table = _table()
    counts: dict[str, int] = {}
    for change in _starting(plan):
        counts[change.type] = counts.get(change.type, 0) + 1
    lines = tuple(
        CostLine(
            what=item["what"],
            count=counts[resource],
            monthly_usd=None if item["fixed"] is None else item["fixed"] * counts[resource],
            basis=item["basis"],
            driver=item["driver"],
        )
        for resource, item in table["items"].items()
        if resource in counts
    )
    return Estimate(lines, table["as_of"])


_FOR_MEMBERS = {
    "aws_guardduty_organization_configuration": "auto_enable_organization_members",
    "aws_guardduty_organization_configuration_feature": "auto_enable",
}
"""Types that switch something on in an organization's accounts → the attribute that says in which."""

_GROWS = {
    "aws_cloudtrail": ("advanced_event_selector", "insight_selector"),
    "aws_guardduty_detector": ("enable",),
    "aws_inspector2_enabler": ("resource_types",),
    "aws_macie2_account": ("status",),
}
"""Types that are billed by what is switched on in them → the attributes that say so."""


def _starting(plan: Plan) -> Iterator[Change]:
    for change in plan.changes:
        if change.type == "aws_guardduty_detector_feature":
            # A feature's resource exists for every plan; it bills when it is on.
            if change.after.get("status") == "ENABLED" and change.before.get("status") != "ENABLED":
                yield change
        elif change.type in _FOR_MEMBERS:
            # What is switched on in other accounts bills there.
            attribute = _FOR_MEMBERS[change.type]
            if change.after.get(attribute) in ("NEW", "ALL") and change.before.get(attribute) not in ("NEW", "ALL"):
                yield change
        elif change.type == "aws_accessanalyzer_analyzer" and "UNUSED_ACCESS" not in str(change.after.get("type")):
            # Analyzers of external access are free.
            continue
        elif change.type == "aws_cloudwatch_event_target" and ":event-bus/" not in str(change.after.get("arn")):
            # Handing AWS services' events to anything but another event bus is free.
            continue
        elif change.type in _GROWS and change.action in (Action.UPDATE, Action.REPLACE):
            # What was there bills already; what is switched on in it starts to.
            if any(_more(change.before.get(a), change.after.get(a)) for a in _GROWS[change.type]):
                yield change
        elif change.action is Action.CREATE and not change.imported:
            yield change


def _more(before: Any, after: Any) -> bool:
    """Whether an attribute gets something that it did not have: an entry, or the state of being on."""
    if isinstance(after, list):
        return any(entry not in (before or ()) for entry in after)
    return after in (True, "ENABLED") and after != before


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads((Path(__file__).parent / "prices.json").read_text("utf-8"))
    return table
