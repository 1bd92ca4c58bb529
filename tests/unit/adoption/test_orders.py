"""Of several resources that need a setting, the strongest decides, whichever of them a plan shows first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import permutations, product
from pathlib import Path
from typing import Any

import pytest

from toolkit import plan as plan_package
from toolkit.addresses import AttributePath
from toolkit.adoption import Adoption, Choice
from toolkit.adoption.stronger import Demand, joint
from toolkit.environment.source import Problem
from toolkit.plan.guards import Existing
from toolkit.plan.model import Action, Change, Plan
from toolkit.plan.settings import deciding, steps
from toolkit.plan.strengths import Weakening
from toolkit.resources.base import ResourceType, Strength, Stronger
from toolkit.resources.reading import Live
from toolkit.resources.registry import RESOURCES

TABLE = json.loads((Path(plan_package.__file__).parent / "settings.json").read_text("utf-8"))
VALUES: dict[Stronger, tuple[Any, tuple[Any, ...], Any]] = {
    Stronger.HIGHER: (10, (20, 30, 25), 30),
    Stronger.LOWER: (30, (20, 10, 15), 10),
    Stronger.TRUE: (False, (True, True), True),
    Stronger.FALSE: (True, (False, False), False),
    Stronger.SUPERSET: (["a"], (["a", "b"], ["c", "a"], ["a"]), ["a", "b", "c"]),
    Stronger.SUBSET: (["a", "b", "c", "d"], (["a", "b", "d"], ["d", "c", "b"], ["d", "b"]), ["b", "d"]),
}
"""Direction → planned value, what the account has, and what is as strong as all of that."""


def cases() -> Iterator[Any]:
    for component, resources in TABLE.items():
        for resource in resources:
            nested, _, inside = resource.rpartition(":")
            record = RESOURCES[inside.split(".")[-2]]
            for strength in record.strengths:
                planned, there, expected = VALUES.get(strength.stronger, (None, (), None))
                if strength.stronger is Stronger.ORDER and len(strength.order) > 2:
                    planned, there, expected = strength.order[0], strength.order[-2:], strength.order[-1]
                label = f"{component}_{nested}" if nested else component
                path = strength.attribute.replace("[*]", "[0]")
                address = f"module.{label}[0].{inside}"
                keys = deciding(f'{address}["first.last"]', component, path)
                # Nothing in an address says which entry of an entry decides.
                single = len(keys) == 1 and "*" not in keys[0]
                if there and single and not record.keys.get(strength.attribute):
                    if strength.unset_is_strongest and strength.stronger is Stronger.SUPERSET:
                        there, expected = (*there, []), []
                    setting = steps(keys[0], f'{address}["first.last"]')
                    yield pytest.param(
                        component, label, inside, strength, setting, planned, there, expected,
                        id=f"{component}-{inside}-{strength.attribute}",
                    )  # fmt: skip


def values(strength: Strength, value: Any) -> dict[str, Any]:
    """A resource's values with one at the place that a record names."""
    found: dict[str, Any] = {}
    only = ((strength.only[0], strength.only[1][0]),) if strength.only else ()
    for path, one in ((strength.attribute, value), *only):
        here: Any = found
        steps = AttributePath.parse(path.replace("[*]", "[0]")).steps
        for step, after in zip(steps, (*steps[1:], None), strict=True):
            new = one if after is None else [] if isinstance(after, int) else {}
            if isinstance(step, int):
                here += [new] if not here else []
            else:
                here.setdefault(step, new)
            here = here[step]
    return found


def written(path: tuple[str, ...]) -> dict[str, Any]:
    """A file that has everything on the way to a setting."""
    found: dict[str, Any] = {}
    here = found
    for step in path:
        here[step] = here = {}
    return found


def change(component: str, address: str, after: Mapping[str, Any]) -> Change:
    kind, name = address.split('["', maxsplit=1)[0].split(".")[-2:]
    return Change(address, kind, name, Action.CREATE, component, "eu-central-1", (), {}, after)


@pytest.mark.parametrize(
    ("component", "label", "inside", "strength", "path", "planned", "there", "expected"), list(cases())
)
def test_the_strongest_of_all_is_set(component, label, inside, strength, path, planned, there, expected):
    for order in permutations(range(len(there))):
        addresses = [f'module.{label}[{n}].{inside}["first.last"]' for n in order]
        existing = {
            address: Existing(
                live := values(strength, value), True, address, address, live=Live({}, live, address, address)
            )
            for address, value in zip(addresses, there, strict=True)
        }
        for changes in (addresses, addresses[::-1]):
            adoption = Adoption(written=written(path))
            after = values(strength, planned)
            adoption.next(Plan("1.11.4", tuple(change(component, a, after) for a in changes), (), 0), existing)
            assert {d.choice for d in adoption.decisions.values()} == {Choice.ADOPT}
            assert not any(d.open for d in adoption.decisions.values())
            (edit,) = [e for e in adoption.edits if e.path[0] == "components"]
            assert edit.path == path
            found = sorted(edit.value) if isinstance(edit.value, list) else edit.value
            assert found == expected, edit
            assert edit.comment and "None" not in edit.comment


def test_the_table_has_each_direction():
    assert {case.values[3].stronger for case in cases()} == {*VALUES, Stronger.ORDER} - {Stronger.SUBSET}


