"""Who manages what an account has, asked of AWS where neither a resource's reader, its owner nor its name says it.

In: resources, and the account. Out: for each of them who manages it, and what could not be read. Reads only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from toolkit.resources import managers
from toolkit.resources.managers import Manager
from toolkit.resources.reading import MANAGED_BY, Account, Live, Unreadable, UnreadableError

S = TypeVar("S")
T = TypeVar("T")


class SideBySide(Account, Protocol):
    """An account that is read side by side, as an inventory is."""

    def side_by_side(self, ask: Callable[[S], T], about: Iterable[S]) -> tuple[T, ...]:
        """The answers in the order of the questions."""


def managers_of(resources: Sequence[Live], inventory: SideBySide) -> tuple[Manager, ...]:
    """Who manages each of these resources, in their order. What AWS gives by itself is nobody's."""
    named = [None if one.by_default else one.managed_by or managers.by_owner_or_name(one) for one in resources]
    places: defaultdict[str, list[str]] = defaultdict(list)
    for one, who in zip(resources, named, strict=True):
        if one.arn and not who and not one.by_default:
            places[managers.tagged_in(one)].append(one.arn)
    regions = sorted(places)
    read = inventory.side_by_side(lambda place: _tags(inventory, place, places[place]), regions)
    tags = dict(zip(regions, read, strict=True))
    accelerators = managers.prefixes(
        each for found in read if not isinstance(found, Unreadable) for each in found.values()
    )
    services = _by_services(
        [one for one, who in zip(resources, named, strict=True) if managers.may_say(one, who)], inventory
    )
    return tuple(
        Manager(one.managed_by) if one.by_default else _manager(one, who, tags, accelerators, services)
        for one, who in zip(resources, named, strict=True)
    )


_Services = Mapping[tuple[str, str], str | Unreadable | None]
"""Type and region → who manages such resources there, by what a service says."""


def _by_services(resources: Sequence[Live], inventory: SideBySide) -> _Services:
    if inventory.simulated:  # the embedded AWS has no such administrators
        return {}
    places = sorted({(one.type, one.region) for one in resources if not one.by_default})

    def read(place: tuple[str, str]) -> str | Unreadable | None:
        try:
            return (
                managers.by_administrator(inventory, *place)
                or managers.by_delegation(inventory, place[0])
                or managers.by_control_tower(inventory, place[0])
            )
        except UnreadableError as e:
            return e.of(MANAGED_BY)

    return dict(zip(places, inventory.side_by_side(read, places), strict=True))


def _manager(
    one: Live,
    who: str | None,
    tags: Mapping[str, Mapping[str, Mapping[str, str]] | Unreadable],
    accelerators: frozenset[str],
    services: _Services,
) -> Manager:
    unknown: list[Unreadable] = []
    if one.arn and not who:
        tagged = tags[managers.tagged_in(one)]
        if isinstance(tagged, Unreadable):
            unknown.append(tagged)
        else:
            who = managers.by_tags(tagged.get(one.arn, {}))
    who = who or managers.by_prefix(one, accelerators)
    says = services.get((one.type, one.region)) if managers.may_say(one, who) else None
    if isinstance(says, Unreadable):
        unknown.append(says)
    else:
        who = says or who
    return Manager(who, tuple(unknown))


def _tags(inventory: Account, region: str, arns: Sequence[str]) -> Mapping[str, Mapping[str, str]] | Unreadable:
    try:
        return managers.read_tags(inventory, region, arns)
    except UnreadableError as e:
        return e.of(MANAGED_BY)
