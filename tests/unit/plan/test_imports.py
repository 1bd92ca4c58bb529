"""Imports that Terraform leaves out, or that nobody wrote."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from toolkit.components.registry import REGISTRY
from toolkit.plan.imports import IMPORTS_DIFFER, import_region, judge_imports
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


DETECTOR = "module.guardduty_eu_central_1.aws_guardduty_detector.this"


@pytest.mark.parametrize(
    ("kind", "written", "own", "region"),
    [
        ("aws_guardduty_detector", "00b00fd5aecc0ab60a708659477e9617", "00b00fd5aecc0ab60a708659477e9617", None),
        ("aws_guardduty_detector", "00b0@eu-west-1", "00b0", "eu-west-1"),
        ("aws_guardduty_detector", "00b0@us-gov-west-1", "00b0", "us-gov-west-1"),
        ("aws_cloudwatch_metric_alarm", "ops@example.com", "ops@example.com", None),
        ("aws_cloudwatch_metric_alarm", "ops@eu-west-1@us-east-1", "ops@eu-west-1", "us-east-1"),
        ("aws_cloudwatch_metric_alarm", "@eu-west-1", "@eu-west-1", None),
        # Global: IAM has `@` in names, and the provider no region.
        ("aws_iam_user", "ops@eu-west-1", "ops@eu-west-1", None),
        ("aws_iam_user", "alice@example.com", "alice@example.com", None),
        ("aws_account_alternate_contact", "SECURITY@eu-west-1", "SECURITY@eu-west-1", None),
        ("aws_not_known_here", "x@eu-west-1", "x@eu-west-1", None),
    ],
)
def test_a_region_at_the_end_of_an_id_is_read_as_version_6_does(kind: str, written: str, own: str, region: str | None):
    assert import_region(kind, written) == (own, region)


def detector(import_id: str, region: str | None) -> list[dict[str, Any]]:
    found = entry(DETECTOR, ["no-op"], before={"region": region}, importing=import_id)
    found["change"]["after"] = {"enable": True} | ({} if region is None else {"region": region})
    return [found]


def imported(entries: list[dict[str, Any]], import_id: str) -> list[tuple[str, str]]:
    data = {"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": entries}
    return [(f.summary, f.remedy) for f in judge_imports(data, {DETECTOR: import_id}, ATTRIBUTION)]


@pytest.mark.parametrize(
    ("import_id", "region"),
    [("00b0", "eu-central-1"), ("00b0@eu-central-1", "eu-central-1"), ("00b0@eu-west-1", None)],
    ids=["without a region", "with the module's", "version 5, which has none"],
)
def test_an_id_with_the_region_of_its_module_is_none(import_id: str, region: str | None):
    assert imported(detector(import_id, region), import_id) == []


def test_an_id_with_another_region_than_its_module_is_one():
    # The provider keeps it there: the region of the state wins over its own.
    ((summary, remedy),) = imported(detector("00b0@eu-west-1", "eu-west-1"), "00b0@eu-west-1")
    assert summary == f"The plan imports {DETECTOR} from eu-west-1, and its module is in eu-central-1."
    assert "put '00b0' under `imports` if it is in eu-central-1" in remedy
    assert "'00b0@eu-west-1@eu-central-1' where" in remedy
