"""What a plan starts to bill: an estimate with its price basis, or an honest "unknown" with what it depends on.

In: a Plan. Out: CostLines. The prices are a table beside this file (prices.json): each item names AWS's price page, the
day on which it was compared with it, and what could not be confirmed. Every type that the modules make has an item
there or is listed as free with the reason, so nothing that bills is ever shown as zero, or left out, because its usage
is unknown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from toolkit.addresses import value_at
from toolkit.plan.model import Action, Change, Plan
from toolkit.resources.registry import RESOURCES


@dataclass(frozen=True)
class CostLine:
    """One kind of thing that the plan starts to bill."""

    what: str
    count: int
    """How many of it start to bill."""
    monthly_usd: float | None
    """Fixed part per month for all of them, in US dollars; None where all depends on usage."""
    basis: str
    driver: str | None
    """What the part that depends on usage depends on; None where the fixed part is all."""
    source: str
    """URL of AWS's price page."""
    checked: str
    """Date, as YYYY-MM-DD, on which the figures were compared with it."""
    regions: str | None = None
    """Differences in other regions that are known; None where none is."""
    unconfirmed: str | None = None
    """Which of the figures the comparison could not confirm; None where it confirmed all."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What has to be read with the basis, one sentence each, for every report to show."""
        return tuple(
            f"{label}: {text}"
            for label, text in (
                ("other regions", self.regions),
                ("not confirmed against AWS's price page", self.unconfirmed),
            )
            if text
        )


@dataclass(frozen=True)
class Estimate:
    """Everything a plan starts to bill."""

    lines: tuple[CostLine, ...]
    as_of: str
    """The oldest date, as YYYY-MM-DD, on which an item of the price table was checked."""

    @property
    def fixed_usd(self) -> float:
        """Sum of the fixed parts, US dollars per month; what depends on usage comes on top."""
        return sum(line.monthly_usd or 0 for line in self.lines)

    @property
    def unconfirmed(self) -> tuple[CostLine, ...]:
        """Lines with figures that were not confirmed against AWS's price page."""
        return tuple(line for line in self.lines if line.unconfirmed)


def estimate(plan: Plan) -> Estimate:
    """What the plan's creates and switched-on features start to bill."""
    items = _table()["items"]
    counts: dict[str, int] = {}
    for change in plan.changes:
        if change.type in items and _STARTS.get(change.type, _created)(change):
            counts[change.type] = counts.get(change.type, 0) + 1
    lines = tuple(
        CostLine(
            what=item["what"],
            count=counts[resource],
            monthly_usd=None if item["fixed"] is None else item["fixed"] * counts[resource],
            basis=item["basis"],
            driver=item["driver"],
            source=item["source"],
            checked=item["checked"],
            regions=item["regions"],
            unconfirmed=item["unconfirmed"],
        )
        for resource, item in items.items()
        if resource in counts
    )
    return Estimate(lines, min(item["checked"] for item in items.values()))


_Test = Callable[[Change], bool]


def _created(change: Change) -> bool:
    return change.action is Action.CREATE and not change.imported


def _switched(path: str, *on: object) -> _Test:
    """It bills while the attribute has one of these values, whatever the plan does to get there."""
    return lambda change: value_at(change.after, path) in on and value_at(change.before, path) not in on


def _grows(*paths: str) -> _Test:
    """What was there bills already; what is switched on in it, or added to a list of it, starts to."""
    return lambda change: (
        change.action in (Action.UPDATE, Action.REPLACE)
        and any(_more(*(_entries(change.type, path, side) for side in (change.before, change.after))) for path in paths)
    )


def _either(*tests: _Test) -> _Test:
    return lambda change: any(test(change) for test in tests)


def _created_if(attribute: str, part: str) -> _Test:
    return lambda change: _created(change) and part in str(change.after.get(attribute))


