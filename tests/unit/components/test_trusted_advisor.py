from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.components.trusted_advisor import COMPONENT, TrustedAdvisor
from toolkit.environment import load_text
from toolkit.errors import ToolkitError
from toolkit.rendering.render import render

SUBSCRIBERS = {"email_addresses": ["security@example.com"]}
TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"
REFRESH = {"check_ids": ["HCP4007jGY"]}


def message(settings: dict[str, Any]) -> str:
    """The path and the words of the one error that these settings cause."""
    with pytest.raises(ValidationError) as caught:
        TrustedAdvisor.model_validate(settings)
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"


def rendered(regions: str, settings: str = "") -> str:
    text = (
        f'account_id: "123456789012"\nregions: {regions}\ncomponents:\n'
        f"  trusted_advisor: {{subscribers: {{email_addresses: [a@example.com]}}{settings}}}\n"
    )
    return render(load_text(text, name="x", shown_as="x"))["trusted_advisor.tf"]


def test_what_is_not_well_is_told_of_every_check() -> None:
    settings = TrustedAdvisor.model_validate({"subscribers": SUBSCRIBERS})
    assert (settings.statuses, settings.check_names, settings.refresh) == (("ERROR", "WARN"), (), None)
    assert TrustedAdvisor.model_validate({"topic_arn": TOPIC}).subscribers is None
    assert COMPONENT.settings is TrustedAdvisor


@pytest.mark.parametrize(
    "plan", ["business", "business_plus", "enterprise_on_ramp", "enterprise", "unified_operations"]
)
def test_a_plan_with_the_api_refreshes(plan: str) -> None:
    settings = TrustedAdvisor.model_validate({"topic_arn": TOPIC, "support_plan": plan, "refresh": REFRESH})
    assert settings.refresh is not None
    assert (settings.refresh.weekday, settings.refresh.hour_utc) == ("MON", 6)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ": trusted_advisor must have either subscribers or topic_arn"),
        ({"subscribers": SUBSCRIBERS, "topic_arn": TOPIC}, ": trusted_advisor must have either subscribers or topic_"),
        ({"subscribers": {}}, "subscribers: subscribers must name at least one"),
        ({"topic_arn": TOPIC.replace("us-east-1", "eu-west-1")}, "topic_arn: expected the ARN of a topic in us-east-1"),
        ({"topic_arn": TOPIC, "refresh": REFRESH}, ": refresh needs a support_plan of business or higher: basic has"),
        (
            {"topic_arn": TOPIC, "refresh": REFRESH, "support_plan": "developer"},
            ": refresh needs a support_plan of business or higher: developer has no API",
        ),
        ({"topic_arn": TOPIC, "support_plan": "gold"}, "support_plan: Input should be 'basic'"),
        ({"topic_arn": TOPIC, "statuses": []}, "statuses: expected at least one value"),
        ({"topic_arn": TOPIC, "statuses": ["RED"]}, "statuses.0: Input should be 'OK'"),
        ({"topic_arn": TOPIC, "check_names": [" "]}, "check_names.0: expected the name of a check"),
        ({"topic_arn": TOPIC, "name": "a name"}, "name: expected 1 to 56 letters"),
        ({"topic_arn": TOPIC, "refresh": {"check_ids": []}}, "refresh.check_ids: expected at least one value"),
        ({"topic_arn": TOPIC, "refresh": {"check_ids": ["a b"]}}, "refresh.check_ids.0: expected the id of a check"),
        ({"topic_arn": TOPIC, "refresh": {**REFRESH, "hour_utc": 24}}, "refresh.hour_utc: Input should be less than"),
        ({"topic_arn": TOPIC, "refresh": {**REFRESH, "weekday": "MONDAY"}}, "refresh.weekday: Input should be 'MON'"),
    ],
)
def test_what_is_refused(settings: dict[str, Any], expected: str) -> None:
    assert message(settings).startswith(expected)


@pytest.mark.parametrize(
    ("home", "needed"),
    [("eu-central-1", "us-east-1"), ("us-gov-east-1", "us-gov-west-1"), ("cn-northwest-1", "cn-north-1")],
)
def test_it_is_only_where_trusted_advisor_sends_events(home: str, needed: str) -> None:
    with pytest.raises(ToolkitError) as caught:
        rendered(f"{{home: {home}}}")
    expected = f"x:4: components.trusted_advisor: is possible only in {needed}, which is not active; expected {needed}"
    assert expected in str(caught.value.detail)
    text = rendered(f"{{home: {home}, active: [{home}, {needed}]}}")
    assert f'module "trusted_advisor_{needed.replace("-", "_")}"' in text
    assert f"aws = aws.{needed.replace('-', '_')}" in text
    # Nothing else is said of regions that are wrong themselves.
    with pytest.raises(ToolkitError) as caught:
        rendered(f"{{home: {home}x}}")
    assert "is possible only in" not in str(caught.value.detail)


def test_a_comment_says_where_there_may_be_no_notifications() -> None:
    assert "With basic, there may be\n# no notifications." in rendered("{home: us-east-1}")
    assert "no notifications" not in rendered("{home: us-east-1}", ", support_plan: business")
