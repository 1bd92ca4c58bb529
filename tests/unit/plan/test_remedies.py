"""Advice that leads on: whoever does literally what a remedy says is further each time, until nothing blocks.

The account has a history: for every resource that the recorded plans create and that AWS has by name, another one has
the name; what exists once, or is overwritten, is stronger than planned. The walk takes every way that a remedy names:
the line under `imports`, its deletion, another name, a setting, the consent. Renaming and setting change the value in
the plan that the setting decides (toolkit/plan/settings.json, compared with the modules), and the key is in the
schema of environment files.
"""

from __future__ import annotations

import copy
import json
import re
import sys
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from toolkit.addresses import value_at
from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.environment.rules import iam_names
from toolkit.findings import Consents, Finding, Resource, Rule, Severity, matches, options_for
from toolkit.findings.rules import DESTROYS, WEAKENS
from toolkit.plan.existing import is_read
from toolkit.plan.guards import Existing, judge
from toolkit.plan.model import Attribution, parse_plan
from toolkit.plan.settings import NAMES, deciding, is_entry, naming, placing, with_settings
from toolkit.rendering.render import render
from toolkit.resources.registry import RESOURCES
from toolkit.typed import dotted
from toolkit.workflows.schema import schema_text

ROOT = Path(__file__).parents[3]
RECORDED = ROOT / "tests" / "plans" / "components"
ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1", "us-east-1"), "eu-central-1")
TODAY = date(2026, 1, 1)
sys.path.insert(0, str(ROOT / "scripts"))


def creates() -> Iterator[dict[str, Any]]:
    for file in sorted(RECORDED.glob("*.json")):
        for entry in json.loads(file.read_text("utf-8"))["resource_changes"]:
            if entry["change"]["actions"] == ["create"] and is_read(entry["type"]):
                yield entry


EVERY = {entry["address"]: entry for entry in creates()}
COLLIDES = [a for a, e in EVERY.items() if any(isinstance(e["change"]["after"].get(n), str) for n in NAMES)]


@cache
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(schema_text())
    return found


def key_exists(key: str) -> bool:
    """Whether environment files have the key; an entry's own name stands for any."""
    nodes = [schema()]
    for step in key.split("."):
        following = []
        for node in _unfolded(nodes):
            if step in node.get("properties", {}):
                following.append(node["properties"][step])
            elif isinstance(node.get("additionalProperties"), dict):
                following.append(node["additionalProperties"])
        nodes = following
    return bool(nodes)


def _unfolded(nodes: list[Any]) -> Iterator[dict[str, Any]]:
    for node in nodes:
        if "$ref" in node:
            target: Any = schema()
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            yield from _unfolded([target])
        yield node
        for word in ("anyOf", "oneOf", "allOf"):
            yield from _unfolded(node.get(word, []))


