"""Plans as Terraform gives them, read: whose each change is, what differs, and that no secret leaves the parser.

tests/plans/model holds one real plan in which everything happens that a plan can say (record.py there makes it, and
keeps Terraform's own words for it beside). Plans of the real provider stand in tests/plans/reports.
"""

from __future__ import annotations

import copy
import dataclasses
import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.components.registry import REGISTRY
from toolkit.errors import ToolkitError
from toolkit.plan.model import Action, Attribution, Change, Marker, Plan, parse_plan, shown
from toolkit.reports.data import plan_data
from toolkit.reports.view import PlanView
from toolkit.terraform.bundle import Manifest

PLANS = Path(__file__).parents[2] / "plans"
RECORDED: dict[str, Any] = json.loads((PLANS / "model" / "plan.json").read_text("utf-8"))
WORDS = (PLANS / "model" / "plan.txt").read_text("utf-8")
HOME, AWAY = "eu-central-1", "us-east-1"
ATTRIBUTION = Attribution(tuple(REGISTRY), (HOME, AWAY), HOME)
UNKNOWN, SENSITIVE = Marker.UNKNOWN, Marker.SENSITIVE


def parsed(data: dict[str, Any] = RECORDED) -> Plan:
    return parse_plan(data, ATTRIBUTION)


def changes(data: dict[str, Any] = RECORDED) -> dict[str, Change]:
    return {change.address: change for change in parsed(data).changes}


def attributes(change: Change) -> dict[str, tuple[Any, Any]]:
    return {a.path: (a.before, a.after) for a in change.attributes}


def test_every_change_has_its_action_component_and_region():
    found = {address: (c.action, c.component, c.region) for address, c in changes().items()}
    assert found == {
        "terraform_data.root": (Action.UPDATE, None, HOME),
        "module.config_delivery.terraform_data.becomes_plain": (Action.UPDATE, "config", HOME),
        "module.config_delivery.terraform_data.becomes_secret": (Action.UPDATE, "config", HOME),
        'module.config_delivery.terraform_data.each["c d"]': (Action.UPDATE, "config", HOME),
        "module.config_delivery.terraform_data.secret_changes": (Action.UPDATE, "config", HOME),
        "module.config_delivery.terraform_data.secret_stays": (Action.UPDATE, "config", HOME),
        "module.guardduty.terraform_data.made": (Action.CREATE, "guardduty", HOME),
        "module.guardduty.terraform_data.replaced": (Action.REPLACE, "guardduty", HOME),
        "module.guardduty.terraform_data.tainted": (Action.REPLACE, "guardduty", HOME),
        "module.guardduty_us_east_1.terraform_data.deleted": (Action.DELETE, "guardduty", AWAY),
        "module.guardduty_us_east_1.terraform_data.new_name": (Action.MOVE, "guardduty", AWAY),
        "module.own.terraform_data.forgotten": (Action.FORGET, None, HOME),
        "module.own.terraform_data.imported": (Action.IMPORT, None, HOME),
        "module.password_policy.terraform_data.updated": (Action.UPDATE, "password_policy", HOME),
    }


def test_the_totals_are_terraforms_own():
    (line,) = re.findall(r"^Plan: (.*)\.$", WORDS, re.M)
    # Terraform leaves out what it forgets and moves.
    assert parsed().totals == f"{line}, 1 to forget, 1 to move"
    assert parsed().count(Action.REPLACE) == 2
    assert parsed().unchanged == 2
    assert parsed().terraform_version == RECORDED["terraform_version"]
    assert not parsed().empty


def test_outputs_that_change_are_named_and_their_values_are_not():
    assert [(o.name, o.action) for o in parsed().outputs] == [
        ("changes", Action.UPDATE),
        ("goes", Action.DELETE),
        ("secret", Action.UPDATE),
    ]
    outputs_alone = parsed({**RECORDED, "resource_changes": []})
    assert not outputs_alone.empty
    assert parsed({**RECORDED, "resource_changes": [], "output_changes": {}}).empty


def test_differences_stand_at_the_deepest_place():
    updated = changes()["module.password_policy.terraform_data.updated"]
    found = attributes(updated)
    assert found.pop("output")[1] is UNKNOWN
    assert found == {
        "input.length": (8, 14),
        "input.days.max": (90, 60),
        "input.words": (["a", "b"], ["a", "c"]),
    }


def test_what_is_known_only_after_the_apply_is_marked():
    made = changes()["module.guardduty.terraform_data.made"]
    found = attributes(made)
    assert {path for path, (_, after) in found.items() if after is UNKNOWN} == {"id", "output", "input.id"}
    assert found["input.known"] == (None, True)
    assert made.before == {}
    assert made.after["input"]["id"] is UNKNOWN


