"""CloudWatch Logs filter patterns over JSON events: which events a pattern matches, and on what further conditions.

In: a pattern's text, and what is known of an event. Out: the conditions that are left. Pure.

CloudWatch Logs User Guide, "Using filter patterns to match terms in JSON log events": && binds more than ||; a wildcard
stands at an end of a term; a comparison, != too, never matches an event without the field.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce

ABSENT = None
"""Stands for a field that an event does not have."""


class PatternError(ValueError):
    """A pattern that is not understood."""


@dataclass(frozen=True)
class Term:
    """One comparison, such as `$.eventName = "ConsoleLogin"`."""

    selector: str
    operator: str
    """=, !=, NOT EXISTS, IS TRUE, IS FALSE or IS NULL."""
    value: str = ""
    """Empty for operators without one."""

    def __str__(self) -> str:
        return f'{self.selector} {self.operator} "{self.value}"' if self.value else f"{self.selector} {self.operator}"

    def holds(self, actual: str | None) -> bool:
        """Whether an event meets it whose field is this text, or ABSENT."""
        if self.operator == "NOT EXISTS":
            return actual is ABSENT
        if actual is ABSENT or self.operator.startswith("IS "):
            # A text is neither true nor false nor null.
            return False
        matches = re.fullmatch(re.escape(self.value).replace(r"\*", ".*"), actual) is not None
        return matches == (self.operator == "=")


@dataclass(frozen=True)
class Joined:
    """Terms of which all, or at least one, must hold."""

    every: bool
    parts: tuple[Pattern, ...]


Pattern = Term | Joined
Clause = frozenset[Term]
"""At least one of its terms must hold; none can where it has none."""
Conditions = frozenset[Clause]
"""Each clause must hold: all do where there is none."""

NEVER: Conditions = frozenset({frozenset()})
_MOST = 1000
"""Clauses at which a pattern counts as not understood."""
_LONGEST = 1024
"""Characters of a pattern: API PutMetricFilter."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<symbol>\(|\)|&&|\|\||!=|=)|(?P<word>NOT\s+EXISTS|IS\s+TRUE|IS\s+FALSE|IS\s+NULL)
    |(?P<selector>\$(?:\.[A-Za-z0-9_-]+)+)|"(?P<quoted>[^"\\]*)"|(?P<term>[A-Za-z0-9_.:/*-]+))""",
    re.X,
)
_Token = tuple[str, str]


@lru_cache(maxsize=1024)
def parse(text: str) -> Pattern:
    """Read a pattern; each of an account's is compared with the events of every monitor.

    Raises:
        PatternError: It is not a pattern for JSON events, or has operators that are not read here.
    """
    inner = text.strip()
    if len(text) > _LONGEST or not (inner.startswith("{") and inner.endswith("}")):
        raise PatternError("it is not of the form { … }")
    inner, tokens, at = inner[1:-1].rstrip(), list[_Token](), 0
    while at < len(inner):
        found = _TOKEN.match(inner, at)
        if found is None:
            raise PatternError(f"{inner[at : at + 40].strip()!r} is not understood")
        kind = str(found.lastgroup)
        tokens.append((kind, " ".join(found[kind].split()) if kind == "word" else found[kind]))
        at = found.end()
    parsed, rest = _joined(tokens, "||")
    if rest:
        raise PatternError(f"{rest[0][1]!r} is not understood")
    return parsed


def _joined(tokens: list[_Token], by: str) -> tuple[Pattern, list[_Token]]:
    def one(rest: list[_Token]) -> tuple[Pattern, list[_Token]]:
        return _joined(rest, "&&") if by == "||" else _term(rest)

    first, tokens = one(tokens)
    parts = [first]
    while tokens[:1] == [("symbol", by)]:
        part, tokens = one(tokens[1:])
        parts.append(part)
    return (first if len(parts) == 1 else Joined(by == "&&", tuple(parts))), tokens


def _term(tokens: list[_Token]) -> tuple[Pattern, list[_Token]]:
    if tokens[:1] == [("symbol", "(")]:
        inner, rest = _joined(tokens[1:], "||")
        if rest[:1] != [("symbol", ")")]:
            raise PatternError("a parenthesis is not closed")
        return inner, rest[1:]
    if len(tokens) < 2 or tokens[0][0] != "selector":
        raise PatternError("a comparison lacks its field")
    selector, (kind, operator) = tokens[0][1], tokens[1]
    if kind == "word":
        return Term(selector, operator), tokens[2:]
    if operator not in ("=", "!=") or len(tokens) < 3 or tokens[2][0] not in ("quoted", "term"):
        raise PatternError(f"the comparison of {selector} is not understood")
    value = tokens[2][1]
    if "*" in value[1:-1]:
        raise PatternError(f"{value!r} has a wildcard inside")
    return Term(selector, operator, value), tokens[3:]


def remaining(pattern: Pattern, event: Mapping[str, str | None]) -> Conditions:
    """On what conditions a pattern matches an event of which these fields are known.

    Args:
        pattern: The pattern.
        event: Selector ("$.eventName") → text, or ABSENT.

    Returns:
        No clause: it matches, whatever else the event has. NEVER: it does not.

    Raises:
        PatternError: Too many conditions are left.
    """
    if isinstance(pattern, Term):
        if pattern.selector not in event:
            return frozenset({frozenset({pattern})})
        return frozenset() if pattern.holds(event[pattern.selector]) else NEVER
    parts = [remaining(part, event) for part in pattern.parts]
    if pattern.every:
        return _simple(frozenset().union(*parts))
    return reduce(_either, parts, NEVER)


def _either(one: Conditions, other: Conditions) -> Conditions:
    if len(one) * len(other) > _MOST:
        raise PatternError("it has too many conditions")
    return _simple(frozenset(left | right for left in one for right in other))


def _simple(conditions: Conditions) -> Conditions:
    return NEVER if frozenset() in conditions else conditions
