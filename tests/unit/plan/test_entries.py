"""Entries of sets and keyed lists: whatever their places, a report has what changes, once, and nothing else."""

from __future__ import annotations

import copy
import itertools
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.addresses import suffix
from toolkit.components.registry import REGISTRY
from toolkit.plan.entries import paired
from toolkit.plan.guards import Existing, judge
from toolkit.plan.model import Attribution, Change, Marker, parse_plan
from toolkit.plan.settings import deciding
from toolkit.resources.base import ResourceType
from toolkit.resources.registry import RESOURCES, record_of

RECORDED = Path(__file__).parents[2] / "plans" / "components"
ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1", "us-east-1"), "eu-central-1")
ENTRIES = [e for f in sorted(RECORDED.glob("*.json")) for e in json.loads(f.read_text("utf-8"))["resource_changes"]]
PATHS = [
    pytest.param(record, path, id=f"{record.name}-{path}")
    for record in RESOURCES.values()
    for path in (*record.keys, *record.sets)
    # What is the key of an entry does not change in it.
    if path not in {f"{keyed}.{name}" for keyed, names in record.keys.items() for name in names}
]


def update(kind: str, before: Any, after: Any, address: str = "", **more: Any) -> Change:
    change = {"actions": ["update"], "before": before, "after": after} | more
    address = address or f"module.cloudtrail.{kind}.this"
    entry = {"address": address, "mode": "managed", "type": kind, "name": "this", "change": change}
    (found,) = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION).changes
    return found


def differences(change: Change) -> list[tuple[str, Any, Any]]:
    return [(a.path, a.before, a.after) for a in change.attributes]


def unordered(record: ResourceType, path: str) -> bool:
    return path in record.keys or path in record.sets


def shuffled(record: ResourceType, value: Any, chance: random.Random, path: str = "") -> Any:
    """The same with the entries of every set and keyed list in another order."""
    if isinstance(value, dict):
        return {n: shuffled(record, v, chance, f"{path}.{n}" if path else n) for n, v in value.items()}
    if isinstance(value, list):
        items = [shuffled(record, inner, chance, path) for inner in value]
        if unordered(record, path):
            chance.shuffle(items)
        return items
    return value


