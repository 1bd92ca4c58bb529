"""Audits of an organization's accounts in one report: what differs between accounts, and what they have in common.

In: each account's Audit, as soon as it is done, and the accounts that could not be read. Out: an OrganizationAudit.
Of an Audit nothing is kept but figures, and per check a few examples: an organization may have thousands of accounts.
The order in which accounts are done changes nothing. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cached_property
from pathlib import Path

from toolkit.audit.baseline import Change
from toolkit.audit.history import Point
from toolkit.audit.model import Check
from toolkit.audit.report import Audit
from toolkit.findings import Finding, Severity, Status

EXAMPLES = 3
"""Findings of one check in one account that are kept."""
_LONGEST = 300
"""Characters of an example that are kept."""


@dataclass(frozen=True)
class Member:
    """An account of the organization, as Organizations lists it."""

    id: str
    name: str
    state: str | None
    """ "ACTIVE", "SUSPENDED" …; None: AWS does not say."""

    @property
    def is_active(self) -> bool:
        """Whether it can be audited."""
        return self.state in (None, "ACTIVE")


@dataclass(frozen=True)
class Example:
    """A finding of a check, shortened."""

    region: str
    evidence: str


@dataclass(frozen=True)
class Found:
    """Findings of one check in one account that have the same status."""

    severity: Severity
    """The worst of them."""
    findings: int
    """How many they are; one at least."""
    examples: tuple[Example, ...]
    """The worst of them."""


@dataclass(frozen=True)
class CheckResult:
    """What one check found in one account."""

    status: Status | None
    """The worst of what is not waived; None: everything failed, and is waived."""
    waived: int
    """How many failed and are waived."""
    found: Mapping[Status, Found]
    """What failed and is not waived, and what could not be read: a check that fails in one region may be unknown in
    another."""


@dataclass(frozen=True)
class AccountAudit:
    """The audit of one account, in short."""

    member: Member
    environment: str | None
    """The environment of the project that is for the account: its waivers, attestations and settings applied."""
    regions: tuple[str, ...]
    regions_off: tuple[str, ...]
    point: Point
    checks: Mapping[str, CheckResult]
    """Id of a check → what it found."""
    counted: Mapping[Severity, int]
    """Severity → how many findings count for the exit code as failed."""
    unknown: Mapping[Severity, int]
    """Severity → how many could not be read."""
    changes: Mapping[Change, int] | None
    """How many findings are new, fixed …, compared with the baseline; None without one."""
    calls: int
    report: Path | None = None
    """Where the whole report is kept."""

    @classmethod
    def of(cls, member: Member, audit: Audit, report: Path | None = None) -> AccountAudit:
        """What is kept of an account's audit."""
        found: dict[str, list[Finding]] = {check.id: [] for check in audit.by_check}
        for one in audit.findings:
            found[one.rule.id].append(one)
        comparison = audit.comparison
        return cls(
            member,
            audit.environment,
            audit.regions,
            audit.off,
            audit.point,
            {check.id: _result(found[check.id]) for check in audit.by_check},
            _by_severity(audit.failed(Severity.NOTE)),
            _by_severity(audit.unknown(Severity.NOTE)),
            None if comparison is None else {one: comparison.count(one) for one in Change},
            audit.calls,
            report,
        )


def _by_severity(findings: Iterable[Finding]) -> Mapping[Severity, int]:
    counts = Counter(one.severity for one in findings)
    return {severity: counts[severity] for severity in Severity}


def _result(findings: Sequence[Finding]) -> CheckResult:
    """Findings of one check, the worst first, in short."""
    waived = sum(one.consented_by is not None for one in findings)
    statuses = [one.status for one in findings if one.consented_by is None]
    order = (Status.FAIL, Status.UNKNOWN, Status.PASS, Status.ATTESTED, Status.NOT_APPLICABLE)
    status = next((one for one in order if one in statuses), None)
    found = {}
    for each in (Status.FAIL, Status.UNKNOWN):
        if shown := [one for one in findings if one.consented_by is None and one.status is each]:
            severity = min((one.severity for one in shown), key=lambda s: s.rank)
            examples = tuple(Example(one.resource.region, _short(one.evidence)) for one in shown[:EXAMPLES])
            found[each] = Found(severity, len(shown), examples)
    return CheckResult(status, waived, found)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


@dataclass(frozen=True)
class Unread:
    """An account of which nothing is known: every check is unknown there."""

    member: Member
    reason: str


@dataclass(frozen=True)
class CheckIn:
    """One check in the accounts of a group."""

    check: Check
    status: Status
    """What is true of it in all of them: it fails, or is unknown."""
    severity: Severity
    """The worst of these accounts."""
    results: Mapping[str, Found]
    """Account → the findings of that status there."""

    @property
    def findings(self) -> int:
        """How many findings there are in all of these accounts."""
        return sum(one.findings for one in self.results.values())


