"""What must come after something of another component says so, and what a component needs trusted is trusted."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from toolkit.environment import load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.rendering.render import render

ACCOUNT, SECURITY = "111122223333", "444455556666"
ORGANIZATION: dict[str, Any] = {"organization": {}}
FMS = {"config": {}, "firewall_manager": {"administrator_account_id": ACCOUNT}}
ROOT = {
    "root_protection": {
        "custodians": ["One", "Two"],
        "password_kept_in": "vault",
        "mfa_devices": {},
        "enabled_features": ["RootSessions"],
    }
}
MEMBERS: dict[str, Any] = {"config": {}, "guardduty": {}, "security_hub": {}, "member_security": {}}
CENTRAL = {
    **MEMBERS,
    "member_security": {
        "security_hub": {"configuration": "CENTRAL", "policies": {"all": {"targets": ["r-ab12"]}}},
    },
}
ADMINISTERED = {"organization": {"security_administrator_account_id": ACCOUNT}}
SETS = {"identity_center": {"permission_sets": {"audit": {"managed_policies": ["SecurityAudit"]}}}}


def rendered(components: dict[str, Any]) -> dict[str, str]:
    """Label of each module call → its text, on one line."""
    text = yaml.safe_dump(
        {
            "account_id": ACCOUNT,
            "regions": {"home": "eu-central-1", "active": ["eu-central-1", "us-east-1"]},
            "components": components,
        }
    )
    files = render(load_text(text, name="x", shown_as="x"))
    calls = re.findall(r'^module "(\w+)" \{\n(.*?)^\}', "\n".join(files.values()), re.M | re.S)
    return {label: " ".join(body.split()) for label, body in calls}


@pytest.mark.parametrize(
    ("components", "label", "after"),
    [
        (
            {"cloudtrail": {"organization_id": "o-a1b2c3d4e5"}},
            "cloudtrail",
            "organization_id = module.organization.organization_id",
        ),
        (
            {"access_analyzer": {"zone_of_trust": "ORGANIZATION"}},
            "access_analyzer_us_east_1",
            "depends_on = [module.organization]",
        ),
        (FMS, "firewall_manager_administrator_us_east_1", "depends_on = [module.organization]"),
        (ROOT, "root_protection", "depends_on = [module.organization]"),
    ],
)
def test_what_needs_the_organization_comes_after_it(components: dict[str, Any], label: str, after: str) -> None:
    assert after in rendered({**ORGANIZATION, **components})[label]
    assert "module.organization" not in rendered(components)[label]


def test_what_is_the_account_s_own_waits_for_no_organization() -> None:
    calls = rendered({**ORGANIZATION, "cloudtrail": {}, "access_analyzer": {}})
    assert "module.organization" not in calls["cloudtrail"] + calls["access_analyzer_eu_central_1"]


def test_central_configuration_comes_after_the_hubs_of_all_regions() -> None:
    calls = rendered(CENTRAL)
    both = "depends_on = [module.security_hub_eu_central_1, module.security_hub_us_east_1]"
    assert both in calls["member_security_eu_central_1"]
    assert "depends_on = [module.security_hub_us_east_1]" in calls["member_security_us_east_1"]
    assert "depends_on = [module.security_hub_eu_central_1]" in rendered(MEMBERS)["member_security_eu_central_1"]


def test_an_account_that_administers_services_itself_is_named_administrator_first() -> None:
    named = "depends_on = [module.security_hub_us_east_1, module.organization_administrators_us_east_1]"
    assert named in rendered({**MEMBERS, **ADMINISTERED})["member_security_us_east_1"]
    other = {"organization": {"security_administrator_account_id": SECURITY}}
    assert "administrators" not in rendered({**MEMBERS, **other})["member_security_us_east_1"]


@pytest.mark.parametrize(
    ("components", "service"),
    [
        ({"cloudtrail": {"organization_id": "o-a1b2c3d4e5"}}, "cloudtrail"),
        ({"access_analyzer": {"zone_of_trust": "ORGANIZATION"}}, "access-analyzer"),
        (FMS, "fms"),
        (ROOT, "iam"),
        (SETS, "sso"),
        ({"detective": {"auto_enable_members": True}}, "detective"),
        (MEMBERS, "guardduty"),
        (MEMBERS, "config"),
        (
            {**MEMBERS, "member_security": {"guardduty": {"protection": {"ebs_malware_protection": "NEW"}}}},
            "malware-protection.guardduty",
        ),
        ({"organization": {"delegated_administrators": {"inspector2.amazonaws.com": [SECURITY]}}}, "inspector2"),
        (ADMINISTERED, "securityhub"),
    ],
)
def test_the_organization_trusts_what_its_components_need(components: dict[str, Any], service: str) -> None:
    organization = {"trusted_services": ["ram.amazonaws.com"], **components.get("organization", {})}
    assert f'"{service}.amazonaws.com"' in trusted({**components, "organization": organization})
    assert '"ram.amazonaws.com"' in trusted({**components, "organization": organization})
    assert trusted({"organization": {"trusted_services": ["ram.amazonaws.com"]}}) == '"ram.amazonaws.com"'


def trusted(components: dict[str, Any]) -> str:
    return rendered(components)["organization"].partition("trusted_services = [")[2].partition("]")[0].strip(" ,")


def test_a_trail_of_another_organization_than_the_policies_is_a_mistake() -> None:
    trail = {"organization_id": "o-a1b2c3d4e5"}
    with pytest.raises(EnvironmentFileError) as caught:
        rendered({"cloudtrail": trail, "organization": {"organization_id": "o-zzzzzzzzzz"}})
    (problem,) = caught.value.problems
    assert problem.path == "components.cloudtrail.organization_id"
    assert "organization.organization_id is o-zzzzzzzzzz" in str(problem)
    rendered({"cloudtrail": trail, "organization": dict(trail)})
