from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.components.activity_alarms import COMPONENT, ActivityAlarms, Monitors
from toolkit.environment import load_text
from toolkit.errors import ToolkitError
from toolkit.rendering.render import render

MODULE = Path(__file__).parents[3] / "modules" / "activity_alarms"
SUBSCRIBERS = {"email_addresses": ["security@example.com"]}


def message(settings: dict[str, Any]) -> str:
    """The path and the words of the one error that these settings cause."""
    with pytest.raises(ValidationError) as caught:
        ActivityAlarms.model_validate({"subscribers": SUBSCRIBERS, **settings})
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"


def rendered(regions: str, settings: str = "") -> str:
    text = (
        f'account_id: "123456789012"\nregions: {regions}\ncomponents:\n  cloudtrail: {{}}\n'
        f"  activity_alarms: {{subscribers: {{email_addresses: [a@example.com]}}{settings}}}\n"
    )
    return render(load_text(text, name="x", shown_as="x"))["activity_alarms.tf"]


def test_all_fifteen_watch_unless_switched_off() -> None:
    settings = ActivityAlarms.model_validate({"subscribers": SUBSCRIBERS})
    assert len(Monitors.model_fields) == 15
    assert all(monitor["enabled"] for monitor in settings.monitors.model_dump().values())
    assert settings.root_sign_in_alerts
    assert COMPONENT.settings is ActivityAlarms


def test_only_what_is_everyday_life_needs_more_than_one_event() -> None:
    monitors = Monitors().model_dump()
    patient = {name for name, monitor in monitors.items() if monitor["threshold"] > 1}
    assert patient == {"unauthorized_api_calls", "console_sign_in_failures"}


def test_somebody_must_be_told() -> None:
    expected = "subscribers: subscribers must name at least one of email_addresses and https_endpoints"
    assert message({"subscribers": {}}) == expected
    assert message({"subscribers": {"email_addresses": []}}) == expected
    endpoint = {"https_endpoints": ["https://events.example.com:8443/integration/abc?x=1"]}
    assert ActivityAlarms.model_validate({"subscribers": endpoint}).subscribers.email_addresses == ()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"name": "a name"}, "name: expected 1 to 43 letters"),
        ({"name": "x" * 44}, "name: expected 1 to 43 letters"),
        ({"patterns": "loud"}, "patterns: Input should be 'refined' or 'benchmark'"),
        ({"monitors": {"root_usage": {}}}, "monitors.root_usage: Extra inputs are not permitted"),
        ({"monitors": {"root_use": {"threshold": 0}}}, "monitors.root_use.threshold: Input should be greater than"),
        (
            {"monitors": {"root_use": {"threshold": 1.5}}},
            "monitors.root_use.threshold: Input should be a valid integer",
        ),
        (
            {"monitors": {"root_use": {"period_minutes": 1441}}},
            "monitors.root_use.period_minutes: Input should be less",
        ),
        ({"subscribers": {"email_addresses": ["nobody"]}}, "subscribers.email_addresses.0: expected an e-mail address"),
        (
            {"subscribers": {"email_addresses": ["a@example.com", "a@example.com"]}},
            "subscribers.email_addresses: expected each value once",
        ),
    ],
)
def test_values_outside_the_apis_bounds(settings: dict[str, Any], expected: str) -> None:
    assert message(settings).startswith(expected)


@pytest.mark.parametrize(
    "endpoint",
    ["http://example.com", "https://user:secret@example.com/", "example.com", "https://", "https://example.com/ x", ""],
)
def test_endpoints_are_reached_through_tls_and_hold_no_secret(endpoint: str) -> None:
    found = message({"subscribers": {"https_endpoints": [endpoint]}})
    assert found.startswith("subscribers.https_endpoints.0: expected an address that starts with https://")


def test_a_trail_must_be_there() -> None:
    text = 'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {activity_alarms: {}}\n'
    with pytest.raises(ToolkitError) as caught:
        load_text(text, name="x", shown_as="x")
    assert "needs the component cloudtrail, which is off" in str(caught.value.detail or caught.value)


def test_other_regions_forward_to_the_home_region() -> None:
    text = rendered("{home: eu-central-1, active: [eu-central-1, us-east-1, eu-west-1]}")
    assert re.findall(r'^module "(\w+)"', text, re.M) == [
        "activity_alarms",
        "activity_alarms_forward_us_east_1",
        "activity_alarms_forward_eu_west_1",
    ]
    assert "not an active region" not in text


@pytest.mark.parametrize(
    ("home", "missing"),
    [("eu-central-1", "us-east-1"), ("us-gov-east-1", "us-gov-west-1"), ("cn-northwest-1", "cn-north-1")],
)
def test_it_is_said_where_root_signs_in_unheard(home: str, missing: str) -> None:
    assert f"records root sign-ins in {missing}, which is not an active region" in rendered(f"{{home: {home}}}")
    assert "not an active region" not in rendered(f"{{home: {missing}}}")
    off = rendered(f"{{home: {home}, active: [{home}, {missing}]}}", ", root_sign_in_alerts: false")
    assert "forward" not in off


def test_all_regions_listen_for_the_same_events() -> None:
    def pattern(file: str) -> str:
        return re.findall(r"event_pattern = jsonencode\((.*?)\n  \}\)", (MODULE / file).read_text("utf-8"), re.S)[0]

    assert pattern("root_sign_in.tf") == pattern("forward/main.tf")
