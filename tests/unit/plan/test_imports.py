"""Imports that Terraform leaves out, or that nobody wrote."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from toolkit.components.registry import REGISTRY
from toolkit.plan.imports import IMPORTS_DIFFER, judge_imports
from toolkit.plan.model import Attribution

ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1",), "eu-central-1")
GROUP = 'module.iam_groups.aws_iam_group.this["{}"]'


def entry(address: str, actions: list[str], before: Any = None, importing: Any = None) -> dict[str, Any]:
    change = {"actions": actions, "before": before, "after": {"name": "x"}}
    if importing is not None:
        change["importing"] = {"id": importing}
    return {"address": address, "mode": "managed", "type": "aws_iam_group", "name": "this", "change": change}


def judged(entries: list[dict[str, Any]], imports: dict[str, str], drift: tuple[str, ...] = ()) -> dict[str, str]:
    data = {
        "format_version": "1.2",
        "terraform_version": "1.16.0",
        "resource_changes": entries,
        "resource_drift": [entry(address, ["delete"], before={}) for address in drift],
    }
    found = list(judge_imports(data, imports, ATTRIBUTION))
    for finding in found:
        assert finding.rule is IMPORTS_DIFFER
        assert finding.blocks
        assert finding.consent is None
        assert finding.component == "iam_groups"
    return {f.address: f.summary for f in found}


def test_what_1_16_0_does_to_several_imports_of_one_resource():
    """The plan of hashicorp/terraform#39068: the first is imported, the others are plain creates."""
    names = ["administrators", "auditors", "developers"]
    entries = [entry(GROUP.format(names[0]), ["no-op"], before={"name": "x"}, importing=names[0])]
    entries += [entry(GROUP.format(name), ["create"]) for name in names[1:]]

    found = judged(entries, {GROUP.format(name): name for name in names})

    assert found == {
        GROUP.format(name): f"Terraform has lost the import of {GROUP.format(name)} and plans to create it instead."
        for name in names[1:]
    }


@pytest.mark.parametrize("actions", [["no-op"], ["update"], ["delete", "create"]])
def test_an_import_that_the_plan_has_is_none(actions: list[str]):
    address = GROUP.format("a")
    assert not judged([entry(address, actions, before={"name": "x"}, importing="a")], {address: "a"})


@pytest.mark.parametrize("actions", [["no-op"], ["update"], ["delete", "create"]])
def test_what_the_state_has_is_none(actions: list[str]):
    address = GROUP.format("a")
    assert not judged([entry(address, actions, before={"name": "x"})], {address: "a"})


def test_what_the_state_had_and_somebody_deleted_in_aws_is_none():
    address = GROUP.format("a")
    assert not judged([entry(address, ["create"])], {address: "a"}, drift=(address,))


def test_another_id_or_another_import_is_one():
    one, two = GROUP.format("a"), GROUP.format("b")
    entries = [entry(a, ["no-op"], before={"name": "x"}, importing="a") for a in (one, two)]
    assert judged(entries, {one: "other"}) == {
        one: f"The plan imports {one} with another id than `imports` has.",
        two: f"The plan imports {two}, which `imports` does not have.",
    }


def test_what_is_not_planned_at_all_is_one():
    address = GROUP.format("a")
    assert judged([], {address: "a"}) == {
        address: f"Terraform has lost the import of {address} and does not plan it at all."
    }


def test_refused_is_exactly_what_differs():
    """Each of four addresses in each of the ways that there are: 256 plans."""
    ways = ("not written", "imported", "in the state", "lost")
    addresses = [GROUP.format(name) for name in "abcd"]
    for chosen in itertools.product(ways, repeat=len(addresses)):
        entries, imports = [], {}
        for address, way in zip(addresses, chosen, strict=True):
            if way != "not written":
                imports[address] = "id"
            there = way in ("imported", "in the state")
            entries.append(
                entry(
                    address,
                    ["no-op"] if there else ["create"],
                    before={"name": "x"} if there else None,
                    importing="id" if way == "imported" else None,
                )
            )
        assert set(judged(entries, imports)) == {a for a, way in zip(addresses, chosen, strict=True) if way == "lost"}
