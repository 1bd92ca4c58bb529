from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.components.shield import COMPONENT, Shield
from toolkit.environment import load_text
from toolkit.errors import ToolkitError

SITE = {"resource_arn": "arn:aws:cloudfront::123456789012:distribution/E1EXAMPLE"}
CHECK = "arn:aws:route53:::healthcheck/1234abcd-12ab-34cd-56ef-1234567890ab"
ZONE = {"resource_arn": "arn:aws:route53:::hostedzone/Z1EXAMPLE"}
CONTACT = {"email_address": "security@example.com", "phone_number": "+4930123456"}


def message(settings: dict[str, Any]) -> str:
    """The path and the words of the one error that these settings cause."""
    with pytest.raises(ValidationError) as caught:
        Shield.model_validate({"accept_one_year_commitment": True, **settings})
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"


@pytest.mark.parametrize("block", ["{}", "", "{accept_one_year_commitment: false}", "{protections: {}}"])
def test_nobody_commits_to_a_year_by_accident(block: str) -> None:
    text = f'account_id: "123456789012"\nregions: {{home: eu-central-1}}\ncomponents:\n  shield: {block}\n'
    with pytest.raises(ToolkitError) as caught:
        load_text(text, name="x", shown_as="x")
    assert "3,000 USD a month for at least a year" in str(caught.value.detail)
    assert COMPONENT.profiles == {}
    assert COMPONENT.settings is Shield


def test_what_is_asked_for() -> None:
    settings = Shield.model_validate(
        {
            "accept_one_year_commitment": True,
            "protections": {
                "website": {**SITE, "automatic_response": "block", "health_check_arn": CHECK},
                "zone": ZONE,
            },
            "protection_groups": {"shop": {"pattern": "ARBITRARY", "protections": ["website"]}},
            "response_team": {"log_buckets": ["example-flow-logs"]},
            "emergency_contacts": [CONTACT],
        }
    )
    assert settings.auto_renew
    assert settings.protection_groups["shop"].aggregation == "SUM"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"name": "x" * 51}, "name: expected 1 to 50 letters"),
        ({"protections": {"a/b": SITE}}, "protections.a/b.[key]: expected 1 to 128 letters"),
        ({"protections": {"a": {"resource_arn": "arn:aws:s3:::b"}}}, "protections.a.resource_arn: expected the ARN of"),
        ({"protections": {"a": {**ZONE, "automatic_response": "block"}}}, "protections.a: automatic_response is only"),
        (
            {"protections": {"a": {**SITE, "automatic_response": "drop"}}},
            "protections.a.automatic_response: Input should be 'block'",
        ),
        ({"protection_groups": {"a_b": {"pattern": "ALL"}}}, "protection_groups.a_b.[key]: expected 1 to 36 letters"),
        ({"protection_groups": {"a": {"pattern": "BY_RESOURCE_TYPE"}}}, "protection_groups.a: resource_type must be"),
        (
            {"protection_groups": {"a": {"pattern": "ALL", "resource_type": "CLOUDFRONT_DISTRIBUTION"}}},
            "protection_groups.a: resource_type must be",
        ),
        ({"protection_groups": {"a": {"pattern": "ARBITRARY"}}}, "protection_groups.a: protections must be named"),
        (
            {"protection_groups": {"a": {"pattern": "ARBITRARY", "protections": ["b"]}}},
            ": protection_groups.a.protections must be under protections, unlike b",
        ),
        ({"response_team": {"log_buckets": ["No_Bucket"]}}, "response_team.log_buckets.0: expected the name of a buck"),
        (
            {"response_team": {"log_buckets": [f"bucket-{n}" for n in range(11)]}},
            "response_team: log_buckets must be at most ten",
        ),
        ({"emergency_contacts": [CONTACT]}, ": emergency_contacts needs response_team"),
        (
            {"response_team": {}, "protections": {"a": SITE}, "emergency_contacts": [CONTACT]},
            ": emergency_contacts needs a protection with health_check_arn",
        ),
        (
            {"protections": {"a": {**ZONE, "health_check_arn": CHECK}}},
            "protections.a: health_check_arn is not for hosted",
        ),
        (
            {"protections": {"a": {**SITE, "health_check_arn": CHECK.rsplit("/", 1)[1]}}},
            "protections.a.health_check_arn: expected the ARN of a Route 53 health check",
        ),
        (
            {
                "response_team": {},
                "protections": {"a": {**SITE, "health_check_arn": CHECK}},
                "emergency_contacts": [CONTACT] * 11,
            },
            ": emergency_contacts must be at most ten",
        ),
        (
            {"response_team": {}, "emergency_contacts": [{**CONTACT, "phone_number": "030 123"}]},
            "emergency_contacts.0.phone_number: expected a number such as +4930123456",
        ),
        (
            {"response_team": {}, "emergency_contacts": [{**CONTACT, "email_address": "nobody"}]},
            "emergency_contacts.0.email_address: expected an e-mail address",
        ),
        (
            {"response_team": {}, "emergency_contacts": [{**CONTACT, "notes": "ü"}]},
            "emergency_contacts.0.notes: expected 1 to 1024 letters",
        ),
    ],
)
def test_what_is_refused(settings: dict[str, Any], expected: str) -> None:
    assert message(settings).startswith(expected)
