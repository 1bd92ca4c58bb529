"""What a plan changes in who may do what: every shift, and for people and reports those that are alike as one.

In: nothing, or what was kept of an earlier plan. Out: frozen types; `toolkit.access.comparing` finds the shifts. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from toolkit.access.catalogue import Sensitive, catalogue
from toolkit.access.judging import Verdict
from toolkit.access.model import Principal

ASSUMES = Sensitive("sts:AssumeRole", "credentials", "acts with the permissions of the role", "role")
"""Asked of each role that may do anything of the catalogue."""


class Turn(Enum):
    """Which way a right changes."""

    GAIN = "gain"
    LOSS = "loss"


@dataclass(frozen=True)
class Cause:
    """What of the plan brings it about.

    Attributes:
        address: Terraform address.
        attribute: Attribute of it; None: the whole of it.
        others: Addresses of what else of the plan changes about the same policy: its text, if this is the attachment.
    """

    address: str
    attribute: str | None = None
    others: tuple[str, ...] = ()


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
        made: Whether it comes with what the plan makes: the principal; of another account also the role that it acts
            by, or the resource whose policy names it. What everyone may do never does.
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
    made: bool = False
    cause: Cause | None = None


@dataclass(frozen=True)
class Item:
    """Actions that change alike on the same resources.

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

    @property
    def where(self) -> str:
        """ "on the log bucket"; "" for any resource."""
        if self.place is None:
            return ""
        if self.place == ASSUMES.on:
            return f"on {listed([one.rpartition(':role/')[2] for one in self.resources])}"
        return f"on the {self.place}" if len(self.resources) == 1 else f"on {len(self.resources)} {self.place}s"

    @property
    def text(self) -> str:
        """What it is about: "s3:DeleteBucket on the log bucket"."""
        by = f"through the role {self.through}" if self.through is not None else ""
        return " ".join(filter(None, (listed(self.actions), self.where, by)))

    def line(self, turn: Turn, what: str | None = None) -> str:
        """What changes, as the rest of a sentence about somebody."""
        now, was = " or ".join(self.conditions), " or ".join(self.conditions_before)
        text = what or self.text
        if self.before is self.after:
            less = "under narrower conditions" if turn is Turn.LOSS else "under other conditions"
            return f"may do {text} {less}: {now} (before: {was})"
        if turn is Turn.GAIN:
            return f"may newly do {text}" + (f", {now}" if now else f" (before: {was})" if was else "")
        return f"may do {text} only {now}" if self.after is Verdict.DEPENDS else f"may no longer do {text}"


@dataclass(frozen=True)
class Group:
    """Principals whose rights change alike.

    Attributes:
        turn: Gain or loss.
        principals: Labels as commands take them ("group:developers").
        names: The same for people ("group developers").
        items: What changes for them.
        made: As of Shift.
        gone: Whether the plan deletes them.
        everything: How many actions the catalogue has, where it is all of them; else 0.
        administrator: Whether they are administrators after the plan.
    """

    turn: Turn
    principals: tuple[str, ...]
    names: tuple[str, ...]
    items: tuple[Item, ...]
    made: bool = False
    gone: bool = False
    everything: int = 0
    administrator: bool = False

    @property
    def title(self) -> str:
        """Whom it is about, for people."""
        notes = [note for note, holds in (("new", self.made), ("administrator", self.administrator)) if holds]
        return ", ".join(self.names) + (f" ({', '.join(notes)})" if notes else "")

    @property
    def lines(self) -> tuple[str, ...]:
        """What changes for them, one sentence's end each."""
        if self.gone:
            return ("no longer exists" if len(self.names) == 1 else "no longer exist",)
        listed = [item for item in self.items if item.place != ASSUMES.on]
        how = {(one.before, one.after, one.conditions_before, one.conditions, one.through) for one in listed}
        if self.everything and len(how) == 1:
            by = f" through the role {listed[0].through}" if listed[0].through else ""
            every = f"all {self.everything} sensitive actions{by}"
            others = (item.line(self.turn) for item in self.items if item.place == ASSUMES.on)
            return (listed[0].line(self.turn, every), *others)
        return tuple(item.line(self.turn) for item in self.items)


