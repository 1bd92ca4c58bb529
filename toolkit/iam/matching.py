"""Text matching of the policy language: wildcards, ARNs, policy variables.

In: a pattern as written in a policy, the request's context keys. Out: whether a request's text matches. Pure.

Sources (IAM User Guide, by page title): "IAM JSON policy elements: Action", "IAM JSON policy elements: Resource",
"IAM policy elements: Variables and tags", "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

ContextValue = str | bool | int | float | Sequence[str | bool | int | float]
"""What a request carries under one condition key; a sequence (other than str) makes the key multivalued."""

ARN_FIELDS = 6
_SPECIAL = {"*", "?", "$"}
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_WITH_DEFAULT = re.compile(r"(?P<key>[^,]+?)\s*,\s*'(?P<default>[^']*)'")


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
    """A policy's text with its variables filled in.

    Attributes:
        parts: (text, is_pattern) pairs: in pattern parts `*` and `?` are wildcards; other parts come out of a
            variable and are literal, so that a tag value of `*` gives nobody access to everything.
    """

    parts: tuple[tuple[str, bool], ...]

    @property
    def literal(self) -> str:
        """The text where wildcards mean themselves, as string operators without `Like` read it."""
        return "".join(text for text, _ in self.parts)


def expand(text: str, context: Context, *, variables: bool) -> Pattern | None:
    """Fill in the policy variables of `text`; None where one has no value and no default.

    `${*}`, `${?}` and `${$}` are those characters themselves; `${key, 'default'}` has a default. With
    `variables=False` (a document of Version 2008-10-17, or an operator that takes none) the text stays as it is.
    """
    if not variables or "${" not in text:
        return Pattern(((text, True),))
    parts: list[tuple[str, bool]] = []
    position = 0
    for found in _VARIABLE.finditer(text):
        parts.append((text[position : found.start()], True))
        position = found.end()
        name = found.group(1)
        if name in _SPECIAL:
            parts.append((name, False))
            continue
        with_default = _WITH_DEFAULT.fullmatch(name.strip())
        key = with_default["key"] if with_default else name.strip()
        value = context.variable(key)
        if value is None and with_default:
            value = with_default["default"]
        if value is None:
            return None
        parts.append((value, False))
    parts.append((text[position:], True))
    return Pattern(tuple((part, is_pattern) for part, is_pattern in parts if part))


@lru_cache(maxsize=8192)
def _compiled(parts: tuple[tuple[str, bool], ...], ignore_case: bool) -> re.Pattern[str]:
    source = ""
    for text, is_pattern in parts:
        if not is_pattern:
            source += re.escape(text)
            continue
        for piece in re.findall(r"\*+|\?|[^*?]+", text):
            source += ".*" if piece.startswith("*") else "." if piece == "?" else re.escape(piece)
    return re.compile(source, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def like(pattern: Pattern, text: str, *, ignore_case: bool = False) -> bool:
    """Whether the whole of `text` matches: `*` any run of characters (also none), `?` exactly one."""
    return _compiled(pattern.parts, ignore_case).fullmatch(text) is not None


def action_matches(pattern: str, action: str) -> bool:
    """Whether an Action entry covers `action`; service and name ignore case, variables do not exist here."""
    return like(Pattern(((pattern, True),)), action, ignore_case=True)


@lru_cache(maxsize=8192)
def _compiled_resource(parts: tuple[tuple[str, bool], ...]) -> re.Pattern[str]:
    source = ""
    colons = 0
    for index, (text, is_pattern) in enumerate(parts):
        for position, character in enumerate(text):
            in_resource = colons >= ARN_FIELDS - 1
            if is_pattern and character == "*":
                following = text[position + 1] if position + 1 < len(text) else None
                ends_segment = following == ":" or (following is None and index == len(parts) - 1)
                source += ".*" if in_resource or ends_segment else "[^:]*"
            elif is_pattern and character == "?":
                source += "." if in_resource else "[^:]"
            else:
                source += re.escape(character)
            colons += character == ":"
    return re.compile(re.sub(r"(?:\.\*){2,}", ".*", source), re.DOTALL)


def resource_matches(pattern: Pattern, resource: str) -> bool:
    """Whether a Resource entry covers the ARN `resource` (or `*`, for actions without a resource); case matters.

    A wildcard stays within its colon-delimited segment, but a `*` that ends a segment may reach past the colon,
    and in the sixth part, the resource itself, `*` takes in `/` and `:` alike. An entry that stops early
    (`arn:aws:sqs`) is read as having `*` in every missing segment.
    """
    written = pattern.literal
    if written == "*":
        return True
    parts = pattern.parts
    missing = ARN_FIELDS - written.count(":") - 1
    if missing > 0 and not written.endswith("*"):
        parts = (*parts, (":*" * missing, True))
    return _compiled_resource(parts).fullmatch(resource) is not None


def arn_like(pattern: Pattern, text: str) -> bool:
    """The Arn operators: each of the six colon-delimited parts matches by itself, `*` never leaves its part.

    The sixth part keeps further colons. A pattern with fewer parts has `*` in the missing ones, so that a Deny
    written in short is not narrowed; a request value with fewer than six parts is no ARN and never matches.
    """
    values = text.split(":", ARN_FIELDS - 1)
    if len(values) < ARN_FIELDS:
        return False
    fields = _fields(pattern.parts)
    fields += [Pattern((("*", True),))] * (ARN_FIELDS - len(fields))
    return all(like(field, value) for field, value in zip(fields, values, strict=True))


def _fields(parts: Iterable[tuple[str, bool]]) -> list[Pattern]:
    """`parts` split at its first five colons."""
    fields: list[list[tuple[str, bool]]] = [[]]
    for text, is_pattern in parts:
        pieces = text.split(":", ARN_FIELDS - len(fields)) if len(fields) < ARN_FIELDS else [text]
        for number, piece in enumerate(pieces):
            if number:
                fields.append([])
            if piece:
                fields[-1].append((piece, is_pattern))
    return [Pattern(tuple(field)) for field in fields]
