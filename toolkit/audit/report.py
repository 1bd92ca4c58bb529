"""What an audit found, requirement by requirement.

In: results of checks, the frameworks that are asked for, waivers. Out: an Audit with its verdicts. Pure.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property

from toolkit import __version__
from toolkit.audit.access_keys import AccessKeys
from toolkit.audit.baseline import Baseline, Change, Comparison, compare
from toolkit.audit.fixes import Fix
from toolkit.audit.history import History, Point, point
from toolkit.audit.model import STATUSES, Check, Result, Scope, worst
from toolkit.controls.catalogue import Framework, requirements
from toolkit.findings import Finding, Severity, Status, Waiver, matches, worst_first
from toolkit.findings.rules import UNCOVERED


@dataclass(frozen=True)
class Verdict:
    """One requirement of a framework."""

    framework: str
    requirement: str
    """ "1.4"."""
    status: Status | None
    """None: no check asks about it, or not about all of it."""
    checks: tuple[str, ...]
    """Ids of the checks that were asked."""
    unasked: tuple[str, ...]
    """Its topics that no check of this audit is about."""


@dataclass(frozen=True)
class Audit:
    """What was found in one account."""

    account_id: str
    caller: str
    environment: str | None
    simulated: bool
    taken: datetime
    home: str
    regions: tuple[str, ...]
    off: tuple[str, ...]
    """Regions that were asked for, and that the account has not enabled: nothing is audited there."""
    frameworks: tuple[Framework, ...]
    results: tuple[Result, ...]
    waivers: tuple[Waiver, ...]
    calls: int
    """Calls of AWS that were made."""
    max_calls: int
    """Of at most so many."""
    baseline: Baseline | None = None
    """An earlier audit of the account, to compare with."""
    history: History | None = None
    """Earlier audits of the account; None: no history is kept."""
    idle_attestations: tuple[str, ...] = ()
    """Controls of attestations that answer none of the checks that were asked."""
    fixes: tuple[Fix, ...] = ()
    """What to do in environment.yaml about failed checks that a component is about."""
    no_fixes: tuple[str, ...] = ()
    """Why none is known, a line each: environment.yaml cannot be rendered as it is."""
    lines: Mapping[tuple[str | int, ...], int] = field(default_factory=dict)
    """Path of a key in environment.yaml → its line; empty without an environment."""
    access_keys: AccessKeys | None = None
    """None: the credential report was not read."""

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Every outcome as a finding, what matters most first; what is waived says so."""
        today = self.taken.date()
        found = (one for result in self.results for one in result.findings(self.account_id))
        return worst_first(_waived(one, self.waivers, today) for one in found)

    @cached_property
    def unique(self) -> tuple[tuple[str, Finding], ...]:
        """Each finding with an id of its own, for formats and services that know a finding by it.

        Where a check says several things of one resource, their parts tell them apart, whatever else it says. What has
        the same part is numbered, the worst first. Nothing depends on the evidence of one alone: that may only age.
        """
        names = [_named(finding) for finding in self.findings]
        numbers: dict[int, int] = {}
        counted: Counter[str] = Counter()
        for place in sorted(range(len(names)), key=lambda n: _alike_worst_first(self.findings[n])):
            counted[names[place]] += 1
            numbers[place] = counted[names[place]]
        return tuple(
            (name if numbers[place] == 1 else f"{name}-{numbers[place]}", self.findings[place])
            for place, name in enumerate(names)
        )

    @property
    def file(self) -> str | None:
        """The environment file, relative to the project; None without an environment."""
        return f"environments/{self.environment}/environment.yaml" if self.environment else None

    def line(self, finding: Finding) -> int:
        """Where the environment file has the setting that decides on a finding, or what is nearest to it."""
        setting = (finding.setting or "").partition(",")[0]
        path = ("components", *([finding.component] if finding.component else []), *setting.split("."))
        return next((self.lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.lines), 1)

    @cached_property
    def by_check(self) -> Mapping[Check, Status]:
        """Check → the worst that it says anywhere."""
        found: dict[Check, list[Status]] = {}
        for result in self.results:
            found.setdefault(result.check, []).append(result.status)
        return {check: worst(statuses) for check, statuses in found.items()}

    def verdicts(self, framework: Framework) -> tuple[Verdict, ...]:
        """One per requirement of a framework, in the order people count."""
        statuses = self.by_check
        verdicts = []
        for requirement, on in requirements(framework):
            names = {topic.name for topic in on}
            asked = {c: s for c, s in statuses.items() if names & {c.id, *c.topics}}
            known = {name for check in asked for name in (check.id, *check.topics)}
            unasked = tuple(sorted(names - known))
            status = worst(asked.values()) if asked else None
            if unasked and status is not Status.FAIL:
                status = None
            ids = tuple(sorted(check.id for check in asked))
            verdicts.append(Verdict(framework.name, requirement, status, ids, unasked))
        return tuple(verdicts)

    @property
    def scope(self) -> Scope:
        """Where and when its checks were run."""
        return Scope(self.account_id, self.home, self.regions, self.taken, simulated=self.simulated)

    @cached_property
    def comparison(self) -> Comparison | None:
        """This audit beside the baseline."""
        return self._compared(self.baseline)

    @cached_property
    def trend(self) -> Comparison | None:
        """This audit beside the first one of the history; None without an earlier one."""
        return self._compared(self.history.first if self.history else None)

    @property
    def is_trend_comparable(self) -> bool:
        """Whether how many failed at first and how many do now are of the same checks and regions."""
        return self.trend is None or not self.trend.count(Change.NOT_COMPARED)

    def _compared(self, baseline: Baseline | None) -> Comparison | None:
        if baseline is None:
            return None
        scope = Scope(self.account_id, self.home, self.regions, self.taken, simulated=self.simulated)
        return compare(baseline, self.findings, self.by_check, scope)

    @cached_property
    def point(self) -> Point:
        """This audit in figures, as a history has it."""
        return point(
            taken=self.taken,
            account_id=self.account_id,
            simulated=self.simulated,
            toolkit=__version__,
            checks=self.by_check.values(),
            failed=(f.severity for f in self.findings if f.status is Status.FAIL and f.consented_by is None),
            coverage={one.name: [v.status for v in self.verdicts(one)] for one in self.frameworks},
        )

    @cached_property
    def changes(self) -> tuple[tuple[Finding, Change | None], ...]:
        """Each finding, and what became of it since the baseline; None without one, and for what does not fail."""
        changes = self.comparison.now if self.comparison else (None,) * len(self.findings)
        return tuple(zip(self.findings, changes, strict=True))

    def failed(self, at_least: Severity) -> tuple[Finding, ...]:
        """What failed, is not waived, did not fail in the baseline, and is at least so severe."""
        return tuple(
            f for f, change in self.changes if change is not Change.UNCHANGED and _counts(f, Status.FAIL, at_least)
        )

    def unknown(self, at_least: Severity) -> tuple[Finding, ...]:
        """What could not be read, of checks that are at least so severe."""
        return tuple(f for f in self.findings if _counts(f, Status.UNKNOWN, at_least))

    @property
    def idle_waivers(self) -> tuple[str, ...]:
        """Subjects of waivers that match no requirement of any check that was asked."""
        asked = {one for check in self.by_check for one in check.requirements}
        return tuple(w.subject for w in self.waivers if not any(matches(w.subject, one) for one in asked))


def _named(finding: Finding) -> str:
    part = f"#{hashlib.sha256(finding.part.encode('utf-8', 'backslashreplace')).hexdigest()[:12]}"
    return f"{finding.id or ''}{part if finding.part else ''}"


def _alike_worst_first(finding: Finding) -> tuple[int, tuple[str, ...], str]:
    return STATUSES.index(finding.status), finding.facts or (), finding.evidence


def _counts(finding: Finding, status: Status, at_least: Severity) -> bool:
    return finding.status is status and finding.consented_by is None and finding.severity.rank <= at_least.rank


def _waived(finding: Finding, waivers: Sequence[Waiver], today: date) -> Finding:
    """The finding, with the waiver of one of its requirements; only what failed can be waived."""
    if finding.status is not Status.FAIL:
        return finding
    for waiver in waivers:
        if any(waiver.covers(UNCOVERED, one, today) for one in finding.controls):
            return replace(finding, consented_by=f"waiver until {waiver.expires}: {waiver.reason}")
    return finding
