"""The place of an entry in a list means nothing: a verdict is the same in any order, and a loss is found anywhere."""

from __future__ import annotations

import copy
import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from toolkit.addresses import suffix
from toolkit.components.registry import REGISTRY
from toolkit.findings.rules import WEAKENS
from toolkit.plan.guards import Existing, judge
from toolkit.plan.model import Attribution, parse_plan
from toolkit.resources.base import ResourceType, Strength, Stronger
from toolkit.resources.registry import RESOURCES

RECORDED = Path(__file__).parents[2] / "plans" / "components"
ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1", "us-east-1"), "eu-central-1")
ENTRIES = [
    entry
    for file in sorted(RECORDED.glob("*.json"))
    for entry in json.loads(file.read_text("utf-8"))["resource_changes"]
]


def weaker(
    kind: str, before: dict[str, Any], after: dict[str, Any], how: str = "update", address: str | None = None
) -> list[tuple[str | None, str]]:
    """Findings of an update, an import with changes, or a create over what is there: (attribute, evidence)."""
    change: dict[str, Any] = {"actions": ["update"], "before": before, "after": after}
    existing = {}
    address = address or f"module.cloudtrail.{kind}.this"
    if how == "import":
        change["importing"] = {"id": "x"}
    if how == "create":
        change.update(actions=["create"], before=None)
        existing = {address: Existing(before, True, "x", "what is there")}
    entry = {"address": address, "mode": "managed", "type": kind, "name": "this", "change": change}
    plan = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION)
    found = [f for f in judge(plan, REGISTRY, existing) if f.rule is WEAKENS and f.blocks]
    # A new archive rule is judged as one, too (test_archive_rules.py).
    return [(f.attribute, f.evidence) for f in found if not f.evidence.startswith("archives ")]


HOW = pytest.mark.parametrize("how", ["update", "import", "create"])


def orders(old: list[Any], new: list[Any], how: str) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Both in every order; of an import and a create, which are compared as an update is, one of them at a time."""
    for before, after in itertools.product(itertools.permutations(old), itertools.permutations(new)):
        if how == "update" or before == tuple(old) or after == tuple(new):
            yield before, after


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same with every list in another order, also those in the JSON text of a policy."""
    if isinstance(value, dict):
        return {name: shuffled(inner, chance) for name, inner in value.items()}
    if isinstance(value, list):
        items = [shuffled(inner, chance) for inner in value]
        chance.shuffle(items)
        return items
    if isinstance(value, str) and value.startswith("{") and '"Statement"' in value:
        return json.dumps(shuffled(json.loads(value), chance))
    return value


@HOW
def test_no_recorded_resource_gets_weaker_by_another_order(how: str):
    chance = random.Random(10)
    moved = 0
    for entry in ENTRIES:
        values = entry["change"]["after"]
        for _ in range(3):
            other = shuffled(values, chance)
            moved += other != values
            assert weaker(entry["type"], other, values, how, entry["address"]) == [], entry["address"]
    assert moved > 100


def blocks(names: tuple[str, ...] = ("name",)) -> list[dict[str, Any]]:
    return [dict.fromkeys(names, which) for which in ("one", "two", "three")]


def within(path: str, value: Any) -> dict[str, Any]:
    """Values that have a value at a path of blocks."""
    head, _, rest = path.partition("[0].")
    return {head: [within(rest, value)]} if rest else {head: value}


def of(*directions: Stronger, keyed: bool) -> list[Any]:
    return [
        pytest.param(record, strength, id=f"{record.name}-{strength.attribute}")
        for record in RESOURCES.values()
        for strength in record.strengths
        if strength.stronger in directions and ("[*]" in strength.attribute) is keyed
    ]


def values_of(strength: Strength, value: Any) -> dict[str, Any]:
    given = within(strength.attribute, value)
    if strength.only is not None:
        given |= within(strength.only[0], strength.only[1][0])
    return given


