"""What a plan changes in who may do what.

In: the plan, what there is once it is applied, and texts of managed policies. Out: Shifts. Pure.

Nothing is read of a plan that changes no policy, and nobody who has one: what such a plan makes or deletes can only be
what rights are about (`PLACES`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from toolkit.access.changes import NO_SHIFTS, Shifts
from toolkit.access.comparing import compare
from toolkit.access.model import Kind
from toolkit.plan.access import PLACES, TYPES, Parsed, Texts, before, unknown_texts, world_of
from toolkit.plan.model import Action, Change, Plan, Resource

_IDLE = (Action.IMPORT, Action.MOVE, Action.FORGET)


def concerns(plan: Plan) -> bool:
    """Whether a plan can change who may do what."""
    return any(c.type in TYPES - PLACES and c.action not in _IDLE for c in plan.changes)


def shifts_of(
    plan: Plan,
    outcome: Iterable[Resource],
    *,
    account_id: str,
    partition: str,
    home: str,
    texts: Texts = unknown_texts,
    drift: Iterable[Change] = (),
) -> Shifts:
    """What a plan changes in who may do what.

    Args:
        plan: The plan.
        outcome: What there is once it is applied; what the plan leaves alone is in it.
        account_id: The account.
        partition: Of its ARNs.
        home: Home region.
        texts: Of managed policies that the plan lacks.
        drift: What AWS has otherwise than the state. What somebody deleted by hand and the plan makes again is given
            back, not newly given.
    """
    if not concerns(plan):
        return NO_SHIFTS
    made = {change.address for change in plan.changes if change.action is Action.CREATE}
    back = [_there(one) for one in drift if one.action is Action.DELETE and one.address in made]
    # AWS keeps what Terraform forgets.
    kept = [_there(one) for one in plan.changes if one.action is Action.FORGET]
    outcome = tuple(outcome)
    sides = [
        [one for one in side if one.type in TYPES] for side in ((*before(plan, outcome), *back), (*outcome, *kept))
    ]
    world = partial(
        world_of,
        source="the plan",
        account_id=account_id,
        partition=partition,
        home=home,
        texts=texts,
        parsed=Parsed(),
    )
    was, now = map(world, sides)
    targets = [[one.name for one in side.principals if one.kind is Kind.TARGET] for side in (was, now)]
    if set(targets[0]) != set(targets[1]):
        was, now = (world(side, targets=dict.fromkeys((*targets[0], *targets[1]))) for side in sides)
    changed = {c.address for c in plan.changes if c.action not in _IDLE}
    changed |= {c.previous_address for c in plan.changes if c.previous_address and c.action not in _IDLE}
    return compare(was, now, changed, made)


def _there(change: Change) -> Resource:
    """What a change is about, as it is before it, by the address that it has afterwards."""
    return Resource(change.address, change.type, change.component, change.region, change.before)
