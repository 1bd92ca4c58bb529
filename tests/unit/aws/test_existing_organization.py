"""What an organization has already of what a plan would make: asked of moto, and of stubs where moto lacks the call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from toolkit.aws.existing import read_existing
from toolkit.aws.session import ClientFactory
from toolkit.environment import load_text
from toolkit.plan.guards import Existing
from toolkit.plan.model import Attribution, parse_plan

REGION = "eu-central-1"
ENVIRONMENT = load_text(
    'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\n', name="x", shown_as="x"
)
ATTRIBUTION = Attribution(("organization",), (REGION,), REGION)


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def organizations() -> Any:
    return boto3.client("organizations", REGION)


def existing(resource: str, clients: ClientFactory | None = None, **values: Any) -> Existing | None:
    entry = {
        "address": f"module.organization.{resource}.this",
        "mode": "managed",
        "type": resource,
        "name": "this",
        "change": {"actions": ["create"], "before": None, "after": values},
    }
    plan = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION)
    found = list(read_existing(plan, clients or ClientFactory(ENVIRONMENT, {})).values())
    assert all(not e.overwritten for e in found)
    return found[0] if found else None


SCP = {"name": "mine", "type": "SERVICE_CONTROL_POLICY"}
ADMINISTRATOR = {"account_id": "111122223333", "service_principal": "guardduty.amazonaws.com"}


@pytest.mark.parametrize(
    ("resource", "values"),
    [
        ("aws_organizations_organization", {}),
        ("aws_organizations_organizational_unit", {"name": "mine"}),  # in a parent not known yet
        ("aws_organizations_policy", SCP),
        ("aws_organizations_policy_attachment", {"target_id": "r-ab12"}),
        ("aws_guardduty_organization_admin_account", {"admin_account_id": "111122223333"}),
    ],
)
def test_an_account_by_itself_has_nothing(resource: str, values: dict[str, Any]):
    assert existing(resource, **values) is None


def test_the_organization(organizations: Any):
    identifier = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    found = existing("aws_organizations_organization")
    assert found == Existing({}, False, identifier, f"the organization {identifier}")


def test_a_unit_of_the_same_name_in_the_same_parent(organizations: Any):
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    unit = organizations.create_organizational_unit(ParentId=root, Name="mine")["OrganizationalUnit"]["Id"]
    found = existing("aws_organizations_organizational_unit", name="mine", parent_id=root)
    assert found == Existing({}, False, unit, "the organizational unit 'mine'")
    assert existing("aws_organizations_organizational_unit", name="mine", parent_id=unit) is None
    assert existing("aws_organizations_organizational_unit", name="other", parent_id=root) is None


def test_a_policy_of_the_same_name_and_type_and_where_it_is_attached(organizations: Any):
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    made = organizations.create_policy(Content="{}", Description="", Name="mine", Type="SERVICE_CONTROL_POLICY")
    policy = made["Policy"]["PolicySummary"]["Id"]
    assert existing("aws_organizations_policy", **SCP) == Existing({}, False, policy, "the policy 'mine'")
    assert existing("aws_organizations_policy", **{**SCP, "type": "TAG_POLICY"}) is None
    attachment = {"policy_id": policy, "target_id": root}
    assert existing("aws_organizations_policy_attachment", **attachment) is None
    organizations.attach_policy(PolicyId=policy, TargetId=root)
    found = existing("aws_organizations_policy_attachment", **attachment)
    assert found == Existing({}, False, f"{root}:{policy}", f"the attachment of {policy} to {root}")


def test_who_administers_a_service(organizations: Any):
    organizations.create_organization(FeatureSet="ALL")
    status = organizations.create_account(AccountName="security", Email="security@example.com")["CreateAccountStatus"]
    values = {**ADMINISTRATOR, "account_id": status["AccountId"]}
    assert existing("aws_organizations_delegated_administrator", **values) is None
    organizations.register_delegated_administrator(
        AccountId=status["AccountId"], ServicePrincipal="guardduty.amazonaws.com"
    )
    found = existing("aws_organizations_delegated_administrator", **values)
    assert found is not None
    assert found.import_id == f"{status['AccountId']}/guardduty.amazonaws.com"


def test_who_administers_guardduty_here():
    boto3.client("guardduty", REGION).enable_organization_admin_account(AdminAccountId="111122223333")
    found = existing("aws_guardduty_organization_admin_account", admin_account_id="444455556666")
    assert found == Existing({}, False, "111122223333", f"111122223333 as administrator of GuardDuty in {REGION}")


class SecurityHub(ClientFactory):
    """What moto lacks: the list of Security Hub's administrators."""

    def __init__(self, *accounts: str) -> None:
        super().__init__(ENVIRONMENT, {})
        self.one = boto3.client("securityhub", REGION)
        answer = {"AdminAccounts": [{"AccountId": a, "Status": "ENABLED"} for a in accounts]}
        stubber = Stubber(self.one)
        stubber.add_response("list_organization_admin_accounts", answer)
        stubber.activate()

    def client(self, service: str, region: str | None = None) -> Any:
        assert (service, region) == ("securityhub", REGION)
        return self.one


def test_who_administers_security_hub_here():
    values = {"admin_account_id": "111122223333"}
    found = existing("aws_securityhub_organization_admin_account", SecurityHub("111122223333"), **values)
    assert found is not None
    assert found.import_id == "111122223333"
    assert existing("aws_securityhub_organization_admin_account", SecurityHub(), **values) is None
