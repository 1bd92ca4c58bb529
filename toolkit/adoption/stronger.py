"""The value that a setting needs so that it is no weaker than what the account has.

In: what would get weaker, and both values. Out: the value to set, as the attribute has it. Pure. Whether a setting can
hold that value is not known here: `session_hours` takes other numbers than the attribute's seconds. The environment's
validation and the next plan judge it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.addresses import AttributePath, Step
from toolkit.plan.model import Marker
from toolkit.plan.strengths import Weakening, weakenings
from toolkit.resources.base import ResourceType, Strength, Stronger

_BY_TEXT = frozenset(
    {Stronger.POLICY, Stronger.CONTENT, Stronger.PATTERN, Stronger.FILTER, Stronger.PARAMETERS, Stronger.RECORDED}
)
"""Directions that compare texts or blocks, which no single setting holds."""


@dataclass(frozen=True)
class Demand:
    """What one resource needs of a setting: this value of its attribute, or a stronger one."""

    record: ResourceType
    lost: Weakening
    planned: Mapping[str, Any]
    """The resource's other values."""
    value: Any

    def is_met_by(self, value: Any) -> bool:
        """Whether another value is no weaker."""
        if self.lost.strength.stronger is Stronger.KEPT:
            return isinstance(value, int) and value >= self.value
        steps = AttributePath.parse(self.lost.path).steps
        before, after = (_with(self.planned, steps, one) for one in (self.value, value))
        return all(found.path != self.lost.path for found in weakenings(self.record, before, after))


def stronger(lost: Weakening, old: Any, new: Any) -> Any:
    """The value to set, the stronger of both; None where no single setting could hold it."""
    direction = lost.strength.stronger
    if direction is Stronger.KEPT:
        # Which rule keeps objects how long is told in days alone.
        days = lost.reason.partition(" → ")[0]
        return int(days) if days.isdecimal() else None
    if old is None and direction is Stronger.FALSE:
        # Not set is not true, as with an imported bucket's `force_destroy`.
        return False
    if direction in _BY_TEXT or old is None or isinstance(old, Marker):
        return None
    if isinstance(old, list):
        texts = _texts(old, new if isinstance(new, list) else [])
        return None if texts is None else _of_lists(lost.strength, texts[1], texts[0])
    if isinstance(old, float) and old.is_integer():
        return int(old)
    return old if isinstance(old, (bool, int, str)) else None


def _texts(old: list[Any], new: list[Any]) -> tuple[list[str], list[str]] | None:
    """Both lists as texts; of blocks, what one differs in from another; None where no list of texts could hold them."""
    every = [*old, *new]
    if every and all(isinstance(one, Mapping) for one in every):
        differing = [name for name in every[0] if any(one.get(name) != every[0][name] for one in every)]
        alike = all(one.keys() == every[0].keys() for one in every)
        if not alike or len(differing) != 1:
            return None
        old, new = ([one[differing[0]] for one in each] for each in (old, new))
    if not all(isinstance(one, str) for one in old):
        return None
    return old, [one for one in new if isinstance(one, str)]


def joint(values: Iterable[Any], demands: Iterable[Demand]) -> Any:
    """The value that meets all demands; where none does, one of them.

    Whatever the order of the values and demands, the answer says the same.
    """
    demands = tuple(demands)
    ordered = sorted(values, key=_text)
    candidates = list(ordered)
    if demands and all(isinstance(value, list) for value in ordered):
        merged = ordered[0]
        for value in ordered[1:]:
            merged = _of_lists(demands[0].lost.strength, merged, value)
        candidates.append(merged)
    return next((v for v in candidates if all(demand.is_met_by(v) for demand in demands)), ordered[0])


def _of_lists(strength: Strength, one: list[str], other: list[str]) -> list[str]:
    """A list that is as strong as both: those of `one` first."""
    # An empty one is on one end of the direction, whatever is in the other.
    if not (one and other) and (strength.unset_is_strongest or strength.stronger is Stronger.SUBSET):
        return [] if strength.unset_is_strongest else one or other
    if strength.stronger is Stronger.SUBSET:
        shared = [entry for entry in one if entry in other]
        return shared if shared or strength.unset_is_strongest else other
    return [*one, *(entry for entry in other if entry not in one)]


def _with(values: Any, steps: tuple[Step, ...], value: Any) -> Any:
    """Values with another one at a place."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        here = dict(values) if isinstance(values, Mapping) else {}
        return {**here, step: _with(here.get(step), rest, value)}
    assert isinstance(step, int), step
    entries = list(values) if isinstance(values, list) else []
    entries += [{}] * (step + 1 - len(entries))
    entries[step] = _with(entries[step], rest, value)
    return entries


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
