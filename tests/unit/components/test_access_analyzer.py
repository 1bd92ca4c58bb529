from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.components.access_analyzer import COMPONENT, AccessAnalyzer
from toolkit.environment import load_text
from toolkit.rendering.render import render


def message(settings: dict[str, Any]) -> str:
    """The path and the words of the one error that these settings cause."""
    with pytest.raises(ValidationError) as caught:
        AccessAnalyzer.model_validate(settings)
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"


def rule(**filters: Any) -> dict[str, Any]:
    return {"archive_rules": {"ours": {"filters": filters}}}


def test_an_empty_block_bills_nothing_and_hides_nothing() -> None:
    settings = AccessAnalyzer()
    assert settings.zone_of_trust == "ACCOUNT"
    assert settings.archive_rules == {}
    assert not settings.unused_access.enabled
    assert COMPONENT.bills is None


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"zone_of_trust": "REGION"}, "zone_of_trust: Input should be 'ACCOUNT' or 'ORGANIZATION'"),
        ({"analyzer_name": "1st"}, "analyzer_name: expected 1 to 255 letters"),
        ({"analyzer_name": "a" * 256}, "analyzer_name: expected 1 to 255 letters"),
        ({"unused_access": {"age_days": 366}}, "unused_access.age_days: Input should be less than or equal to 365"),
        ({"unused_access": {"age_days": 0}}, "unused_access.age_days: Input should be greater than or equal to 1"),
        ({"analyzer_name": "baseline-unused-access"}, ": unused_access.analyzer_name must differ from analyzer_name"),
        (rule(), "archive_rules.ours: filters must name at least one criterion"),
        (
            rule(resource={}),
            "archive_rules.ours.filters.resource: expected at least one of eq, neq, contains and exists",
        ),
        (rule(resource={"eq": []}), "archive_rules.ours.filters.resource.eq: expected 1 to 20 values"),
        (
            rule(resource={"eq": ["x"] * 21}),
            "archive_rules.ours.filters.resource.eq: expected 1 to 20 values",
        ),
        (rule(owner={"exists": True}), "archive_rules.ours.filters.owner.[key]: expected id, error,"),
        (
            {"archive_rules": {"1st": {"filters": {"id": {"exists": True}}}}},
            "archive_rules.1st.[key]: expected 1 to 255",
        ),
    ],
)
def test_values_that_the_api_refuses(settings: dict[str, Any], expected: str) -> None:
    assert message(settings).startswith(expected)


@pytest.mark.parametrize("name", ["principal.AWS", "condition.aws:PrincipalOrgID", "isPublic", "resourceType"])
def test_criteria(name: str) -> None:
    settings = AccessAnalyzer.model_validate(rule(**{name: {"eq": ["x"]}}))
    assert settings.archive_rules["ours"].filters[name].eq == ("x",)


def test_unused_access_is_looked_at_once() -> None:
    text = (
        'account_id: "123456789012"\nregions: {home: eu-central-1, active: [us-east-1, eu-central-1]}\n'
        "components:\n  access_analyzer: {unused_access: {enabled: true}}\n"
    )
    file = render(load_text(text, name="x", shown_as="x"))["access_analyzer.tf"]
    calls = {call.split('"')[0]: call for call in file.split('\nmodule "')[1:]}
    assert {label: "is_home_region = true" in call for label, call in calls.items()} == {
        "access_analyzer_eu_central_1": True,
        "access_analyzer_us_east_1": False,
    }