class Walk:
    """One resource of a plan, what the account has in its place, and what somebody does about the findings."""

    def __init__(self, entry: dict[str, Any], before: dict[str, Any], *, overwritten: bool, forces: tuple[str, ...]):
        self.entry, self.before = copy.deepcopy(entry), before
        self.overwritten, self.forces = overwritten, forces
        self.name = next((n for n in NAMES if isinstance(entry["change"]["after"].get(n), str)), None)
        self.taken = entry["change"]["after"].get(self.name) if self.name else "its place"
        self.imported = False
        self.consents: tuple[str, ...] = ()

    def findings(self) -> list[Finding]:
        entry = copy.deepcopy(self.entry)
        change, existing = entry["change"], {}
        there = self.taken is not None and (self.name is None or change["after"][self.name] == self.taken)
        if self.imported:
            assert there, "what is imported under another name is gone"
            same = all(value_at(change["after"], path) == value_at(self.before, path) for path in self.forces)
            change["actions"] = ["update"] if same else ["delete", "create"]
            change["before"] = {**copy.deepcopy(change["after"]), **self.before}
            change["importing"] = {"id": "x"}
            change["replace_paths"] = [] if same else [[path] for path in self.forces]
        elif there:
            values = self.before if self.overwritten else {}
            existing = {entry["address"]: Existing(values, self.overwritten, "its-id", "another one")}
        plan = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION)
        found = with_settings(judge(plan, REGISTRY, existing, {}))
        given = Consents.from_options(o.replace(" '", "=").rstrip("'") for o in self.consents)
        return [f for f in given.apply(found, TODAY) if f.blocks]

    def ways(self, finding: Finding) -> Iterator[Walk]:
        """What the finding says to do, each done."""
        remedy, address = finding.remedy, self.entry["address"]
        keys = re.findall(r"`(components\.[^`]+)`", remedy)
        for key in keys:
            assert key_exists(key), f"no such key: {key}"
        if f"under `imports`, put '{address}': 'its-id'" in remedy:
            yield self._with(imported=True)
        if (
            "leave out `components." in remedy
            or re.search(r"add it to `[^`]+`|set `[^`]+` to false", remedy)
            or (f"delete the line of {address} under `imports`, and rename or delete the resource in AWS" in remedy)
        ):
            # The plan creates no such resource any more, or the account has none.
            yield self._with(imported=False, taken=None)
        elif f"delete the line of {address} under `imports`, and" in remedy:
            yield self._with(imported=False, name="another")
        elif re.search(r"(rename|set) `[^`]+`(?: or `[^`]+`)*[^`]* (?:instead|to a name that)", remedy):
            yield self._with(name="another")
        if re.search(r"set `[^`]+`.* in environment\.yaml to what it was", remedy):
            yield self._with(put=(finding.attribute, self.before), forces=finding.attribute is None)
        if finding.consent is not None:
            yield self._with(consents=(*self.consents, finding.consent))

    def _with(self, *, name: str | None = None, put: Any = None, forces: bool = False, **more: Any) -> Walk:
        done = Walk(self.entry, self.before, overwritten=self.overwritten, forces=self.forces)
        done.taken, done.imported, done.consents = self.taken, self.imported, self.consents
        if name is not None:
            assert self.name, "nothing to rename"
            assert naming(self.entry["address"], ATTRIBUTION.of(self.entry["address"])[0]), "no setting names it"
            done.entry["change"]["after"][self.name] = name
        if put is not None:
            attribute, before = put
            for path in self.forces if forces else (attribute,):
                component = ATTRIBUTION.of(self.entry["address"])[0]
                decided = deciding(self.entry["address"], component, path)
                assert decided or placing(self.entry["type"], component, path), "no setting"
                top = re.split(r"[.\[]", path)[0]
                done.entry["change"]["after"][top] = copy.deepcopy(before[top])
                done.entry["change"]["after_unknown"] = {}
        for what, value in more.items():
            setattr(done, what, value)
        return done


def walk(start: Walk, behind: tuple[tuple[str, str], ...] = ()) -> int:
    """Walks every way to its end; returns how many findings were met."""
    found = start.findings()
    if not found:
        return 0
    for finding in found:
        assert (finding.rule.id, finding.subject) not in behind, f"{behind} led back to {finding.subject}"
    first = found[0]
    ways = list(start.ways(first))
    assert ways, f"{first.rule}: nothing to do: {first.remedy}"
    here = (*behind, (first.rule.id, first.subject))
    return 1 + sum(walk(way, here) for way in ways)


@pytest.mark.parametrize("address", COLLIDES)
def test_a_name_that_is_taken(address: str):
    """By another one that only has the name: importing it would delete it."""
    entry = EVERY[address]
    forces = next((p for p in ("description", "path", "force_destroy") if p in entry["change"]["after"]), "tags")
    assert walk(Walk(entry, {forces: "theirs"}, overwritten=False, forces=(forces,)))


@pytest.mark.parametrize("kind", ["aws_config_configuration_recorder", "aws_config_delivery_channel"])
def test_the_only_one_has_another_name(kind: str):
    """A region has one: a new name would not make room, and an import under the plan's name would replace it."""
    addresses = [a for a in COLLIDES if EVERY[a]["type"] == kind]
    assert addresses
    for address in addresses:
        plan = parse_plan({"format_version": "1.2", "resource_changes": [EVERY[address]]}, ATTRIBUTION)
        there = Existing({"name": "theirs"}, False, "theirs", "the one of theirs")
        (found,) = judge(plan, REGISTRY, {address: there}, {})
        (key,) = naming(address, "config")
        assert found.remedy == (
            f"run `toolkit adopt ENV`, or take it over: in environment.yaml, set `{key}` to 'theirs' and, under "
            f"`imports`, put '{address}': 'theirs'; then plan again"
        )


