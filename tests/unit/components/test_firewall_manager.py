from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.components.firewall_manager import COMPONENT, FirewallManager
from toolkit.environment import load_text
from toolkit.errors import ToolkitError
from toolkit.rendering.render import render

REGIONS = "{home: eu-central-1, active: [eu-central-1, us-east-1]}"
UNUSED: dict[str, Any] = {"regions": ["eu-central-1"], "usage_audit": {}}
MODEL = {"security_group_ids": ["sg-0123456789abcdef0"]}
GROUPS = {"first_rule_groups": [{"managed_name": "AWSManagedRulesCommonRuleSet"}]}
WEB = {"resource_types": ["AWS::ApiGateway::Stage"], **GROUPS}
BOTH = ["AWS::CloudFront::Distribution", "AWS::ApiGateway::Stage"]
SITES = {"resource_types": ["AWS::CloudFront::Distribution"], **GROUPS}


def message(settings: dict[str, Any]) -> str:
    """The path and the words of the one error that these settings cause."""
    with pytest.raises(ValidationError) as caught:
        FirewallManager.model_validate(settings)
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"


def of(policy: dict[str, Any]) -> dict[str, Any]:
    return {"policies": {"p": policy}}


def rendered(block: str, regions: str = REGIONS) -> dict[str, str]:
    """Module label → its call."""
    text = f'account_id: "123456789012"\nregions: {regions}\ncomponents:\n  config: {{}}\n  firewall_manager: {block}\n'
    calls = render(load_text(text, name="x", shown_as="x"))["firewall_manager.tf"]
    return dict(re.findall(r'^module "(\w+)" \{\n(.*?)^\}', calls, re.M | re.S))


def test_nothing_is_remediated_or_deleted_unless_asked_for() -> None:
    policy = FirewallManager.model_validate(of(UNUSED)).policies["p"]
    assert not policy.remediation_enabled
    assert not policy.delete_resources_with_policy
    assert COMPONENT.settings is FirewallManager


