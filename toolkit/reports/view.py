"""What every report of a plan shows: the plan, whose it is and where it may be applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.access.changes import NO_CHANGES, AccessChanges
from toolkit.findings import Finding
from toolkit.plan.cost import Estimate, estimate
from toolkit.plan.irreversible import Lasting, lasting
from toolkit.plan.model import Action, Change, Plan, count
from toolkit.reports.details import only_tags
from toolkit.terraform.bundle import Manifest
from toolkit.terraform.stored import Stored

if TYPE_CHECKING:
    from toolkit.environment import Environment

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

DANGER = (
    Action.DELETE,
    Action.REPLACE,
    Action.FORGET,
    Action.UPDATE,
    Action.CREATE,
    Action.IMPORT,
    Action.MOVE,
)
"""The most dangerous first."""

_LOSES = DANGER[:3]


@dataclass(frozen=True)
class Group:
    """Changes of one component in one region."""

    component: str
    """ "other" for what belongs to none."""
    region: str
    changes: tuple[Change, ...]
    """The dangerous first, and of updates those of nothing but tags last."""

    @property
    def title(self) -> str:
        """ "config · eu-west-1"."""
        return f"{self.component} · {self.region}"

    @property
    def counts(self) -> str:
        """ "1 to delete, 3 to create"."""
        numbers = ((count(self.changes, action), action) for action in DANGER)
        return ", ".join(f"{number} to {action.value}" for number, action in numbers if number)


@dataclass(frozen=True)
class PlanView:
    """A plan with its circumstances."""

    plan: Plan
    manifest: Manifest
    bundle: Path | Stored
    findings: tuple[Finding, ...]
    """The worst first."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """Component → line of its block in environment.yaml; under "components" the line of that key."""
    moves_home: bool = False
    """Whether applying it records another home region in the state, though nothing else changes; of a saved plan that
    is read again, this is not known."""
    access: AccessChanges = NO_CHANGES
    """What the plan changes in who may do what."""

    @property
    def file(self) -> str:
        """The environment file, relative to the project."""
        return f"environments/{self.manifest.environment}/environment.yaml"

    def line(self, component: str | None) -> int:
        """Where environment.yaml speaks of a component, or would if it still did; 1 where that is not known."""
        return self.lines.get(component or "", self.lines.get("components", 1))

    @property
    def estimate(self) -> Estimate:
        """What the plan starts to bill."""
        return estimate(self.plan)

    @property
    def irreversible(self) -> tuple[Lasting, ...]:
        """What AWS does not take back once the plan is applied."""
        return lasting(self.plan)

    @property
    def refused(self) -> bool:
        """Whether a finding stands in the way of applying it."""
        return any(f.blocks for f in self.findings)

    @property
    def title(self) -> str:
        """ "Plan for prod"."""
        return f"{'Destruction of' if self.manifest.destroy else 'Plan for'} {self.manifest.environment}"

    @property
    def place(self) -> str:
        """ "account 123456789012 on AWS, home eu-central-1"."""
        where = "the embedded AWS" if self.manifest.simulator else "AWS"
        return f"account {self.manifest.account_id} on {where}, home {self.manifest.region}"

    @property
    def totals(self) -> str:
        """ "2 to add, 1 to change, 0 to destroy; 40 unchanged."."""
        return f"{self.plan.totals}; {self.plan.unchanged} unchanged."

    @property
    def verdict(self) -> str:
        """Whether the plan may be applied, one sentence."""
        blocking = sum(f.blocks for f in self.findings)
        if blocking:
            return f"Refused: {blocking} finding{'s' if blocking != 1 else ''} without consent."
        if self.plan.empty and self.manifest.destroy:
            return "Nothing to destroy: the state holds nothing."
        if self.plan.empty:
            return "No changes: the account matches the environment."
        consented = sum(f.consented_by is not None for f in self.findings)
        if consented:
            return f"Ready to apply: {consented} finding{'s' if consented != 1 else ''}, each with consent."
        return "Ready to apply: no blocking findings."

    @property
    def losses(self) -> tuple[Group, ...]:
        """What is deleted, replaced or forgotten."""
        return _groups(c for c in self.plan.changes if c.action in _LOSES)

    @property
    def others(self) -> tuple[Group, ...]:
        """All other changes."""
        return _groups(c for c in self.plan.changes if c.action not in _LOSES)


def lines_of(environment: Environment) -> dict[str, int]:
    """Component → line of its block in environment.yaml, for `PlanView.lines`."""
    lines = {"components": environment.lines.get(("components",), 1)}
    return lines | {enabled.component.name: enabled.line for enabled in environment.components}


def _groups(changes: Iterable[Change]) -> tuple[Group, ...]:
    """By component and region, in that order."""

    def key(change: Change) -> tuple[str, str]:
        return change.component or "other", change.region

    return tuple(_group(*name, group) for name, group in groupby(sorted(changes, key=key), key))


def _group(component: str, region: str, changes: Iterable[Change]) -> Group:
    ordered = sorted(changes, key=lambda c: (DANGER.index(c.action), only_tags(c), c.address))
    return Group(component, region, tuple(ordered))