@pytest.mark.parametrize(
    ("attribute", "remedy"),
    [
        (
            "s3_bucket_name",
            "run `toolkit adopt ENV`, or set `components.config.bucket.name` in environment.yaml to what it was and "
            "import that bucket; or give the consent if it may change",
        ),
        (
            "sns_topic_arn",
            "no setting controls it; if it is not the baseline's, delete the line of {address} under `imports`, and "
            "leave out `components.config`: only one can exist",
        ),
    ],
)
def test_no_remedy_asks_for_a_second_one_of_what_a_region_has_once(attribute: str, remedy: str):
    (address, *_) = (a for a, entry in EVERY.items() if entry["type"] == "aws_config_delivery_channel")
    start = Walk(EVERY[address], {attribute: "theirs"}, overwritten=True, forces=())
    start.imported = True
    (found,) = start.findings()
    assert (found.attribute, found.remedy) == (attribute, remedy.format(address=address))


def plain(address: str) -> str:
    return re.sub(r"\[[^\]]*\]", "", address)


def own_keys() -> Iterator[Any]:
    """Files with the keys that give what they plan another name."""
    seen = set()
    for file in sorted(RECORDED.glob("*.yaml")):
        for entry in json.loads(file.with_suffix(".json").read_text("utf-8"))["resource_changes"]:
            address = entry["address"]
            for key in naming(address, ATTRIBUTION.of(address)[0]):
                if address in COLLIDES and (file, key) not in seen and not is_entry(key, address):
                    seen.add((file, key))
                    yield pytest.param(file, key, id=f"{file.stem}-{key}")


@pytest.mark.parametrize(("file", "key"), list(own_keys()))
def test_the_name_that_a_remedy_asks_for_is_rendered(file: Path, key: str):
    # A group of the same file may assume the support role by its name.
    text = file.read_text("utf-8")
    data = yaml.safe_load(
        text.replace("role/aws-support", "role/another-one") if key.endswith("support.name") else text
    )
    place = data
    *steps, last = key.split(".")
    for step in steps:
        place[step] = place.get(step) or {}
        place = place[step]
    place[last] = "another-one"
    tree = render(load_text(yaml.safe_dump(data), name="x", shown_as="x", folder=file.parent))
    assert any("another-one" in text for text in tree.values()), key


WEAKER = {
    (plain(address), strength.attribute): address
    for address, entry in EVERY.items()
    for strength in RESOURCES[entry["type"]].strengths
    if strength.only is None
    and "*" not in strength.attribute
    and not isinstance(value_at(entry["change"]["after"], strength.attribute), (dict, list))
    and value_at(entry["change"]["after"], strength.attribute) is not None
}


def stronger(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, float)):
        yield from (value + 1, max(value - 1, 1))
    elif isinstance(value, str) and value.startswith('{"'):
        text = json.loads(value)
        deny = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": "*"}
        if isinstance(text.get("Statement"), list):
            yield json.dumps({**text, "Statement": [*text["Statement"], deny]})
    else:
        yield from (
            f"{value}-theirs",
            "aws:kms",
            "COMPLIANCE",
            "block-all-sharing",
            "CONTINUOUS",
            "One_Hour",
            "Enabled",
        )


@pytest.mark.parametrize("imported", [False, True], ids=["overwritten", "imported"])
def test_what_is_there_is_stronger(imported: bool):
    """Whether a create overwrites it, or it is imported: each declared attribute of each resource by itself."""
    met = 0
    for (_, attribute), address in WEAKER.items():
        entry = EVERY[address]
        after = entry["change"]["after"]
        for value in stronger(value_at(after, attribute)):
            top = re.split(r"[.\[]", attribute)[0]
            before = {top: copy.deepcopy(after[top])}
            _put(before, attribute, value)
            start = Walk(entry, before, overwritten=True, forces=())
            start.imported = imported
            met += bool(walk(start))
    assert met >= CASES, "fewer cases than docs/judging.md says"


CASES = 588
"""In so many the account would be weaker afterwards."""


