"""Who manages what an account has, asked of AWS where neither a resource's reader, its owner nor its name says it.

In: resources, and the inventory. Out: for each of them who manages it, and what could not be read. Reads only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from toolkit.aws.facts import side_by_side
from toolkit.aws.inventory import Inventory
from toolkit.regions import GLOBAL_REGION, partition_of
from toolkit.resources import managers
from toolkit.resources.reading import Live, Unreadable, UnreadableError

MANAGED_BY = "managed_by"
"""Stands for a type where it cannot be read who manages resources; what there is was read all the same."""


@dataclass(frozen=True)
class Manager:
    """Who manages a resource."""

    who: str | None
    """In words; None: nobody, as far as what could be read says."""
    unknown: tuple[Unreadable, ...] = ()
    """What could not be read and might say more."""


def managers_of(resources: Sequence[Live], inventory: Inventory) -> tuple[Manager, ...]:
    """Who manages each of these resources, in their order. What AWS gives by itself is nobody's."""
    named = [None if one.by_default else one.managed_by or managers.by_owner_or_name(one) for one in resources]
    places: defaultdict[str, list[str]] = defaultdict(list)
    for one, who in zip(resources, named, strict=True):
        if one.arn and not who and not one.by_default:
            places[_tagged_in(one)].append(one.arn)
    tags = dict(
        zip(
            sorted(places),
            side_by_side(lambda place: _tags(inventory, place, places[place]), sorted(places)),
            strict=True,
        )
    )
    return tuple(_manager(one, who, tags, inventory) for one, who in zip(resources, named, strict=True))


def _manager(
    one: Live, who: str | None, tags: Mapping[str, Mapping[str, Mapping[str, str]] | Unreadable], inventory: Inventory
) -> Manager:
    if one.by_default:
        return Manager(one.managed_by)
    unknown: list[Unreadable] = []
    if one.arn and not who:
        tagged = tags[_tagged_in(one)]
        if isinstance(tagged, Unreadable):
            unknown.append(tagged)
        else:
            who = managers.by_tags(tagged.get(one.arn, {}))
    if not inventory.simulated:  # the embedded AWS has no such administrators
        try:
            who = managers.by_administrator(inventory, one.type, one.region) or who
        except UnreadableError as e:
            unknown.append(e.of(MANAGED_BY))
    return Manager(who, tuple(unknown))


def _tags(inventory: Inventory, region: str, arns: Sequence[str]) -> Mapping[str, Mapping[str, str]] | Unreadable:
    try:
        return managers.read_tags(inventory, region, arns)
    except UnreadableError as e:
        return e.of(MANAGED_BY)


def _tagged_in(one: Live) -> str:
    """Where the tagging API knows a resource: IAM's, where services without a region live."""
    return GLOBAL_REGION[partition_of(one.region) or "aws"] if ":iam:" in (one.arn or "") else one.region