@pytest.mark.parametrize(
    ("unset_is_strongest", "lists", "expected"),
    [
        (True, (["a", "b"], ["b", "c"]), ["b"]),
        (True, (["a"], ["b"]), []),
        (True, (["a"], []), []),
        (False, (["a", "b"], ["b", "c"]), ["b"]),
        (False, (["a", "b"], []), ["a", "b"]),
    ],
)
def test_exceptions_are_those_that_all_have(unset_is_strongest: bool, lists: tuple[Any, ...], expected: list[str]):
    strength = Strength("excluded", Stronger.SUBSET, unset_is_strongest=unset_is_strongest)
    record = ResourceType("aws_x", strengths=(strength,))
    demands = [Demand(record, Weakening(strength, "excluded", "excluded", ""), {}, value) for value in lists]
    assert joint(lists, demands) == joint(lists[::-1], demands[::-1]) == expected


def test_values_of_which_none_fits_all_are_tried_one_after_the_other():
    strengths = (Strength("more", Stronger.HIGHER), Strength("less", Stronger.LOWER))
    record = ResourceType("aws_x", strengths=strengths)
    demands = [
        Demand(record, Weakening(s, s.attribute, s.attribute, ""), {}, v)
        for s, v in zip(strengths, (5, 3), strict=True)
    ]
    assert joint((5, 3), demands) == joint((3, 5), demands[::-1]) == 3


CHANNELS = [f"module.config_{region}.aws_config_delivery_channel.this" for region in ("a", "b", "c")]
INTERVALS = ("TwentyFour_Hours", "Twelve_Hours", "One_Hour")


def channels(*there: str, after: str = "TwentyFour_Hours") -> tuple[list[Change], dict[str, Existing]]:
    def has(interval: str) -> dict[str, Any]:
        return {"name": "default", "snapshot_delivery_properties": [{"delivery_frequency": interval}]}

    changes = [change("config", address, has(after)) for address, _ in zip(CHANNELS, there, strict=False)]
    existing = {
        address: Existing(has(i), True, address, address, live=Live({"name": "default"}, has(i), address, address))
        for address, i in zip(CHANNELS, there, strict=False)
    }
    return changes, existing


@pytest.mark.parametrize("there", list(product(INTERVALS, repeat=3)), ids=str)
def test_any_permutation_of_a_plans_changes_gives_the_same_edits(there: tuple[str, ...]):
    changes, existing = channels(*there)
    found = []
    for order in permutations(changes):
        adoption = Adoption()
        adoption.next(Plan("1.11.4", order, (), 0), existing)
        found.append(adoption.edits)
    assert all(edits == found[0] for edits in found)
    set_ = [e.value for e in found[0] if e.path[0] == "components"]
    strongest = max(there, key=INTERVALS.index)
    assert set_ == ([strongest] if strongest != INTERVALS[0] else [])


@pytest.mark.parametrize("there", [("Twelve_Hours", "One_Hour"), ("One_Hour", "Twelve_Hours")])
def test_what_no_plan_has_tried_can_still_be_set(there: tuple[str, str]):
    """The file's rules refuse the stronger one: the other was not tried by that, and is what remains."""
    changes, existing = channels(*there)
    adoption = Adoption()
    adoption.next(Plan("1.11.4", tuple(changes), (), 0), existing)
    path = "components.config.snapshot_delivery_frequency"
    assert adoption.reject([Problem(3, path, "One_Hour", "less")])
    adoption.next(Plan("1.11.4", tuple(changes), (), 0), existing)
    assert [e.value for e in adoption.edits if e.path[0] == "components"] == ["Twelve_Hours"]


@pytest.mark.parametrize("there", list(permutations((2555, 400, 365))), ids=str)
def test_the_longest_retention_is_set(there: tuple[int, ...]):
    """Which rule keeps objects how long is told in days alone, as settings have it."""
    buckets = [f"module.cloudtrail[{n}].module.log_bucket.aws_s3_bucket_lifecycle_configuration.this" for n in range(3)]

    def rules(days: int) -> dict[str, Any]:
        rule = {"id": "x", "status": "Enabled", "filter": [{"prefix": ""}], "expiration": [{"days": days}]}
        return {"bucket": "logs", "rule": [rule]}

    existing = {
        address: Existing(rules(days), True, address, address, live=Live({}, rules(days), address, address))
        for address, days in zip(buckets, there, strict=True)
    }
    for order in permutations(buckets):
        adoption = Adoption()
        changes = tuple(change("cloudtrail", address, rules(90)) for address in order)
        adoption.next(Plan("1.11.4", changes, (), 0), existing)
        assert [e.value for e in adoption.edits if e.path[0] == "components"] == [2555]


@pytest.mark.parametrize("there", [(3600, 7200), (7200, 3600)])
def test_a_value_in_another_form_is_compared_as_the_attribute_has_it(there: tuple[int, int]):
    """Seconds, which a setting in minutes or hours refuses: what is left is for people to decide."""
    role = 'module.iam_roles[{}].aws_iam_role.deployer["ci"]'
    addresses = [role.format(n) for n in range(2)]
    existing = {
        a: Existing({"max_session_duration": s}, True, a, a, live=Live({}, {"max_session_duration": s}, a, a))
        for a, s in zip(addresses, there, strict=True)
    }
    changes = tuple(change("iam_roles", a, {"max_session_duration": 43200}) for a in addresses)
    path = ("components", "iam_roles", "deployers", "ci", "max_session_minutes")
    adoption = Adoption(written=written(path))
    adoption.next(Plan("1.11.4", changes, (), 0), existing)
    (edit,) = [e for e in adoption.edits if e.path[0] == "components"]
    assert (edit.path, edit.value) == (path, 3600)
    assert adoption.reject([Problem(3, ".".join(edit.path), "3600", "at most 720")])
    for _ in range(3):
        adoption.next(Plan("1.11.4", changes, (), 0), existing)
    assert all("max_session_duration would become weaker" in str(d.open) for d in adoption.decisions.values())
