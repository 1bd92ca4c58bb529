"""The lock of a state: who holds it, as Terraform's error describes it, or the lock file or lock object does."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class StateLock:
    """Who holds the state, as Terraform says it."""

    id: str
    path: str
    operation: str
    """plan, apply, …"""

    who: str
    """user@host."""

    version: str
    created: str
    """As people read it, in UTC."""

    created_at: datetime | None = None
    """The same to the microsecond; None where only Terraform's words are known."""


def state_lock(text: str) -> StateLock | None:
    """The lock that Terraform's "Error acquiring the state lock" describes; None where it names none.

    It names none when the lock could not be asked for at all: no access, or a broken local state.
    """
    start = text.find("Lock Info:")
    if start < 0:
        return None
    fields = dict(re.findall(r"^[ \t│]*(ID|Path|Operation|Who|Version|Created):[ \t]*(.*?)[ \t]*$", text[start:], re.M))
    if not fields.get("ID"):
        return None
    created = re.sub(r"(\d\d:\d\d:\d\d)\.\d+ \+0000 UTC$", r"\1 UTC", fields.get("Created", "an unknown time"))
    return StateLock(
        fields["ID"],
        fields.get("Path", ""),
        _operation(fields.get("Operation", "")),
        fields.get("Who", "someone"),
        fields.get("Version", ""),
        created,
    )


def parse_lock(data: bytes) -> StateLock:
    """The lock that a lock file or lock object describes (Terraform's `statemgr.LockInfo` as JSON).

    Raises:
        ValueError: It is none.
    """
    fields = json.loads(data)
    if not isinstance(fields, dict) or not fields.get("ID"):
        raise ValueError("no lock")
    created = datetime.fromisoformat(str(fields["Created"])).astimezone(UTC) if fields.get("Created") else None
    return StateLock(
        str(fields["ID"]),
        str(fields.get("Path", "")),
        _operation(str(fields.get("Operation", ""))),
        str(fields.get("Who") or "someone"),
        str(fields.get("Version", "")),
        created.strftime("%Y-%m-%d %H:%M:%S UTC") if created else "an unknown time",
        created,
    )


def _operation(name: str) -> str:
    return name.removeprefix("OperationType").lower() or "unknown operation"