@dataclass(frozen=True)
class Group:
    """Checks of which the same is true in the same accounts."""

    accounts: tuple[str, ...]
    """Sorted ids."""
    checks: tuple[CheckIn, ...]
    """The worst first."""

    @property
    def severity(self) -> Severity:
        """The worst of its checks."""
        return self.checks[0].severity


@dataclass(frozen=True)
class OrganizationAudit:
    """What was found in an organization's accounts."""

    organization: str
    """Its id."""
    management: str
    """Its management account's id."""
    caller: str
    """ARN of whose credentials assumed the roles."""
    caller_account: str
    """Its account, which is audited without a role."""
    role: str
    """Name of the role that was assumed in each other account, with its path."""
    simulated: bool
    taken: datetime
    checks: tuple[Check, ...]
    frameworks: tuple[str, ...]
    accounts: tuple[AccountAudit, ...]
    """Sorted by id."""
    unread: tuple[Unread, ...]
    """Sorted by id."""
    left_out: tuple[Member, ...]
    """Accounts that are not active: never audited. Sorted by id."""
    excluded: tuple[Member, ...]
    """Active accounts that the options leave out. Sorted by id."""
    calls: int
    max_calls: int
    interrupted: bool = False
    """Whether it was stopped before every account was done."""
    problems: tuple[str, ...] = ()
    """What is wrong with environment files, and with histories of accounts (reports that could not be kept, or read), a
    line each."""

    def failed(self, at_least: Severity) -> bool:
        """Whether a finding that is at least so severe counts: it is neither waived nor a part of its baseline."""
        return any(n for one in self.accounts for severity, n in one.counted.items() if severity.rank <= at_least.rank)

    def unknown(self, at_least: Severity) -> bool:
        """Whether a check that is at least so severe could not be decided in an account."""
        if self.unread and any(check.severity.rank <= at_least.rank for check in self.checks):
            return True
        return any(n for one in self.accounts for severity, n in one.unknown.items() if severity.rank <= at_least.rank)

    @cached_property
    def outliers(self) -> tuple[Group, ...]:
        """Checks that fail in fewer than half of the accounts in which they are decided: there, an account differs."""
        return tuple(sorted(self._groups(Status.FAIL, _Spread.FEW), key=_fewest_first))

    @cached_property
    def common(self) -> tuple[Group, ...]:
        """Checks that fail in at least half of the accounts in which they are decided."""
        return tuple(sorted(self._groups(Status.FAIL, _Spread.MOST), key=_most_first))

    @cached_property
    def central(self) -> tuple[Group, ...]:
        """Checks that fail in the management account, and are decided there for all."""
        return tuple(sorted(self._groups(Status.FAIL, _Spread.CENTRAL), key=_most_first))

    @cached_property
    def undecided(self) -> tuple[Group, ...]:
        """Checks that are unknown somewhere in accounts that could be read otherwise, whatever else they found."""
        return tuple(sorted(self._groups(Status.UNKNOWN), key=_most_first))

    def _groups(self, status: Status, spread: _Spread | None = None) -> Iterable[Group]:
        groups: dict[tuple[str, ...], list[CheckIn]] = {}
        for check in self.checks:
            results = {one.member.id: one.checks[check.id] for one in self.accounts if check.id in one.checks}
            there = {account: one.found[status] for account, one in results.items() if status in one.found}
            if not there or spread not in (None, self._spread(results)):
                continue
            worst = min((one.severity for one in there.values()), key=lambda s: s.rank)
            groups.setdefault(tuple(there), []).append(CheckIn(check, status, worst, there))
        for accounts, checks in groups.items():
            yield Group(accounts, tuple(sorted(checks, key=lambda one: (one.severity.rank, one.check.id))))

    def _spread(self, results: Mapping[str, CheckResult]) -> _Spread:
        """In how many of the accounts that pass or fail a check it fails."""
        decided = {a: one.status for a, one in results.items() if one.status in _DECIDED}
        if len(results) > 1 and set(decided) == {self.management}:
            return _Spread.CENTRAL
        failing = list(decided.values()).count(Status.FAIL)
        return _Spread.MOST if 2 * failing >= len(decided) else _Spread.FEW


_DECIDED = (Status.PASS, Status.ATTESTED, Status.FAIL)


class _Spread(Enum):
    """Where a check fails."""

    FEW = "in fewer than half of the accounts"
    MOST = "in at least half of the accounts"
    CENTRAL = "in the management account, which decides for all"


def _fewest_first(group: Group) -> tuple[int, int, tuple[str, ...]]:
    """The worst first, then what the fewest accounts have."""
    return group.severity.rank, len(group.accounts), group.accounts


def _most_first(group: Group) -> tuple[int, int, tuple[str, ...]]:
    """The worst first, then what the most accounts have."""
    return group.severity.rank, -len(group.accounts), group.accounts
