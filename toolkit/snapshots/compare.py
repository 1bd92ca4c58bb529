"""What differs between two snapshots of an account.

In: two snapshots. Out: a Comparison. What one of them could not read, or did not look at, is not compared: it is
neither new nor gone. So with who manages resources, where one of them could not read that.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from toolkit.errors import RefusedError
from toolkit.resources.reading import MANAGED_BY, Live
from toolkit.snapshots import Snapshot, as_configured, is_global

Place = tuple[str, str]
"""A type, and the region, which is empty for what has none."""


@dataclass(frozen=True)
class Difference:
    """One resource that is not as it was."""

    before: Live | None
    """None: it is new."""
    after: Live | None
    """None: it is gone."""
    attributes: tuple[tuple[str, Any, Any], ...] = ()
    """Of one that is in both: name, value before, value after. Its import id is called "import_id"."""

    @property
    def resource(self) -> Live:
        """The newer of the two."""
        found = self.after or self.before
        assert found is not None
        return found


@dataclass(frozen=True)
class Comparison:
    """Two snapshots of one account, the older one first."""

    before: Snapshot
    after: Snapshot
    differences: tuple[Difference, ...]
    not_compared: tuple[Place, ...]
    """What only one of both has read; and MANAGED_BY, without a region, where not both have read who manages what."""


def compare(before: Snapshot, after: Snapshot) -> Comparison:
    """What differs between two snapshots of the same account.

    Raises:
        RefusedError: One of them alone is of the embedded AWS, which has nothing of the real account.
    """
    if before.simulator != after.simulator:
        of = ["of the embedded AWS" if one.simulator else "of the account itself" for one in (before, after)]
        raise RefusedError(
            f"the first snapshot is {of[0]}, the second {of[1]}: they have nothing in common",
            hint="compare two that were both taken with, or both without, the embedded AWS",
        )
    old, new = _by_place(before), _by_place(after)
    places = sorted({*_read(before), *_read(after), *old, *new})
    both = {*_read(before)} & {*_read(after)}
    # IAM's tags are read in another region than its resources are listed under: so for all regions, or none.
    managers = not any(one.type == MANAGED_BY for one in (*before.unreadable, *after.unreadable))
    found = (one for place in places if place in both for one in _differ(old[place], new[place]))
    differences = tuple(one for each in found if (one := each if managers else _without_managers(each)) is not None)
    not_compared = [place for place in places if place not in both]
    return Comparison(before, after, differences, (*not_compared, *(() if managers else [(MANAGED_BY, "")])))


def _without_managers(one: Difference) -> Difference | None:
    """A difference without who manages the resource; None where nothing else differs."""
    if one.before is None or one.after is None:
        return one
    attributes = tuple(each for each in one.attributes if each[0] != MANAGED_BY)
    return replace(one, attributes=attributes) if attributes else None


def _by_place(snapshot: Snapshot) -> defaultdict[Place, list[Live]]:
    found: defaultdict[Place, list[Live]] = defaultdict(list)
    for one in snapshot.resources:
        found[one.type, "" if is_global(one.type) else one.region].append(one)
    return found


def _read(snapshot: Snapshot) -> set[Place]:
    found = set()
    for kind in snapshot.types:
        regions = [snapshot.home] if is_global(kind) else snapshot.regions
        found |= {(kind, "" if is_global(kind) else r) for r in regions if snapshot.was_read(kind, r)}
    return found


def _differ(before: Sequence[Live], after: Sequence[Live]) -> Iterator[Difference]:
    old, new = _by_key(before), _by_key(after)
    for key in sorted({*old, *new}):
        there, here = old.get(key, []), new.get(key, [])
        if len(there) == len(here) == 1:
            yield from _changed(there[0], here[0])
            continue
        # Of what has no key, there are several: their ids tell them apart.
        there_by, here_by = ({one.import_id or one.called: one for one in group} for group in (there, here))
        for name in sorted({*there_by, *here_by}):
            one, other = there_by.get(name), here_by.get(name)
            if one is not None and other is not None:
                yield from _changed(one, other)
            else:
                yield Difference(one, other)


def _by_key(several: Sequence[Live]) -> dict[str, list[Live]]:
    found: defaultdict[str, list[Live]] = defaultdict(list)
    for one in several:
        found[json.dumps(one.key, sort_keys=True)].append(one)
    return found


def _changed(before: Live, after: Live) -> Iterator[Difference]:
    pairs = [("import_id", before.import_id, after.import_id), (MANAGED_BY, before.managed_by, after.managed_by)]
    was_set, is_set = as_configured(before), as_configured(after)
    pairs += [(name, was_set.get(name), is_set.get(name)) for name in dict.fromkeys((*was_set, *is_set))]
    changed = tuple((name, was, now) for name, was, now in pairs if was != now)
    if changed:
        yield Difference(before, after, changed)
