from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.aws_lists import aws_list
from toolkit.components.guardduty import _KNOWN_LACKING, COMPONENT, GuardDuty, Protection
from toolkit.environment import load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.regions import PARTITION_OF
from toolkit.rendering.render import render


def message(settings: dict[str, Any]) -> str:
    """The path and the words of the one error that these settings cause."""
    with pytest.raises(ValidationError) as caught:
        GuardDuty.model_validate(settings)
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"


def test_an_empty_block_switches_no_billed_plan_on() -> None:
    settings = GuardDuty()
    assert set(settings.protection.model_dump().values()) == {"DISABLED"}
    assert set(settings.runtime_monitoring_agents.model_dump().values()) == {"DISABLED"}
    assert settings.finding_publishing_frequency == "FIFTEEN_MINUTES"
    assert settings.export_findings is False
    assert settings.notifications.email_addresses == ()
    assert COMPONENT.settings is GuardDuty


def test_agents_come_with_runtime_monitoring() -> None:
    agents = {"runtime_monitoring_agents": {"ec2": "ENABLED"}}
    assert message(agents) == ": runtime_monitoring_agents need protection.runtime_monitoring to be ENABLED"
    settings = GuardDuty.model_validate({**agents, "protection": {"runtime_monitoring": "ENABLED"}})
    assert settings.runtime_monitoring_agents.ec2 == "ENABLED"


def test_a_bucket_without_an_export_is_a_mistake() -> None:
    bucket = {"findings_bucket": {"name": "example-findings"}}
    assert message(bucket) == ": findings_bucket has no effect without export_findings: true"
    assert GuardDuty.model_validate({**bucket, "export_findings": True}).findings_bucket.name == "example-findings"


@pytest.mark.parametrize("severity", [1, 4, 6.9, 7.0, 10])
def test_severities(severity: float) -> None:
    assert (
        GuardDuty.model_validate({"notifications": {"minimum_severity": severity}}).notifications.minimum_severity
        == severity
    )


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"protection": {"s3_data_events": True}},
            "protection.s3_data_events: Input should be 'ENABLED' or 'DISABLED'",
        ),
        ({"protection": {"s3": "ENABLED"}}, "protection.s3: Extra inputs are not permitted"),
        ({"finding_publishing_frequency": "DAILY"}, "finding_publishing_frequency: Input should be 'FIFTEEN_MINUTES'"),
        ({"notifications": {"minimum_severity": 10.1}}, "notifications.minimum_severity: Input should be less than"),
        ({"notifications": {"minimum_severity": 0}}, "notifications.minimum_severity: Input should be greater than"),
        ({"notifications": {"name": "a name"}}, "notifications.name: expected 1 to 55 letters"),
        (
            {"notifications": {"email_addresses": ["a@example.com", "a@example.com"]}},
            "notifications.email_addresses: expected each value once, but a@example.com is repeated",
        ),
    ],
)
def test_values_outside_the_apis_bounds(settings: dict[str, Any], expected: str) -> None:
    assert message(settings).startswith(expected)


@pytest.mark.parametrize("address", ["", "nobody", "a@b", "a b@example.com", "a@@example.com", "a@example.com\n"])
def test_addresses_that_cannot_get_mail(address: str) -> None:
    found = message({"notifications": {"email_addresses": [address]}})
    assert found == "notifications.email_addresses.0: expected an e-mail address such as security@example.com"


def test_the_export_lets_in_guardduty_of_each_active_region_that_had_to_be_enabled() -> None:
    text = (
        'account_id: "123456789012"\nregions: {home: eu-central-1, active: [eu-central-1, me-south-1, af-south-1]}\n'
        "components: {guardduty: {export_findings: true}}\n"
    )
    rendered = render(load_text(text, name="x", shown_as="x"))["guardduty.tf"]
    assert 'opt_in_regions = ["af-south-1", "me-south-1"]' in " ".join(rendered.split())


WITHOUT_A_SETTING = {
    "EKS_RUNTIME_MONITORING": "part of RUNTIME_MONITORING; both at once are an error (DetectorFeatureConfiguration)",
    "AI_ANALYST": "what it switches on, AWS does not describe",
}
"""Feature of the list → why no setting switches it. A renewed list fails here until somebody has decided."""


def test_every_feature_has_a_setting_or_a_reason() -> None:
    settings = {name.upper() for name in (*Protection.model_fields, "ai_protection")}
    assert "ai_protection" in GuardDuty.model_fields
    assert settings.isdisjoint(WITHOUT_A_SETTING)
    assert settings | set(WITHOUT_A_SETTING) == set(aws_list("guardduty_features").names)


def regions(home: str, *others: str) -> str:
    return f'account_id: "123456789012"\nregions: {{home: {home}, active: [{", ".join((home, *others))}]}}\n'


def calls(text: str) -> dict[str, str]:
    """Region → the module call of guardduty there, on one line."""
    rendered = render(load_text(text, name="x", shown_as="x"))["guardduty.tf"]
    return {
        label.replace("_", "-"): " ".join(body.split())
        for label, body in re.findall(r'^module "guardduty_(\w+)" \{\n(.*?)^\}', rendered, re.M | re.S)
    }


