"""Every attribute of every type that modules make has a direction of strength, or a written reason why it has none.

Held against what the real provider says of these types (tests/provider5/schema.json): a new type, a new attribute or a
misspelt path fails.
"""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

from toolkit.policy_types import NEWER_TYPES, UNCONFIRMED, AuthorizationType, ManagementType
from toolkit.resources.base import LEFT_ALONE, ResourceType, Stronger
from toolkit.resources.reading import OnCreate
from toolkit.resources.registry import RESOURCES

REPOSITORY = Path(__file__).parents[3]
FOLDER = REPOSITORY / "tests" / "provider5"
FIVE: dict[str, dict[str, str]] = json.loads((FOLDER / "schema.json").read_text("utf-8"))["types"]


def module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"tests_{path.parent.name}_{path.stem}", path)
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


RECORD = module(FOLDER / "record.py")
SCHEMA: dict[str, dict[str, str]] = RECORD.types()
RECORDS = [pytest.param(record, id=record.name) for record in RESOURCES.values() if record.name in SCHEMA]

POLICY_TYPES = {*get_args(AuthorizationType), *get_args(ManagementType)}
NOT_JUDGED = frozenset({"id", "tags", "tags_all", "timeouts"})
"""At the top of any type: what AWS calls it, labels that nothing here is decided by, how long Terraform waits."""


def bare(path: str) -> str:
    """A path without indices."""
    return re.sub(r"\[(0|\*)\]", "", path)


def declared(record: ResourceType) -> dict[str, bool]:
    """Path → whether it speaks for everything below it, too."""
    found = {path: True for paths in record.no_weaker_side.values() for path in paths.split()}
    for strength in record.strengths:
        # Of a keyed list it may be declared that no entry goes; what is in an entry then has directions of its own.
        keyed = strength.stronger is Stronger.SUPERSET and bare(strength.attribute) in record.keys
        found[bare(strength.attribute)] = not keyed
        if strength.otherwise is not None:
            found[bare(strength.otherwise[0])] = True
    return {**found, **{f"{path}.{name}": True for path, names in record.keys.items() for name in names}}


def undeclared(record: ResourceType, schema: dict[str, str]) -> list[str]:
    """What a configuration can set, and nothing is said of."""
    known = declared(record)
    return [
        path
        for path, kind in schema.items()
        if {"required", "optional"} & set(kind.split())
        and path.split(".")[0] not in NOT_JUDGED
        and path not in known
        and not any(known.get(path[: match.start()]) for match in re.finditer(r"\.", path))
    ]


def test_every_type_that_a_module_makes_has_a_record():
    """A type that no module makes may have one to be read; with directions, it needs the provider's schema, too."""
    assert RECORD.made() <= set(RESOURCES)
    assert set(FIVE) == set(RECORD.recorded())
    assert set(SCHEMA) == set(RECORD.every())
    assert all(RESOURCES[kind].reading or RESOURCES[kind].unread for kind in RESOURCES)


def test_what_can_be_in_no_way_says_why():
    harmless = {r.name for r in RESOURCES.values() if r.reading and r.reading.on_create is OnCreate.HARMLESS}
    assert harmless
    assert harmless == {r.name for r in RESOURCES.values() if r.reading and r.unread}


@pytest.mark.parametrize("record", RECORDS)
def test_every_attribute_has_a_direction_or_a_reason(record: ResourceType):
    assert undeclared(record, SCHEMA[record.name]) == []


@pytest.mark.parametrize("record", RECORDS)
def test_a_new_attribute_is_noticed(record: ResourceType):
    new = {"brand_new": "string optional", "brand_new_block.switch": "bool optional computed"}
    assert undeclared(record, {**SCHEMA[record.name], **new, "answered": "string computed"}) == list(new)


@pytest.mark.parametrize("record", RECORDS)
def test_every_path_is_one_of_the_provider_s(record: ResourceType):
    assert [path for path in declared(record) if path not in SCHEMA[record.name]] == []


