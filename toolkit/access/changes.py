"""Who may do otherwise than before: two worlds compared, by the catalogue of sensitive actions.

In: the world before a plan and the one after it. Out: gains and losses of each principal, and what could not be
compared. Pure.

Compared are verdicts, not texts: whatever policies, groups, boundaries, trusts or guardrails carry it. Where both
verdicts depend on conditions, the statements behind them are compared: one that is not covered any more is a change.
A policy whose text is known only after the apply is never guessed: it is named as a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

from toolkit.access.asking import answer_of, verdict_of
from toolkit.access.catalogue import Sensitive, catalogue
from toolkit.access.judging import Answer, Ground, Judge, Question, Verdict
from toolkit.access.model import Guarded, Holding, Kind, Principal, World
from toolkit.iam import PolicyDocument, PolicyKind

_RANK = {Verdict.DENIED: 0, Verdict.DEPENDS: 1, Verdict.ALLOWED: 2}


class Turn(Enum):
    """Which way a right changes."""

    GAIN = "gain"
    LOSS = "loss"


@dataclass(frozen=True)
class Cause:
    """What of the plan brings it about: a Terraform address and the attribute of it."""

    address: str
    attribute: str | None = None


@dataclass(frozen=True)
class Shift:
    """What one principal may do otherwise than before: one action on one resource.

    Attributes:
        turn: Gain or loss. A condition that another takes the place of is a gain, unless the new one is shown to be
            narrower.
        principal: Who; where a loss is of one that is deleted, as it was.
        sensitive: The action, with its group and what it does.
        resource: ARN; None: any resource.
        before: The verdict before the plan.
        after: The verdict after it.
        conditions_before: What it depended on, for people ("if …", "unless …"); empty unless `before` is DEPENDS.
        conditions: What it depends on now; empty unless `after` is DEPENDS.
        through: Name of the role that a principal of another account assumes to do it; None: it does it by itself.
        cause: What of the plan brings it about; None: not known.
    """

    turn: Turn
    principal: Principal
    sensitive: Sensitive
    resource: str | None
    before: Verdict
    after: Verdict
    conditions_before: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    through: str | None = None
    cause: Cause | None = None


@dataclass(frozen=True)
class Item:
    """Actions that change alike on one kind of resource.

    Attributes:
        actions: As AWS spells them.
        place: What the resource is for ("log bucket"); None: any resource.
        resources: ARNs; none: any resource.
        before: The verdict before the plan.
        after: The verdict after it.
        conditions_before: As of Shift.
        conditions: As of Shift.
        through: As of Shift.
    """

    actions: tuple[str, ...]
    place: str | None
    resources: tuple[str, ...]
    before: Verdict
    after: Verdict
    conditions_before: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    through: str | None = None


@dataclass(frozen=True)
class Group:
    """Principals whose rights change alike.

    Attributes:
        turn: Gain or loss.
        principals: Labels as commands take them ("group:developers").
        names: The same for people ("group developers").
        items: What changes for them.
        made: Whether the plan makes them.
        gone: Whether the plan deletes them.
        everything: Whether it is every action of the catalogue: of an administrator.
        administrator: Whether they are administrators after the plan.
    """

    turn: Turn
    principals: tuple[str, ...]
    names: tuple[str, ...]
    items: tuple[Item, ...]
    made: bool = False
    gone: bool = False
    everything: bool = False
    administrator: bool = False


@dataclass(frozen=True)
class AccessChanges:
    """What a plan changes in who may do what.

    Attributes:
        shifts: Every change.
        made: Labels of principals that there are not before the plan.
        gone: Labels of principals that there are not after it.
        administrators: Labels of principals who may do everything after it.
        gaps: What could not be compared or is not known, as sentences.
    """

    shifts: tuple[Shift, ...] = ()
    made: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    administrators: frozenset[str] = frozenset()
    gaps: tuple[str, ...] = ()

    @cached_property
    def gains(self) -> tuple[Group, ...]:
        """Gains, grouped for people."""
        return ()

    @cached_property
    def losses(self) -> tuple[Group, ...]:
        """Losses, grouped for people."""
        return ()

    def __bool__(self) -> bool:
        return bool(self.shifts or self.gaps)


NO_CHANGES = AccessChanges()


def compare(before: World, after: World) -> AccessChanges:
    """What changes between two worlds of one account."""
    return NO_CHANGES
