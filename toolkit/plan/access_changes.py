"""What a plan changes in who may do what.

In: the plan, what there is once it is applied, and texts of managed policies. Out: AccessChanges. Pure.

Nothing is read of a plan that changes no policy, and nobody who has one: what such a plan makes or deletes can only be
what rights are about (`_ONLY_PLACES`).
"""

from __future__ import annotations

from collections.abc import Iterable

from toolkit.access.changes import NO_CHANGES, AccessChanges, compare
from toolkit.access.model import Kind
from toolkit.plan.access import TYPES, Parsed, Texts, before, unknown_texts, world_of
from toolkit.plan.model import Action, Change, Plan, Resource

_ONLY_PLACES = frozenset(
    {
        *("aws_s3_bucket", "aws_sns_topic", "aws_cloudtrail", "aws_config_delivery_channel"),
        "aws_cloudwatch_log_group",
    }
)
"""Types that have no policy: what they are is asked about, not what they say."""
_IDLE = (Action.IMPORT, Action.MOVE, Action.FORGET)


def concerns(plan: Plan) -> bool:
    """Whether a plan can change who may do what."""
    return any(c.type in TYPES and c.type not in _ONLY_PLACES and c.action not in _IDLE for c in plan.changes)


def changes_of(
    plan: Plan,
    outcome: Iterable[Resource],
    *,
    account_id: str,
    partition: str,
    home: str,
    texts: Texts = unknown_texts,
    drift: Iterable[Change] = (),
) -> AccessChanges:
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
        return NO_CHANGES
    made = {change.address for change in plan.changes if change.action is Action.CREATE}
    back = [
        Resource(one.address, one.type, one.component, one.region, one.before)
        for one in drift
        if one.action is Action.DELETE and one.address in made
    ]
    # AWS keeps what Terraform forgets.
    kept = [
        Resource(one.address, one.type, one.component, one.region, one.before)
        for one in plan.changes
        if one.action is Action.FORGET
    ]
    outcome = tuple(outcome)
    read: Parsed = {}
    sides = [
        [one for one in side if one.type in TYPES] for side in ((*before(plan, outcome), *back), (*outcome, *kept))
    ]
    worlds = [
        world_of(
            side,
            source="the plan",
            account_id=account_id,
            partition=partition,
            home=home,
            texts=texts,
            parsed=read,
        )
        for side in sides
    ]
    targets = [[one.name for one in world.principals if one.kind is Kind.TARGET] for world in worlds]
    if set(targets[0]) != set(targets[1]):
        worlds = [
            world_of(
                side,
                source="the plan",
                account_id=account_id,
                partition=partition,
                home=home,
                texts=texts,
                parsed=read,
                targets=dict.fromkeys((*targets[0], *targets[1])),
            )
            for side in sides
        ]
    changed = {c.address for c in plan.changes if c.action not in _IDLE}
    changed |= {c.previous_address for c in plan.changes if c.previous_address and c.action not in _IDLE}
    return compare(worlds[0], worlds[1], changed)
