"""Version 6 of the provider has the region of most resources among their values: a verdict does not depend on it.

Another region replaces the resource, which is a deletion in one region and a creation in another.
"""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.plan.test_judging import ANSWERS, CALLERS, case
from toolkit.components.registry import REGISTRY
from toolkit.findings import Finding
from toolkit.findings.rules import DESTROYS
from toolkit.plan import judging
from toolkit.plan.existing import ExistingWanted, existing
from toolkit.plan.facts import Facts
from toolkit.plan.guards import COLLIDES, judge
from toolkit.plan.model import Action, Attribution, parse_drift, parse_plan
from toolkit.resources.reading import Live
from toolkit.resources.registry import RESOURCES, is_regional

HOME, AWAY = "eu-central-1", "us-east-1"
ATTRIBUTION = Attribution(tuple(REGISTRY), (HOME, AWAY), HOME)
RECORDED = sorted((Path(__file__).parents[2] / "plans" / "components").glob("*.json"))
Entry = dict[str, Any]


def weakened(values: dict[str, Any]) -> dict[str, Any]:
    """With every switch off, numbers halved and lists without their first entry."""

    def of(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: of(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [of(inner) for inner in value[1:] or value]
        if isinstance(value, bool):
            return False
        return (
            value // 2 if isinstance(value, int) else {"ENABLED": "DISABLED", "Enabled": "Suspended"}.get(value, value)
        )

    return {name: of(value) for name, value in values.items()}


def ways(values: dict[str, Any], unknown: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What may happen to a resource with these values."""
    less = weakened(values)
    return {
        "create": {"actions": ["create"], "before": None, "after": values, "after_unknown": unknown},
        "update": {"actions": ["update"], "before": values, "after": less},
        "stronger": {"actions": ["update"], "before": less, "after": values},
        "import": {"actions": ["update"], "before": values, "after": less, "importing": {"id": "x"}},
        "replace": {"actions": ["delete", "create"], "before": values, "after": less},
        "delete": {"actions": ["delete"], "before": values, "after": None},
        "forget": {"actions": ["forget"], "before": values, "after": None},
        "nothing": {"actions": ["no-op"], "before": values, "after": values},
    }


SHAPES = dict.fromkeys(ways({}, {}), ("known", "first plan after version 5"))
SHAPES |= dict.fromkeys(("import", "delete", "forget", "nothing"), ("known",))
SHAPES["create"] = ("known", "known after apply")


def with_region(entry: Entry, shape: str) -> Entry:
    """As version 6 plans it."""
    if not is_regional(entry["type"]):
        return entry
    found = copy.deepcopy(entry)
    change = found["change"]
    region = AWAY if "_us_east_1" in entry["address"] else HOME
    for side in ("before", "after"):
        if change[side] is not None:
            change[side]["region"] = region
    if shape == "known after apply" and change["before"] is None:
        del change["after"]["region"]
        change["after_unknown"] = change["after_unknown"] | {"region": True}
    elif shape == "first plan after version 5" and change["before"] is not None:
        # Where Terraform does not refresh: of what version 5 wrote, the state says no region.
        change["before"]["region"] = None
    return found


def findings(entries: list[Entry]) -> list[Finding]:
    """Those of every guard."""
    plan = parse_plan({"format_version": "1.2", "resource_changes": entries}, ATTRIBUTION)
    one = dataclasses.replace(case(CALLERS[1]), plan=plan)
    return list(judging.judge(one, Facts({wanted: ANSWERS[type(wanted)] for wanted in judging.needs(one)})))


@pytest.mark.parametrize("way", SHAPES)
@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_a_region_among_the_values_alters_no_verdict(file: Path, way: str):
    entries = []
    for entry in json.loads(file.read_text("utf-8"))["resource_changes"]:
        values, unknown = entry["change"]["after"], entry["change"]["after_unknown"]
        # The only one with an attribute of this name in version 5, which AWS answers.
        unknown = {name: mark for name, mark in unknown.items() if name != "region"}
        entries.append({**entry, "change": ways(values, unknown)[way]})
    five = findings(entries)
    for shape in SHAPES[way]:
        assert findings([with_region(entry, shape) for entry in entries]) == five
    if way in ("delete", "replace", "forget"):
        assert {f.rule.id for f in five} & {"destroys-protected", "weakens"} or file.stem in ("trusted_advisor", "siem")


def regional() -> Iterator[Any]:
    for file in RECORDED:
        for entry in json.loads(file.read_text("utf-8"))["resource_changes"]:
            if is_regional(entry["type"]):
                yield entry


def test_a_report_has_the_region_once_and_only_where_it_is_new():
    for entry in regional():
        for way, change in ways(entry["change"]["after"], {}).items():
            one = with_region({**entry, "change": change}, "known")
            for found in parse_plan({"format_version": "1.2", "resource_changes": [one]}, ATTRIBUTION).changes:
                paths = [a.path for a in found.attributes]
                assert paths.count("region") == (way in ("create", "delete", "forget"))
                assert not found.changes_region


def test_a_region_that_the_state_gets_is_no_drift():
    """Version 6 writes it where it looked for a resource of version 5's."""
    entry = next(e for e in regional() if e["type"] == "aws_cloudtrail")
    values = entry["change"]["after"]
    change = {"actions": ["update"], "before": {**values, "region": None}, "after": {**values, "region": HOME}}
    data = {"format_version": "1.2", "resource_drift": [{**entry, "change": change}], "resource_changes": []}
    assert [c.attributes for c in parse_drift(data, ATTRIBUTION) if c.attributes] == []


def moved(entry: Entry) -> Entry:
    """In version 6, the plan where the home region is another one: the label of the module stays."""
    values = {**entry["change"]["after"], "arn": f"arn:aws:x:{AWAY}:123456789012:y"}
    change = {
        "actions": ["delete", "create"],
        "before": {**values, "region": AWAY},
        "after": {**values, "region": HOME},
        "after_unknown": {"arn": True},
        "replace_paths": [["region"]],
    }
    return {**entry, "change": change}


ONCE = [e for e in regional() if "_us_east_1" not in e["address"] and "_eu_central_1" not in e["address"]]


def test_another_region_is_judged_as_a_deletion_and_a_creation():
    """As a deletion, which has the same consent; what the other region has already is met as by a create."""
    protected, met = 0, 0
    for entry in ONCE:
        plan = parse_plan({"format_version": "1.2", "resource_changes": [moved(entry)]}, ATTRIBUTION)
        (change,) = plan.changes
        assert change.changes_region
        deleted = {
            **entry,
            "change": {"actions": ["delete"], "before": moved(entry)["change"]["before"], "after": None},
        }
        gone = parse_plan({"format_version": "1.2", "resource_changes": [deleted]}, ATTRIBUTION)
        refused = [(f.rule, f.consent) for f in judge(gone, REGISTRY, {}) if f.rule is DESTROYS]
        found = [f for f in judge(plan, REGISTRY, {}) if f.rule is DESTROYS]
        assert [(f.rule, f.consent) for f in found] == refused
        for finding in found:
            protected += 1
            assert finding.evidence == "forced by a change of region"
            assert finding.remedy.startswith("set `regions.home` back to us-east-1")
        created = {**entry, "change": {"actions": ["create"], "before": None, "after": change.after}}
        made = parse_plan({"format_version": "1.2", "resource_changes": [created]}, ATTRIBUTION)
        for simulated in (False, True):
            one, other = (wants(p, simulated=simulated) for p in (plan, made))
            assert one == other
            met += len(one)
    assert protected > 10
    assert met > 20


def wants(plan: Any, *, simulated: bool) -> list[tuple[str, str]]:
    one = dataclasses.replace(case(CALLERS[1]), plan=plan, simulated=simulated)
    return [(w.type, w.region) for w in judging.needs(one) if isinstance(w, ExistingWanted)]


def test_what_the_other_region_has_is_in_the_way_and_what_moves_is_not():
    entry = next(e for e in ONCE if e["type"] == "aws_sns_topic")
    plan = parse_plan({"format_version": "1.2", "resource_changes": [moved(entry)]}, ATTRIBUTION)
    (change,) = plan.changes
    own, other = (f"arn:aws:x:{region}:123456789012:y" for region in (AWAY, HOME))
    for arn, adopts, expected in ((other, False, [COLLIDES]), (own, False, []), (other, True, [])):
        live = Live({"name": str(change.after["name"])}, {}, "the topic", arn, arn, type=change.type)
        wanted = judging.needs(dataclasses.replace(case(CALLERS[1]), plan=plan))
        there = existing(plan, Facts(dict.fromkeys(wanted, live)), adopts=adopts)
        found = [f for f in judge(plan, REGISTRY, there) if f.rule is COLLIDES]
        assert [f.rule for f in found] == expected
        assert all(f.blocks and f.consent is None for f in found)


def test_only_a_replacement_with_two_regions_changes_one():
    for before, after, actions, expected in (
        (AWAY, HOME, ["delete", "create"], True),
        (AWAY, HOME, ["update"], False),
        (None, HOME, ["delete", "create"], False),
        (HOME, HOME, ["delete", "create"], False),
        (HOME, None, ["delete", "create"], False),  # a bucket of version 5: AWS answers its region
    ):
        change = {"actions": actions, "before": {"region": before}, "after": {"region": after}}
        change["after_unknown"] = {"region": after is None}
        entry = {"address": "module.cloudtrail.aws_s3_bucket.this", "mode": "managed", "name": "this"}
        entry |= {"type": "aws_s3_bucket", "change": change}
        (found,) = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION).changes
        assert found.changes_region is expected
        assert found.action in (Action.REPLACE, Action.UPDATE)


def test_every_type_in_use_is_tried_here():
    seen = {e["type"] for f in RECORDED for e in json.loads(f.read_text("utf-8"))["resource_changes"]}
    assert {kind for kind in RESOURCES if is_regional(kind)} & seen == {e["type"] for e in regional()}
    assert len(seen) > 90
