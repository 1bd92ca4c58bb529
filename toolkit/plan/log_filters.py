"""Two versions of a CloudWatch Logs filter pattern: whether the new one may match less.

In: two patterns. Out: what the new one may miss. Pure. Decided on the safe side: a change counts as harmless only where
every alternative of the old pattern is one of the new pattern's. CloudWatch Logs User Guide, "Filter pattern syntax for
metric filters": an empty pattern matches every event; in `{ … }`, `&&` binds more closely than `||`.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import re

_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|\|\||[()]|\s+|.', re.DOTALL)


def matches_less(old: str, new: str) -> tuple[str, ...]:
    """What `new` may miss that `old` matched, one line for each alternative; none where it misses nothing."""
    if not new.strip():
        return ()
    if not old.strip():
        return (f"everything → {new}",)
    wanted = _alternatives(new)
    return tuple(f"may match less: without {one}" for one in _alternatives(old) if one not in wanted)


def _alternatives(pattern: str) -> list[str]:
    """What stands between `||` outside of brackets, with one space where there are several."""
    text = pattern.strip()
    if not (text.startswith("{") and text.endswith("}")):
        return [text]
    return list(_parts(text[1:-1]))


def _parts(text: str) -> list[str]:
    found, depth, current = [], 0, ""
    for piece in _PIECE.findall(text):
        depth += (piece == "(") - (piece == ")")
        if piece == "||" and depth == 0:
            found.append(current.strip())
            current = ""
        else:
            current += " " if piece.isspace() else piece
    found.append(current.strip())
    if len(found) == 1 and _enclosed(found[0]):
        return _parts(found[0][1:-1])
    # Brackets around one alternative say nothing: ($.a = 1) || ($.b = 2).
    return [part for one in found for part in (_parts(one) if _enclosed(one) else [one])]


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