def places(record: ResourceType, value: Any, path: str = "", at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where each entry of a set or a keyed list is."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(record, inner, f"{path}.{name}" if path else name, (*at, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if unordered(record, path):
                yield (*at, index)
            yield from places(record, inner, path, (*at, index))


def within(path: str, entries: list[Any]) -> dict[str, Any]:
    head, _, rest = path.partition(".")
    return {head: [within(rest, entries)]} if rest else {head: entries}


def text(record: ResourceType, path: str, place: int, entry: dict[str, Any] | None) -> str:
    """As a report has the place of an entry."""
    key = record.entry_key(path)
    return f"{path.replace('.', '[0].')}{suffix(entry[key] if key and entry else place)}"


def test_another_order_of_what_is_recorded_is_no_difference():
    chance = random.Random(6)
    moved = 0
    for entry in ENTRIES:
        values = entry["change"]["after"]
        for _ in range(3):
            other = shuffled(record_of(entry["type"]), values, chance)
            moved += other != values
            assert differences(update(entry["type"], other, values, entry["address"])) == []
    assert moved > 20


def test_one_entry_that_is_added_or_removed_is_one_difference_in_any_order():
    chance = random.Random(7)
    tried = set()
    for entry in ENTRIES:
        record, values = record_of(entry["type"]), entry["change"]["after"]
        for steps in places(record, values):
            less = copy.deepcopy(values)
            holder: Any = less
            for step in steps[:-1]:
                holder = holder[step]
            gone = holder.pop(steps[-1])
            if len(holder) < 1 or any(isinstance(step, int) for step in steps[:-1]):
                continue
            tried.add((entry["type"], steps[0]))
            old, new = shuffled(record, less, chance), shuffled(record, values, chance)
            ((path, before, after),) = differences(update(entry["type"], old, new))
            assert (before, sorted_text(after)) == (None, sorted_text(gone))
            assert path.startswith(f"{steps[0]}[")
            ((_, before, after),) = differences(update(entry["type"], new, old))
            assert (sorted_text(before), after) == (sorted_text(gone), None)
    assert len(tried) > 3


def sorted_text(value: Any) -> str:
    if isinstance(value, dict):
        return str(sorted((k, sorted_text(v)) for k, v in value.items()))
    return str(sorted(map(sorted_text, value))) if isinstance(value, list) else repr(value)


@pytest.mark.parametrize(("record", "path"), PATHS)
def test_an_entry_that_changes_is_found_wherever_it_is(record: ResourceType, path: str):
    names = record.keys.get(path, ("name",))
    before = [{**dict.fromkeys(names, which), "status": "on"} for which in ("one", "two", "three")]
    for changed in range(3):
        after = copy.deepcopy(before)
        after[changed]["status"] = "off"
        for old, new in itertools.product(itertools.permutations(before), itertools.permutations(after)):
            found = differences(update(record.name, within(path, list(old)), within(path, list(new))))
            at = text(record, path, new.index(after[changed]), after[changed])
            assert found == [(f"{at}.status", "on", "off")]


@pytest.mark.parametrize(("record", "path"), PATHS)
def test_what_is_not_known_yet_is_an_entry_of_its_own(record: ResourceType, path: str):
    names = record.keys.get(path, ("name",))
    one, two = (dict.fromkeys(names, which) for which in ("one", "two"))
    unknown = within(path, [False, True])
    change = update(record.name, within(path, [two]), within(path, [two, None]), after_unknown=unknown)
    assert differences(change) == [(text(record, path, 1, None), None, Marker.UNKNOWN)]
    change = update(record.name, within(path, [one, two]), within(path, [two]))
    assert differences(change) == [(text(record, path, 1, one), one, None)]


KEYED = ResourceType("x", keys={"rule": ("id",)})
SET = ResourceType("x", sets=("rule",))
RULES = st.lists(
    st.fixed_dictionaries({"id": st.sampled_from(["a", "b", None]), "days": st.integers(0, 2)}), max_size=5
)


@given(before=RULES, after=RULES, data=st.data())
@pytest.mark.parametrize("record", [KEYED, SET], ids=["keyed", "set"])
def test_pairs_are_the_same_in_any_order(record: ResourceType, before: Any, after: Any, data: st.DataObject):
    """Also of several entries with one key, or with the same content."""

    def told(old: Any, new: Any) -> list[str]:
        return sorted(json.dumps(pair, sort_keys=True) for pair in paired(record, "rule", old, new))

    pairs = paired(record, "rule", before, after)
    assert [new for _, new in pairs if new is not None] == after
    assert sorted_text([old for old, _ in pairs if old is not None]) == sorted_text(before)
    if record is KEYED:
        assert all(old["id"] == new["id"] for old, new in pairs if old is not None and new is not None)
    one, other = data.draw(st.permutations(before)), data.draw(st.permutations(after))
    assert told(one, other) == told(before, after)


def test_settings_are_found_by_the_name_of_an_entry_or_its_place():
    address = 'module.guardduty_eu_central_1.aws_guardduty_detector_feature.runtime_monitoring["RUNTIME_MONITORING"]'
    found = deciding(address, "guardduty", 'additional_configuration["EKS_ADDON_MANAGEMENT"].status')
    assert found == deciding(address, "guardduty", "additional_configuration[1].status") != ()


def test_what_forces_a_replacement_is_marked_at_the_place_of_the_entry():
    kind = "aws_guardduty_detector_feature"
    on, off = ({"name": "EKS_ADDON_MANAGEMENT", "status": status} for status in ("ENABLED", "DISABLED"))
    other = {"name": "ECS_FARGATE_AGENT_MANAGEMENT", "status": "ENABLED"}
    for forcing in (["additional_configuration"], ["additional_configuration", 1, "status"]):
        sides = ({"additional_configuration": side} for side in ([on, other], [other, off]))
        change = update(kind, *sides, actions=["delete", "create"], replace_paths=[forcing])
        assert [(a.path, a.forces_replacement) for a in change.attributes] == [
            ('additional_configuration["EKS_ADDON_MANAGEMENT"].status', True)
        ]


def findings(change: Change, existing: dict[str, Existing]) -> list[tuple[Any, ...]]:
    """Without places, which are those of the plan."""
    plan = parse_plan({"format_version": "1.2", "resource_changes": []}, ATTRIBUTION)
    whole = type(plan)(plan.terraform_version, (change,), (), 0)
    found = judge(whole, REGISTRY, existing)
    return sorted((f.rule.id, str(f.attribute).split("[")[0], f.evidence.count(";")) for f in found)


ALTERED: dict[str, Callable[[Any], Any]] = {
    "less": lambda values: {n: v[1:] if isinstance(v, list) else v for n, v in values.items()},
    "off": lambda values: {
        n: [{k: "DISABLED" if w == "ENABLED" else w for k, w in one.items()} for one in v]
        if isinstance(v, list) and v and all(isinstance(one, dict) for one in v)
        else v
        for n, v in values.items()
    },
    "same": lambda values: values,
}


@pytest.mark.parametrize("how", ALTERED)
def test_another_order_never_alters_findings(how: str):
    chance = random.Random(8)
    seen = set()
    for entry in ENTRIES:
        kind, values = entry["type"], entry["change"]["after"]
        record, after = record_of(kind), ALTERED[how](values)
        straight = findings(update(kind, values, after, entry["address"]), {})
        seen.update(rule for rule, *_ in straight)
        for _ in range(2):
            old, new = (shuffled(record, side, chance) for side in (values, after))
            assert findings(update(kind, old, new, entry["address"]), {}) == straight, entry["address"]
    assert seen == (set() if how == "same" else {"weakens"})


def test_what_a_create_would_overwrite_is_compared_entry_by_entry():
    """A set of the account has AWS's order."""
    kind = "aws_default_security_group"
    rules = [{"from_port": port, "cidr_blocks": ["10.0.0.0/8"]} for port in (22, 80, 443)]
    change = update(kind, {}, {"ingress": rules})
    for order in itertools.permutations(rules):
        assert Existing({"ingress": list(order)}, True, "sg-1", "it").differences(change) == ()
        other = [one | {"from_port": 8080} if one["from_port"] == 80 else one for one in order]
        found = Existing({"ingress": other}, True, "sg-1", "it").differences(change)
        assert found == ("ingress[1].from_port: 8080 → 80",)
