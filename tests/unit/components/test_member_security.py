from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.components.member_security import COMPONENT, MemberSecurity
from toolkit.environment import load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.rendering.render import render

CENTRAL = {"configuration": "CENTRAL", "policies": {"baseline": {"targets": ["r-ab12"]}}}


def message(settings: dict[str, Any]) -> str:
    """The path and the words of the one error that these settings cause."""
    with pytest.raises(ValidationError) as caught:
        MemberSecurity.model_validate(settings)
    (error,) = caught.value.errors()
    path = ".".join(map(str, error["loc"]))
    return f"{path}: {error['msg'].removeprefix('Value error, ')}"


def rendered(**components: Any) -> str:
    blocks = json.dumps({"config": {}, "guardduty": {}, "security_hub": {}, "member_security": {}, **components})
    regions = "{home: eu-central-1, active: [eu-central-1, us-east-1]}"
    text = f'account_id: "123456789012"\nregions: {regions}\ncomponents: {blocks}\n'
    return dict(render(load_text(text, name="x", shown_as="x")))["member_security.tf"]


def test_an_empty_block_reaches_every_account_and_bills_no_plan() -> None:
    settings = MemberSecurity()
    assert settings.guardduty.auto_enable == "ALL"
    assert set(settings.guardduty.protection.model_dump().values()) == {"NONE"}
    assert (settings.security_hub.configuration, settings.security_hub.default_standards) == ("LOCAL", False)
    assert settings.config_aggregator.enabled
    assert COMPONENT.settings is MemberSecurity


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"guardduty": {"runtime_monitoring_agents": {"ec2": "ALL"}}},
            "guardduty: runtime_monitoring_agents need protection.runtime_monitoring to be ALL or NEW",
        ),
        (
            {"security_hub": {"configuration": "CENTRAL"}},
            "security_hub: policies must be given with configuration: CENTRAL, and only with it",
        ),
        (
            {"security_hub": {"policies": CENTRAL["policies"]}},
            "security_hub: policies must be given with configuration: CENTRAL, and only with it",
        ),
        (
            {"security_hub": {"configuration": "CENTRAL", "policies": {"baseline": {"targets": ["root"]}}}},
            "security_hub.policies.baseline.targets.0: expected the id of a root (r-…), a unit (ou-…) or an account",
        ),
        (
            {"security_hub": {**CENTRAL, "policies": {"a b": {"targets": ["r-ab12"]}}}},
            "security_hub.policies.a b.[key]: expected 1 to 128 letters, digits, underscores and hyphens",
        ),
        (
            {
                "security_hub": {
                    **CENTRAL,
                    "policies": {"baseline": {"targets": ["r-ab12"], "disabled_controls": ["root MFA"]}},
                }
            },
            "security_hub.policies.baseline.disabled_controls.0: expected the id of a control, such as IAM.6 or "
            "CloudTrail.1",
        ),
        ({"guardduty": {"auto_enable": "SOME"}}, "guardduty.auto_enable: Input should be 'ALL', 'NEW' or 'NONE'"),
        (
            {"config_aggregator": {"name": "a name"}},
            "config_aggregator.name: expected 1 to 256 letters, digits, underscores and hyphens",
        ),
        (
            {"config_aggregator": {"role_name": "a role"}},
            "config_aggregator.role_name: expected 1 to 64 letters, digits or _+=,.@-",
        ),
    ],
)
def test_refused(settings: dict[str, Any], expected: str) -> None:
    assert message(settings) == expected


def test_each_region_gets_its_own_detector_and_the_home_region_says_what_is_central() -> None:
    text = rendered(member_security={"security_hub": CENTRAL})
    assert "detector_id    = module.guardduty_us_east_1.detector_id" in text
    assert text.count("is_home_region    = true") == 1
    assert text.count("is_home_region    = false") == 1
    assert text.count('module "member_security_aggregator"') == 1


def test_central_configuration_wants_findings_gathered() -> None:
    with pytest.raises(EnvironmentFileError) as caught:
        rendered(member_security={"security_hub": CENTRAL}, security_hub={"finding_aggregation": False})
    (problem,) = caught.value.problems
    assert problem.path == "components.member_security.security_hub.configuration"
    rendered(security_hub={"finding_aggregation": False})
    rendered(
        member_security={"security_hub": {**CENTRAL, "enabled": False}}, security_hub={"finding_aggregation": False}
    )
