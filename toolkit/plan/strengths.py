"""Whether a change of a resource is a weakening, by what the record of its type declares.

In: the values of a resource before and after, and the type's record (toolkit/resources). Out: the weakenings. Pure.
What is not known before the apply cannot be judged, and counts as a weakening where something strong is given up for
it. Lists whose order means nothing are aligned by key first, so a verdict never depends on the place of an entry.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.addresses import value_at
from toolkit.iam.comparison import compare_policies
from toolkit.plan.entries import is_empty, named, paired, plain, same
from toolkit.plan.event_patterns import narrowed
from toolkit.plan.lifecycles import shortened
from toolkit.plan.log_filters import matches_less
from toolkit.plan.model import Marker, shown
from toolkit.resources.base import ResourceType, Strength, Stronger
from toolkit.typed import same_json


@dataclass(frozen=True)
class Weakening:
    """A change to the weaker side."""

    strength: Strength
    path: str
    """Where, with the indices that the planned values have ("rule[0].expiration[0].days")."""
    named: str
    """The same for people and consents, with the keys of entries (`toolkit.plan.entries.named`)."""
    reason: str
    """What is lost, for people ("24 → 14")."""


def weakenings(record: ResourceType, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Weakening]:
    """What gets weaker when a resource goes from `before` to `after`."""
    before = aligned(record, before, after)
    for strength in record.strengths:
        if strength.only is not None and value_at(after, strength.only[0]) not in strength.only[1]:
            continue
        if strength.stronger is Stronger.KEPT:
            yield from (Weakening(strength, path, path, reason) for path, reason in _kept(strength, before, after))
            continue
        for path in _places(record, strength.attribute, before, after):
            reason = _lost(record, strength, path, before, after)
            if reason is not None:
                yield Weakening(strength, path, named(record, path, after, before), reason)


def aligned(
    record: ResourceType, before: Mapping[str, Any], after: Mapping[str, Any], *, sets: bool = False
) -> dict[str, Any]:
    """`before` with the entries of each keyed list where `after` has the entry of the same key.

    An entry that only `after` has leaves an empty one in its place; those that only `before` has follow at the end.

    Args:
        record: Of the type.
        before: Values before a change.
        after: Values after it.
        sets: Whether to align the entries of sets without a key, too. Directions compare these as a whole.
    """
    return {name: _aligned(record, name, value, after.get(name), sets) for name, value in before.items()}


def _aligned(record: ResourceType, path: str, before: Any, after: Any, sets: bool) -> Any:
    if isinstance(before, Mapping):
        new = after if isinstance(after, Mapping) else {}
        return {name: _aligned(record, f"{path}.{name}", value, new.get(name), sets) for name, value in before.items()}
    if not isinstance(before, list):
        return before
    others = after if isinstance(after, list) else []
    if path in record.keys or (sets and path in record.sets):
        before = [{} if one is None else one for one, _ in paired(record, path, before, others)]
    return [_aligned(record, path, one, others[i] if i < len(others) else None, sets) for i, one in enumerate(before)]


def _places(record: ResourceType, attribute: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The concrete paths of one with `[*]` in it; in a list none of whose entries may be removed, only those left.

    A list that is hidden or not known, and of which the other side has no entry, is a place itself: what is given up
    in it cannot be judged.
    """
    head, *rest = attribute.split("[*]")
    places = [head]
    for part in rest:
        kept = any(s.attribute == head and s.stronger is Stronger.SUPERSET for s in record.strengths)
        found = []
        for place in places:
            lists = [value_at(values, place) for values in (before, after)]
            old, new = (len(_listed(one)) for one in lists)
            if not kept and old == new == 0 and any(isinstance(one, Marker) for one in lists):
                found.append(place)
            found += [f"{place}[{i}]{part}" for i in range(new if kept else max(old, new))]
        places, head = found, f"{head}[*]{part}"
    return places


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _lost(
    record: ResourceType, strength: Strength, path: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> str | None:
    """What going from `before` to `after` loses at one place, or None."""
    old, new = value_at(before, path), value_at(after, path)
    if strength.otherwise is not None:
        if is_empty(old) and is_empty(new) and any(s.attribute == strength.otherwise[0] for s in record.strengths):
            # Judged there.
            return None
        old, new = (_or_otherwise(strength, v, values) for v, values in ((old, before), (new, after)))
    if isinstance(strength.unset, int):
        old, new = (_or_unset(strength.unset, path, values) for values in (before, after))
    if same(old, new):
        return None
    if strength.stronger is Stronger.POLICY:
        return _policy(old, new)
    if strength.stronger is Stronger.RECORDED and not (isinstance(old, Marker) or isinstance(new, Marker)):
        return _told(recorded_less_often(strength, before, after))
    if new is Marker.UNKNOWN:
        # A value set by reference (a key's ARN) is there, only not known yet.
        if strength.stronger in (Stronger.PRESENT, Stronger.KEY) or is_empty(old):
            return None
        return f"{shown(old)} → a value not known before the apply"
    if isinstance(old, Marker) or isinstance(new, Marker):
        # Hidden on one side: it cannot be compared.
        return f"{shown(old)} → {shown(new)}"
    if strength.stronger in _COMPARED:
        return _told(_COMPARED[strength.stronger](strength, old, new))
    if strength.stronger is Stronger.SUPERSET and (names := record.keys.get(strength.attribute)):
        # What is in an entry has directions of its own: here counts only that each is still there.
        old, new = ([{n: value_at(one, n) for n in names} for one in v or () if one] for v in (old, new))
    if strength.stronger is Stronger.THRESHOLD:
        lost = not _reached(value_at(after, "comparison_operator"), old, new)
    elif strength.stronger is Stronger.KEY:
        lost = _key_lost(old, new, str(before.get("arn") or ""))
    else:
        lost = _rank_lost(strength, old, new)
    return f"{shown(value_at(before, path) if old is None else old)} → {shown(new)}" if lost else None


def _rank_lost(strength: Strength, old: Any, new: Any) -> bool:
    match strength.stronger:
        case Stronger.HIGHER | Stronger.LOWER:
            return _number(strength, new) < _number(strength, old)
        case Stronger.TRUE:
            old, new = (strength.unset_is_strongest if value is None else bool(value) for value in (old, new))
            return old and not new
        case Stronger.FALSE:
            return not old and bool(new)
        case Stronger.PRESENT:
            return not is_empty(old) and is_empty(new)
        case Stronger.ABSENT:
            return is_empty(old) and not is_empty(new)
        case Stronger.SAME:
            return strength.unset_is_strongest or not is_empty(old)
        case Stronger.SUPERSET:
            if strength.unset_is_strongest and not (old and new):
                return not old
            return not _names(old) <= _names(new)
        case Stronger.SUBSET:
            if not strength.unset_is_strongest and not (old and new):
                return bool(old)
            return not _names(new) <= _names(old)
        case Stronger.ORDER:
            return _place(strength, new) < _place(strength, old)
        case _:
            raise AssertionError(strength)


def _or_otherwise(strength: Strength, value: Any, values: Mapping[str, Any]) -> Any:
    assert strength.otherwise is not None
    path, factor = strength.otherwise
    other = value_at(values, path)
    if (value and not isinstance(value, Marker)) or not other:
        return value
    return other if isinstance(other, Marker) else factor * other


def _or_unset(number: int, path: str, values: Mapping[str, Any]) -> Any:
    """What is at a path; where its block is not there, the number that AWS then takes."""
    block = path.rpartition(".")[0]
    return number if is_empty(value_at(values, block)) else value_at(values, path)


def _number(strength: Strength, value: Any) -> float:
    """The value on a scale on which more is stronger."""
    try:
        number = float(value or 0)
    except (TypeError, ValueError):
        number = 0
    # Null, absent, 0, which AWS uses for "never", and -1, which it uses for "no preference".
    if number <= 0:
        return float("inf") if strength.unset_is_strongest else float("-inf")
    return number if strength.stronger is Stronger.HIGHER else -number


def _place(strength: Strength, value: Any) -> int:
    """Place in the order; a word that the order does not know is the weakest, so that it cannot hide a loss."""
    word = strength.unset if is_empty(value) and strength.unset else value
    return strength.order.index(word) if word in strength.order else -1


def _names(value: Any) -> set[str]:
    return {json.dumps(plain(v), sort_keys=True, default=str) for v in value or ()}


def _key_lost(old: Any, new: Any, arn: str) -> bool:
    """Whether what is encrypted becomes readable to more, or unreadable to the account.

    Args:
        old: Key's ARN, id or alias before.
        new: The same after.
        arn: ARN of what is encrypted, if it has one: of the account whose key it should be.
    """
    if _key_rank(new) < _key_rank(old):
        return True
    # An organization's trail may have the key of a central account, and keep one of that account. Another account's
    # first key counts, too: that account decides who reads what is written from then on.
    ours = {_account(str(old or "")), _account(arn)} - {""}
    return bool(ours) and _account(str(new or "")) not in ("", *ours)


def _key_rank(key: Any) -> int:
    if is_empty(key):
        return 0
    return 1 if "alias/aws/" in str(key) else 2


def _account(arn: str) -> str:
    parts = arn.split(":")
    return parts[4] if len(parts) > 5 else ""


def _reached(operator: Any, old: Any, new: Any) -> bool:
    """Whether an alarm that the threshold `old` raises is raised by `new`."""
    if is_empty(old):
        return True
    try:
        before, after = float(old), float(new)
    except (TypeError, ValueError):
        return False
    if operator in ("GreaterThanThreshold", "GreaterThanOrEqualToThreshold"):
        return after <= before
    if operator in ("LessThanThreshold", "LessThanOrEqualToThreshold"):
        return after >= before
    return False


def _policy(old: Any, new: Any) -> str | None:
    if old in (None, "") or old is Marker.UNKNOWN:
        return None
    if new in (None, ""):
        return "the policy is removed"
    if isinstance(new, Marker) or isinstance(old, Marker):
        return "a policy that is not known before the apply"
    diff = compare_policies(old, new)
    return "; ".join(diff.weaker) if diff.weaker else None


def _told(reasons: Iterable[str]) -> str | None:
    return "; ".join(reasons) or None


def _pattern(_strength: Strength, old: Any, new: Any) -> Iterable[str]:
    if old in (None, ""):
        return ()
    if not isinstance(old, str) or not isinstance(new, str):
        return ("the pattern is removed",) if new in (None, "") else ("a pattern that cannot be read",)
    return narrowed(old, new)


def _filter(_strength: Strength, old: Any, new: Any) -> Iterable[str]:
    return matches_less(old or "", new or "")


def _parameters(strength: Strength, old: Any, new: Any) -> Iterator[str]:
    before, after = _object(old), _object(new)
    if before is None or after is None:
        yield "parameters that cannot be read"
        return
    directions = dict(strength.members)
    for name in dict.fromkeys([*before, *after]):
        had, gets = before.get(name), after.get(name)
        if not same_json(had, gets) and not _gains(directions.get(name), had, gets):
            yield f"{name}: {_parameter(had)} → {_parameter(gets)}"


def _object(text: Any) -> dict[str, Any] | None:
    """The parameters of JSON text; none at all are an empty object."""
    try:
        found = json.loads(text or "{}")
    except (TypeError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _gains(direction: Stronger | None, had: Any, gets: Any) -> bool:
    """Whether a parameter goes to the side that is known to be its stronger one; Config's parameters are all texts."""
    if direction is Stronger.TRUE:
        return str(gets).lower() == "true"
    try:
        more = float(gets) - float(had)
    except (TypeError, ValueError):
        return False
    return (direction is Stronger.HIGHER and more > 0) or (direction is Stronger.LOWER and more < 0)


def _parameter(value: Any) -> str:
    return "(none)" if value is None else shown(value)


def _content(_strength: Strength, old: Any, new: Any) -> Iterator[str]:
    before, after = _object(old), _object(new)
    if before is None or after is None:
        yield "JSON that cannot be read"
        return
    yield from _unsaid(before, after, "")


def _unsaid(old: Any, new: Any, path: str) -> Iterator[str]:
    """What `old` says and `new` does not."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name, value in old.items():
            yield from _unsaid(value, new.get(name), f"{path}.{name}" if path else name)
    elif isinstance(old, list) and isinstance(new, list):
        gone = [one for one in old if not _names([one]) <= _names(new)]
        if gone:
            yield f"{path}: without {', '.join(map(shown, gone))}"
    elif old != new:
        yield f"{path}: {_parameter(old)} → {_parameter(new)}"


def recorded_less_often(
    strength: Strength, before: Mapping[str, Any], after: Mapping[str, Any], types: Collection[str] | None = None
) -> Iterator[str]:
    """What AWS Config records less often with `after` than with `before`, for people.

    Args:
        strength: Of the overrides of a recorder's frequency.
        before: A recorder's values.
        after: Those in their place.
        types: AWS Config's resource types to compare; None: those with a frequency of their own in either.
    """
    mode = strength.attribute.rpartition(".")[0]
    (had, had_others), (gets, gets_others) = (_frequencies(strength, values, mode) for values in (before, after))
    for name in sorted({*had, *gets} if types is None else types):
        old, new = had.get(name, had_others), gets.get(name, gets_others)
        if _place(strength, old) > _place(strength, new):
            yield f"{name}: {shown(old)} → {shown(new)}"


def _frequencies(strength: Strength, values: Mapping[str, Any], mode: str) -> tuple[dict[str, Any], Any]:
    """(frequency by type with one of its own, frequency of all others)."""
    exceptions = value_at(values, strength.attribute)
    own = {
        name: value_at(one, "recording_frequency")
        for one in _listed(exceptions)
        for name in _listed(value_at(one, "resource_types"))
    }
    return own, value_at(values, f"{mode}.recording_frequency")


def _kept(strength: Strength, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    old, new = value_at(before, strength.attribute), value_at(after, strength.attribute)
    if old == new:
        return
    if isinstance(new, Marker):
        yield strength.attribute, f"{shown(old)} → a value not known before the apply"
        return
    for path, reason in shortened(_listed(old), _listed(new)):
        yield f"{strength.attribute}{path}", reason


_COMPARED: dict[Stronger, Callable[[Strength, Any, Any], Iterable[str]]] = {
    Stronger.PATTERN: _pattern,
    Stronger.FILTER: _filter,
    Stronger.PARAMETERS: _parameters,
    Stronger.CONTENT: _content,
}
"""Directions that tell in words what is lost."""
