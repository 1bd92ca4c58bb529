"""What an organization has already of what a plan would make: asked of moto, and of stubs where moto lacks the call."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.environment import load_text
from toolkit.errors import ToolkitError
from toolkit.plan.guards import Existing
from toolkit.plan.model import Attribution, parse_plan

from .conftest import read_existing

REGION = "eu-central-1"
ENVIRONMENT = load_text(
    'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\n', name="x", shown_as="x"
)
ATTRIBUTION = Attribution(("organization",), (REGION,), REGION)

pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture
def organizations() -> Any:
    return boto3.client("organizations", REGION)


def existing(resource: str, clients: AwsSession | None = None, **values: Any) -> Existing | None:
    entry = {
        "address": f"module.organization.{resource}.this",
        "mode": "managed",
        "type": resource,
        "name": "this",
        "change": {"actions": ["create"], "before": None, "after": values},
    }
    plan = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION)
    found = list(read_existing(plan, Inventory(clients or AwsSession(ENVIRONMENT, {}))).values())
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


class Stubbed(AwsSession):
    """What moto lacks: one service, its recorded answer or error."""

    def __init__(self, service: str, method: str, answer: dict[str, Any] | str) -> None:
        super().__init__(ENVIRONMENT, {})
        self.one = boto3.client(service, REGION)  # type: ignore[call-overload]
        stubber = Stubber(self.one)
        if isinstance(answer, str):
            stubber.add_client_error(method, answer)
        else:
            stubber.add_response(method, answer)
        stubber.activate()

    def client(self, service: str, region: str | None = None) -> Any:
        assert (service, region) in ((self.one.meta.service_model.service_name, r) for r in (None, REGION))
        return self.one


@pytest.mark.parametrize("accounts", [["111122223333"], []])
def test_who_administers_security_hub_here(accounts: list[str]):
    answer = {"AdminAccounts": [{"AccountId": a, "Status": "ENABLED"} for a in accounts]}
    clients = Stubbed("securityhub", "list_organization_admin_accounts", answer)
    found = existing("aws_securityhub_organization_admin_account", clients, admin_account_id="444455556666")
    assert ([found.import_id] if found else []) == accounts


def features(answer: dict[str, Any] | str) -> Existing | None:
    clients = Stubbed("iam", "list_organizations_features", answer)
    entry = {
        "address": "module.organization.aws_iam_organizations_features.this",
        "mode": "managed",
        "type": "aws_iam_organizations_features",
        "name": "this",
        "change": {"actions": ["create"], "before": None, "after": {"enabled_features": ["RootSessions"]}},
    }
    plan = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION)
    return next(iter(read_existing(plan, Inventory(clients)).values()), None)


def test_central_root_access_that_is_on_is_compared_like_a_change():
    found = features({"OrganizationId": "o-a1b2c3d4e5", "EnabledFeatures": ["RootCredentialsManagement"]})
    assert found == Existing(
        {"enabled_features": ["RootCredentialsManagement"]}, True, "o-a1b2c3d4e5", "features of central root access"
    )


@pytest.mark.parametrize(
    "answer",
    [
        {"OrganizationId": "o-a1b2c3d4e5", "EnabledFeatures": []},
        "OrganizationNotFoundException",
        "OrganizationNotInAllFeaturesModeException",
        "ServiceAccessNotEnabledException",
    ],
)
def test_central_root_access_that_is_off_is_in_nobodys_way(answer: dict[str, Any] | str):
    assert features(answer) is None


def test_what_cannot_be_asked_is_an_error_and_no_absence():
    with pytest.raises(ToolkitError, match="AccessDenied"):
        features("AccessDenied")
