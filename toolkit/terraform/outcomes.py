"""What a Terraform run did, folded from its events.

In: events, in order. Out: frozen outcomes. Pure: the same fold serves a run that is watched and the log of one whose
watcher was killed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from toolkit.terraform import events
from toolkit.terraform.events import Diagnostic, Event

FORGETS = "Some objects will no longer be managed by Terraform"
"""Terraform's warning about `removed` blocks. It lists the resources, which reports of a plan do anyway."""


@dataclass(frozen=True)
class PlanOutcome:
    changes: bool
    """Whether the plan would do anything, outputs included."""

    add: int
    change: int
    destroy: int
    imports: int
    planned: tuple[events.PlannedChange, ...]
    drift: tuple[events.Drift, ...]
    refreshed: int
    """Number of resources that were read."""

    diagnostics: tuple[Diagnostic, ...]
    seconds: float


@dataclass(frozen=True)
class Step:
    """One resource in an apply."""

    address: str
    action: str
    seconds: float
    """Wall-clock seconds that Terraform reports; 0 for less than one, and for a step that never ended."""


@dataclass(frozen=True)
class ApplyOutcome:
    completed: tuple[Step, ...]
    errored: tuple[Step, ...]
    unfinished: tuple[Step, ...]
    """Started, and neither completed nor errored in what Terraform said: AWS may or may not have done it."""

    finished: bool
    """Whether Terraform printed its closing summary, i.e. everything planned was done."""

    diagnostics: tuple[Diagnostic, ...]
    seconds: float
    forgotten: int = 0
    """Resources that were removed from the state and stay in AWS; Terraform's log does not count them."""
    imported: int = 0
    """Resources that the state has taken in, be they changed as well or not; Terraform says it at the end."""

    @property
    def begun(self) -> bool:
        """Whether any step was started."""
        return bool(self.completed or self.errored or self.unfinished)

    def describe(self) -> str:
        """One phrase: "3 done, 1 failed, 2 unfinished"."""
        parts = [f"{len(self.completed)} done"]
        if self.errored:
            parts.append(f"{len(self.errored)} failed")
        if self.unfinished:
            parts.append(f"{len(self.unfinished)} unfinished")
        return ", ".join(parts)


@dataclass
class Fold:
    """Collects events; the only mutable thing here."""

    planned: list[events.PlannedChange] = field(default_factory=list)
    drift: list[events.Drift] = field(default_factory=list)
    refreshed: set[str] = field(default_factory=set)
    open: dict[tuple[str, str], Step] = field(default_factory=dict)
    completed: list[Step] = field(default_factory=list)
    errored: list[Step] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    summaries: dict[str, events.ChangeSummary] = field(default_factory=dict)
    dump: str | None = field(default=None, repr=False)
    """The state, where Terraform could save it nowhere and printed it."""
    torn: bool = False
    """Whether lines were cut off, so that something Terraform said may be missing."""

    def add(self, event: Event) -> None:
        match event:
            case events.PlannedChange():
                self.planned.append(event)
            case events.Drift():
                self.drift.append(event)
            case events.RefreshComplete():
                self.refreshed.add(event.address)
            case (
                events.ApplyStart(action="read")
                | events.ApplyComplete(action="read")
                | events.ApplyErrored(action="read")
            ):
                pass  # a data source, which Terraform could not read before: no step of the plan
            # A replacement is two steps (delete, create) of one address, and create-before-destroy overlaps them.
            case events.ApplyStart():
                self.open[event.address, event.action] = Step(event.address, event.action, 0)
            case events.ApplyComplete() | events.ApplyErrored():
                self.open.pop((event.address, event.action), None)
                ended = self.completed if isinstance(event, events.ApplyComplete) else self.errored
                ended.append(Step(event.address, event.action, event.seconds))
            case events.ChangeSummary():
                self.summaries[event.operation] = event
            case events.DiagnosticEvent():
                if event.diagnostic not in self.diagnostics:  # Terraform repeats e.g. "execution halted"
                    self.diagnostics.append(event.diagnostic)
            case events.TextLine():
                self.texts.append(event.text)
            case events.StateDump():
                self.dump = event.state
            case events.Torn():
                self.torn = True
                if event.rest is not None:
                    self.add(event.rest)
            case _:
                pass

    def plan(self, *, changes: bool, seconds: float) -> PlanOutcome:
        counts = self.summaries.get("plan") or events.ChangeSummary("plan", 0, 0, 0, 0)
        return PlanOutcome(
            changes,
            counts.add,
            counts.change,
            counts.destroy,
            counts.imports,
            tuple(self.planned),
            tuple(self.drift),
            len(self.refreshed),
            tuple(self.diagnostics),
            seconds,
        )

    def apply(self, *, seconds: float) -> ApplyOutcome:
        return ApplyOutcome(
            tuple(self.completed),
            tuple(self.errored),
            tuple(self.open.values()),
            "apply" in self.summaries or "destroy" in self.summaries,
            tuple(self.diagnostics),
            seconds,
            imported=self.summaries["apply"].imports if "apply" in self.summaries else 0,
        )
