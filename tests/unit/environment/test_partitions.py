"""What AWS does not offer in GovCloud and China is refused with its line, and nothing else is."""

from __future__ import annotations

import boto3
import pytest

from toolkit.components.base import GOVCLOUD_SERVICES
from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.rendering.render import render

HOME = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}
SHIELD = "shield: {accept_one_year_commitment: true}"
CONTACTS = (
    "account_contacts: {root_email_address: root@example.com, security: {name: A, title: B, email_address: "
    'c@example.com, phone_number: "+49 30 1234567"}}'
)
BUDGETS = "account_defaults: {budgets: {monthly: {limit_usd: 5, email_addresses: [a@example.com]}}}"
ADVISOR = (
    "trusted_advisor: {subscribers: {email_addresses: [a@example.com]}, support_plan: business, refresh: "
    "{check_ids: [HCP4007jGY]}}"
)
TYPES = "enabled_policy_types: [SERVICE_CONTROL_POLICY, TAG_POLICY]"
OPT_OUT = "ai_services_opt_out: {enabled: false}"
UNMANAGED = (
    "organization: {ai_services_opt_out: {enabled: false}, manage_organization: false, management_policies: {own: "
    "{type: BACKUP_POLICY, description: Own, content: {a: {}}, targets: [root]}}}"
)
OWN_TYPE = "organization.management_policies.own.type"
GOV, CHINA = "aws-us-gov", "aws-cn"


def file(partition: str, component: str) -> str:
    region = HOME[partition]
    return f'account_id: "123456789012"\nregions: {{home: {region}}}\ncomponents:\n  {component}\n'


@pytest.mark.parametrize(
    ("component", "setting", "name", "lacking"),
    [
        (CONTACTS, "account_contacts", "Account Management", {GOV}),
        (BUDGETS, "account_defaults.budgets", "Budgets", {GOV}),
        (SHIELD, "shield", "Shield Advanced", {GOV, CHINA}),
        (ADVISOR, "trusted_advisor.refresh", "access to Trusted Advisor through the Support API", {CHINA}),
        (
            f"organization: {{{TYPES}, manage_organization: false}}",
            "organization.ai_services_opt_out.enabled",
            "AI services opt-out policies",
            {GOV},
        ),
        (
            f"organization: {{{OPT_OUT}, enabled_policy_types: [SERVICE_CONTROL_POLICY, BACKUP_POLICY]}}",
            "organization.enabled_policy_types",
            "policies of type BACKUP_POLICY",
            {GOV},
        ),
        (UNMANAGED, OWN_TYPE, "policies of type BACKUP_POLICY", {GOV}),
        (UNMANAGED.replace("BACKUP_POLICY", "DECLARATIVE_POLICY_EC2"), "", "", set()),
        (f"organization: {{{TYPES}, {OPT_OUT}}}", "", "", set()),
        ("account_defaults: {}", "", "", set()),
        (ADVISOR.partition(", support_plan")[0] + "}", "", "", set()),
    ],
)
@pytest.mark.parametrize("partition", HOME)
def test_what_a_partition_lacks_is_refused(
    partition: str, component: str, setting: str, name: str, lacking: set[str]
) -> None:
    text = file(partition, component)
    if partition not in lacking:
        render(load_text(text, name="x", shown_as="x"))
        return
    with pytest.raises(EnvironmentFileError) as caught:
        load_text(text, name="x", shown_as="x")
    (problem,) = caught.value.problems
    assert problem.line == 4
    assert str(problem).startswith(
        f"components.{setting}: AWS has no {name} in the partition {partition}; expected "
    ), str(problem)


def test_an_empty_organization_in_govcloud_names_both_that_must_change() -> None:
    with pytest.raises(EnvironmentFileError) as caught:
        load_text(file(GOV, "organization: {}"), name="x", shown_as="x")
    assert {p.path.rpartition("organization.")[2] for p in caught.value.problems} == {
        "ai_services_opt_out.enabled",
        "enabled_policy_types",
    }


def test_every_gap_has_its_source_and_a_setting_that_exists() -> None:
    services = {"account_contacts": "account", "account_defaults": "budgets", "shield": "shield"}
    session = boto3.Session()
    for component in REGISTRY.values():
        for lacking in component.lacking_in:
            assert "2026-11-28" in lacking.source
            assert lacking.expected
            assert set(lacking.partitions) <= set(HOME)
            assert lacking.setting.partition(".")[0] in {"", *component.settings.model_fields}
            if lacking.source == GOVCLOUD_SERVICES:
                service = services[component.name]
                assert session.get_available_regions(service, GOV, allow_non_regional=True) == []