def _put(values: dict[str, Any], path: str, value: Any) -> None:
    *steps, last = re.findall(r"\w+", path)
    place: Any = values
    for step in steps:
        place = place[int(step) if step.isdigit() else step]
    place[int(last) if last.isdigit() else last] = value


def test_the_keys_of_every_setting_are_those_of_the_modules():
    import derive_settings  # type: ignore[import-not-found]

    derived = derive_settings.derive()
    assert json.loads((ROOT / "toolkit" / "plan" / "settings.json").read_text("utf-8")) == derived
    keys = {f"components.{c}.{s}" for c, by in derived.items() for a in by.values() for n in a.values() for s in n}
    assert len(keys) > 150
    assert [key for key in sorted(keys) if not key_exists(key)] == []


def finding(subject: str, rule: Rule = WEAKENS, component: str = "config") -> Finding:
    address, _, attribute = subject.rpartition(".")
    option = {WEAKENS: "weaker", DESTROYS: "destroy"}[rule]
    what = (address, attribute) if rule is WEAKENS else (subject, None)
    resource = Resource(what[0], "eu-central-1")
    return Finding(rule, Severity.HIGH, resource, what[1], "s", "e", "r", f"--allow-{option} '{subject}'", component)


@pytest.mark.parametrize(
    ("subjects", "others", "options"),
    [
        (["module.config_a.x.y.n", "module.config_b.x.y.n"], [], ["--allow-weaker 'module.config_*.x.y.n'"]),
        (
            ["module.config_a.x.y.n", "module.config_b.x.y.n"],
            ["module.config_c.x.y.n"],
            ["--allow-weaker 'module.config_a.x.y.n'", "--allow-weaker 'module.config_b.x.y.n'"],
        ),
        (
            ['module.config_a.x.y["a"].n', 'module.config_b.x.y["b"].n', 'module.config_b.x.y["b"].m'],
            [],
            ["--allow-weaker 'module.config_*.x.y[\"*\"].n'", "--allow-weaker 'module.config_b.x.y[\"b\"].m'"],
        ),
        (["module.config_a.x.y.n"], [], ["--allow-weaker 'module.config_a.x.y.n'"]),
    ],
    ids=["one pattern", "another finding would match", "keys, and another attribute", "one alone"],
)
def test_options_consent_to_exactly_what_blocks(subjects: list[str], others: list[str], options: list[str]):
    among = [finding(s) for s in others]
    wanted = [finding(s) for s in subjects]
    assert list(options_for(wanted, among)) == options
    patterns = [option.split("'")[1] for option in options]
    assert all(any(matches(p, s) for p in patterns) for s in subjects)
    assert not any(matches(p, s) for p in patterns for s in others)


ROLES = """account_id: "123456789012"
regions: {home: eu-central-1}
components:
  iam_roles:
    roles:
      operations: {managed_policies: [ReadOnlyAccess], principals: ["arn:aws:iam::111122223333:root"]}
    audit: {name: auditors, principals: ["arn:aws:iam::111122223333:root"]}
    support: {principals: ["arn:aws:iam::111122223333:root"]}
"""


@pytest.mark.parametrize(
    ("role", "setting"),
    [("operations", "roles.operations"), ("auditors", "audit.name"), ("aws-support", "support.name")],
)
def test_of_settings_that_name_a_role_the_one_is_named_that_does(role: str, setting: str):
    """Any of five could, by the module; the environment file says which."""
    address = f'module.iam_roles.aws_iam_role.this["{role}"]'
    change = {"actions": ["create"], "before": None, "after": {"name": role, "path": "/"}}
    entry = {"address": address, "type": "aws_iam_role", "mode": "managed", "name": "this", "index": role}
    entry |= {"provider_name": "registry.terraform.io/hashicorp/aws", "change": change}
    plan = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION)
    existing = {address: Existing({"name": role}, False, role, "the role")}
    environment = load_text(ROLES, name="prod", shown_as="environment.yaml")
    named = {of: dotted(path) for of, path in iam_names(environment.components).items()}
    (finding,) = with_settings(judge(plan, REGISTRY, existing, {}), named=named)
    key = f"components.iam_roles.{setting}"
    assert finding.setting == key
    assert re.findall(r"`(components[^`]*)`", finding.remedy) == [key]