@pytest.mark.parametrize(
    "policy",
    [
        {"regions": ["eu-central-1"], "content_audit": {**MODEL, "rules_are": "denied", "direction": "ingress"}},
        {"regions": ["eu-central-1", "us-east-1"], "waf": WEB},
        {"regions": ["us-east-1"], "waf": SITES},
        {"regions": ["us-east-1"], "dns_firewall": {"last_rule_group_ids": ["rslvr-frg-1"]}},
        {**UNUSED, "scope": {"resource_tags": {"keep": ""}, "resource_tags_are": "excluded"}},
    ],
    ids=str,
)
def test_each_kind(policy: dict[str, Any]) -> None:
    assert list(FirewallManager.model_validate(of(policy)).policies) == ["p"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ": firewall_manager must have administrator_account_id, policies, or both"),
        ({"administrator_account_id": "1"}, "administrator_account_id: expected an account id: 12 digits"),
        ({"policies": {"a*": UNUSED}}, "policies.a*.[key]: expected 1 to 128 letters"),
        (of({"regions": ["eu-central-1"]}), "policies.p: a policy must have exactly one of content_audit"),
        (of({**UNUSED, "waf": WEB}), "policies.p: a policy must have exactly one of content_audit"),
        (of({**UNUSED, "regions": []}), "policies.p.regions: expected at least one value"),
        (of({**UNUSED, "regions": ["eu-central"]}), "policies.p.regions.0: expected an AWS region"),
        (
            of({"regions": ["eu-central-1", "us-east-1"], "content_audit": MODEL}),
            "policies.p: regions must be one with content_audit and dns_firewall",
        ),
        (of({"regions": ["eu-central-1"], "waf": SITES}), "policies.p: regions must be us-east-1 for AWS::CloudFront"),
        (
            of({"regions": ["us-east-1"], "waf": {**SITES, "resource_types": BOTH}}),
            "policies.p.waf: resource_types must name AWS::CloudFront::Distribution alone",
        ),
        (
            of({"regions": ["us-east-1"], "waf": {"resource_types": WEB["resource_types"]}}),
            "policies.p.waf: waf must have at least one of first_rule_groups",
        ),
        (
            of({"regions": ["us-east-1"], "waf": {**WEB, "first_rule_groups": [{}]}}),
            "policies.p.waf.first_rule_groups.0: a rule group must have either managed_name or arn",
        ),
        (
            of({"regions": ["us-east-1"], "waf": {**WEB, "first_rule_groups": [{"managed_name": "Mine"}]}}),
            "policies.p.waf.first_rule_groups.0.managed_name: expected the name of a rule group that AWS manages",
        ),
        (
            of({"regions": ["us-east-1"], "waf": {**WEB, "last_rule_groups": [{"arn": "arn:aws:s3:::b"}]}}),
            "policies.p.waf.last_rule_groups.0.arn: expected the ARN of a rule group of WAF",
        ),
        (
            of({"regions": ["us-east-1"], "waf": {**WEB, "log_destination_arn": "arn:aws:s3:::logs"}}),
            "policies.p.waf.log_destination_arn: expected the ARN of a Firehose stream or bucket whose name",
        ),
        (
            of({"regions": ["us-east-1"], "content_audit": {"security_group_ids": ["mine"]}}),
            "policies.p.content_audit.security_group_ids.0: expected the id of a security group",
        ),
        (of({**UNUSED, "usage_audit": {"unused": False}}), "policies.p.usage_audit: usage_audit must look for unused"),
        (of({"regions": ["us-east-1"], "dns_firewall": {}}), "policies.p.dns_firewall: dns_firewall must have at le"),
        (
            of({"regions": ["us-east-1"], "dns_firewall": {"first_rule_group_ids": [f"rslvr-frg-{n}" for n in "123"]}}),
            "policies.p.dns_firewall: first_rule_group_ids and last_rule_group_ids must be at most two",
        ),
        (
            of({**UNUSED, "scope": {"accounts": ["123456789012"], "excluded_accounts": ["111122223333"]}}),
            "policies.p.scope: scope must either include or exclude",
        ),
        (of({**UNUSED, "scope": {"organizational_units": ["prod"]}}), "policies.p.scope.organizational_units.0: expe"),
        (
            of({**UNUSED, "scope": {"resource_tags": {str(n): "" for n in range(9)}}}),
            "policies.p.scope: resource_tags must be at most eight",
        ),
    ],
)
def test_what_is_refused(settings: dict[str, Any], expected: str) -> None:
    assert message(settings).startswith(expected)


def test_each_region_gets_its_policies_once_the_administrator_is_named() -> None:
    policies = "a: {regions: [us-east-1], usage_audit: {}}, b: {regions: [us-east-1, eu-central-1], usage_audit: {}}"
    alone = rendered(f"{{policies: {{{policies}}}}}")
    assert set(alone) == {"firewall_manager_eu_central_1", "firewall_manager_us_east_1"}
    assert '"a"' not in alone["firewall_manager_eu_central_1"].replace("a = {", '"a"')
    assert "a = {" in alone["firewall_manager_us_east_1"]
    both = rendered(f"{{administrator_account_id: '123456789012', policies: {{{policies}}}}}")
    assert "aws = aws.us_east_1" in both.pop("firewall_manager_administrator_us_east_1")
    reference = "administrator_account_id = module.firewall_manager_administrator_us_east_1.account_id"
    assert all(reference in call for call in both.values())
    only = rendered("{administrator_account_id: '111122223333'}")
    assert set(only) == {"firewall_manager_administrator_us_east_1"}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (
            "{administrator_account_id: '123456789012'}",
            "components.firewall_manager.administrator_account_id: is possible only in us-east-1, which is not active",
        ),
        (
            "{policies: {p: {regions: [eu-central-1, us-east-1], usage_audit: {}}}}",
            "components.firewall_manager.policies.p.regions[1]: us-east-1 is not active; expected one of eu-central-1",
        ),
    ],
)
def test_what_a_region_that_is_not_active_would_need(block: str, expected: str) -> None:
    with pytest.raises(ToolkitError) as caught:
        rendered(block, "{home: eu-central-1}")
    assert expected in str(caught.value.detail)
    assert rendered("{policies: {p: {regions: [eu-central-1], usage_audit: {}}}}", "{home: eu-central-1}")
