"""Text matching of the policy language: wildcards, ARNs, policy variables.

In: a pattern as written in a policy, the request's context keys. Out: whether a request's text matches. Pure.

Sources (IAM User Guide, by page title): "IAM JSON policy elements: Action", "IAM JSON policy elements: Resource",
"IAM policy elements: Variables and tags", "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from toolkit.globs import MARK, STAR, Glob, Symbol, Unknown, Wild

ContextValue = str | bool | int | float | Sequence[str | bool | int | float]
"""What a request carries under one condition key; a sequence (other than str) makes the key multivalued."""

ARN_FIELDS = 6
_SPECIAL = {"*", "?", "$"}
_WILD: Mapping[str, Wild] = {"*": STAR, "?": MARK}


def _text(value: str | bool | int | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


class Context:
    """The request's condition keys: names ignore case, values are text.

    A key whose sequence is empty counts as absent: the request holds no value for it.
    """

    def __init__(self, entries: Mapping[str, ContextValue]) -> None:
        self._values: dict[str, tuple[str, ...]] = {}
        self._multivalued: set[str] = set()
        for key, value in entries.items():
            name = key.lower()
            if isinstance(value, str | bool | int | float):
                self._values[name] = (_text(value),)
                continue
            values = tuple(_text(item) for item in value)
            if values:
                self._values[name] = values
                self._multivalued.add(name)

    def values(self, key: str) -> tuple[str, ...] | None:
        """Every value of `key`, or None where the request lacks it."""
        return self._values.get(key.lower())

    def is_multivalued(self, key: str) -> bool:
        """Whether the request carries `key` as a list."""
        return key.lower() in self._multivalued

    def variable(self, key: str) -> str | None:
        """The value that `${key}` stands for; None where absent or multivalued (those cannot be variables)."""
        values = self.values(key)
        if values is None or self.is_multivalued(key):
            return None
        return values[0]


@dataclass(frozen=True)
class Pattern:
    """A policy's text as it is read.

    Attributes:
        symbols: Its wildcards as such; the characters of a variable's value are plain ones, so that a tag value of `*`
            gives nobody access to everything. A variable that is not filled in is `Unknown`.
    """

    symbols: tuple[Symbol, ...]

    @cached_property
    def literal(self) -> str:
        """The text where wildcards mean themselves, as string operators without `Like` read it."""
        return "".join(s for s in _characters(self.symbols) if isinstance(s, str))

    @cached_property
    def whole(self) -> bool:
        """Whether every variable is filled in."""
        return not any(isinstance(symbol, Unknown) for symbol in self.symbols)

    @cached_property
    def shifting(self) -> bool:
        """Whether a variable stands before an ARN's sixth part: a value with a colon would move the parts behind it."""
        return not all(field.whole for field in self.fields[:-1])

    @cached_property
    def exact(self) -> Glob:
        """For operators to which `*` and `?` are characters like others."""
        return Glob(_characters(self.symbols))

    @cached_property
    def glob(self) -> Glob:
        """For operators to which they are wildcards."""
        return Glob(self.symbols)

    @cached_property
    def folded(self) -> Pattern:
        """The same in lowercase, for what ignores case."""
        return Pattern(tuple(lower for s in self.symbols for lower in (s.lower() if isinstance(s, str) else (s,))))

    @cached_property
    def fields(self) -> tuple[Pattern, ...]:
        """An ARN's six parts; the sixth keeps further colons, and a part that is missing is `*`."""
        fields: list[list[Symbol]] = [[]]
        for symbol in self.symbols:
            if symbol == ":" and len(fields) < ARN_FIELDS:
                fields.append([])
            else:
                fields[-1].append(symbol)
        fields += [[STAR]] * (ARN_FIELDS - len(fields))
        return tuple(Pattern(tuple(field)) for field in fields)

    @cached_property
    def resource(self) -> Glob:
        """As a Resource entry: see `resource_matches`."""
        return self._resource(beyond=True)

    @cached_property
    def resource_by_part(self) -> Glob:
        """As a Resource entry none of whose wildcards leaves its part.

        AWS says that one which ends a part "can expand to match beyond the colon boundaries" and advises against it:
        what has to hold for certain has to hold for both.
        """
        return self._resource(beyond=False)

    def _resource(self, *, beyond: bool) -> Glob:
        if self.symbols == (STAR,):
            return Glob(self.symbols)
        read: list[Symbol] = []
        written = sum(symbol == ":" for symbol in self.symbols) + 1
        # A last `*` that reaches beyond its part stands for the missing ones already.
        complete = not beyond or self.symbols[-1:] != (STAR,)
        for number, field in enumerate(self.fields if complete else self.fields[:written]):
            read += ":" if number else ""
            for place, symbol in enumerate(field.symbols):
                if isinstance(symbol, Wild) and number < ARN_FIELDS - 1:
                    read.append(Wild(symbol.many, beyond and symbol.many and place == len(field.symbols) - 1))
                else:
                    read.append(symbol)
        return Glob(tuple(read))


