"""What an account has become since the last apply, for the terminal and for scripts.

In: a Drift. Out: lines with their styles, or plain data with a versioned schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from toolkit.documents import Document, document
from toolkit.findings import Finding
from toolkit.findings.data import reported
from toolkit.findings.rules import DESTROYS, WEAKENS
from toolkit.plan.drift import DELETED, WEAKENED
from toolkit.plan.model import Action, Change, Marker
from toolkit.reports.details import details
from toolkit.reports.discovery import (
    discovery_rows,
    unmanaged_data,
    unmanaged_line,
    unreadable_lines,
)
from toolkit.reports.text import Line
from toolkit.resources.reading import Unreadable
from toolkit.snapshots import unreadable_data
from toolkit.snapshots.unmanaged import Unmanaged
from toolkit.terraform.events import Diagnostic
from toolkit.terraform.outcomes import PlanOutcome

_LONGEST_VALUE = 100
_GUARDS = {WEAKENED: WEAKENS.id, DELETED: DESTROYS.id}
"""What `weaker` calls these in version 2: by the guards of plans."""


@dataclass(frozen=True)
class Drift:
    """What an account has become since the last apply."""

    environment: str
    called: str
    """The environment as commands name it: "prod", or "prod --sandbox"."""
    account_id: str
    simulator: str | None
    at: str
    """When the account was asked, ISO 8601 in UTC."""
    state_serial: int
    """Serial of the state that it was compared with."""
    changes: tuple[Change, ...]
    """`before` is as applied, `after` is as the account has it now; a DELETE is gone from the account."""
    findings: tuple[Finding, ...]
    """What each of the changes is, the worst first."""
    pending: PlanOutcome
    """What the repository would change apart from that."""
    warnings: tuple[Diagnostic, ...]
    unmanaged: Unmanaged | None = None
    """What the account has and the state does not; None: the account was not scanned."""
    unreadable: tuple[Unreadable, ...] = ()
    """What of that could not be read."""

    @property
    def found(self) -> bool:
        """Whether the account is not as it was applied."""
        return bool(self.changes)

    def weaker(self, change: Change) -> Iterator[Finding]:
        """What of a change makes something weaker, or deletes what protects or records."""
        for finding in self.findings:
            if finding.address == change.address and (
                finding.rule is WEAKENED or (finding.rule is DELETED and finding.severity is DELETED.severity)
            ):
                yield finding


def drift_data(drift: Drift) -> Document:
    """The drift as plain data."""
    return document(
        "drift",
        {
            "environment": drift.environment,
            "account_id": drift.account_id,
            "simulator": drift.simulator,
            "at": drift.at,
            "state_serial": drift.state_serial,
            "drift": drift.found,
            "changes": [
                {
                    "address": c.address,
                    "type": c.type,
                    "component": c.component,
                    "region": c.region,
                    "gone": c.action is Action.DELETE,
                    "attributes": []
                    if c.action is Action.DELETE
                    else [{"path": a.path, "applied": _plain(a.before), "now": _plain(a.after)} for a in c.attributes],
                    "weaker": [
                        {"attribute": f.attribute, "rule": _GUARDS[f.rule], "evidence": f.evidence}
                        for f in drift.weaker(c)
                    ],
                }
                for c in drift.changes
            ],
            "findings": [reported(f) for f in drift.findings],
            "pending": {
                "changes_pending": drift.pending.changes,
                "add": drift.pending.add,
                "change": drift.pending.change,
                "destroy": drift.pending.destroy,
                "import": drift.pending.imports,
            },
            "unmanaged": None
            if drift.unmanaged is None
            else {**unmanaged_data(drift.unmanaged), "unreadable": unreadable_data(drift.unreadable)},
        },
    )


def drift_lines(drift: Drift) -> Iterator[Line]:
    """What was found, for the terminal."""
    where = "the embedded AWS" if drift.simulator else "AWS"
    yield f"Drift of {drift.environment}: account {drift.account_id} on {where}, as of {drift.at}", "bold"
    for component, region, changes in _groups(drift.changes):
        yield "", ""
        yield f"{component} · {region}", "bold"
        for change in changes:
            gone = change.action is Action.DELETE
            yield f"  {'gone' if gone else 'differs'}  {change.address}", "red" if gone else "yellow"
            for detail in details(change, longest=_LONGEST_VALUE, with_values=False):
                yield from ((f"        {line}", "") for line in detail.text())
            for finding in drift.weaker(change):
                what = "it protects or records" if gone else f"weaker: {finding.attribute} {finding.evidence}"
                yield f"        {what}", "bold red"
    yield from _unmanaged(drift)
    yield "", ""
    yield _verdict(drift), "bold yellow" if drift.found else "bold green"
    yield _pending(drift), ""


def _unmanaged(drift: Drift) -> Iterator[Line]:
    if drift.unmanaged is None:
        return
    yield "", ""
    yield unmanaged_line(drift.unmanaged), "bold"
    for region, kind, resources in discovery_rows(drift.unmanaged.resources, verbose=False):
        yield f"  {region}  {kind}  {resources}", "yellow"
    yield from unreadable_lines(drift.unreadable)


def _groups(changes: tuple[Change, ...]) -> Iterator[tuple[str, str, list[Change]]]:
    def key(change: Change) -> tuple[str, str]:
        return change.component or "other", change.region

    for (component, region), group in groupby(sorted(changes, key=key), key):
        yield component, region, sorted(group, key=lambda c: (c.action is not Action.DELETE, c.address))


def _verdict(drift: Drift) -> str:
    if not drift.found:
        return (
            "No drift: the account matches what was applied. (Resources that Terraform did not create are not "
            "compared; --unmanaged lists them.)"
        )
    gone = sum(c.action is Action.DELETE for c in drift.changes)
    differ = len(drift.changes) - gone
    parts = [f"{differ} differ from what was applied" if differ != 1 else "1 differs from what was applied"]
    if gone:
        parts.append(f"{gone} gone")
    return f"Changed outside of Terraform (as applied → as it is now): {', '.join(parts)}."


def _pending(drift: Drift) -> str:
    outcome = drift.pending
    if not outcome.changes:
        back = f" `toolkit plan {drift.called}` shows what would revert it." if drift.found else ""
        return f"The repository has no other pending changes.{back}"
    counts = f"{outcome.add} to add, {outcome.change} to change, {outcome.destroy} to destroy"
    if outcome.imports:
        counts = f"{outcome.imports} to import, {counts}"
    both = ", together with what would revert the drift" if drift.found else ""
    return f"Other pending changes of the repository: {counts} (`toolkit plan {drift.called}` shows it{both})."


def _plain(value: Any) -> Any:
    if isinstance(value, Marker):
        return value.value
    return json.loads(json.dumps(value, default=lambda v: v.value if isinstance(v, Marker) else str(v)))