@dataclass(frozen=True)
class AccessChanges:
    """What a plan changes in who may do what, for people: reports show it, and bundles keep it.

    Attributes:
        gains: Gains, grouped: of those who are there already first, administrators last.
        losses: Losses, grouped as gains are.
        gaps: What could not be compared or is not known, as sentences.
    """

    gains: tuple[Group, ...] = ()
    losses: tuple[Group, ...] = ()
    gaps: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.gains or self.losses or self.gaps)

    def as_data(self) -> dict[str, Any]:
        """Plain data, as reports in JSON have it: {"gains": [GROUP …], "losses": [GROUP …], "gaps": [SENTENCE …]}."""
        return {
            "gains": [_group_data(group) for group in self.gains],
            "losses": [_group_data(group) for group in self.losses],
            "gaps": list(self.gaps),
        }


NO_CHANGES = AccessChanges()


@dataclass(frozen=True)
class Shifts:
    """What a plan changes in who may do what, one by one.

    Attributes:
        shifts: Every change.
        made: Labels of principals that there are not before the plan.
        gone: Labels of principals that there are not after it.
        bare: Labels of groups, roles and permission sets that are there before it, without any policy, and that
            nobody could act by.
        administrators: Labels of administrators after it.
        were_administrators: Labels of those who are administrators before it.
        gaps: What could not be compared or is not known, as sentences.
    """

    shifts: tuple[Shift, ...] = ()
    made: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    bare: frozenset[str] = frozenset()
    administrators: frozenset[str] = frozenset()
    were_administrators: frozenset[str] = frozenset()
    gaps: tuple[str, ...] = ()

    @cached_property
    def changes(self) -> AccessChanges:
        """The same for people, grouped."""
        return AccessChanges(tuple(self._groups(Turn.GAIN)), tuple(self._groups(Turn.LOSS)), self.gaps)

    def _groups(self, turn: Turn) -> Iterator[Group]:
        of: dict[tuple[str, bool], list[Shift]] = {}
        for shift in self.shifts:
            if shift.turn is turn:
                of.setdefault((shift.principal.label, shift.made), []).append(shift)
        alike: dict[tuple[bool, bool, bool, tuple[Item, ...]], list[tuple[str, bool]]] = {}
        for (label, made), shifts in of.items():
            key = (label in self.administrators, made, label in self.gone, grouped(shifts))
            alike.setdefault(key, []).append((label, made))
        every = {one.action for one in catalogue()}
        for key in sorted(alike, key=lambda one: one[:3]):
            administrator, made, gone, items = key
            first = of[alike[key][0]]
            yield Group(
                turn,
                tuple(label for label, _ in alike[key]),
                tuple(str(of[one][0].principal) for one in alike[key]),
                items,
                made=made,
                gone=gone,
                everything=len(every) if every <= {shift.sensitive.action for shift in first} else 0,
                administrator=administrator,
            )


NO_SHIFTS = Shifts()


def _group_data(group: Group) -> dict[str, Any]:
    return {
        "principals": list(group.principals),
        "new": group.made,
        "deleted": group.gone,
        "administrator": group.administrator,
        "title": group.title,
        "lines": list(group.lines),
        "changes": [
            {
                "actions": list(item.actions),
                "place": item.place,
                "resources": list(item.resources),
                "before": item.before.value,
                "after": item.after.value,
                "conditions_before": list(item.conditions_before),
                "conditions": list(item.conditions),
                "through": item.through,
            }
            for item in group.items
        ],
    }


def grouped(shifts: Iterable[Shift]) -> tuple[Item, ...]:
    """Shifts of one principal: what changes alike on the same resources is one item."""
    on: dict[tuple[object, ...], list[Shift]] = {}
    for one in shifts:
        how = (one.before, one.after, one.conditions_before, one.conditions, one.through)
        on.setdefault((one.sensitive, *how), []).append(one)
    alike: dict[tuple[object, ...], tuple[list[str], Shift, tuple[str, ...]]] = {}
    for (_, *alike_in), found in on.items():
        where = tuple(one.resource for one in found if one.resource is not None)
        place = found[0].sensitive.on if where else None
        actions, _, _ = alike.setdefault((place, where, *alike_in), ([], found[0], where))
        actions.append(found[0].sensitive.action)
    return tuple(
        Item(
            tuple(actions),
            one.sensitive.on if where else None,
            where,
            one.before,
            one.after,
            one.conditions_before,
            one.conditions,
            one.through,
        )
        for actions, one, where in alike.values()
    )


def listed(names: Sequence[str]) -> str:
    """ "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
