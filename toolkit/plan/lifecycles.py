"""Two versions of a bucket's lifecycle: whether the new one deletes an object sooner.

In: the rules before and after, as Terraform holds them (`aws_s3_bucket_lifecycle_configuration.rule`). Out: what is
deleted sooner. Pure. Rules are judged together, in any order: of those that are switched on and whose filter matches an
object, the earliest deletes it. Decided on the safe side: an expiration counts as harmless only where one rule of
before deleted all of the same objects, as early or earlier. Moving objects to another storage class deletes nothing.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.plan.model import Marker


@dataclass(frozen=True)
class _Scope:
    """The objects that a rule's filter matches; those of everything without one."""

    prefix: str = ""
    tags: frozenset[tuple[str, str]] = frozenset()
    larger: float = -1
    smaller: float = float("inf")

    def contains(self, other: _Scope) -> bool:
        return (
            other.prefix.startswith(self.prefix)
            and self.tags <= other.tags
            and self.larger <= other.larger
            and self.smaller >= other.smaller
        )

    def __str__(self) -> str:
        words = [f"under {self.prefix}"] if self.prefix else []
        words += [f"tagged {key}={value}" for key, value in sorted(self.tags)]
        words += [f"larger than {self.larger:g} bytes"] if self.larger >= 0 else []
        words += [f"smaller than {self.smaller:g} bytes"] if self.smaller < float("inf") else []
        return " and ".join(words)


@dataclass(frozen=True)
class _Expiry:
    """When objects are deleted."""

    path: str
    scope: _Scope
    days: float
    date: str = ""
    """From when on; then `days` is 1."""
    kept: float = 0
    """How many noncurrent versions are kept in any case."""

    def covers(self, other: _Expiry) -> bool:
        """Whether everything that `other` deletes was deleted by this one, as early or earlier."""
        return (
            self.scope.contains(other.scope)
            and self.days <= other.days
            and (not self.date or not other.date or self.date <= other.date)
            and self.kept <= other.kept
        )


def shortened(old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """(path below `rule`, what is deleted sooner) for each expiration; none where everything is kept as long."""
    for read in (_current, _noncurrent):
        before = [expiry for place, rule in enumerate(old) for expiry in read(place, rule)]
        for place, rule in enumerate(new):
            for expiry in read(place, rule):
                if not any(one.covers(expiry) for one in before):
                    yield expiry.path, _told(before, expiry)


def _told(before: list[_Expiry], expiry: _Expiry) -> str:
    scope = f"objects {expiry.scope}: " if str(expiry.scope) else ""
    same = [one for one in before if one.scope.contains(expiry.scope)]
    if not same:
        return f"{scope}never → {expiry.days:g}"
    had = min(same, key=lambda one: one.days)
    if had.days > expiry.days:
        return f"{scope}{had.days:g} → {expiry.days:g}"
    if expiry.date:
        return f"{scope}{had.date} → {expiry.date}"
    return f"{scope}{had.kept:g} noncurrent versions kept → {expiry.kept:g}"


def _current(place: int, rule: Any) -> Iterator[_Expiry]:
    for expiration in _on(rule, "expiration"):
        path = f"[{place}].expiration[0].days"
        if expiration.get("date"):
            # From that day on everything is deleted, however young: the least number of days that there is.
            yield _Expiry(path, _scope(rule), 1, date=str(expiration["date"]))
        elif expiration.get("days"):
            yield _Expiry(path, _scope(rule), _days(expiration["days"]))


def _noncurrent(place: int, rule: Any) -> Iterator[_Expiry]:
    for expiration in _on(rule, "noncurrent_version_expiration"):
        if expiration.get("noncurrent_days"):
            path = f"[{place}].noncurrent_version_expiration[0].noncurrent_days"
            kept = expiration.get("newer_noncurrent_versions")
            days = _days(expiration["noncurrent_days"])
            yield _Expiry(path, _scope(rule), days, kept=0 if isinstance(kept, Marker) else float(kept or 0))


def _on(rule: Any, block: str) -> list[Mapping[str, Any]]:
    """The blocks of a rule that is switched on."""
    if not isinstance(rule, Mapping) or rule.get("status") == "Disabled":
        return []
    blocks = rule.get(block)
    if blocks is Marker.UNKNOWN:
        return [{"days": Marker.UNKNOWN, "noncurrent_days": Marker.UNKNOWN}]
    return [one for one in blocks or () if isinstance(one, Mapping)]


def _days(days: Any) -> float:
    # What is not known may be as little as there is.
    return 1 if isinstance(days, Marker) else float(days)


def _scope(rule: Mapping[str, Any]) -> _Scope:
    filters = rule.get("filter") or ()
    if isinstance(filters, Marker):
        return _Scope()
    prefix, tags, larger, smaller = str(rule.get("prefix") or ""), set(), -1.0, float("inf")
    for one in filters:
        if not isinstance(one, Mapping):
            return _Scope()
        for part in (one, *(one.get("and") or ())):
            if any(isinstance(value, Marker) for value in part.values()):
                return _Scope()
            prefix = part.get("prefix") or prefix
            tags |= set((part.get("tags") or {}).items())
            tags |= {(tag["key"], tag["value"]) for tag in part.get("tag") or ()}
            larger = max(larger, float(part.get("object_size_greater_than") or -1))
            smaller = min(smaller, float(part.get("object_size_less_than") or "inf"))
    return _Scope(prefix, frozenset(tags), larger, smaller)
