"""What the account has already of what a plan would create, and what holds records of what it would replace.

In: a plan, and what AWS answers. Out: Existing, as the guards judge it; contents, for people. Pure.

Terraform sees a thing that is not in its state as a plain create. Some creates then overwrite what is there without a
word (the password policy, a recorder of the same name), others fail half-way (EntityAlreadyExists, a second detector).
A type's record in `toolkit.resources` says how the resource is found and what a create does where it is there, or why
none can be in the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from toolkit.plan.facts import Facts, Source, Wanted
from toolkit.plan.guards import Existing
from toolkit.plan.model import Action, Change, Plan
from toolkit.resources.base import ResourceType
from toolkit.resources.reading import Live, OnCreate, Unreadable
from toolkit.resources.registry import RESOURCES, is_unsupported


@dataclass(frozen=True)
class ExistingWanted(Wanted[Live | None]):
    """What a create would meet; None: nothing."""

    address: str
    type: str
    region: str
    planned: Mapping[str, Any] = field(compare=False)

    @property
    def what(self) -> str:
        """As the base."""
        return f"what {self.address} would overwrite"

    def read(self, source: Source) -> Live | Unreadable | None:
        """As the base."""
        return source.find(self.type, self.region, self.planned)


@dataclass(frozen=True)
class ContentsWanted(Wanted[str | None]):
    """What a resource holds, for people; None: nothing."""

    address: str
    type: str
    region: str
    values: Mapping[str, Any] = field(compare=False)

    @property
    def what(self) -> str:
        """As the base."""
        return f"what {self.address} holds"

    def read(self, source: Source) -> str | Unreadable | None:
        """As the base."""
        return source.contents(self.type, self.region, self.values)


def is_read(kind: str) -> bool:
    """Whether a create of the type is looked for in the account first."""
    reading = RESOURCES[kind].reading if kind in RESOURCES else None
    return reading is not None and reading.on_create is not OnCreate.HARMLESS


def existing_wanted(plan: Plan, *, simulated: bool = False) -> Iterator[ExistingWanted]:
    """What may be there already of what the plan creates, also in another region than the one that is deleted for it.

    Args:
        plan: The plan.
        simulated: Whether the account is on the embedded AWS.
    """
    for change in plan.changes:
        lacking = simulated and is_unsupported(change.type)
        if (change.action is Action.CREATE or change.changes_region) and is_read(change.type) and not lacking:
            record, planned = RESOURCES[change.type], _planned(change)
            # Known after the apply only: what it would be beside is still to be made.
            if all(isinstance(planned.get(name), str) for name in record.key):
                yield ExistingWanted(change.address, change.type, change.region, planned)


def existing(plan: Plan, facts: Facts, *, simulated: bool = False, adopts: bool = False) -> dict[str, Existing]:
    """Address of a create → what is there already.

    Args:
        plan: The plan.
        facts: What AWS answered.
        simulated: As for `existing_wanted`.
        adopts: Whether policies that are there with the very same text count, too. A create changes nothing of them,
            but what an owner is granted is judged from the state, in which an adopted owner has none of them yet.
    """
    changes = {change.address: change for change in plan.changes}
    found = {}
    for wanted in existing_wanted(plan, simulated=simulated):
        live, change = facts[wanted], changes[wanted.address]
        if change.changes_region and (adopts or (live is not None and live.arn == change.arn is not None)):
            # What is in the state already is not adopted, nor is it in its own way.
            continue
        record = RESOURCES[change.type]
        silent = not (adopts and record.gives is not None)
        one = None if live is None else _existing(change, wanted.planned, record, live, silent=silent)
        # What AWS gave a new thing by itself stands there after an interrupted apply, and is nobody's choice.
        if one is not None and (not one.default or _comes_in(change, plan)):
            found[change.address] = replace(one, live=_as_planned(live, change, record))
    return found


def contents_wanted(plan: Plan) -> Iterator[ContentsWanted]:
    """What tainted resources hold.

    Terraform taints what an interrupted or failed apply created in part, and what somebody taints by hand: the plan
    does not tell them apart, but what was created in part is empty.
    """
    for change in plan.changes:
        if change.tainted and change.type in RESOURCES and RESOURCES[change.type].contents is not None:
            yield ContentsWanted(change.address, change.type, change.region, change.before)


def contents(plan: Plan, facts: Facts) -> dict[str, str | None]:
    """Address of a tainted resource → what it holds, for people; None where it holds nothing."""
    return {wanted.address: facts[wanted] for wanted in contents_wanted(plan)}


def _planned(change: Change) -> dict[str, Any]:
    record = RESOURCES[change.type]
    assert record.reading is not None
    prefixes = record.reading.prefixes
    known = {
        name: value.removeprefix(prefixes.get(name, ""))
        for name in record.key
        if isinstance(value := change.after.get(name), str)
    }
    return {**change.after, **record.reading.assumed, **known}


def _as_planned(live: Live | None, change: Change, record: ResourceType) -> Live | None:
    """With what its key begins with in the plan, so that it is not taken for one of another name."""
    assert record.reading is not None
    if live is None:
        return None
    begun = {n: f"{p}{live.key[n]}" for n, p in record.reading.prefixes.items()}
    return replace(live, key={**live.key, **{n: v for n, v in begun.items() if change.after.get(n) == v}})


def _existing(
    change: Change, planned: Mapping[str, Any], record: ResourceType, found: Live, *, silent: bool
) -> Existing | None:
    """What a create would meet, as the guards judge it; None where it changes nothing and nothing is to be said."""
    reading = record.reading
    assert reading is not None
    other = next((found.key[name] for name in record.key if found.key[name] != planned[name]), None)
    if reading.on_create is OnCreate.SAME:
        return Existing(found.values, True, found.import_id, found.called, same=True)
    if reading.on_create is OnCreate.COLLIDES:
        spelled = other if reading.case_blind else None
        return Existing({}, False, found.import_id, found.called, spelled=spelled)
    one = Existing(found.values, other is None, found.import_id, found.called, found.by_default)
    return None if silent and reading.quiet and not one.differences(change) else one


def _comes_in(change: Change, plan: Plan) -> bool:
    """Whether what AWS gives it with is not in the state yet: the plan imports it, or would make another."""
    reading = RESOURCES[change.type].reading
    assert reading is not None
    return any(
        owner.type == reading.default_with
        and (owner.imported or owner.action is Action.CREATE)
        and owner.region == change.region
        and owner.after.get("bucket") == change.after.get("bucket")
        for owner in plan.changes
    )
