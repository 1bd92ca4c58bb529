"""An organization on the embedded AWS: made, left alone by a second plan, administered, and taken away again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.terraform

# iam.amazonaws.com is none of the services that the embedded AWS knows as trusted.
ENVIRONMENT = """\
account_id: "123456789012"
regions: {home: eu-central-1}
simulator: moto
components:
  organization:
    trusted_services: [config.amazonaws.com, config-multiaccountsetup.amazonaws.com, guardduty.amazonaws.com]
    organizational_units: [Workloads, Workloads/Production]
    exempted_principal_arns: ["arn:aws:iam::*:role/baseline-deployer"]
    deployer_arns: ["arn:aws:iam::111122223333:role/baseline-deployer"]
    service_control_policies:
      baseline-guardrails: {guardrails: [deny_leaving, deny_root_user, protect_trail]}
      own: {file: policies/own.json, targets: [Workloads/Production]}
    resource_control_policies:
      baseline-resources: {guardrails: [require_tls]}
    tag_policies:
      owners: {tags: {Owner: {values: ["*@example.com"]}}, targets: [Workloads]}
    enabled_policy_types:
      [AISERVICES_OPT_OUT_POLICY, DECLARATIVE_POLICY_EC2, RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY, TAG_POLICY]
    management_policies:
      consoles:
        type: DECLARATIVE_POLICY_EC2
        content: {ec2_attributes: {serial_console_access: {status: {"@@assign": disabled}}}}
        targets: [Workloads]
"""
OWN = """\
{
  "Version": "2012-10-17",
  "Statement": [{"Sid": "NoMarketplace", "Effect": "Deny", "Action": "aws-marketplace:Subscribe", "Resource": "*"}]
}
"""


def attached(organizations: Any, target: str) -> set[str]:
    """Names of our policies on a target."""
    kinds = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY", "TAG_POLICY", "AISERVICES_OPT_OUT_POLICY")
    kinds += ("DECLARATIVE_POLICY_EC2",)
    found = [
        policy
        for kind in kinds
        for policy in organizations.list_policies_for_target(TargetId=target, Filter=kind)["Policies"]
    ]
    return {policy["Name"] for policy in found if not policy["AwsManaged"]}


def test_an_organization_from_beginning_to_end(new_project: Callable[..., Any]):
    cli = new_project()
    cli.write("org", ENVIRONMENT)
    own = cli.file("org").parent / "policies" / "own.json"
    own.parent.mkdir()
    own.write_text(OWN)
    cli.run("sandbox", "up")
    cli.run("apply", "org", "--auto-approve")
    organizations = cli.client("organizations")
    root = organizations.list_roots()["Roots"][0]["Id"]
    (workloads,) = organizations.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"]
    (production,) = organizations.list_organizational_units_for_parent(ParentId=workloads["Id"])["OrganizationalUnits"]
    assert (workloads["Name"], production["Name"]) == ("Workloads", "Production")
    assert attached(organizations, root) == {"baseline-guardrails", "baseline-resources", "baseline-ai-opt-out"}
    assert attached(organizations, workloads["Id"]) == {"consoles", "owners"}
    assert attached(organizations, production["Id"]) == {"own"}

    made = organizations.create_account(AccountName="security", Email="security@example.com")
    account = made["CreateAccountStatus"]["AccountId"]
    cli.write(
        "org",
        ENVIRONMENT
        + f'    delegated_administrators: {{config-multiaccountsetup.amazonaws.com: ["{account}"]}}\n'
        + "    limits: {service_control_policies_per_target: 2}\n",
    )
    cli.run("apply", "org", "--auto-approve")
    (administrator,) = organizations.list_delegated_administrators()["DelegatedAdministrators"]
    assert administrator["Id"] == account

    # Both accounts are audited, the second as a role in it; what failed in the last report does not count.
    check = ("--regions", "eu-central-1", "--check", "iam_password_policy_minimum_length_14", "--fail-on", "medium")
    nightly = (*check, "--baseline", "latest", "--format", "json", "--history")
    audits = str(cli.file("org").parents[2] / "audits")
    first = json.loads(cli.run("audit", "org", "--organization", *nightly, audits, exits=2).stdout)
    assert [(one["account_id"], one["environment"]) for one in first["accounts"]] == sorted(
        [("123456789012", "org"), (account, None)]
    )
    alone = json.loads(cli.run("audit", "org", *nightly, f"{audits}/123456789012").stdout)
    assert alone["baseline"]["changes"]["unchanged"] == 1

    # What limits the accounts does not go away unasked.
    cli.write("org", ENVIRONMENT.replace("deny_root_user, ", ""))
    refused = cli.json("plan", "org", exits=4)
    assert any("denies less: DenyRootUser" in f["evidence"] for f in refused["findings"])
    assert any("aws_organizations_delegated_administrator" in f["subject"] for f in refused["findings"])
    # Nothing else is pending.
    assert {kind: n for kind, n in refused["summary"].items() if n and kind != "unchanged"} == {
        "change": 1,
        "destroy": 1,
    }

    organizations.deregister_delegated_administrator(
        AccountId=account, ServicePrincipal="config-multiaccountsetup.amazonaws.com"
    )
    organizations.remove_account_from_organization(AccountId=account)
    cli.write("org", ENVIRONMENT)
    cli.run("destroy", "org", "--auto-approve")
    with pytest.raises(organizations.exceptions.AWSOrganizationsNotInUseException):
        organizations.describe_organization()


def test_an_organization_that_is_there_is_taken_over_and_loses_nothing(new_project: Callable[..., Any]):
    cli = new_project()
    cli.run("sandbox", "up")
    organizations = cli.client("organizations")
    identifier = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.enable_policy_type(RootId=root, PolicyType="BACKUP_POLICY")
    organizations.enable_aws_service_access(ServicePrincipal="ram.amazonaws.com")
    unit = organizations.create_organizational_unit(ParentId=root, Name="Workloads")["OrganizationalUnit"]["Id"]
    head = 'account_id: "123456789012"\nregions: {home: eu-central-1}\nsimulator: moto\n'
    block = (
        "components:\n  organization:\n    organizational_units: [Workloads]\n    service_control_policies: {}\n"
        "    ai_services_opt_out: {enabled: false}\n"
    )
    managed = 'module.organization.aws_organizations_organization.this["managed"]'
    workloads = 'module.organization.aws_organizations_organizational_unit.level_1["Workloads"]'

    cli.write("org", head + block)
    assert f"'{managed}': '{identifier}'" in cli.run("plan", "org", exits=4).stdout

    # Its lists are whole lists: what it has and they have not would be switched off.
    imports = f"imports:\n  '{managed}': '{identifier}'\n  '{workloads}': '{unit}'\n"
    cli.write("org", head + block + "    trusted_services: [config.amazonaws.com]\n" + imports)
    accepted = ("--allow-weaker", "*.aws_service_access_principals", "--allow-weaker", "*.enabled_policy_types")
    planned = cli.json("plan", "org", *accepted)
    found = {f["subject"].removeprefix(f"{managed}."): f for f in planned["findings"]}
    assert set(found) == {"aws_service_access_principals", "enabled_policy_types"}
    assert {f["rule"] for f in found.values()} == {"weakens"}
    assert found["aws_service_access_principals"]["evidence"] == '["ram.amazonaws.com"] → ["config.amazonaws.com"]'
    # Nothing else is weaker, and both are imported.
    assert planned["summary"]["import"] == 2