@HOW
@pytest.mark.parametrize(("record", "strength"), of(Stronger.SUPERSET, Stronger.SUBSET, keyed=False))
def test_an_entry_that_goes_or_comes_is_found_at_any_place(record: ResourceType, strength: Strength, how: str):
    whole = blocks(record.keys.get(strength.attribute, ("name",)))
    added = strength.stronger is Stronger.SUBSET
    for before, after in orders(whole, whole, how):
        full = [values_of(strength, list(side)) for side in (before, after)]
        assert weaker(record.name, *full, how) == []
    for before in itertools.permutations(whole):
        for place in range(3):
            less = [*before[:place], *before[place + 1 :]]
            old, new = (less, list(before)) if added else (list(before), less)
            found = weaker(record.name, values_of(strength, old), values_of(strength, new), how)
            assert [attribute for attribute, _ in found] == [strength.attribute]


LOSSES: dict[Stronger, tuple[Any, Any]] = {
    Stronger.SAME: ("true", "false"),
    Stronger.SUPERSET: (["a", "b"], ["a"]),
    Stronger.SUBSET: (["a"], ["a", "b"]),
}


@HOW
@pytest.mark.parametrize(
    ("record", "strength"), of(Stronger.ORDER, Stronger.SAME, Stronger.SUPERSET, Stronger.SUBSET, keyed=True)
)
def test_what_is_in_an_entry_is_compared_with_the_entry_of_the_same_key(
    record: ResourceType, strength: Strength, how: str
):
    path, attribute = strength.attribute.split("[*].")
    strong, weak = LOSSES.get(strength.stronger, (strength.order[-1:], strength.order[:1]))
    if strength.order:
        strong, weak = strong[0], weak[0]
    for place in range(3):
        before = [{**one, attribute: strong} for one in blocks(record.keys[path])]
        after = copy.deepcopy(before)
        after[place][attribute] = weak
        for old, new in orders(before, after, how):
            at = new.index(after[place])
            found = weaker(record.name, {path: list(old)}, {path: list(new)}, how)
            key = record.entry_key(path)
            entry = suffix(after[place][key] if key else at)
            assert [name for name, _ in found] == [f"{path}{entry}.{attribute}"]
            if strength.stronger is not Stronger.SAME:
                assert weaker(record.name, {path: list(new)}, {path: list(old)}, how) == []


def test_every_keyed_list_has_a_declaration_that_is_tried_here():
    tried = {(p.values[0].name, p.values[1].attribute.split("[*].")[0]) for p in of(*Stronger, keyed=True)}
    whole = {
        (p.values[0].name, p.values[1].attribute)
        for p in of(Stronger.SUPERSET, Stronger.SUBSET, keyed=False)
        if p.values[1].attribute in p.values[0].keys
    }
    together = {(r.name, s.attribute) for r in RESOURCES.values() for s in r.strengths if s.stronger is Stronger.KEPT}
    assert {(r.name, path) for r in RESOURCES.values() for path in r.keys} == tried | whole | together


def lifecycle(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"bucket": "logs", "rule": list(rules)}


def expires(name: str, days: int, prefix: str = "", status: str = "Enabled") -> dict[str, Any]:
    filters = {"and": [], "object_size_greater_than": None, "object_size_less_than": None, "prefix": prefix, "tag": []}
    return {
        "id": name,
        "status": status,
        "prefix": "",
        "filter": [filters],
        "expiration": [{"date": None, "days": days, "expired_object_delete_marker": False}],
    }


BRIEF, WHOLE = expires("tmp", 1, "tmp/"), expires("all", 3650)


@HOW
@pytest.mark.parametrize(
    ("old", "new", "evidence"),
    [
        ([BRIEF, WHOLE], [BRIEF, expires("all", 90)], "3650 → 90"),
        ([BRIEF, WHOLE], [expires("logs", 90)], "3650 → 90"),
        ([WHOLE], [WHOLE, expires("second", 1)], "3650 → 1"),
        ([WHOLE, expires("tmp", 1, "tmp/", "Disabled")], [WHOLE, BRIEF], "objects under tmp/: 3650 → 1"),
    ],
    ids=["of all", "in one rule", "a second rule", "switched on"],
)
def test_a_shorter_life_is_found_behind_any_other_rule(
    how: str, old: list[dict[str, Any]], new: list[dict[str, Any]], evidence: str
):
    for before, after in itertools.product(itertools.permutations(old), itertools.permutations(new)):
        found = weaker("aws_s3_bucket_lifecycle_configuration", lifecycle(*before), lifecycle(*after), how)
        assert [reason for _, reason in found] == [evidence]