def test_what_forces_a_replacement_is_marked_and_nothing_else():
    replaced = changes()["module.guardduty.terraform_data.replaced"]
    assert [a.path for a in replaced.attributes if a.forces_replacement] == ["triggers_replace"]
    tainted = changes()["module.guardduty.terraform_data.tainted"]
    assert tainted.tainted
    assert not replaced.tainted
    assert not any(a.forces_replacement for a in tainted.attributes)


def test_a_path_below_one_that_forces_does_too_and_a_longer_name_does_not():
    data = copy.deepcopy(RECORDED)
    entry = next(e for e in data["resource_changes"] if e["name"] == "updated")
    entry["change"]["replace_paths"] = [["input", "days"], ["input", "len"], ["input", "words", 1]]
    forcing = {a.path: a.forces_replacement for a in changes(data)[entry["address"]].attributes}
    assert forcing == {"input.length": False, "input.days.max": True, "input.words": False, "output": False}


def test_imports_and_moves_are_told_apart_from_what_is_left_alone():
    imported = changes()["module.own.terraform_data.imported"]
    moved = changes()["module.guardduty_us_east_1.terraform_data.new_name"]
    assert imported.imported
    assert moved.previous_address == "module.guardduty_us_east_1.terraform_data.old_name"
    assert imported.attributes == moved.attributes == ()
    assert parsed().imports == 1


def without_copies(data: dict[str, Any]) -> dict[str, Any]:
    """The plan without `output`, in which terraform_data copies its input and which Terraform does not mark."""
    data = copy.deepcopy(data)
    for entry in data["resource_changes"]:
        for side in ("before", "after", "before_sensitive", "after_sensitive", "after_unknown"):
            if isinstance(entry["change"].get(side), dict):
                entry["change"][side].pop("output", None)
    return data


def test_no_secret_leaves_the_parser():
    data = without_copies(RECORDED)
    assert json.dumps(data).count("hunter2") > 10, "else this proves nothing"
    plan = parsed(data)
    manifest = Manifest(**dict.fromkeys((f.name for f in dataclasses.fields(Manifest)), ""))  # type: ignore[arg-type]
    every = [repr(plan), repr(dataclasses.asdict(plan)), json.dumps(plan_data(PlanView(plan, manifest, Path("x"), ())))]
    every += [repr((c.before, c.after)) for c in plan.changes]
    every += [shown(v) for c in plan.changes for a in c.attributes for v in (a.before, a.after)]
    for text in every:
        assert "hunter2" not in text
    # `becomes_plain` is no secret by now, but may be what was one: Terraform does not show it either.
    assert "not hidden any more" not in WORDS
    assert not any("not hidden any more" in text for text in every)


def test_a_change_of_a_secret_is_seen_though_not_shown():
    found = changes()
    secret = attributes(found["module.config_delivery.terraform_data.secret_changes"])
    assert secret["input.token"] == (SENSITIVE, SENSITIVE)
    assert secret["input.plain"] == (1, 2)
    assert "input.token" not in attributes(found["module.config_delivery.terraform_data.secret_stays"])
    for name in ("becomes_secret", "becomes_plain"):
        assert attributes(found[f"module.config_delivery.terraform_data.{name}"])["input"] == (SENSITIVE, SENSITIVE)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def masks(value: Any, draw: Any) -> Any:
    """A mask of Terraform's shape for a value, some of it marked."""
    if draw(st.integers(0, 3)) == 0:
        return True
    if isinstance(value, dict):
        return {k: m for k, v in value.items() if (m := masks(v, draw)) is not False}
    if isinstance(value, list):
        return [masks(v, draw) for v in value]
    return False


def planted(value: Any, mask: Any) -> Any:
    """The value with a secret in every marked place."""
    if mask is True:
        return "hunter2"
    if isinstance(value, dict):
        return {k: planted(v, mask.get(k) if isinstance(mask, dict) else False) for k, v in value.items()}
    if isinstance(value, list):
        return [planted(v, mask[i] if isinstance(mask, list) else False) for i, v in enumerate(value)]
    return value


@given(before=st.dictionaries(st.sampled_from("abc"), VALUES, min_size=1), after=VALUES, data=st.data())
def test_whatever_is_marked_wherever_is_hidden(before: dict[str, Any], after: Any, data: st.DataObject):
    sides = {"before": before, "after": {**before, "c": after}}
    marks = {
        name: {k: m for k, v in side.items() if (m := masks(v, data.draw)) is not False} for name, side in sides.items()
    }
    entry = {"address": "module.own.x.y", "type": "x", "name": "y", "mode": "managed"}
    change = {
        "actions": ["update"],
        **{name: planted(side, marks[name]) for name, side in sides.items()},
        "before_sensitive": marks["before"],
        "after_sensitive": marks["after"],
        "after_unknown": {},
    }
    plan = parsed({"format_version": "1.2", "resource_changes": [{**entry, "change": change}]})
    (found,) = plan.changes
    assert "hunter2" not in repr(plan) + repr(dict(found.before)) + repr(dict(found.after))