def problem(text: str) -> str:
    with pytest.raises(EnvironmentFileError) as caught:
        load_text(text, name="x", shown_as="x")
    (found,) = caught.value.problems
    return f"{found.line}: {found}"


def test_a_plan_that_a_region_lacks_is_left_out_there_and_not_claimed() -> None:
    text = regions("eu-central-1", "ap-east-2")
    text += "components: {guardduty: {protection: {rds_login_events: ENABLED}}}\n"
    found = calls(text)
    assert "unsupported_plans = []" in found["eu-central-1"]
    assert "FSBP GuardDuty.9" in found["eu-central-1"]
    assert 'unsupported_plans = ["rds_login_events"]' in found["ap-east-2"]
    assert "FSBP GuardDuty.9" not in found["ap-east-2"]
    assert (
        "# AWS does not offer rds_login_events in ap-east-2"
        in render(load_text(text, name="x", shown_as="x"))["guardduty.tf"]
    )


def test_ai_protection_is_left_out_where_a_region_lacks_it() -> None:
    text = regions("eu-central-1", "us-east-1") + 'terraform: {aws_provider_version: "~> 6.0"}\n'
    settings = "ai_protection: ENABLED, plans_not_offered: {us-east-1: [ai_protection]}"
    found = calls(f"{text}components: {{guardduty: {{{settings}}}}}\n")
    assert set(found) == {"eu-central-1", "ai-protection-eu-central-1", "us-east-1"}
    assert 'ai_protection = "ENABLED"' in found["ai-protection-eu-central-1"]
    # The module of the other plans does not know it.
    assert "unsupported_plans = []" in found["us-east-1"]
    everywhere = "plans_not_offered: {eu-central-1: [ai_protection], us-east-1: [ai_protection]}"
    # No module would be called, so that no newer provider is needed.
    older = text.replace("~> 6.0", "~> 5.100")
    assert older != text
    off = f"{older}components: {{guardduty: {{ai_protection: DISABLED, {everywhere}}}}}\n"
    assert not any("ai-protection" in one or "ai_protection" in one for one in calls(off))
    assert "needs version 6.56" in problem(f"{older}components: {{guardduty: {{ai_protection: DISABLED}}}}\n")
    assert problem(f"{text}components: {{guardduty: {{ai_protection: ENABLED, {everywhere}}}}}\n") == (
        "4: components.guardduty.ai_protection: AWS offers it in none of eu-central-1, us-east-1; expected DISABLED, "
        "or another region"
    )


def test_agents_are_left_out_with_their_plan() -> None:
    found = calls(
        regions("eu-central-1", "us-east-1") + "components: {guardduty: {protection: {runtime_monitoring: ENABLED}, "
        "runtime_monitoring_agents: {ec2: ENABLED}, plans_not_offered: {us-east-1: [runtime_monitoring]}}}\n"
    )
    assert 'ec2 = "ENABLED"' in found["eu-central-1"]
    assert 'runtime_monitoring = "DISABLED"' in found["us-east-1"]
    assert "runtime_monitoring_agents = {}" in found["us-east-1"]


def test_a_plan_that_no_active_region_has_is_refused() -> None:
    china = regions("cn-north-1", "cn-northwest-1")
    blocks = "guardduty: {protection: {runtime_monitoring: ENABLED}}"
    assert problem(f"{china}components:\n  {blocks}\n") == (
        "4: components.guardduty.protection.runtime_monitoring: AWS offers it in none of cn-north-1, cn-northwest-1; "
        "expected DISABLED, or another region"
    )
    members = "member_security: {guardduty: {protection: {runtime_monitoring: NEW}}}"
    blocks = f"components:\n  {members}\n  config: {{}}\n  guardduty: {{}}\n  security_hub: {{}}\n"
    assert problem(china + blocks).startswith(
        "4: components.member_security.guardduty.protection.runtime_monitoring: AWS offers it in none of cn-north-1"
    )
    assert "unsupported_plans" in calls(f"{china}components: {{guardduty: {{}}}}\n")["cn-north-1"]


def test_only_active_regions_lack_plans() -> None:
    text = regions("eu-central-1") + "components: {guardduty: {plans_not_offered: {us-east-1: [s3_data_events]}}}\n"
    assert "us-east-1 is not active" in problem(text)


@pytest.mark.parametrize("plans", [plan for plans in _KNOWN_LACKING.values() for plan in plans])
def test_what_is_known_to_be_lacking_is_a_plan(plans: str) -> None:
    assert plans in Protection.model_fields
    assert set(_KNOWN_LACKING) <= set(PARTITION_OF)


EXPORT = "components: {guardduty: {export_findings: true}}\n"


@pytest.mark.parametrize("others", [["eu-central-1"], ["af-south-1"]])
def test_no_other_region_exports_to_a_region_that_had_to_be_enabled(others: list[str]) -> None:
    assert problem(regions("me-south-1", *others) + EXPORT).startswith(
        "3: components.guardduty.export_findings: the bucket is in the home region me-south-1"
    )


@pytest.mark.parametrize(("home", "others"), [("me-south-1", []), ("eu-central-1", ["me-south-1", "us-east-1"])])
def test_exports_that_guardduty_makes(home: str, others: list[str]) -> None:
    load_text(regions(home, *others) + EXPORT, name="x", shown_as="x")
