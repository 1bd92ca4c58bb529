"""Which entry of a list before a change is which one after it, where the place of an entry means nothing.

In: two lists of blocks, and what the record of their type says of them: the keys of their entries, or that the provider
has them as a set. Out: pairs. Pure. Terraform lists a set in an order of its own, in which an entry whose content
changes gets another place; version 6 of the provider has sets where version 5 has lists.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from types import NoneType
from typing import Any

from toolkit.addresses import AttributePath, suffix, value_at
from toolkit.resources.base import ResourceType

Entry = Any


def paired(
    record: ResourceType, path: str, before: Sequence[Entry], after: Sequence[Entry]
) -> list[tuple[Entry | None, Entry | None]]:
    """Entry before and after of each, in the order of `after`; those that only `before` has follow at the end.

    Entries with a key are paired by it; of several with one key, those that are alike. Entries of a set without a key
    are paired if they are alike, or if one alone is left on each side: that one has changed.

    Args:
        record: Of the type.
        path: Of the list, without positions. The record has it in `keys` or in `sets`.
        before: Entries before the change.
        after: Entries after it.
    """
    rules: list[Callable[[Entry], str]] = [canonical]
    if path in record.keys:
        rules.append(lambda entry: canonical([value_at(entry, n) for n in record.keys[path]], in_order=True))
    old, new = _by_content(before), _by_content(after)
    partner: dict[int, int] = {}
    for rule in rules:
        waiting: defaultdict[str, list[int]] = defaultdict(list)
        for here in old:
            waiting[rule(before[here])].append(here)
        for there in new:
            if there not in partner and (alike := waiting[rule(after[there])]):
                partner[there] = alike.pop(0)
        old = [here for here in old if here not in partner.values()]
    changed = [there for there in new if there not in partner]
    if path not in record.keys and len(old) == len(changed) == 1:
        partner[changed[0]] = old.pop()
    pairs = [(before[partner[there]] if there in partner else None, after[there]) for there in range(len(after))]
    return pairs + [(before[here], None) for here in sorted(old)]


def named(record: ResourceType, path: str, *sides: Any) -> str:
    """A path with the keys of entries where they have one of their own, instead of their places.

    `additional_configuration[1].status` → `additional_configuration["EKS_ADDON_MANAGEMENT"].status`

    Args:
        record: Of the type.
        path: With places.
        sides: Values in which the entries stand; the first that has one names it, not one that is unknown or hidden.
    """
    steps = AttributePath.parse(path).steps
    text = ""
    for end, step in enumerate(steps, start=1):
        here = AttributePath(steps[:end])
        key = record.entry_key(".".join(here.names)) if isinstance(step, int) else None
        entry = next((found for side in sides if isinstance(found := here.at(side), Mapping) and found), None)
        lists = (AttributePath(steps[: end - 1]).at(side) for side in sides)
        text = joined(text, step, own_key(key, entry, *lists))
    return text


def own_key(name: str | None, entry: Entry, *lists: Any) -> Any:
    """The key that names an entry in paths: None where it has none, or where one of the lists has that key twice.

    A name that is of two entries would make a consent to one cover the other.

    Args:
        name: Of the attribute that has the key.
        entry: The entry.
        lists: Those in which it stands, before and after a change.
    """
    if name is None or not isinstance(entry, Mapping):
        return None
    key = value_at(entry, name)
    keys = [
        [value_at(one, name) for one in each if isinstance(one, Mapping)] for each in lists if isinstance(each, list)
    ]
    return None if any(found.count(key) > 1 for found in keys) else key


def joined(text: str, step: Any, key: Any = None) -> str:
    """A path with one more step, which is called by the key of an entry if that is a text."""
    if isinstance(key, str):
        return text + suffix(key)
    last = str(AttributePath((step,)))
    return f"{text}.{last}" if text and not last.startswith("[") else text + last


def _by_content(entries: Sequence[Entry]) -> list[int]:
    """Their places in an order that the content alone decides, so that no place decides who is whose partner."""
    texts = [canonical(entry) for entry in entries]
    return sorted(range(len(entries)), key=texts.__getitem__)


def canonical(value: Any, *, in_order: bool = False) -> str:
    """The same text for what means the same: lists in any order, and blocks without what is empty in them."""
    if isinstance(value, (dict, Mapping)) and value:
        # A map, such as tags, in which an empty text is a value.
        return _text({name: plain(inner) or inner for name, inner in value.items()})
    return _text(plain(value, in_order))


def same(one: Any, other: Any) -> bool:
    """Whether two values have the same `canonical` text."""
    if isinstance(one, (str, bool, int, NoneType)) and type(one) is type(other) and one == other:
        return True
    return canonical(one) == canonical(other)


_text = json.JSONEncoder(sort_keys=True, default=str).encode


def plain(value: Any, in_order: bool = False) -> Any:
    """The value as `canonical` compares it: None where it is empty."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, (dict, Mapping)):
        return {name: plain(inner) for name, inner in value.items() if not is_empty(inner)} or None
    if isinstance(value, (list, tuple)):
        items = [plain(v) for v in value]
        return (items if in_order or len(items) == 1 else sorted(items, key=_text)) or None
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def is_empty(value: Any) -> bool:
    """Whether a value says nothing: none, or an empty text, list or map."""
    return value is None or (isinstance(value, (str, list, dict)) and not value)
