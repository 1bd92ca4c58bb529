"""A history of audits: a folder of plain files, one per audit of one account, for trends and as baselines.

In: JSON reports of `toolkit audit`. Out: a file for each (0600), and figures of those that are there.
Each file is a whole report, so that `--baseline FILE` takes it. Its name has the account, the time and a digest of its
content: names sort by time, two audits of one second never share one, and an edited or damaged file is recognized.
What is not such a file is named and never counted; a file of another account, or of the embedded AWS for an account on
AWS, ends the command. Calls no AWS.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from toolkit.audit.baseline import LARGEST, Baseline, CheckRecord, described, require_audit
from toolkit.documents import Document
from toolkit.errors import RefusedError, ToolkitError
from toolkit.files import read_regular, write_atomically
from toolkit.findings import Severity, Status
from toolkit.typed import FieldError, from_json

MOST = 400
"""Files that are read at most, the newest: a year of nightly audits, and some more."""
_NAME = re.compile(r"([0-9]{12})-([0-9]{8}T[0-9]{6}Z)-([0-9a-f]{16})\.json")
_TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class Coverage:
    """How much of a framework is met."""

    met: int
    """Requirements that are met, or attested."""
    of: int
    """All requirements of the catalogue."""


@dataclass(frozen=True)
class Point:
    """One audit in figures."""

    taken: datetime
    """In UTC, in whole seconds."""
    account_id: str
    simulated: bool
    """Whether it was on the embedded AWS."""
    toolkit: str
    """Version of the toolkit."""
    checks: Mapping[Status, int]
    """Verdict → how many checks; every verdict is there."""
    failed: Mapping[Severity, int]
    """Severity → how many findings failed and are not waived; every severity is there."""
    coverage: Mapping[str, Coverage]
    """Framework → how much of it is met; only frameworks that the audit was asked about."""

    @property
    def all_failed(self) -> int:
        """Findings that failed and are not waived."""
        return sum(self.failed.values())


def point(
    *,
    taken: datetime,
    account_id: str,
    simulated: bool,
    toolkit: str,
    checks: Iterable[Status],
    failed: Iterable[Severity],
    coverage: Mapping[str, Iterable[Status | None]],
) -> Point:
    """The figures of an audit.

    Args:
        taken: When it was made.
        account_id: Its account.
        simulated: Whether that is on the embedded AWS.
        toolkit: Version of the toolkit.
        checks: The verdict of each check.
        failed: The severity of each finding that failed and is not waived.
        coverage: Framework → the verdict of each of its requirements; None for one that is not checked.
    """
    verdicts, severities = list(checks), list(failed)
    of_frameworks = {name: list(statuses) for name, statuses in coverage.items()}
    return Point(
        taken,
        account_id,
        simulated,
        toolkit,
        {one: verdicts.count(one) for one in Status},
        {one: severities.count(one) for one in Severity},
        {
            name: Coverage(sum(one in (Status.PASS, Status.ATTESTED) for one in statuses), len(statuses))
            for name, statuses in of_frameworks.items()
        },
    )


@dataclass(frozen=True)
class History:
    """Earlier audits of one account."""

    folder: Path
    points: tuple[Point, ...] = ()
    """Oldest first."""
    first: Baseline | None = None
    """The report of the first point."""
    latest: Baseline | None = None
    """The report of the last point."""
    unreadable: tuple[str, ...] = ()
    """Files that are not counted, with the reason, a line each."""

    def add(self, report: Document) -> Path:
        """Write a report as a file of the history: whole or not at all, for its owner alone.

        Args:
            report: Of an audit of the history's account.

        Returns:
            The file.

        Raises:
            ToolkitError: It cannot be written.
        """
        # Letters that are none in UTF-8 (halves of a pair) would make a file that no reader takes.
        content = (json.dumps(report, ensure_ascii=False) + "\n").encode("utf-8", "replace")
        taken = datetime.fromisoformat(report["taken"]).astimezone(UTC)
        file = self.folder / f"{report['account_id']}-{taken.strftime(_TIME)}-{_digest(content)}.json"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(file, content, mode=0o600)
        except OSError as e:
            raise ToolkitError(f"the history cannot be written: {e.strerror}", where=str(file)) from e
        return file


def read_history(folder: Path, account_id: str, *, simulated: bool) -> History:
    """The earlier audits of an account in a folder; none if it is not there.

    Args:
        folder: Where its files are.
        account_id: The account that is audited.
        simulated: Whether that is on the embedded AWS.

    Raises:
        RefusedError: A file is of another account, or of the embedded AWS and the audit is not, or the other way round.
        ToolkitError: The folder cannot be read.
    """
    try:
        names = sorted(one.name for one in folder.iterdir())
    except FileNotFoundError:
        names = []
    except OSError as e:
        raise ToolkitError(
            f"the history cannot be read: {e.strerror}", where=str(folder), hint="give --history a folder"
        ) from e
    unreadable: list[str] = []
    found: list[tuple[Path, re.Match[str]]] = []
    for name in names:
        if match := _NAME.fullmatch(name):
            found.append((folder / name, match))
        elif name.endswith(".json"):
            unreadable.append(f"{folder / name}: not a file that --history wrote")
    for file, match in found:
        _require_same(file, match[1], simulated, account_id, simulated)
    points: list[Point] = []
    first = latest = None
    for file, match in sorted(found, key=lambda one: one[1][2])[-MOST:]:
        try:
            report = _read(file, match)
        except ToolkitError as e:
            unreadable.append(str(e))
            continue
        _require_same(file, report.account_id, report.simulator is not None, account_id, simulated)
        points.append(report.point)
        first, latest = first or report, report
    return History(folder, tuple(points), first, latest, tuple(unreadable))


@dataclass(frozen=True)
class _CheckRecord(CheckRecord):
    status: Status


@dataclass(frozen=True)
class _Requirement:
    status: str


@dataclass(frozen=True)
class _Framework:
    name: str
    requirements: tuple[_Requirement, ...]


@dataclass(frozen=True)
class _Report(Baseline):
    """A whole report, as far as a history looks at it."""

    checks: tuple[_CheckRecord, ...]
    toolkit: str
    frameworks: tuple[_Framework, ...]

    @property
    def point(self) -> Point:
        """Its figures."""
        known = {status.value: status for status in Status}
        return point(
            taken=self.taken,
            account_id=self.account_id,
            simulated=self.simulator is not None,
            toolkit=self.toolkit,
            checks=(one.status for one in self.checks),
            failed=(one.severity for one in self.findings if one.is_open),
            coverage={one.name: [known.get(r.status) for r in one.requirements] for one in self.frameworks},
        )


def _read(file: Path, name: re.Match[str]) -> _Report:
    """The report in a file.

    Raises:
        ToolkitError: It cannot be read, is not as it was written, or is none of this version's format.
    """
    try:
        content = read_regular(file, LARGEST + 1, follow=False)
    except OSError as e:
        raise ToolkitError(f"cannot be read: {e.strerror}", where=str(file)) from e
    if _digest(content) != name[3]:
        raise ToolkitError("damaged, or edited since it was written", where=str(file))
    require_audit(file, content)
    try:
        report = from_json(_Report, content)
    except FieldError as e:
        raise ToolkitError(f"not a whole report of an audit: {e}", where=str(file)) from e
    if (report.account_id, report.taken.astimezone(UTC).strftime(_TIME)) != (name[1], name[2]):
        raise ToolkitError("its name is not that of the audit in it", where=str(file))
    return report


def _require_same(file: Path, there: str, there_simulated: bool, here: str, here_simulated: bool) -> None:
    of, audited = described(there, simulated=there_simulated), described(here, simulated=here_simulated)
    if of != audited:
        raise RefusedError(
            f"this history is of {of}, and the audit is of {audited}",
            where=str(file),
            hint="give --history a folder for each account; embedded AWS and AWS are two",
        )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
