"""What an organization has already of what a plan would make: asked of moto."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.plan.guards import Existing

from .conftest import ENVIRONMENT, client, plan_of, read_existing

pytestmark = pytest.mark.usefixtures("aws")

SCP = {"name": "mine", "type": "SERVICE_CONTROL_POLICY"}
ADMINISTRATOR = {"account_id": "111122223333", "service_principal": "guardduty.amazonaws.com"}


@pytest.fixture
def organizations() -> Any:
    return client("organizations")


def existing(resource: str, **values: Any) -> Existing | None:
    plan = plan_of("organization", resource, values)
    found = list(read_existing(plan, Inventory(AwsSession(ENVIRONMENT, {}))).values())
    assert all(not e.overwritten for e in found)
    return found[0] if found else None


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
