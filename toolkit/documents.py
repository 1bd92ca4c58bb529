"""What the toolkit prints as JSON: every kind of document, its version, and the commands that print it.

docs/output.schema.json describes each. Within a version keys may be added; it grows when one changes its meaning or is
removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal, NewType

Document = NewType("Document", dict[str, Any])
"""Data that says of which kind and version it is; only `document` makes one."""


@dataclass(frozen=True)
class Kind:
    """One kind of document."""

    version: int
    """Its `schema_version`."""
    printed_by: tuple[str, ...]
    """Commands, with the option that makes them print it; none for what any command prints if it fails."""


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "access": Kind(
            1,
            (
                "explain who-can --json",
                "explain what-can --json",
                "explain why --json",
                "explain question --json",
            ),
        ),
        "adopt": Kind(1, ("adopt --json",)),
        "apply": Kind(1, ("apply --json", "destroy --json")),
        "audit": Kind(1, ("audit --format json", "audit --report json=FILE")),
        "audit-organization": Kind(
            1, ("audit --organization --format json", "audit --organization --report json=FILE")
        ),
        "bootstrap": Kind(1, ("bootstrap --json",)),
        "components": Kind(1, ("components --json",)),
        "controls": Kind(1, ("controls --format json",)),
        "discover": Kind(1, ("discover --json",)),
        "discover-diff": Kind(1, ("discover --json --diff A B",)),
        "doctor": Kind(1, ("doctor --json",)),
        "drift": Kind(2, ("drift --json",)),
        "environments": Kind(1, ("environments --json",)),
        "error": Kind(1, ()),
        "evidence": Kind(1, ("evidence make --json",)),
        "evidence-verify": Kind(1, ("evidence verify --json",)),
        "fleet": Kind(1, ("plan A B --report json=FILE", "summary --json")),
        "fleet-import": Kind(1, ("fleet import --json",)),
        "fleet-run": Kind(
            1,
            (
                "plan --json --all",
                "apply --json --all",
                "drift --json --all",
                "discover --json --all",
                "audit --all --format json",
                "controls --all --format json",
            ),
        ),
        "fleet-sync": Kind(1, ("fleet sync --json",)),
        "permissions": Kind(1, ("permissions --json",)),
        "plan": Kind(1, ("plan --json", "show --json", "plan --report json=FILE")),
        "release": Kind(1, ("release --json",)),
        "render": Kind(1, ("render --json",)),
        "sandbox": Kind(1, ("sandbox up --json", "sandbox status --json")),
        "settings": Kind(1, ("settings --json",)),
        "state-restore": Kind(1, ("state restore --json",)),
        "unlock": Kind(1, ("unlock --json",)),
        "validate": Kind(1, ("validate --json",)),
    }
)
"""Value of `kind` → what it is."""


def check_version(data: Mapping[str, Any]) -> None:
    """Demand that a document of a known kind, printed by another run, has the shape that this version reads.

    Raises:
        ValueError: It has another one.
    """
    if data["schema_version"] != KINDS[data["kind"]].version:
        raise ValueError(f"of another version of the toolkit (schema_version {data['schema_version']!r})")


def document(kind: str, data: Mapping[str, Any]) -> Document:
    """Data as a document of a kind in `KINDS`."""
    return Document({"schema_version": KINDS[kind].version, "kind": kind, **data})


def utc(at: datetime) -> str:
    """A time as documents have it: ISO 8601 in UTC, in whole seconds ("2026-11-29T12:00:00Z")."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def is_document(kind: str, text: str, key: str) -> bool:
    """Whether a text is a document of a kind, of whichever version, that has this key, as far as its beginning says."""
    try:
        json_at(text, "schema_version")
        json_at(text, key)
        return bool(json_at(text, "kind") == kind)
    except (ValueError, LookupError, RecursionError):
        return False


def json_at(text: str, *path: str | Literal[0]) -> Any:
    """The value at a path in JSON, of which nothing after the value needs to be there.

    Args:
        text: The JSON, or the beginning of it.
        path: Keys of objects; 0 for the first value of an array.

    Raises:
        ValueError: It is no JSON up to there, or ends before.
        LookupError: There is no such value.
        RecursionError: It is nested too deeply.
    """
    import json  # not for `--help`

    decoder = json.JSONDecoder()
    at = _over_space(text, 0)
    for step in path:
        if step == 0:
            at = _over_space(text, _over(text, at, "["))
            if text[at : at + 1] == "]":
                raise LookupError(step)
            continue
        at = _over_space(text, _over(text, at, "{"))
        while text[at : at + 1] != "}":
            key, at = decoder.raw_decode(text, at)
            at = _over_space(text, _over(text, _over_space(text, at), ":"))
            if key == step:
                break
            _, at = decoder.raw_decode(text, at)
            at = _over_space(text, at)
            if text[at : at + 1] != "}":
                at = _over_space(text, _over(text, at, ","))
        else:
            raise LookupError(step)
    return decoder.raw_decode(text, at)[0]


def _over(text: str, at: int, expected: str) -> int:
    if text[at : at + 1] != expected:
        raise ValueError(f"expected {expected} at character {at}")
    return at + 1


def _over_space(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\t", "\r", "\n"):
        at += 1
    return at
