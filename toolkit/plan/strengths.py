"""Whether a change of one attribute is a weakening, by what its component declares.

In: the values of a resource before and after, and a Strength. Out: the weakening, or None. Pure. What is not known
before the apply cannot be judged and counts as a weakening where something strong would be given up for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.components.base import Strength, Stronger
from toolkit.plan.event_patterns import narrowed
from toolkit.plan.model import Marker, shown
from toolkit.plan.policies import compare_policies

_STEP = re.compile(r"([A-Za-z0-9_]+)|\[([0-9]+)\]")


@dataclass(frozen=True)
class Weakening:
    """A change to the weaker side."""

    before: Any
    after: Any
    reason: str
    """What is lost, for people ("24 → 14")."""


def value_at(values: Mapping[str, Any] | None, path: str) -> Any:
    """What stands at a path ("rule[0].expiration[0].days") of a resource's values; None where nothing does."""
    here: Any = values
    for name, index in _STEP.findall(path):
        if isinstance(here, Marker):
            return here
        if name:
            here = here.get(name) if isinstance(here, Mapping) else None
        else:
            here = here[int(index)] if isinstance(here, Sequence) and int(index) < len(here) else None
    return here


def weakening(strength: Strength, before: Mapping[str, Any], after: Mapping[str, Any]) -> Weakening | None:
    """The weakening that going from `before` to `after` is for one attribute, or None."""
    old, new = value_at(before, strength.attribute), value_at(after, strength.attribute)
    if old == new:
        return None
    if strength.stronger is Stronger.POLICY:
        return _policy(old, new)
    if strength.stronger is Stronger.RECORDED:
        return _recorded(strength, before, after)
    if new is Marker.UNKNOWN:
        # A value set by reference (a key's ARN) is there, only not known yet.
        if strength.stronger in (Stronger.PRESENT,) or old in (None, "", []):
            return None
        return Weakening(old, new, f"{shown(old)} → a value not known before the apply")
    if strength.stronger in _COMPARED:
        return _told(old, new, _COMPARED[strength.stronger](strength, old, new))
    if _rank_lost(strength, old, new):
        return Weakening(old, new, f"{shown(old)} → {shown(new)}")
    return None


def _rank_lost(strength: Strength, old: Any, new: Any) -> bool:
    match strength.stronger:
        case Stronger.HIGHER | Stronger.LOWER:
            return _number(strength, new) < _number(strength, old)
        case Stronger.TRUE:
            return bool(old) and not new
        case Stronger.FALSE:
            return not old and bool(new)
        case Stronger.PRESENT:
            return old not in (None, "") and new in (None, "")
        case Stronger.SAME:
            return old not in (None, "")
        case Stronger.SUPERSET:
            if strength.unset_is_strongest and not (old and new):
                return not old
            return not _names(old) <= _names(new)
        case Stronger.ORDER:
            return _place(strength, new) < _place(strength, old)
        case _:
            raise AssertionError(strength)


def _number(strength: Strength, value: Any) -> float:
    """The value on a scale on which more is stronger."""
    if not value:  # null, absent, and 0, which AWS uses for "never"
        return float("inf") if strength.unset_is_strongest else float("-inf")
    return float(value) if strength.stronger is Stronger.HIGHER else -float(value)


def _place(strength: Strength, value: Any) -> int:
    """Place in the order; a word that the order does not know is the weakest, so that it cannot hide a loss."""
    return strength.order.index(value) if value in strength.order else -1


def _names(value: Any) -> set[str]:
    return {json.dumps(v, sort_keys=True, default=str) for v in value or ()}


def _policy(old: Any, new: Any) -> Weakening | None:
    if old in (None, "") or old is Marker.UNKNOWN:
        return None
    if new in (None, ""):
        return Weakening(old, new, "the policy goes away")
    if isinstance(new, Marker) or isinstance(old, Marker):
        return Weakening(old, new, "a policy that is not known before the apply")
    diff = compare_policies(old, new)
    return Weakening(old, new, "; ".join(diff.weaker)) if diff.weaker else None


def _told(old: Any, new: Any, reasons: Iterable[str]) -> Weakening | None:
    told = "; ".join(reasons)
    return Weakening(old, new, told) if told else None


def _pattern(_strength: Strength, old: Any, new: Any) -> Iterable[str]:
    if old in (None, ""):
        return ()
    if not isinstance(old, str) or not isinstance(new, str):
        return ("the pattern goes away",) if new in (None, "") else ("a pattern that cannot be read",)
    return narrowed(old, new)


def _parameters(strength: Strength, old: Any, new: Any) -> Iterator[str]:
    before, after = _object(old), _object(new)
    if before is None or after is None:
        yield "parameters that cannot be read"
        return
    directions = dict(strength.members)
    for name in dict.fromkeys([*before, *after]):
        had, gets = before.get(name), after.get(name)
        if had != gets and not _gains(directions.get(name), had, gets):
            yield f"{name}: {_parameter(had)} → {_parameter(gets)}"


def _object(text: Any) -> dict[str, Any] | None:
    """The parameters of JSON text; none at all are an empty object."""
    try:
        found = json.loads(text or "{}")
    except (TypeError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _gains(direction: Stronger | None, had: Any, gets: Any) -> bool:
    """Whether a parameter goes to the side that is known to be its stronger one; Config's parameters are all texts."""
    if direction is Stronger.TRUE:
        return str(gets).lower() == "true"
    try:
        more = float(gets) - float(had)
    except (TypeError, ValueError):
        return False
    return (direction is Stronger.HIGHER and more > 0) or (direction is Stronger.LOWER and more < 0)


def _parameter(value: Any) -> str:
    return "(none)" if value is None else shown(value)


def _recorded(strength: Strength, before: Mapping[str, Any], after: Mapping[str, Any]) -> Weakening | None:
    mode = strength.attribute.rpartition(".")[0]
    (had, had_others), (gets, gets_others) = (_frequencies(strength, values, mode) for values in (before, after))
    lost = [
        f"{name}: {shown(old)} → {shown(new)}"
        for name in sorted({*had, *gets})
        if _place(strength, old := had.get(name, had_others)) > _place(strength, new := gets.get(name, gets_others))
    ]
    return _told(value_at(before, strength.attribute), value_at(after, strength.attribute), lost)


def _frequencies(strength: Strength, values: Mapping[str, Any], mode: str) -> tuple[dict[str, Any], Any]:
    """(frequency by type with one of its own, frequency of all others)."""
    exceptions = value_at(values, strength.attribute)
    own = {
        name: value_at(one, "recording_frequency")
        for one in (exceptions if isinstance(exceptions, list) else ())
        for name in (value_at(one, "resource_types") or ())
    }
    return own, value_at(values, f"{mode}.recording_frequency")


_COMPARED: dict[Stronger, Callable[[Strength, Any, Any], Iterable[str]]] = {
    Stronger.PATTERN: _pattern,
    Stronger.PARAMETERS: _parameters,
}
"""Directions that tell in words what is lost."""
