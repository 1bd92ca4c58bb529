"""Which facts a check reads: values of `Live` that note each leaf that is looked at, however deep it is.

A fact is named by its question and its path, with `*` for positions: "CredentialReport.keys.*.active". A dot within
a name is a slash: "Selectors.advanced.*.resources/type.Equals".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from toolkit.plan.facts import Wanted
from toolkit.resources.reading import Live

from .conftest import Case, Flip

Note = Callable[[str], None]
OF_LIVE = ("arn", "by_default", "managed_by")
"""Fields of `Live` that are facts, too; what it is called is for people, and its key is what it is looked up by."""
_BLOCKS = (Mapping, list, tuple)


def _step(name: object) -> str:
    """A name as one step of a path."""
    return str(name).replace(".", "/")


class TracedMapping(dict[str, Any]):
    """A mapping that notes which of its leaves are read."""

    def __init__(self, values: Mapping[str, Any], path: str, note: Note) -> None:
        super().__init__(values)
        self._path, self._note = path, note

    def _read(self, name: str, value: Any) -> Any:
        return traced(value, f"{self._path}.{_step(name)}", self._note)

    def __getitem__(self, name: str) -> Any:
        if name not in self.keys():
            self._note(f"{self._path}.{_step(name)}")
        return self._read(name, super().__getitem__(name))

    def get(self, name: str, default: Any = None) -> Any:
        if name in self.keys():
            return self[name]
        self._note(f"{self._path}.{_step(name)}")
        return default

    def __contains__(self, name: object) -> bool:
        found = dict.__contains__(self, name)
        if not found:
            self._note(f"{self._path}.{_step(name)}")
        return found

    def __iter__(self) -> Iterator[str]:
        return super().__iter__()

    def items(self) -> Any:
        return [(name, self[name]) for name in self]

    def values(self) -> Any:
        return [self[name] for name in self]

    def __eq__(self, other: object) -> bool:
        self.items()
        return dict.__eq__(self, other)

    def __hash__(self) -> int:  # type: ignore[override]
        raise TypeError("unhashable")


class TracedList(list[Any]):
    """A list of blocks that notes which of their leaves are read."""

    def __init__(self, values: Any, path: str, note: Note) -> None:
        super().__init__(values)
        self._path, self._note = path, note

    def _read(self, at: int, value: Any) -> Any:
        return traced(value, f"{self._path}.{at}", self._note)

    def __iter__(self) -> Iterator[Any]:
        return (self._read(at, value) for at, value in enumerate(super().__iter__()))

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        if isinstance(at, slice):
            return [self._read(one, super(TracedList, self).__getitem__(one)) for one in range(len(self))[at]]
        return self._read(range(len(self))[at], found)


def traced(value: Any, path: str, note: Note) -> Any:
    """The value, which notes what of it is read; a leaf (or a list of leaves) was read by getting here."""
    if isinstance(value, Mapping):
        return TracedMapping(value, path, note)
    if isinstance(value, list | tuple) and any(isinstance(one, _BLOCKS) for one in value):
        return TracedList(value, path, note)
    note(path)
    return value


class TracedLive(Live):
    """A resource that notes which facts of it are read."""

    def __getattribute__(self, name: str) -> Any:
        if name in OF_LIVE and "_note" in object.__getattribute__(self, "__dict__"):
            state = object.__getattribute__(self, "__dict__")
            state["_note"](f"{state['_about']}.@{name}")
        return object.__getattribute__(self, name)


def _follow(one: Live, about: str, note: Note) -> Live:
    state = {field.name: getattr(one, field.name) for field in fields(Live)}
    found = TracedLive(**{**state, "values": TracedMapping(one.values, about, note)})
    found.__dict__.update(_note=note, _about=about)
    return found


def called(wanted: Wanted[Any]) -> str:
    """What a question is called in names of facts: the Terraform type, or its class."""
    kind = getattr(wanted, "kind", None)
    return kind if isinstance(kind, str) else type(wanted).__name__


def follow(case: Case, note: Note) -> dict[Wanted[Any], tuple[Live, ...]]:
    """The answers of a case, which note what is read of them."""
    return {
        wanted: tuple(_follow(one, f"{called(wanted)}.{at}", note) for at, one in enumerate(answer))
        for wanted, answer in case.answers.items()
    }


def question(case: Case, flip: Flip) -> Wanted[Any]:
    """Whose answer a flip changes."""
    if flip.of is not None:
        return flip.of
    (only,) = case.answers
    return only


def place(case: Case, flip: Flip) -> str:
    """Where a flip changes something, as it is noted."""
    return f"{called(question(case, flip))}.{flip.at}.{flip.path}"


def fact(place: str) -> str:
    """The name of the fact in a place: without positions, and whichever resource has it."""
    what, _, *steps = place.split(".")
    return ".".join([what, *("*" if step.isdigit() else step for step in steps)])


MISSING = object()
"""The value of a flip that takes the fact away."""


def flipped(case: Case, flip: Flip) -> dict[Wanted[Any], tuple[Live, ...]]:
    """The answers of a case with one fact changed."""
    wanted = question(case, flip)
    answer = list(case.answers[wanted])
    one = answer[flip.at]
    state = {field.name: getattr(one, field.name) for field in fields(Live)}
    if flip.path.startswith("@"):
        state[flip.path[1:]] = flip.value
    else:
        state["values"] = _changed(one.values, flip.path.split("."), flip.value)
    answer[flip.at] = Live(**state)
    return {**case.answers, wanted: tuple(answer)}


def _changed(values: Any, steps: list[str], value: Any) -> Any:
    step, rest = steps[0], steps[1:]
    if isinstance(values, Mapping):
        name = next((one for one in values if _step(one) == step), step)
        changed = {k: v for k, v in values.items() if k != name}
        if rest or value is not MISSING:
            changed[name] = _changed(values[name], rest, value) if rest else value
        return changed
    copied = list(values)
    at = int(step)
    copied[at : at + 1] = [_changed(values[at], rest, value)] if rest else [] if value is MISSING else [value]
    return copied


def leaves(values: Any, path: str = "") -> Iterator[str]:
    """Paths of every leaf."""
    if isinstance(values, Mapping):
        for name, value in values.items():
            yield from leaves(value, f"{path}.{_step(name)}" if path else _step(name))
    elif isinstance(values, list | tuple) and any(isinstance(one, _BLOCKS) for one in values):
        for at, value in enumerate(values):
            yield from leaves(value, f"{path}.{at}")
    else:
        yield path
