"""Outcomes of a command in many environments → their Summary.

In: an Outcome per environment. Out: a Summary. Pure. Outcomes are read one after the other, and of a document only what
no other document has is kept.

Environments with the same changes are a group. What few environments have is odd, and is compared with the group that
is most like it. Two changes are the same where nothing tells them apart but what names the environment
(`toolkit.fleet.placeholders`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, TypeAlias

from toolkit.errors import ExitCode
from toolkit.fleet.entries import LOSSES, RULE, Key, access_of, entries, entry, finding_key, rank
from toolkit.fleet.outcome import ORDER, Outcome
from toolkit.fleet.placeholders import Names, has_placeholders
from toolkit.fleet.summary import (
    CHANGES,
    Cost,
    Danger,
    Difference,
    Entry,
    Group,
    Item,
    Kind,
    Member,
    Outlier,
    Place,
    Summary,
)


def summarize(outcomes: Iterable[Outcome], not_run: Mapping[str, str] = MappingProxyType({})) -> Summary:
    """The summary of a run.

    Args:
        outcomes: One for each environment whose command was run, in any order; read once, one after the other.
        not_run: Environment → why its command was not run.

    Raises:
        ValueError: An environment has two outcomes, or one although it was not run.
    """
    return _Grouping(outcomes, not_run).summary


_ItemId: TypeAlias = tuple[int, int, int]
"""Entry, how often in the home region, how often in others."""
_Set: TypeAlias = frozenset[_ItemId]
_CODES = {int(code): code.name.lower().replace("_", "-") for code in ExitCode}
_RESULTS = (ExitCode.OK, ExitCode.CHANGES, ExitCode.OUT_OF_DATE)
_OUTLIERS = 3
"""Environments with one set of changes, up to which they are outliers in a run of any size …"""
_SHARE = 100
"""… and one in so many of them in a large one, …"""
_RATIO = 5
"""… if the largest group is at least so many times as large."""


@dataclass
class _Read:
    """What is kept of an outcome."""

    member: Member
    names: Names
    code: str | None
    """What makes it a danger."""
    said: tuple[str, ...]
    """Of an error, what is the same in all environments."""
    found: list[tuple[int, int, str]]
    """Entry, the same with the environment's name kept, region."""
    blocking: list[tuple[int, int, str]]
    places: dict[_ItemId, tuple[str, ...]] = field(default_factory=dict)
    items: _Set = frozenset()
    blocked: _Set = frozenset()


