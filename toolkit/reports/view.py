"""What every report of a plan shows: the plan, whose it is and where it may be applied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from toolkit.plan.cost import Estimate, estimate
from toolkit.plan.findings import Finding
from toolkit.plan.model import Action, Change, Plan
from toolkit.terraform.bundle import Manifest

MARKS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REPLACE: "-/+",
    Action.DELETE: "-",
    Action.FORGET: ".",
    Action.IMPORT: "&",
    Action.MOVE: ">",
}
"""Terraform's own marks, and two for what it tells in words."""

_DANGER = (
    Action.DELETE,
    Action.REPLACE,
    Action.FORGET,
    Action.UPDATE,
    Action.CREATE,
    Action.IMPORT,
    Action.MOVE,
)


@dataclass(frozen=True)
class PlanView:
    """A plan with its circumstances."""

    plan: Plan
    manifest: Manifest
    bundle: Path
    findings: tuple[Finding, ...]
    """The worst first."""

    @property
    def estimate(self) -> Estimate:
        """What the plan starts to bill."""
        return estimate(self.plan)

    @property
    def refused(self) -> bool:
        """Whether a finding stands in the way of applying it."""
        return any(f.blocks for f in self.findings)

    def groups(self) -> Iterator[tuple[str, str, tuple[Change, ...]]]:
        """(component or "other", region, its changes): in the plan's order, within a group the dangerous first."""

        def key(change: Change) -> tuple[str, str]:
            return change.component or "other", change.region

        for (component, region), group in groupby(sorted(self.plan.changes, key=key), key):
            yield component, region, tuple(sorted(group, key=lambda c: (_DANGER.index(c.action), c.address)))
