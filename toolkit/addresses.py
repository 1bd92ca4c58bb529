"""Addresses of resources and paths of attributes, as Terraform writes them: parsed once, walked and printed here.

In: text of Terraform's JSON, of environment.yaml or of a record ("module.config_eu_west_1.aws_x.y["k"]",
"rule[0].expiration[*].days"). Out: their parts. Whatever a key holds (quotes, brackets, dots, `${`) is one key. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from typing import Any, TypeAlias

Key: TypeAlias = str | int
"""Of an instance: of `for_each` or of `count`."""

_QUOTED = r'"(?P<text>(?:[^"\\]|\\.)*)"'
_NAME = re.compile(r"[^\W\d][\w-]*")
_INDEX = re.compile(rf"\[(?:(?P<number>\d+)|{_QUOTED}|(?P<every>\*))\]")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED = re.compile(
    r'\\(?:(?P<plain>["\\nrt])|u(?P<four>[0-9a-fA-F]{4})|U(?P<eight>[0-9a-fA-F]{8}))|(?P<sign>[$%])(?P=sign)(?=\{)'
)


def quoted(text: str) -> str:
    """A key as Terraform prints it (1.11.4, internal/addrs, toHCLQuotedString)."""
    found = ""
    for position, character in enumerate(text):
        if character in _ESCAPES:
            found += _ESCAPES[character]
        elif character in "$%":
            found += character * (2 if text[position + 1 : position + 2] == "{" else 1)
        elif character.isprintable():
            found += character
        else:
            found += f"\\u{ord(character):04x}" if ord(character) <= 0xFFFF else f"\\U{ord(character):08x}"
    return f'"{found}"'


def _unquoted(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        if match["plain"]:
            return {"n": "\n", "r": "\r", "t": "\t"}.get(match["plain"], match["plain"])
        return match["sign"] or chr(int(match["four"] or match["eight"], 16))

    return _ESCAPED.sub(plain, text)


class _Reader:
    """Reads a text from its beginning; `rest` is what is left."""

    def __init__(self, text: str) -> None:
        self.rest = text

    def skip(self, text: str) -> bool:
        found = self.rest.startswith(text)
        self.rest = self.rest.removeprefix(text)
        return found

    def name(self) -> str | None:
        match = _NAME.match(self.rest)
        if match is None:
            return None
        self.rest = self.rest[match.end() :]
        return match[0]

    def index(self) -> Key | _Every | None:
        match = _INDEX.match(self.rest)
        if match is None:
            return None
        self.rest = self.rest[match.end() :]
        if match["every"]:
            return EVERY
        return int(match["number"]) if match["number"] is not None else _unquoted(match["text"])


class _Every(Enum):
    EVERY = "*"


EVERY = _Every.EVERY
"""The step `[*]` of a path: each entry of a list."""


def suffix(key: Key | None) -> str:
    """How a key follows the name of what it is an instance of; "" for None."""
    return "" if key is None else f"[{key}]" if isinstance(key, int) else f"[{quoted(key)}]"


@dataclass(frozen=True)
class Address:
    """Where a resource is: its module calls, outermost first, and itself, each with the key of its instance.

    https://developer.hashicorp.com/terraform/cli/state/resource-addressing
    """

    modules: tuple[tuple[str, Key | None], ...]
    type: str
    name: str
    key: Key | None = None
    mode: str = "managed"
    """As Terraform's JSON has it: "managed", "data" or "ephemeral"."""

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address that a text is.

        Raises:
            ValueError: It is none, or something follows it.
        """
        address, rest = cls.read(text)
        if rest:
            raise ValueError(f"{text!r} is not the address of a resource")
        return address

    @classmethod
    def read(cls, text: str) -> tuple[Address, str]:
        """The address at the beginning of a text, and what follows it, such as the path of an attribute.

        Raises:
            ValueError: There is none.
        """
        reader = _Reader(text)
        modules = []
        while reader.skip("module."):
            name, key = reader.name(), reader.index()
            if name is None or key is EVERY or not reader.skip("."):
                raise ValueError(f"{text!r} is not the address of a resource")
            modules.append((name, key))
        mode = next((mode for mode in ("data", "ephemeral") if reader.skip(f"{mode}.")), "managed")
        type_ = reader.name()
        name = reader.name() if reader.skip(".") else None
        if type_ is None or name is None:
            raise ValueError(f"{text!r} is not the address of a resource")
        before = reader.rest
        key = reader.index()
        if key is EVERY:
            key, reader.rest = None, before
        return cls(tuple(modules), type_, name, key, mode), reader.rest

    def __str__(self) -> str:
        calls = "".join(f"module.{name}{suffix(key)}." for name, key in self.modules)
        return f"{calls}{'' if self.mode == 'managed' else f'{self.mode}.'}{self.type}.{self.name}{suffix(self.key)}"

    @property
    def label(self) -> str | None:
        """Name of the outermost module call, which says component and region; None in the root module."""
        return self.modules[0][0] if self.modules else None

    @property
    def call(self) -> str | None:
        """The outermost module call with its key ('module.x["k"]'); None in the root module."""
        return f"module.{self.modules[0][0]}{suffix(self.modules[0][1])}" if self.modules else None

    @property
    def keys(self) -> tuple[Key, ...]:
        """Of its module calls and of itself, outermost first."""
        return tuple(key for key in (*(key for _, key in self.modules), self.key) if key is not None)

    @property
    def inside(self) -> Address:
        """Within the outermost module call."""
        return replace(self, modules=self.modules[1:])

    @property
    def module(self) -> str:
        """The module that it is in, without keys ("module.iam_groups"); "" for the root module."""
        return ".".join(f"module.{name}" for name, _ in self.modules)

    def with_keys(self, changed: Callable[[Key], Key | None]) -> Address:
        """With other keys, or without those for which None is answered."""

        def of(key: Key | None) -> Key | None:
            return None if key is None else changed(key)

        return replace(self, modules=tuple((name, of(key)) for name, key in self.modules), key=of(self.key))

    @property
    def without_keys(self) -> Address:
        """Of all instances: as the configuration has it."""
        return self.with_keys(lambda _: None)


def label_of(text: str) -> str | None:
    """Name of the outermost module call in whatever begins with one, be it a resource's address or a module's."""
    reader = _Reader(text)
    return reader.name() if reader.skip("module.") else None


def regional_label(label: str, region: str) -> str:
    """The label of a module call for one region ("guardduty", "eu-west-1" → "guardduty_eu_west_1")."""
    return f"{label}_{region.replace('-', '_')}"


Step: TypeAlias = str | int | _Every


@dataclass(frozen=True)
class AttributePath:
    """Where a value stands in a resource's values: names, keys of maps, positions in lists, or `[*]` for each entry."""

    steps: tuple[Step, ...]

    @classmethod
    def parse(cls, text: str) -> AttributePath:
        """The path that a text is ("rule[0].expiration[*].days", 'tags["a.b"]'); "" is that of the whole.

        Raises:
            ValueError: It is none.
        """
        return _parse_path(text)

    def __str__(self) -> str:
        text = ""
        for step in self.steps:
            if step is EVERY:
                text += "[*]"
            elif isinstance(step, str) and _NAME.fullmatch(step):
                text += f".{step}" if text else step
            else:
                text += suffix(step)
        return text

    @property
    def names(self) -> tuple[str, ...]:
        """Without positions: as the provider's schema has it."""
        return tuple(step for step in self.steps if isinstance(step, str))

    def starts_with(self, other: AttributePath) -> bool:
        """Whether it is the other path, or a part of what stands there."""
        return self.steps[: len(other.steps)] == other.steps

    def at(self, values: Any) -> Any:
        """What stands there; None where nothing does. A marker that stands on the way stands for all that is in it.

        Raises:
            ValueError: The path has `[*]`.
        """
        here = values
        for step in self.steps:
            if isinstance(here, Enum):
                return here
            if isinstance(step, str):
                here = here.get(step) if isinstance(here, Mapping) else None
            elif isinstance(step, int):
                here = here[step] if isinstance(here, list | tuple) and step < len(here) else None
            else:
                raise ValueError(f"{self} is not one place")
        return here

    def spread(self, values: Any) -> Any:
        """What stands there, whether or not the path has the positions in lists: past a list, what all entries have."""
        for position, step in enumerate(self.steps):
            if isinstance(values, list) and not isinstance(step, int):
                rest = AttributePath(self.steps[position + (step is EVERY) :])
                found = [rest.spread(value) for value in values]
                return [leaf for one in found for leaf in (one if isinstance(one, list) else [one])]
            values = AttributePath((step,)).at(values)
        return values


def value_at(values: Any, path: str) -> Any:
    """What stands at a path ("rule[0].expiration[0].days") of a resource's values, as `AttributePath.at` has it."""
    return AttributePath.parse(path).at(values)


@cache
def _parse_path(text: str) -> AttributePath:
    reader = _Reader(text)
    steps: list[Step] = []
    while reader.rest:
        step: Step | None = reader.index()
        if step is None and (bool(steps) == reader.skip(".")):
            step = reader.name()
        if step is None:
            raise ValueError(f"{text!r} is not the path of an attribute")
        steps.append(step)
    return AttributePath(tuple(steps))


def leaves(value: Any) -> Iterator[tuple[AttributePath, Any]]:
    """Every value within a value that holds no others, with its path: an empty map is one, an empty list has none."""
    yield from _leaves(value, ())


def _leaves(value: Any, steps: tuple[Step, ...]) -> Iterator[tuple[AttributePath, Any]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, (*steps, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*steps, index))
    else:
        yield AttributePath(steps), value