class _Grouping:
    """Everything that is done for one summary."""

    def __init__(self, outcomes: Iterable[Outcome], not_run: Mapping[str, str]) -> None:
        self._numbers: dict[Key, int] = {}
        self._keys: list[Key] = []
        self._costs: dict[tuple[str, str], list[tuple[int, float | None]]] = {}
        command = ""
        read: list[_Read] = []
        seen = set(not_run)
        for outcome in outcomes:
            if outcome.environment in seen:
                raise ValueError(f"{outcome.environment} has two outcomes, or one although it was not run")
            seen.add(outcome.environment)
            command = outcome.command
            read.append(self._read(outcome))
        self._every = sorted(read, key=lambda one: one.member.environment)
        self._settle()
        self._having: dict[_ItemId, list[_Read]] = {}
        for one in self._every:
            for item in one.places:
                self._having.setdefault(item, []).append(one)
        self._entries: dict[int, Entry] = {}
        self._alike: dict[_Set, list[_Read]] = {}
        for one in self._every:
            if one.items or one.code is None:
                self._alike.setdefault(one.items, []).append(one)
        self._groups = {items: number for number, items in enumerate(self._large(), 1)}
        self._near: Counter[int | None] = Counter()
        dangers, outliers = self._dangers(), self._outliers()
        self.summary = Summary(
            command,
            dangers,
            outliers,
            tuple(self._grouped()),
            tuple(one.member for one in self._alike.get(frozenset(), ())),
            dict(sorted(not_run.items())),
            tuple(
                Cost(what, sum(n for n, _ in lines), _sum(usd for _, usd in lines), driver or None)
                for (what, driver), lines in sorted(self._costs.items())
            ),
        )

    # Reading

    def _read(self, outcome: Outcome) -> _Read:
        document = outcome.document or {}
        kind = document.get("kind")
        blocking: list[Mapping[str, Any]] = []
        if kind == "plan":
            blocking = [f for f in document["findings"] if f["blocks"]]
            for line in document["cost"]["lines"]:
                one = self._costs.setdefault((line["what"], line["driver"] or ""), [])
                one.append((line["count"], line["monthly_usd"]))
        elif kind == "drift":
            weaker = {change["address"] for change in document["changes"] if change["weaker"]}
            blocking = [f for f in document.get("findings", ()) if f["blocks"] and f["address"] in weaker]
        code = None
        # An audit ends with 1 where something is unknown: its document says what.
        if outcome.error is not None or (outcome.exit_code not in _RESULTS and not (kind == "audit" and not blocking)):
            code = str((outcome.error or {}).get("code") or _CODES.get(outcome.exit_code, "error"))
        if blocking and outcome.error is None:
            code = "weaker" if kind == "drift" else "refused"
        access = access_of(document)
        names = Names(outcome.environment, document.get("account_id"), document.get("region"))
        found = list(entries(document))
        if not any(Kind(key[0]) in CHANGES for _, key, _ in found):
            found = []
        return _Read(
            Member(
                outcome.environment,
                names.account,
                names.home,
                outcome.exit_code,
                outcome.seconds,
                tuple(blocking),
                outcome.error,
                *(sum(len(one["principals"]) for one in access[turn]) for turn in ("gains", "losses")),
            ),
            names,
            code,
            names.said(outcome.error) if outcome.error else (),
            [self._numbered(names, *one) for one in found],
            [self._numbered(names, f["region"], finding_key(f, f["severity"]), []) for f in blocking],
        )

    def _numbered(
        self, names: Names, region: str, key: Key, attributes: Sequence[Sequence[Any]]
    ) -> tuple[int, int, str]:
        plain, named = names.plain(key, attributes, region)
        number = self._interned(plain)
        return number, self._interned(names.plain(key, attributes, region, keep=True)[0]) if named else number, region

    def _interned(self, key: Key) -> int:
        number = self._numbers.setdefault(key, len(self._keys))
        if number == len(self._keys):
            self._keys.append(key)
        return number

    # Making sets

    def _settle(self) -> None:
        """Make the sets, and decide where an environment's name is only a word.

        In an environment "security", the contact "security" is the one that all others have: the name is replaced
        unless more environments have the same with the name kept.
        """
        having: Counter[int] = Counter()
        for one in self._every:
            having.update({number for found in (*one.found, *one.blocking) for number in found[:2]})
        for one in self._every:
            one.items, one.blocked = (
                self._set(one, ((kept if having[kept] > having[number] else number, at) for number, kept, at in found))
                for found in (one.found, one.blocking)
            )

    @staticmethod
    def _set(one: _Read, found: Iterable[tuple[int, str]]) -> _Set:
        regions: dict[int, list[str]] = {}
        for number, region in found:
            regions.setdefault(number, []).append(region)
        made = set()
        for number, where in regions.items():
            home = sum(region in (one.member.region, "") for region in where)
            item = (number, home, len(where) - home)
            made.add(item)
            one.places[item] = _shared(tuple(sorted(filter(None, where))))
        return frozenset(made)

    def _large(self) -> list[_Set]:
        """The sets that groups are made of: what deletes or replaces first, then the one with the most environments.

        Those of more environments than outliers have; where these are few, also what most environments have in common.
        """
        total = sum(map(len, self._alike.values()))
        largest = max(map(len, self._alike.values()), default=0)
        few = max(1, min(largest // _RATIO, max(_OUTLIERS, total // _SHARE)))
        large = [items for items, of in self._alike.items() if items and len(of) > few]
        changed = [one for items, of in self._alike.items() if items for one in of]
        if sum(len(self._alike[items]) for items in large) * 2 < len(changed) and (
            len(changed) > few or len(changed) == total
        ):
            having = Counter(item for one in changed for item in one.items)
            common = frozenset(item for item, number in having.items() if number * 2 > len(changed))
            if common and common not in large:
                large.append(common)

        def place(items: _Set) -> tuple[Any, ...]:
            loses = any(self._keys[number][1] in LOSSES for number, *_ in items)
            return not loses, -len(self._alike.get(items, ())), sorted(map(self._named, items))

        return sorted(large, key=place)

    def _named(self, item: _ItemId) -> tuple[Key, int, int]:
        """An item in words, by which it is sorted: numbers depend on the order of the outcomes."""
        return (self._keys[item[0]], *item[1:])

    # What the summary has of them

    def _item(self, item: _ItemId, of: Iterable[_Read] = ()) -> Item:
        """An item as it is in these environments, or in all that have it."""
        having = [one for one in of if item in one.places] or self._having[item]
        regions: dict[tuple[str, ...], list[str]] = {}
        for one in having:
            regions.setdefault(one.places[item], []).append(one.member.environment)
        places = tuple(
            Place(where, None if len(regions) == 1 else tuple(names)) for where, names in sorted(regions.items())
        )
        number, home, others = item
        shown = self._entry(number)
        if len(having) == 1 and has_placeholders(self._keys[number]):
            where = places[0].regions
            shown = entry(self._keys[number], having[0].names.literal(where[0] if len(where) == 1 else None))
        return Item(shown, home, others, places)

    def _entry(self, number: int) -> Entry:
        """One object for what is the same."""
        if number not in self._entries:
            self._entries[number] = entry(self._keys[number])
        return self._entries[number]

    def _sorted(self, items: Iterable[_ItemId]) -> list[_ItemId]:
        """What is dangerous first, and of updates those of nothing but tags last."""

        def place(item: _ItemId) -> tuple[Any, ...]:
            shown = self._entry(item[0])
            order = list(Kind).index(shown.kind), rank(shown.word), shown.is_only_tags
            return *order, shown.component or "", self._named(item)

        return sorted(items, key=place)

    def _itemized(self, items: Iterable[_ItemId], of: Iterable[_Read] = ()) -> tuple[Item, ...]:
        return tuple(self._item(item, of) for item in self._sorted(items))

    def _dangers(self) -> tuple[Danger, ...]:
        alike: dict[Any, list[_Read]] = {}
        for one in self._every:
            if one.code is not None:
                alike.setdefault((one.code, one.said, one.blocked, one.items), []).append(one)
        dangers = [
            Danger(
                str(of[0].code),
                tuple(one.member for one in of),
                self._itemized(of[0].blocked, of),
                self._itemized(of[0].items, of),
                self._difference(of),
            )
            for of in alike.values()
        ]
        return tuple(sorted(dangers, key=_worst))

    def _outliers(self) -> tuple[Outlier, ...]:
        odd = [
            (items, [one for one in of if one.code is None])
            for items, of in self._alike.items()
            if items and items not in self._groups
        ]
        outliers = [
            Outlier(tuple(one.member for one in of), self._itemized(items, of), self._difference(of))
            for items, of in odd
            if of
        ]
        return tuple(sorted(outliers, key=_oddest))

    def _grouped(self) -> Iterator[Group]:
        for items, number in self._groups.items():
            of = self._alike.get(items, ())
            members = tuple(one.member for one in of if one.code is None)
            yield Group(number, members, self._itemized(items, of), self._near[number])

    def _difference(self, of: Sequence[_Read]) -> Difference | None:
        """How the set of these environments differs from the group that is most like it."""
        items = of[0].items
        if not items:
            return None
        alike = [group for group in self._groups if group & items]
        nearest: _Set = min(alike, key=lambda g: (len(g ^ items), self._groups[g]), default=frozenset())
        if not nearest and len(self._alike.get(nearest, ())) * 2 <= len(self._every):
            return None
        number = self._groups.get(nearest)
        self._near[number] += len(of)
        less = {self._about(item): item for item in nearest - items}
        both = [
            (item, less.pop(self._about(item))) for item in self._sorted(items - nearest) if self._about(item) in less
        ]
        paired = {item for item, _ in both}
        theirs = self._alike.get(nearest, ())
        return Difference(
            number,
            self._itemized(items - nearest - paired, of),
            self._itemized(less.values(), theirs),
            tuple((self._item(mine, of), self._item(group, theirs)) for mine, group in both),
        )

    def _about(self, item: _ItemId) -> tuple[str, str, str]:
        kind, _, subject, *others = self._keys[item[0]]
        return kind, subject, others[RULE - 3]


@cache
def _shared(regions: tuple[str, ...]) -> tuple[str, ...]:
    """The same object for the same regions: there are few of them, and many places."""
    return regions


def _sum(prices: Iterable[float | None]) -> float | None:
    known = [usd for usd in prices if usd is not None]
    return round(math.fsum(known), 2) if known else None


def _loses(items: Iterable[Item]) -> bool:
    return any(item.entry.word in LOSSES for item in items)


def _worst(danger: Danger) -> tuple[Any, ...]:
    """Blocking findings, the most severe first; then failures, as exit codes fold."""
    first = danger.members[0]
    worst = min((rank(item.entry.word) for item in danger.findings), default=0)
    code = list(ORDER).index(ExitCode(first.exit_code)) if first.exit_code in ORDER else 1
    return not danger.findings, worst, 0 if danger.findings else code, len(danger.members), first.environment


def _oddest(outlier: Outlier) -> tuple[Any, ...]:
    """What deletes or replaces, then what differs most."""
    apart = outlier.difference
    more = (*apart.more, *(mine for mine, _ in apart.other)) if apart else outlier.items
    size = len(more) + (len(apart.less) if apart else 0)
    return not _loses(more), -size, outlier.members[0].environment
