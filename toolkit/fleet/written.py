"""Values that a command writes into environment files, and how it knows its own among those of people.

In: the content of an environment file and the values that it should have. Out: the edited content, and for each value
what became of it. Pure.

Above each value, the command writes a comment with a digest of the value: `# Synced: from fleet.yaml (3f9a12bc41d0)`.
A value that no longer has that digest was edited by a person, like one without such a comment: it is a conflict, and
stays. So the file alone says what is whose: it can be copied, renamed and merged, and there is no second file that has
to agree with it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from toolkit.environment.source import Data, Source, data_at, parse
from toolkit.environment.splice import DELETE, IMPORTED, SYNCED, Edit, Path, comments_above, splice_bytes
from toolkit.typed import same_json

KEPT = "# Not synced:"
"""Starts the comment above a value that an environment has for a reason of its own."""
_SIGNED = re.compile(rf"(?P<mark>{SYNCED}|{IMPORTED}) .* \((?P<digest>[0-9a-f]{{12}})\)")


class Action(StrEnum):
    """What becomes of one value."""

    ADD = "add"
    UPDATE = "update"
    DELETE = "delete"
    SAME = "same"
    """The file has the value."""
    KEPT = "kept"
    """A comment of a person keeps the value that the file has."""
    OFF = "off"
    """The value is of a component that the environment does not have."""
    CONFLICT = "conflict"
    """A person wrote another value; it stays."""


@dataclass(frozen=True)
class Value:
    """One value, and what becomes of it."""

    path: Path
    action: Action
    wanted: Data
    found: Data
    """What the file has; None where it has nothing."""
    line: int | None
    """Where the file has it."""


@dataclass(frozen=True)
class Merged:
    """An environment file with the values."""

    content: bytes
    values: tuple[Value, ...]

    @property
    def conflicts(self) -> tuple[Value, ...]:
        """What was left because a person wrote it."""
        return tuple(value for value in self.values if value.action is Action.CONFLICT)


def origins(raw: bytes) -> dict[Path, str]:
    """Whose the values are that a command wrote and nobody has edited since: path → "synced" or "imported"."""
    source, comments = _read(raw)
    found: dict[Path, str] = {}
    for path in comments:
        mark = _signed(source, comments, path)
        if mark is not None:
            found[path] = "synced" if mark == SYNCED else "imported"
    return found


def merge(
    raw: bytes,
    wanted: Mapping[Path, Data],
    *,
    mark: str,
    whence: str,
    where: str,
    overwrite: Collection[Path] = (),
    within: Collection[Path] = (),
) -> Merged:
    """An environment file with these values, as far as nobody has written others.

    Args:
        raw: The file's content.
        wanted: Path → value. Of a component that the file does not have, only the empty block is written.
        mark: SYNCED or IMPORTED.
        whence: Where the values are from, for the comments.
        where: The file, for errors.
        overwrite: Values that are written whoever wrote what is there.
        within: Values at or below these paths that the command wrote once, and that are not wanted any more, are
            deleted; others stay.

    Raises:
        ToolkitError: The file is no YAML, or cannot be edited there.
    """
    source, comments = _read(raw)
    values = [
        _value(source, comments, path, value, mark=mark, overwrite=path in overwrite) for path, value in wanted.items()
    ]
    values += _gone(source, comments, wanted, mark=mark, within=within)
    edits = [_edit(value, mark, whence) for value in values if value.action in _WRITTEN]
    # Also without an edit: a file that cannot be read has no values that are the same.
    return Merged(splice_bytes(raw, edits, where=where), tuple(values))


_WRITTEN = (Action.ADD, Action.UPDATE, Action.DELETE)


def _edit(value: Value, mark: str, whence: str) -> Edit:
    if value.action is Action.DELETE:
        return Edit(value.path, DELETE)
    before = "components" if value.path[0] != "components" else None
    return Edit(value.path, value.wanted, f"{whence} ({digest(value.wanted)})", before, mark)


def digest(value: Data) -> str:
    """What the comment above a value says of it."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _read(raw: bytes) -> tuple[Source, Mapping[Path, str]]:
    text = raw.decode("utf-8-sig", "replace")
    source = parse(text)
    usable = not source.problems and isinstance(source.data, dict)
    return source, comments_above(text) if usable else {}


def _signed(source: Source, comments: Mapping[Path, str], path: Path) -> str | None:
    """The mark of the command that wrote the value at a path, if it is still that value."""
    found = _SIGNED.fullmatch(comments.get(path, ""))
    return found["mark"] if found and found["digest"] == digest(data_at(path, source.data)) else None


def _value(
    source: Source, comments: Mapping[Path, str], path: Path, wanted: Data, *, mark: str, overwrite: bool
) -> Value:
    found = data_at(path, source.data)
    present = path in source.lines
    line = source.lines.get(path)

    def value(action: Action) -> Value:
        return Value(path, action, wanted, found, line)

    component = data_at(path[:2], source.data) if path[0] == "components" else {}
    if len(path) > 2 and component is None and path[:2] not in source.lines:
        return value(Action.OFF)
    kept = any(comments.get(path[:depth], "").startswith(KEPT) for depth in range(1, len(path) + 1))
    if not present:
        return value(Action.KEPT if kept else Action.ADD)
    if same_json(found, wanted) or (wanted == {} and (found is None or isinstance(found, dict))):
        return value(Action.SAME)
    if kept:
        return value(Action.KEPT)
    if overwrite or _signed(source, comments, path) == mark:
        return value(Action.UPDATE)
    return value(Action.CONFLICT)


def _gone(
    source: Source, comments: Mapping[Path, str], wanted: Mapping[Path, Data], *, mark: str, within: Collection[Path]
) -> Iterable[Value]:
    for path in comments:
        below = any(path[: len(one)] == one for one in within)
        if below and path not in wanted and _signed(source, comments, path) == mark:
            found = data_at(path, source.data)
            yield Value(path, Action.DELETE, None, found, source.lines[path])
