"""Two versions of an EventBridge event pattern: whether the new one may match less.

In: two patterns as JSON text. Out: where the new one may miss events that the old one matched. Pure. Decided on the
safe side: a change counts as harmless only where it is known to widen the pattern. EventBridge User Guide, "Amazon
EventBridge event patterns": fields that a pattern does not name may have any value, the members of a list are
alternatives, and fields beside each other must all match. Numbers are compared as text: 300, 300.0 and 3.0e2 differ.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.plan.model import shown
from toolkit.typed import same_json


def narrowed(old: str, new: str) -> tuple[str, ...]:
    """One line for each field at which `new` may miss what `old` matched; none where it misses nothing."""
    try:
        before, after = json.loads(old), json.loads(new)
    except ValueError:
        before = after = None
    if not isinstance(before, dict) or not isinstance(after, dict):
        return ("a pattern that cannot be read",)
    return tuple(_narrowed(before, after, ""))


def _narrowed(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[str]:
    # A field that only the old pattern names is no longer asked for, which widens.
    for name, wanted in new.items():
        here = f"{path}.{name}" if path else name
        had = old.get(name)
        if name in old and same_json(had, wanted):
            continue
        if isinstance(had, dict) and isinstance(wanted, dict):
            yield from _narrowed(had, wanted, here)
        elif (
            name.startswith("$")
            or not (isinstance(had, list) and isinstance(wanted, list))
            or not all(any(_covers(wide, one) for wide in wanted) for one in had)
        ):
            yield f"may match less: {here} {shown(had) if name in old else '(anything)'} → {shown(wanted)}"


def _covers(wide: Any, one: Any) -> bool:
    """Whether the alternative `wide` is known to match every value that the alternative `one` matches."""
    if same_json(wide, one):
        return True
    if not isinstance(wide, dict) or len(wide) != 1:
        return False
    ((operator, operand),) = wide.items()
    same = one.get(operator) if isinstance(one, dict) and len(one) == 1 else None
    match operator:
        case "exists":
            return operand is True and not same_json(one, {"exists": False})
        case "prefix":
            value = one if isinstance(one, str) else same
            return isinstance(operand, str) and isinstance(value, str) and value.startswith(operand)
        case "anything-but":
            excluded = _list(operand)
            if excluded is None:
                return False
            if same is not None:
                # Fewer exceptions match more.
                before = _list(same)
                return before is not None and all(any(same_json(value, b) for b in before) for value in excluded)
            return isinstance(one, str) and one not in excluded
        case "numeric":
            return _interval_covers(operand, same if same is not None else ["=", one])
        case _:
            return False


def _list(operand: Any) -> list[Any] | None:
    """The plain values of an anything-but; None where they are patterns themselves."""
    values = operand if isinstance(operand, list) else [operand]
    return None if any(isinstance(value, (dict, list)) for value in values) else values


def _interval_covers(wide: Any, one: Any) -> bool:
    outer, inner = _interval(wide), _interval(one)
    return outer is not None and inner is not None and outer[0] <= inner[0] and inner[1] <= outer[1]


def _interval(operand: Any) -> tuple[tuple[float, int], tuple[float, int]] | None:
    """Least and greatest number that ["=", 7] and [">", 0, "<=", 5] match; 1 and -1: just beside it."""
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        return None
    low, high = (float("-inf"), 0), (float("inf"), 0)
    for operator, number in zip(operand[::2], operand[1::2], strict=True):
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            return None
        if operator in (">", ">="):
            low = (float(number), int(operator == ">"))
        elif operator in ("<", "<="):
            high = (float(number), -int(operator == "<"))
        elif operator == "=":
            low = high = (float(number), 0)
        else:
            return None
    return low, high
