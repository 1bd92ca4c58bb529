"""What of a plan AWS does not take back once it is applied, from the records of the resource types.

In: a Plan. Out: one entry per resource and reason. Pure; nothing is refused for it, reports mark it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from toolkit.addresses import value_at
from toolkit.plan.model import Action, Change, Marker, Plan
from toolkit.resources.base import Irreversible
from toolkit.resources.registry import RESOURCES

_MAKES = (Action.CREATE, Action.REPLACE)
_SETS = (*_MAKES, Action.UPDATE)


@dataclass(frozen=True)
class Lasting:
    """A change that stays, whatever is applied later."""

    address: str
    summary: str
    source: str


def lasting(plan: Plan) -> tuple[Lasting, ...]:
    """What of the plan cannot be undone, in the plan's order."""
    return tuple(_of(plan))


def _of(plan: Plan) -> Iterator[Lasting]:
    for change in plan.changes:
        record = RESOURCES.get(change.type)
        for entry in record.irreversible if record else ():
            if _does(change, entry):
                yield Lasting(change.address, entry.summary, entry.source)


def _does(change: Change, entry: Irreversible) -> bool:
    if entry.attribute is None:
        return change.action in _MAKES
    after = value_at(change.after, entry.attribute)
    if change.action not in _SETS or after not in entry.values:
        return False
    return after != value_at(change.before, entry.attribute) or any(_higher(change, path) for path in entry.higher)


def _higher(change: Change, path: str) -> bool:
    before, after = (value_at(side, path) for side in (change.before, change.after))
    # A number that the plan does not show may be higher.
    return isinstance(before, Marker) or isinstance(after, Marker) or (after or 0) > (before or 0)
