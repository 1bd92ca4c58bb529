"""A snapshot instead of the account: what a plan would meet there is answered from what an earlier scan found.

In: a Snapshot. Out: the answers that an inventory gives. What the scan did not read is unreadable here, never absent.
Calls no AWS, so that reading and planning can run with different rights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, NoReturn, TypeVar

from toolkit.resources.base import ResourceType
from toolkit.resources.managers import Manager, tagged_in
from toolkit.resources.reading import MANAGED_BY, Live, Reason, Unreadable, UnreadableError
from toolkit.resources.registry import RESOURCES
from toolkit.snapshots import Snapshot, holders, is_global, payload_digest

S = TypeVar("S")
T = TypeVar("T")


class SnapshotSource:
    """What one account had when the snapshot was taken."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Args:
        snapshot: Of the account that is meant.
        """
        self._snapshot = snapshot
        self._placed: dict[tuple[str, str], list[Live]] = {}
        for one in snapshot.resources:
            self._placed.setdefault((one.type, one.region), []).append(one)

    @property
    def account_id(self) -> str:
        """The account's id, 12 digits."""
        return self._snapshot.account_id

    @property
    def home_region(self) -> str:
        """Where what has no region was read."""
        return self._snapshot.home

    @property
    def simulated(self) -> bool:
        """Whether it was on the embedded AWS."""
        return self._snapshot.simulator is not None

    def find(self, kind: str, region: str, planned: Mapping[str, Any]) -> Live | Unreadable | None:
        """As `toolkit.plan.facts.Source`."""
        record = RESOURCES[kind]
        reading = record.reading
        assert reading is not None, f"{kind} has no reading"
        try:
            # What it has is there, whatever else of the type the scan could not read.
            has = self._placed.get((kind, self._place(kind, region)), ())
            found = next((one for one in has if record.is_of(one, planned)), None)
            if found is None:
                # Absent only where the scan read all of them.
                self.live(kind, region)
        except UnreadableError as e:
            return e.of(kind)
        if found is not None and reading.beside is not None:
            found = reading.beside(found, planned)
        return None if found is None else self._with_payloads(found, planned, record)

    def contents(self, kind: str, region: str, values: Mapping[str, Any]) -> str | Unreadable | None:
        """Unreadable: a scan does not look into buckets and log groups."""
        return self._unknown(kind, region, "what resources hold")

    def every(self, kinds: Iterable[str], regions: Iterable[str]) -> Iterator[Live | Unreadable]:
        """Every resource of these types in these regions; global types are those of the home region."""
        wanted = tuple(dict.fromkeys(regions))
        for kind in kinds:
            for region in (self.home_region,) if is_global(kind) else wanted:
                try:
                    yield from self.live(kind, region)
                except UnreadableError as e:
                    yield e.of(kind)

    def live(self, kind: str, region: str) -> tuple[Live, ...]:
        """As `toolkit.resources.reading.Account`."""
        place = self._place(kind, region)
        if not self._snapshot.was_read(kind, place):
            failed = (u for u in self._snapshot.unreadable if u.region == place and u.type in ("", kind))
            raise next(failed, self._unknown(kind, place, "this type in this region")).error()
        return tuple(self._placed.get((kind, place), ()))

    def managers(self, resources: Sequence[Live]) -> tuple[Manager, ...]:
        """Who manages each of these resources, as the scan says, and what it could not read where they are."""
        unread = [u for u in self._snapshot.unreadable if u.type == MANAGED_BY]

        def of(one: Live) -> Manager:
            places = {one.region, self.home_region, tagged_in(one)}
            return Manager(one.managed_by, tuple(u for u in unread if u.region in places))

        return tuple(map(of, resources))

    def answered(self, read: Callable[[SnapshotSource], T]) -> T | Unreadable:
        """What comes of a question about more than one type's resources."""
        try:
            return read(self)
        except UnreadableError as e:
            return e.of("")

    def side_by_side(self, ask: Callable[[S], T], about: Iterable[S]) -> tuple[T, ...]:
        """The answers in the order of the questions."""
        return tuple(map(ask, about))

    def call(self, service: str, operation: str, region: str, **parameters: Any) -> NoReturn:
        """Raises UnreadableError: a snapshot has resources, not calls."""
        raise self._unknown("", region, f"the answer of {service} {operation}").error()

    def pages(self, service: str, operation: str, member: str, region: str, **parameters: Any) -> NoReturn:
        """Raises UnreadableError: as `call`."""
        raise self._unknown("", region, f"the answer of {service} {operation}").error()

    def _place(self, kind: str, region: str) -> str:
        return self.home_region if is_global(kind) else region

    def _unknown(self, kind: str, region: str, what: str) -> Unreadable:
        return Unreadable(kind, region, "toolkit discover", Reason.NOT_IN_SNAPSHOT, f"it does not have {what}")

    def _with_payloads(self, found: Live, planned: Mapping[str, Any], record: ResourceType) -> Live | Unreadable:
        """The resource, with the planned value where the snapshot's digest is that of it."""
        values = deepcopy(dict(found.values))
        for path in record.payloads:
            wanted = [holder.get(name) for holder, name in holders(planned, path)]
            for position, (holder, name) in enumerate(holders(values, path)):
                if not holder.get(name):
                    continue
                plain = wanted[position] if position < len(wanted) else None
                if holder[name] != payload_digest(plain):
                    return self._unknown(found.type, found.region, f"`{path}` of {found.called}, only its digest")
                holder[name] = plain
        return replace(found, values=values)