def _records_more(change: Change) -> bool:
    """Whether a recorder that is there records types that it did not record before."""
    if change.action not in (Action.UPDATE, Action.REPLACE):
        return False
    before, after = value_at(change.before, "recording_group[0]"), value_at(change.after, "recording_group[0]")
    excluded, iam = "exclusion_by_resource_types[0].resource_types", "include_global_resource_types"
    if value_at(before, "all_supported") is True:
        # IAM's types are beside all others: the one region that records them may be another one.
        return value_at(after, iam) is True and value_at(before, iam) is not True
    if value_at(before, excluded):
        # All but some: more when one of those is no longer left out, or when all are recorded.
        return value_at(after, "all_supported") is True or bool(
            value_at(after, excluded) and _more(value_at(after, excluded), value_at(before, excluded))
        )
    return bool(
        value_at(after, "all_supported") is True
        or value_at(after, excluded)
        or _more(value_at(before, "resource_types"), value_at(after, "resource_types"))
    )


def _moves(change: Change) -> bool:
    """Whether a lifecycle configuration moves objects to a storage class that it did not move them to before."""

    def blocks(values: Any, name: str) -> list[Mapping[str, Any]]:
        found = values.get(name)
        return [block for block in found if isinstance(block, Mapping)] if isinstance(found, list) else []

    def classes(values: Mapping[str, Any]) -> set[str]:
        return {
            str(move.get("storage_class"))
            for rule in blocks(values, "rule")
            for kind in ("transition", "noncurrent_version_transition")
            for move in blocks(rule, kind)
        }

    return bool(classes(change.after) - classes(change.before))


_STARTS: Mapping[str, _Test] = {
    # Analyzers of external access are free.
    "aws_accessanalyzer_analyzer": _created_if("type", "UNUSED_ACCESS"),
    "aws_cloudtrail": _either(_created, _grows("advanced_event_selector", "insight_selector")),
    # Handing AWS services' events to anything but another event bus is free.
    "aws_cloudwatch_event_target": _created_if("arn", ":event-bus/"),
    "aws_config_configuration_recorder": _either(_created, _records_more),
    # A new recorder is counted as such; this is one that was there, and off.
    "aws_config_configuration_recorder_status": _grows("is_enabled"),
    # What is switched on in other accounts bills there.
    "aws_detective_organization_configuration": _switched("auto_enable", True),
    "aws_guardduty_organization_configuration": _switched("auto_enable_organization_members", "NEW", "ALL"),
    "aws_guardduty_organization_configuration_feature": _switched("auto_enable", "NEW", "ALL"),
    "aws_securityhub_organization_configuration": _switched("auto_enable", True),
    # Basic scanning is free.
    "aws_ecr_registry_scanning_configuration": _switched("scan_type", "ENHANCED"),
    "aws_guardduty_detector": _either(_created, _grows("enable")),
    # A feature's resource exists for every plan; it bills when it is on.
    "aws_guardduty_detector_feature": _switched("status", "ENABLED"),
    "aws_inspector2_enabler": _either(_created, _grows("resource_types")),
    "aws_macie2_account": _either(_created, _grows("status")),
    "aws_s3_bucket_lifecycle_configuration": _moves,
    # A new policy bills where it is associated; one that is associated, with what is added to it.
    "aws_securityhub_configuration_policy": _grows(
        "configuration_policy[0].service_enabled", "configuration_policy[0].enabled_standard_arns"
    ),
    "aws_securityhub_standards_control_association": _switched("association_status", "ENABLED"),
}
"""Types that do not just bill from their creation on → what of a change starts to bill."""


def _entries(kind: str, path: str, values: Any) -> Any:
    """The value at a path; of the entries of a keyed list only what tells one from another, so that no name counts."""
    value, keys = value_at(values, path), RESOURCES[kind].keys.get(path) if kind in RESOURCES else None
    return (
        [{name: value_at(entry, name) for name in keys} for entry in value]
        if keys and isinstance(value, list)
        else value
    )


def _more(before: Any, after: Any) -> bool:
    """Whether an attribute gets something that it did not have: an entry, or the state of being on."""
    if isinstance(after, list):
        return any(entry not in (before or ()) for entry in after)
    return after in (True, "ENABLED") and after != before


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads((Path(__file__).parent / "prices.json").read_text("utf-8"))
    return table