def meant(value: Any) -> Any:
    """Without what says nothing: in a block, null is the same as not there."""
    if isinstance(value, dict):
        return {k: m for k, v in value.items() if (m := meant(v)) is not None} or None
    return [meant(v) for v in value] if isinstance(value, list) else value


@given(before=VALUES, after=VALUES)
def test_there_are_differences_exactly_where_values_differ(before: Any, after: Any):
    change = {"actions": ["update"], "before": {"v": before}, "after": {"v": after}, "after_unknown": {}}
    entry = {"address": "module.own.x.y", "type": "x", "name": "y", "mode": "managed", "change": change}
    (found,) = parsed({"format_version": "1.2", "resource_changes": [entry]}).changes
    if meant(before) != meant(after):
        assert found.attributes
    if before == after:
        assert not found.attributes
    for attribute in found.attributes:
        assert attribute.before != attribute.after


@pytest.mark.parametrize("version", ["2.0", "0.1", "", None, "10.0"])
def test_another_format_is_refused(version: str | None):
    with pytest.raises(ToolkitError, match=r"this toolkit reads 1\.x") as caught:
        parsed({**RECORDED, "format_version": version})
    assert caught.value.hint


def test_a_newer_minor_format_is_read():
    assert parsed({**RECORDED, "format_version": "1.99", "something_new": {}}) == parsed()


@pytest.mark.parametrize(
    ("address", "component", "region"),
    [
        ("module.config.aws_x.y", "config", HOME),
        ("module.config_eu_central_1.aws_x.y", "config", HOME),
        ("module.config_us_east_1.module.inner.aws_x.y", "config", AWAY),
        ("module.config_delivery.aws_x.y", "config", HOME),
        ("module.guardduty_notifications.aws_x.y", "guardduty", HOME),
        ('module.guardduty_us_east_1["a.b"].aws_x.y', "guardduty", AWAY),
        ("module.configuration.aws_x.y", None, HOME),
        ("module.guardduty_eu_west_1.aws_x.y", "guardduty", HOME),  # a region that the environment has not
        ("aws_x.module", None, HOME),
        ("data.aws_x.y", None, HOME),
    ],
)
def test_attribution(address: str, component: str | None, region: str):
    assert ATTRIBUTION.of(address) == (component, region)


def test_the_longest_component_name_wins():
    attribution = Attribution(("config", "config_rules"), (HOME,), HOME)
    assert attribution.of("module.config_rules_eu_central_1.a.b") == ("config_rules", HOME)
    assert attribution.of("module.config_rules.a.b") == ("config_rules", HOME)
    assert attribution.of("module.config_eu_central_1.a.b") == ("config", HOME)


@pytest.mark.parametrize("name", ["reports/first", "reports/later", "components/core"])
def test_every_address_of_the_real_provider_is_attributed(name: str):
    data = json.loads((PLANS / f"{name}.json").read_text("utf-8"))
    plan = parsed(data)
    assert plan.changes
    for change in plan.changes:
        assert change.component in REGISTRY, change.address
        label = change.address.split(".")[1]
        assert label.startswith(str(change.component))
        assert change.region == (AWAY if label.endswith("_us_east_1") else HOME)
    managed = [e for e in data["resource_changes"] if e["mode"] == "managed"]
    assert len(plan.changes) + plan.unchanged == len(managed)


def test_data_sources_are_no_changes():
    read = {"address": "data.x.y", "mode": "data", "type": "x", "name": "y", "change": {"actions": ["read"]}}
    plan = parsed({**RECORDED, "resource_changes": [read], "output_changes": {}})
    assert (plan.empty, plan.unchanged) == (True, 0)


@pytest.mark.terraform
def test_terraform_still_plans_what_was_recorded(tmp_path: Path, terraform_binary: Path):
    """A Terraform that says it otherwise is found here, not by whoever reads a wrong report."""
    source = PLANS / "model" / "record.py"
    specification = importlib.util.spec_from_file_location("record", source)
    assert specification is not None
    assert specification.loader is not None
    recorder = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(recorder)
    recorder.record(tmp_path)

    def told(plan: Plan) -> Any:
        # Ids are made up anew by each recording.
        facts = [(c.address, c.action, [a.path for a in c.attributes], c.imported, c.tainted) for c in plan.changes]
        return facts, plan.outputs, plan.totals, plan.unchanged

    assert told(parsed(json.loads((tmp_path / "plan.json").read_text("utf-8")))) == told(parsed())