@pytest.mark.parametrize("record", RECORDS)
def test_what_names_the_owner_of_a_quota_is_an_attribute(record: ResourceType):
    owner = getattr(record.quota, "owner", None)
    assert owner is None or SCHEMA[record.name][owner].startswith("string")


@pytest.mark.parametrize("record", RECORDS)
def test_nothing_has_both_a_direction_and_a_reason_why_it_has_none(record: ResourceType):
    reasons = [path for paths in record.no_weaker_side.values() for path in paths.split()]
    assert len(reasons) == len(set(reasons))
    assert not set(reasons) & {bare(strength.attribute) for strength in record.strengths}
    assert all(len(reason) > 20 for reason in record.no_weaker_side)


@pytest.mark.parametrize("record", RECORDS)
def test_a_place_in_a_list_is_named_only_where_there_is_one_place(record: ResourceType):
    """`[0]` of a list with several entries would guard the first alone."""
    schema = SCHEMA[record.name]
    for strength in record.strengths:
        for match in re.finditer(r"\[(0|\*)\]", strength.attribute):
            path = bare(strength.attribute[: match.start()])
            most = schema[path].split()[-1]
            if match[1] == "0":
                assert most == "1" or path in record.single, f"{record.name}.{path} may have several entries"
            else:
                assert path in record.keys
    # A list with several entries whose order AWS does not heed is compared by key, or as a whole.
    assert all(schema[path].startswith("block") for path in (*record.keys, *record.single))


def test_what_no_module_sets_is_set_by_no_module():
    """LEFT_ALONE is a claim about the modules."""
    hcl = module(REPOSITORY / "tests" / "unit" / "resources" / "hcl.py")
    names = {name[:2] for file in (REPOSITORY / "modules").rglob("*.tf") for name in hcl.names(file)}
    left = [(r.name, path) for r in RESOURCES.values() for path in r.no_weaker_side.get(LEFT_ALONE, "").split()]
    assert left
    for name, path in left:
        assert (name, path) not in names
        kind = SCHEMA[name][path].split()
        assert "block" in kind or {"optional", "computed"} <= set(kind)


def test_what_aws_decides_is_what_it_may_decide_and_no_module_sets():
    hcl = module(REPOSITORY / "tests" / "unit" / "resources" / "hcl.py")
    names = {name[:2] for file in (REPOSITORY / "modules").rglob("*.tf") for name in hcl.names(file)}
    for record in RESOURCES.values():
        for strength in record.strengths:
            path = bare(strength.attribute)
            kind = SCHEMA[record.name][path].split()
            unset = any((record.name, step) not in names for step in path.split("."))
            if {"optional", "computed"} <= set(kind):
                assert strength.by_aws is unset, f"{record.name}.{path}"
            elif strength.by_aws:
                # The schema does not say of a block whether AWS fills it in.
                assert unset, f"{record.name}.{path}"
                assert "block" in kind or "." in path


@pytest.mark.terraform
@pytest.mark.usefixtures("terraform_binary")
def test_the_recorded_schema_is_the_provider_s():
    assert json.loads((FOLDER / "schema.json").read_text("utf-8")) == RECORD.schema()


@pytest.mark.parametrize(
    "name", ["aws_organizations_organization.enabled_policy_types", "aws_organizations_policy.type"]
)
def test_types_of_organization_policies_are_those_of_the_pinned_provider(name: str) -> None:
    recorded = json.loads((FOLDER / "schema.json").read_text("utf-8"))["enumerations"][name]
    assert set(recorded) == POLICY_TYPES
    assert not NEWER_TYPES & POLICY_TYPES
    assert UNCONFIRMED <= NEWER_TYPES
    # The module admits version 6, too: it accepts every type, and the provider refuses what it does not know.
    variables = (REPOSITORY / "modules" / "organization" / "variables.tf").read_text("utf-8")
    for kind in POLICY_TYPES | NEWER_TYPES:
        # In the conditions of both validations, and in the message of the first.
        assert len(re.findall(rf"\b{kind}\b", variables)) >= 3, kind
