"""Two versions of a CloudWatch Logs filter pattern: whether the new one may match less.

In: two patterns. Out: what the new one may miss. Pure. Decided on the safe side: a change counts as harmless only where
every alternative of the old pattern is one of the new pattern's, or meets all conditions of one. CloudWatch Logs User
Guide, "Filter pattern syntax for metric filters": an empty pattern matches every event; in `{ … }`, `&&` binds more
closely than `||`.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import re

_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|\|\||&&|[()]|\s+|.', re.DOTALL)


def matches_less(old: str, new: str) -> tuple[str, ...]:
    """What `new` may miss that `old` matched, one line for each alternative; none where it misses nothing."""
    if not new.strip():
        return ()
    if not old.strip():
        return (f"everything → {new}",)
    if not (_is_json(old) and _is_json(new)):
        return () if old.strip() == new.strip() else (f"may match less: without {old.strip()}",)
    wanted = _alternatives(new)
    return tuple(f"may match less: without {one}" for one in _alternatives(old) if not _within_any(one, wanted))


def _alternatives(pattern: str) -> list[str]:
    """The parts between `||` outside of brackets, with one space where there are several."""
    return _parts(pattern.strip()[1:-1])


def _is_json(pattern: str) -> bool:
    return pattern.strip().startswith("{") and pattern.strip().endswith("}")


def _within_any(old: str, alternatives: list[str]) -> bool:
    """Whether the alternatives match all that an old one matches: one of them alone, or all of them together."""
    if any(_within(old, new) for new in alternatives):
        return True
    conditions = _split(old, "&&")
    return len(conditions) > 1 and any(
        all(_within_any(one, alternatives) for one in _parts(condition)) for condition in conditions
    )


def _within(old: str, new: str) -> bool:
    """Whether each condition of a new alternative follows from a condition of the old one."""
    if old == new:
        return True
    conditions, required = _split(old, "&&"), _split(new, "&&")
    if len(conditions) == len(required) == 1:
        return False
    return all(any(_follows(condition, one) for condition in conditions) for one in required)


def _follows(condition: str, required: str) -> bool:
    alternatives = _parts(required)
    return all(_within_any(one, alternatives) for one in _parts(condition))


def _parts(text: str) -> list[str]:
    # Brackets around one alternative say nothing: ($.a = 1) || ($.b = 2).
    return [part for one in _split(text, "||") for part in (_parts(one[1:-1]) if _enclosed(one) else [one])]


def _split(text: str, operator: str) -> list[str]:
    """The parts between an operator outside of brackets."""
    found, depth, current = [], 0, ""
    for piece in _PIECE.findall(text):
        depth += (piece == "(") - (piece == ")")
        if piece == operator and depth == 0:
            found.append(current.strip())
            current = ""
        else:
            current += " " if piece.isspace() else piece
    return [*found, current.strip()]


def _enclosed(text: str) -> bool:
    """Whether one pair of brackets goes around all of it."""
    if not (text.startswith("(") and text.endswith(")")):
        return False
    depth = 0
    pieces = _PIECE.findall(text)
    for place, piece in enumerate(pieces):
        depth += (piece == "(") - (piece == ")")
        if depth == 0:
            return place == len(pieces) - 1
    return False
