"""An audit compared with an earlier report of the same account: what is new, fixed and unchanged.

In: the JSON of an earlier `toolkit audit --format json`, and the results of this audit. Out: a Comparison. Reads the
one file that it is given. What was unknown then is not new, what is unknown now is not fixed, and what only one of the
two audits looked at is neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict

from toolkit.audit.model import Check, Scope
from toolkit.documents import KINDS
from toolkit.errors import RefusedError, ToolkitError
from toolkit.files import read_regular
from toolkit.findings import Finding, Severity, Status
from toolkit.typed import FieldError, from_json

LARGEST = 256 << 20
"""Bytes of a report that are read at most."""
_HINT = "expected what `toolkit audit --format json` of this version prints"


class Change(Enum):
    """What became of a finding between two audits."""

    NEW = "new"
    """Fails now, and did not, was waived, was less severe, or lacked some of what is wrong now."""
    UNCHANGED = "unchanged"
    """Failed then with all that is wrong now."""
    FIXED = "fixed"
    """Failed then, and does not now."""
    WAIVED = "waived"
    """Failed then, and is waived now."""
    UNKNOWN = "unknown"
    """One of the audits could not read it."""
    NOT_COMPARED = "not-compared"
    """Only one of the audits ran the check there."""


@dataclass(frozen=True)
class Earlier:
    """A finding of the earlier report."""

    id: str
    rule: str
    region: str
    severity: Severity
    status: Status
    evidence: str
    facts: tuple[str, ...] | None
    consented_by: str | None

    @property
    def is_open(self) -> bool:
        """Whether it failed, and nothing had waived it."""
        return self.status is Status.FAIL and self.consented_by is None

    def is_same(self, finding: Finding) -> bool:
        """Whether a finding says the very same."""
        return self.evidence == finding.evidence and self.facts == finding.facts

    def has_all_of(self, finding: Finding) -> bool:
        """Whether nothing is wrong in a finding that was not in this one."""
        return _facts(finding) <= _facts(self)

    def may_have_become(self, finding: Finding) -> bool:
        """Whether a finding has something of this one; without facts, other words may say the same."""
        return None in (self.facts, finding.facts) or not _facts(finding).isdisjoint(_facts(self))


def _facts(of: Earlier | Finding) -> set[str]:
    return {of.evidence} if of.facts is None else set(of.facts)


def _with_time_zone(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("expected a time with its zone")
    return value


@dataclass(frozen=True)
class CheckRecord:
    """A check of the earlier report."""

    id: str


@dataclass(frozen=True)
class Baseline:
    """An earlier report, as far as it is compared; keys that are not are not looked at."""

    __pydantic_config__ = ConfigDict(strict=True, extra="ignore")

    account_id: str
    simulator: Literal["moto"] | None
    taken: Annotated[datetime, AfterValidator(_with_time_zone)]
    regions: tuple[str, ...]
    checks: tuple[CheckRecord, ...]
    findings: tuple[Earlier, ...]

    def require_same(self, file: Path, account_id: str, *, simulated: bool) -> None:
        """Demand that it is of the account that is audited.

        Args:
            file: Where it is from, for the error.
            account_id: The account.
            simulated: Whether that is on the embedded AWS.

        Raises:
            RefusedError: It is of another one.
        """
        there, here = (
            described(account, simulated=embedded)
            for account, embedded in ((self.account_id, self.simulator is not None), (account_id, simulated))
        )
        if there != here:
            raise RefusedError(
                f"this report is of {there}, and the audit is of {here}",
                where=str(file),
                hint=f"give an earlier report of {here}",
            )


def described(account_id: str, *, simulated: bool) -> str:
    """An account, for people: one on the embedded AWS is another one than that on AWS."""
    return f"account {account_id}{' on the embedded AWS' if simulated else ''}"


@dataclass(frozen=True)
class _Kind:
    __pydantic_config__ = ConfigDict(strict=True, extra="ignore")

    kind: str
    schema_version: int


def read_baseline(file: Path) -> Baseline:
    """An earlier report from its file.

    Raises:
        ToolkitError: It cannot be read, or is not a whole report of this version's format.
    """
    try:
        content = read_regular(file, LARGEST + 1)
    except OSError as e:
        raise ToolkitError(f"the baseline cannot be read: {e.strerror}", where=str(file), hint=_HINT) from e
    if len(content) > LARGEST:
        raise ToolkitError(f"larger than {LARGEST >> 20} MiB", where=str(file), hint=_HINT)
    require_audit(file, content)
    try:
        return from_json(Baseline, content)
    except FieldError as e:
        raise ToolkitError(f"is not a whole report of an audit: {e}", where=str(file), hint=_HINT) from e


def require_audit(file: Path, content: bytes) -> None:
    """Demand that a file's content is an audit's report in this version's format.

    Raises:
        ToolkitError: It is not.
    """
    try:
        said = from_json(_Kind, content)
    except FieldError as e:
        raise ToolkitError(f"is not a report of an audit: {e}", where=str(file), hint=_HINT) from e
    version = KINDS["audit"].version
    if said.kind != "audit":
        raise ToolkitError(f"is a document of kind {said.kind!r}, not of an audit", where=str(file), hint=_HINT)
    if said.schema_version != version:
        raise ToolkitError(
            f"a report of schema version {said.schema_version}; this toolkit reads {version}",
            where=str(file),
            hint="make a new one with `toolkit audit --format json`",
        )


@dataclass(frozen=True)
class Comparison:
    """This audit beside an earlier one."""

    taken: datetime
    """When the earlier one was made."""
    now: tuple[Change | None, ...]
    """Of each finding of this audit, in order; None for one that does not fail, or is waived."""
    before: tuple[tuple[Earlier, Change], ...]
    """What failed in the earlier one, was not waived, and does not fail here, or is waived."""

    def count(self, change: Change) -> int:
        """Findings of a change, of both audits."""
        return sum(one is change for one in (*self.now, *(change for _, change in self.before)))


def compare(baseline: Baseline, findings: Sequence[Finding], asked: Iterable[Check], scope: Scope) -> Comparison:
    """What is new, fixed and unchanged.

    A finding is about the same if its id is the same: check, place and resource. It is unchanged if an earlier one had
    all of its facts: what only ages, such as the days of a key, is none of them, and one more port is one. An earlier
    finding of which some is left is not fixed.

    Args:
        baseline: The earlier audit, of the same account.
        findings: Of this audit.
        asked: Its checks.
        scope: Where and when they were run.
    """
    both = _Both(baseline, findings, asked, scope)
    then: dict[str, list[Earlier]] = {}
    for earlier in baseline.findings:
        if earlier.is_open:
            then.setdefault(earlier.id, []).append(earlier)
    same: dict[int, Earlier] = {}
    still = [n for n, one in enumerate(findings) if one.status is Status.FAIL and one.consented_by is None]
    became: set[int] = set()
    # What says the very same first, so that of two findings with one id the right one is new.
    for fits in (Earlier.is_same, Earlier.has_all_of, Earlier.may_have_become):
        for number in still:
            those = then.get(findings[number].id or "", [])
            found = next((one for one in those if fits(one, findings[number])), None)
            if number in same or number in became or found is None:
                continue
            those.remove(found)
            if fits is Earlier.may_have_become:
                became.add(number)
            else:
                same[number] = found
    now: list[Change | None] = [None] * len(findings)
    for number in still:
        finding = findings[number]
        if number not in same:
            now[number] = both.appeared(finding)
        else:
            now[number] = Change.NEW if finding.severity.rank < same[number].severity.rank else Change.UNCHANGED
    before = [(earlier, both.vanished(earlier)) for left in then.values() for earlier in left]
    before.sort(key=lambda pair: (pair[0].severity.rank, pair[0].id))
    return Comparison(baseline.taken, tuple(now), tuple(before))


def gone(
    earlier: Sequence[Earlier],
    regions: Sequence[str],
    findings: Sequence[Finding],
    asked: Iterable[Check],
    scope: Scope,
) -> tuple[Earlier, ...]:
    """Which findings of an earlier audit this one would have made again if they were still true, whatever they said.

    Args:
        earlier: Those that this audit has not.
        regions: Those that the earlier audit looked at; one that looked at more of them looked at all that it did.
        findings: Of this audit.
        asked: Its checks.
        scope: Where and when they were run.
    """
    then = scope.regions if set(regions) <= set(scope.regions) else tuple(regions)
    rules = tuple(CheckRecord(rule) for rule in dict.fromkeys(one.rule for one in earlier))
    both = _Both(Baseline(scope.account_id, None, scope.now, then, rules, tuple(earlier)), findings, asked, scope)
    return tuple(one for one in earlier if both.vanished(one) in (Change.FIXED, Change.WAIVED))


class _Both:
    """What each of two audits looked at, and could not read."""

    def __init__(self, baseline: Baseline, findings: Iterable[Finding], asked: Iterable[Check], scope: Scope) -> None:
        self._checks = {check.id: check for check in asked}
        self._asked_then = {check.id for check in baseline.checks}
        self._then, self._now = (
            # In one order, since questions about all regions are compared.
            replace(scope, regions=tuple(sorted(regions)))
            for regions in (baseline.regions, scope.regions)
        )
        self._said: dict[str, set[Status]] = {}
        self._waived: set[str] = set()
        self._unknown_now: set[tuple[str, str]] = set()
        for one in findings:
            self._said.setdefault(one.id or "", set()).add(one.status)
            if one.status is Status.FAIL and one.consented_by is not None:
                self._waived.add(one.id or "")
            if one.status is Status.UNKNOWN:
                self._unknown_now.add(self._place(one.rule.id, one.resource.region))
        self._unknown_then = {
            self._place(one.rule, one.region) for one in baseline.findings if one.status is Status.UNKNOWN
        }

    def appeared(self, finding: Finding) -> Change:
        """What of a finding that fails, and did not in the earlier audit."""
        rule, region = finding.rule.id, finding.resource.region
        if not self._compared(rule, region):
            return Change.NOT_COMPARED
        return Change.UNKNOWN if self._place(rule, region) in self._unknown_then else Change.NEW

    def vanished(self, earlier: Earlier) -> Change:
        """What of a finding that failed, and does not in this audit."""
        if earlier.id in self._waived:
            return Change.WAIVED
        if not self._compared(earlier.rule, earlier.region):
            return Change.NOT_COMPARED
        said = self._said.get(earlier.id, set())
        unread = self._place(earlier.rule, earlier.region) in self._unknown_now
        return Change.UNKNOWN if Status.UNKNOWN in said or (unread and not said) else Change.FIXED

    def _place(self, rule: str, region: str) -> tuple[str, str]:
        check = self._checks.get(rule)
        return rule, region if check is not None and check.regional else ""

    def _compared(self, rule: str, region: str) -> bool:
        """Whether both audits ran the check there; of a check of all regions, whether they looked at the same ones."""
        check = self._checks.get(rule)
        if check is None or rule not in self._asked_then:
            return False
        if check.regional:
            return region in self._now.regions and region in self._then.regions
        return set(check.needs(self._then)) == set(check.needs(self._now))