def _characters(symbols: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
    return tuple(("*" if s.many else "?") if isinstance(s, Wild) else s for s in symbols)


@lru_cache(maxsize=8192)
def pattern(text: str, *, variables: bool) -> Pattern:
    """A policy's text as written.

    `${*}`, `${?}` and `${$}` are those characters themselves; `${key, 'default'}` has a default. With
    `variables=False` (a document of Version 2008-10-17, or an operator that takes none) all of that is plain text.
    """
    return Pattern(tuple(_symbols(text, variables)))


def _symbols(text: str, variables: bool) -> Iterator[Symbol]:
    position = 0
    while variables and (start := text.find("${", position)) >= 0 and (end := text.find("}", start)) >= 0:
        yield from (_WILD.get(character, character) for character in text[position:start])
        name = text[start + 2 : end]
        yield name if name in _SPECIAL else _variable(name)
        position = end + 1
    yield from (_WILD.get(character, character) for character in text[position:])


def _variable(text: str) -> Unknown:
    key, comma, rest = text.partition(",")
    default = rest.strip()
    if comma and key.strip() and len(default) >= 2 and default[0] == default[-1] == "'" and "'" not in default[1:-1]:
        return Unknown(key.strip().lower(), default[1:-1])
    return Unknown(text.strip().lower())


def expand(text: str, context: Context, *, variables: bool) -> Pattern | None:
    """`pattern` with its variables filled in; None where one has no value and no default."""
    written = pattern(text, variables=variables)
    if written.whole:
        return written
    filled: list[Symbol] = []
    for symbol in written.symbols:
        if not isinstance(symbol, Unknown):
            filled.append(symbol)
            continue
        value = context.variable(symbol.name)
        if value is None:
            value = symbol.default
        if value is None:
            return None
        filled += value
    return Pattern(tuple(filled))


def like(pattern: Pattern, text: str) -> bool:
    """Whether the whole of `text` matches: `*` any run of characters (also none), `?` exactly one."""
    return pattern.glob.matches(text)


def action_pattern(text: str) -> Glob:
    """An Action entry, for actions in lowercase: service and name ignore case, variables do not exist here."""
    # Every action has one colon, so that `*` means the same as `*:*`.
    return pattern("*:*" if text == "*" else text, variables=False).folded.glob


def action_matches(pattern: str, action: str) -> bool:
    """Whether an Action entry covers `action`."""
    return action_pattern(pattern).matches(action.lower())


@lru_cache(maxsize=16384)
def any_action_matches(patterns: tuple[str, ...], action: str) -> bool:
    """Whether one of a statement's Action entries covers `action`; requests of few actions meet the same statements."""
    return any(action_matches(pattern, action) for pattern in patterns)


def resource_matches(pattern: Pattern, resource: str) -> bool:
    """Whether a Resource entry covers the ARN `resource` (or `*`, for actions without a resource); case matters.

    A wildcard stays within its colon-delimited part, but a `*` that ends a part may reach past the colon, and in the
    sixth part, the resource itself, `*` takes in `/` and `:` alike. An entry that stops early (`arn:aws:sqs`) is read
    as having `*` in every missing part.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    return pattern.resource.matches(resource)


def arn_like(pattern: Pattern, text: str) -> bool:
    """The Arn operators: each of the six colon-delimited parts matches by itself, `*` never leaves its part.

    The sixth part keeps further colons. A pattern with fewer parts has `*` in the missing ones, so that a Deny
    written in short is not narrowed; a request value with fewer than six parts is no ARN and never matches.
    """
    values = text.split(":", ARN_FIELDS - 1)
    if len(values) < ARN_FIELDS:
        return False
    return all(like(field, value) for field, value in zip(pattern.fields, values, strict=True))
