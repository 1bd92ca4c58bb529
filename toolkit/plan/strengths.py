"""Whether a change of one attribute is a weakening, by what its component declares.

In: the values of a resource before and after, and a Strength. Out: the weakening, or None. Pure. What is not known
before the apply cannot be judged and counts as a weakening where something strong would be given up for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.components.base import Strength, Stronger
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
    if new is Marker.UNKNOWN:
        # A value set by reference (a key's ARN) is there, only not known yet.
        if strength.stronger in (Stronger.PRESENT,) or old in (None, ""):
            return None
        return Weakening(old, new, f"{shown(old)} → a value not known before the apply")
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
