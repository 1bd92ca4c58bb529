"""The access tests that `toolkit new` writes: they hold for the default settings, and each of them can fail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toolkit.components.base import PROFILES
from toolkit.components.registry import REGISTRY
from toolkit.environment import Environment, load_text
from toolkit.errors import RefusedError
from toolkit.plan.access import world_of
from toolkit.plan.model import Attribution, parse_outcome
from toolkit.workflows.access import Subject
from toolkit.workflows.access_tests import require_access
from toolkit.workflows.first_tests import first_tests
from toolkit.workflows.new import Answers, environment_text

HOME = "eu-central-1"
RECORDED = Path(__file__).parents[2] / "plans" / "components" / "core.json"


def written(profile: str, home: str = HOME) -> Environment:
    text = environment_text("prod", Answers("123456789012", home, (home,), None, False, profile))
    assert max(map(len, text.splitlines())) <= 120
    return load_text(text, name="prod", shown_as="environment.yaml")


def subject(environment: Environment, *without: str) -> Subject:
    """A recorded plan of these components, less resources; as in an installation without moto, no policy of AWS has
    a text."""
    data = json.loads(RECORDED.read_text("utf-8"))
    data["resource_changes"] = [
        one for one in data["resource_changes"] if not any(part in one["address"] for part in without)
    ]
    resources = parse_outcome(data, Attribution(tuple(REGISTRY), (HOME,), HOME))
    world = world_of(resources, source="a plan", account_id="123456789012", home=HOME, texts=lambda _: None)
    return Subject(world, environment, "environment.yaml")


@pytest.mark.parametrize("profile", PROFILES)
def test_each_profile_gets_five_that_hold(profile: str) -> None:
    environment = written(profile)
    assert len(environment.access_tests) == 5
    assert require_access(subject(environment)) >= 30
    assert written(profile, "us-gov-west-1").access_tests == environment.access_tests


@pytest.mark.parametrize(
    ("without", "failing"),
    [
        ("group_policy_attachment.guardrail", {1, 2, 3}),
        ("mfa_enforcement", {4}),
        ('managed["administrators/AdministratorAccess"]', {5}),
        ("aws_cloudtrail.this", {1}),
    ],
)
def test_each_can_fail(without: str, failing: set[int]) -> None:
    environment = written("standard")
    with pytest.raises(RefusedError) as error:
        require_access(subject(environment, without))
    lines = {environment.lines["access_tests", index]: index + 1 for index in range(5)}
    assert {lines[int(line.split(":")[1])] for line in str(error.value.detail).splitlines()} == failing


def test_what_is_not_switched_on_is_not_tested() -> None:
    def tests(*names: str) -> dict[str, tuple[str, ...]]:
        settings = {name: REGISTRY[name].settings() for name in names}
        return {one.meaning: one.actions for one in first_tests({name: REGISTRY[name] for name in names}, settings)}

    assert tests("cloudtrail", "config") == {}
    assert list(tests("iam_groups")) == ["Only administrators can give permissions."]
    found = tests("iam_groups", "mfa_enforcement", "guardduty")
    assert found["Only administrators can switch off detection."] == ("guardduty:DeleteDetector",)
    assert found["Without MFA, no group can read secrets."] == ("secretsmanager:GetSecretValue",)
