"""Turns Terraform's `-json` output into typed events.

In: one line of output. Out: one frozen event. Pure. The format: terraform.io "Machine-Readable UI", version 1.
Sensitive values do not occur in this stream; they do in `show -json`, which does not pass through here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Diagnostic:
    """A warning or error in Terraform's own words."""

    severity: Literal["error", "warning"]
    summary: str
    detail: str
    address: str | None
    file: str | None
    """Relative to the rendered root."""

    line: int | None
    snippet: str | None

    @property
    def place(self) -> str | None:
        """`file:line`, or the resource's address, or None."""
        if self.file is None:
            return self.address
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True)
class PlannedChange:
    address: str
    action: str
    """noop, create, read, update, replace, delete, move, import, remove (forget)."""

    reason: str | None
    previous_address: str | None
    import_id: str | None


@dataclass(frozen=True)
class Drift:
    """Something was changed outside Terraform since its last run."""

    address: str
    action: str


@dataclass(frozen=True)
class RefreshStart:
    address: str


@dataclass(frozen=True)
class RefreshComplete:
    address: str


@dataclass(frozen=True)
class ApplyStart:
    address: str
    action: str


@dataclass(frozen=True)
class ApplyProgress:
    address: str
    action: str
    seconds: float


@dataclass(frozen=True)
class ApplyComplete:
    address: str
    action: str
    seconds: float


@dataclass(frozen=True)
class ApplyErrored:
    address: str
    action: str
    seconds: float


@dataclass(frozen=True)
class ChangeSummary:
    operation: str
    """plan, apply or destroy."""

    add: int
    change: int
    destroy: int
    imports: int


@dataclass(frozen=True)
class DiagnosticEvent:
    diagnostic: Diagnostic


@dataclass(frozen=True)
class TextLine:
    """A line that is not JSON, such as the warning about a missing CLI configuration file."""

    text: str


@dataclass(frozen=True)
class Notice:
    """Something the toolkit itself has to say: an interrupt passed on, an earlier run that was found."""

    text: str


@dataclass(frozen=True)
class StateDump:
    """Terraform's last resort: the state itself, which it could save nowhere. Secret: for keeping, never for showing.

    `StateDump` of Terraform's views/json_view.go: a line of type "log" with the state under the key "state".
    """

    state: str = field(repr=False)
    """JSON, as it stands in the line."""


@dataclass(frozen=True)
class Torn:
    """A line that was cut off while it was written, as on a full disk. What is left of it may be part of a state."""

    rest: Event | None
    """The next event, which then follows in the same line."""


@dataclass(frozen=True)
class Other:
    """Everything else: versions, log lines, outputs, provisioners."""

    type: str
    message: str


Event: TypeAlias = (
    PlannedChange
    | Drift
    | RefreshStart
    | RefreshComplete
    | ApplyStart
    | ApplyProgress
    | ApplyComplete
    | ApplyErrored
    | ChangeSummary
    | DiagnosticEvent
    | TextLine
    | Notice
    | StateDump
    | Torn
    | Other
)

_BEGIN = '{"@level":'
"""How Terraform begins an event. Inside of one, quotation marks are escaped: there it cannot occur."""

_DUMP = re.compile(rb'\{"@level":"[^\n]*?"state":(?=\{|\Z|\n).*?(?=\{"@level":|\n|\Z)')


def parse(line: str) -> Event:
    """The event of one line; never raises: a line in another format is a `TextLine`, an unknown type an `Other`."""
    try:
        data = json.loads(line)
        if isinstance(data["type"], str) and isinstance(data.get("state"), dict):
            return StateDump(_raw(line, "state", data["state"]))
        return _event(data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        begins = line.rfind(_BEGIN)
        if begins < 0 or (begins == 0 and _is_json(line)):
            return TextLine(ANSI.sub("", line).rstrip())
        return Torn(parse(line[begins:]) if begins > 0 else None)


def without_dumps(log: bytes) -> bytes:
    """A log of events, never longer than before, without the states that were dumped into it, whole or cut off."""
    note = b'{"@level":"info","@message":"a state was taken out here","type":"log"}'

    def replace(found: re.Match[bytes]) -> bytes:
        torn = log[found.end() : found.end() + 1] == b"{"
        return note + (b"\n" if torn else b"")

    return _DUMP.sub(replace, log)


def _raw(line: str, key: str, value: Any) -> str:
    """The value of a key of the outermost object as it is written there: numbers keep their digits."""
    start = line.index(f'"{key}":') + len(key) + 3
    found, end = json.JSONDecoder().raw_decode(line, start)
    return line[start:end] if found == value else json.dumps(value)


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def diagnostic(data: dict[str, Any]) -> Diagnostic:
    """A diagnostic object of `-json` output or of `validate -json`."""
    place = data.get("range") or {}
    code = (data.get("snippet") or {}).get("code")
    return Diagnostic(
        severity="warning" if data.get("severity") == "warning" else "error",
        summary=str(data["summary"]),
        detail=str(data.get("detail") or ""),
        address=data.get("address"),
        file=place.get("filename") or None,
        line=(place.get("start") or {}).get("line"),
        snippet=code.strip() if code else None,
    )


_APPLY: dict[str, type[ApplyProgress | ApplyComplete | ApplyErrored]] = {
    "apply_progress": ApplyProgress,
    "apply_complete": ApplyComplete,
    "apply_errored": ApplyErrored,
}


def _event(data: dict[str, Any]) -> Event:
    kind = data["type"]
    if kind == "diagnostic":
        return DiagnosticEvent(diagnostic(data["diagnostic"]))
    if kind in ("planned_change", "resource_drift"):
        return _change(kind, data["change"])
    if kind == "change_summary":
        counts = data["changes"]
        return ChangeSummary(
            str(counts["operation"]), counts["add"], counts["change"], counts["remove"], counts.get("import", 0)
        )
    hook = data.get("hook") or {}
    if kind == "apply_start":
        return ApplyStart(hook["resource"]["addr"], hook["action"])
    if kind in _APPLY:
        return _APPLY[kind](hook["resource"]["addr"], hook["action"], float(hook.get("elapsed_seconds", 0)))
    if kind == "refresh_start":
        return RefreshStart(hook["resource"]["addr"])
    if kind == "refresh_complete":
        return RefreshComplete(hook["resource"]["addr"])
    return Other(str(kind), str(data.get("@message", "")))


def _change(kind: str, change: dict[str, Any]) -> Event:
    address, action = change["resource"]["addr"], change["action"]
    if kind == "resource_drift":
        return Drift(address, action)
    return PlannedChange(
        address,
        action,
        change.get("reason"),
        (change.get("previous_resource") or {}).get("addr"),
        (change.get("importing") or {}).get("id"),
    )
