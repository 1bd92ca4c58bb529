"""What the toolkit prints as JSON: every kind of document, its version, and the commands that print it.

docs/output.schema.json describes each. Within a version keys may be added; it grows when one changes its meaning or is
removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NewType

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
        "plan": Kind(1, ("plan --json", "show --json", "plan --report json=FILE")),
        "release": Kind(1, ("release --json",)),
        "render": Kind(1, ("render --json",)),
        "sandbox": Kind(1, ("sandbox up --json", "sandbox status --json")),
        "state-restore": Kind(1, ("state restore --json",)),
        "unlock": Kind(1, ("unlock --json",)),
        "validate": Kind(1, ("validate --json",)),
    }
)
"""Value of `kind` → what it is."""


def document(kind: str, data: Mapping[str, Any]) -> Document:
    """Data as a document of a kind in `KINDS`."""
    return Document({"schema_version": KINDS[kind].version, "kind": kind, **data})


def is_document(kind: str, text: str, *keys: str) -> bool:
    """Whether a text is a document of a kind, of whichever version, that has these keys."""
    import json  # not for `--help`

    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("kind") == kind and {"schema_version", *keys} <= found.keys()
