"""What an administrator has set for an organization's accounts: asked of stubs, since moto lacks these calls."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.errors import ToolkitError
from toolkit.findings import Finding
from toolkit.plan.guards import Existing, judge
from toolkit.plan.model import Attribution, parse_plan
from toolkit.resources.registry import RESOURCES

from .conftest import read_existing

REGION = "eu-central-1"
ENVIRONMENT = load_text(
    'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\n', name="x", shown_as="x"
)
DETECTOR = ("list_detectors", {"DetectorIds": ["12abc34d567e8fa901bc2d34e56789f0"]})
MEMBERS = {"MemberAccountLimitReached": False, "AutoEnableOrganizationMembers": "ALL"}
POLICY = "a1b2c3d4-5678-90ab-cdef-111111111111"


class Stubbed(AwsSession):
    """One service and its recorded answers, in the order in which they are asked for; a text is an error's code."""

    def __init__(self, service: str, *answers: tuple[str, dict[str, Any] | str]) -> None:
        super().__init__(ENVIRONMENT, {})
        keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "example"}
        self.one = boto3.client(service, REGION, **keys)  # type: ignore[call-overload]
        stubber = Stubber(self.one)
        for method, answer in answers:
            if isinstance(answer, str):
                stubber.add_client_error(method, answer)
            else:
                stubber.add_response(method, answer)
        stubber.activate()

    def client(self, service: str, region: str | None = None) -> Any:
        assert (service, region) == (self.one.meta.service_model.service_name, REGION)
        return self.one


def asked(resource: str, clients: AwsSession, **values: Any) -> tuple[Existing | None, list[Finding]]:
    entry = {
        "address": f"module.member_security_eu_central_1.{resource}.this",
        "mode": "managed",
        "type": resource,
        "name": "this",
        "change": {"actions": ["create"], "before": None, "after": values},
    }
    attribution = Attribution(tuple(REGISTRY), (REGION,), REGION)
    plan = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, attribution)
    found = read_existing(plan, Inventory(clients))
    return next(iter(found.values()), None), list(judge(plan, REGISTRY, found))


def guardduty(answer: dict[str, Any] | str) -> Stubbed:
    return Stubbed("guardduty", DETECTOR, ("describe_organization_configuration", answer), DETECTOR)


def test_fewer_accounts_than_now_are_refused() -> None:
    configuration = "aws_guardduty_organization_configuration"
    found, findings = asked(configuration, guardduty(MEMBERS), auto_enable_organization_members="NEW")
    assert found is not None
    assert found.values == {"auto_enable_organization_members": "ALL"}
    assert any(f.blocks and f.evidence == '"ALL" → "NEW"' for f in findings)
    assert asked(configuration, guardduty(MEMBERS), auto_enable_organization_members="ALL") == (None, [])


def test_a_plan_that_is_on_for_members_is_not_switched_off_unseen() -> None:
    answer = {**MEMBERS, "Features": [{"Name": "S3_DATA_EVENTS", "AutoEnable": "ALL"}]}
    feature = "aws_guardduty_organization_configuration_feature"
    _, findings = asked(feature, guardduty(answer), name="S3_DATA_EVENTS", auto_enable="NONE")
    assert any(f.blocks for f in findings)
    assert asked(feature, guardduty(answer), name="EKS_AUDIT_LOGS", auto_enable="NONE") == (None, [])


@pytest.mark.parametrize(
    "clients", [Stubbed("guardduty", ("list_detectors", {"DetectorIds": []})), guardduty("BadRequestException")]
)
def test_an_account_that_administers_nothing_overwrites_nothing(clients: AwsSession) -> None:
    values = {"auto_enable_organization_members": "NONE"}
    assert asked("aws_guardduty_organization_configuration", clients, **values) == (None, [])


def test_security_hubs_settings_are_told_where_they_change() -> None:
    answer = {
        "AutoEnable": True,
        "AutoEnableStandards": "DEFAULT",
        "OrganizationConfiguration": {"ConfigurationType": "LOCAL", "Status": "ENABLED"},
    }
    central = {"configuration_type": "CENTRAL"}
    values = {"auto_enable": False, "auto_enable_standards": "NONE", "organization_configuration": [central]}
    hub = "aws_securityhub_organization_configuration"
    _, (told,) = asked(hub, Stubbed("securityhub", ("describe_organization_configuration", answer)), **values)
    assert "auto_enable: true → false" in told.evidence
    same = {"auto_enable": True, "auto_enable_standards": "DEFAULT"}
    local = [{"configuration_type": "LOCAL"}]
    clients = Stubbed("securityhub", ("describe_organization_configuration", answer))
    assert asked(hub, clients, **same, organization_configuration=local) == (None, [])


def test_a_policy_of_the_same_name_collides() -> None:
    answer = {"ConfigurationPolicySummaries": [{"Id": POLICY, "Name": "baseline"}]}
    policy = "aws_securityhub_configuration_policy"
    found, _ = asked(policy, Stubbed("securityhub", ("list_configuration_policies", answer)), name="baseline")
    assert found == Existing({}, False, POLICY, "the configuration policy 'baseline'")
    other, _ = asked(policy, Stubbed("securityhub", ("list_configuration_policies", answer)), name="other")
    assert other is None


@pytest.mark.parametrize("target", ["r-ab12", "ou-ab12-cdefgh34", "111122223333"])
def test_a_policy_that_a_target_has_is_replaced_and_one_that_is_handed_down_is_not(target: str) -> None:
    answer = {"ConfigurationPolicyId": POLICY, "TargetId": target, "AssociationType": "APPLIED"}
    association = "aws_securityhub_configuration_policy_association"

    def found(answer: dict[str, Any]) -> Existing | None:
        clients = Stubbed("securityhub", ("get_configuration_policy_association", answer))
        return asked(association, clients, target_id=target, policy_id="other")[0]

    assert found(answer) == Existing({"policy_id": POLICY}, True, target, f"the configuration policy of {target}")
    assert found({**answer, "AssociationType": "INHERITED"}) is None


@pytest.mark.parametrize(
    ("resource", "method"),
    [
        ("aws_securityhub_organization_configuration", "describe_organization_configuration"),
        ("aws_securityhub_configuration_policy", "list_configuration_policies"),
        ("aws_securityhub_configuration_policy_association", "get_configuration_policy_association"),
    ],
)
def test_without_a_hub_nothing_stands_but_a_refusal_is_an_error(resource: str, method: str) -> None:
    key = dict.fromkeys(RESOURCES[resource].key, "r-ab12")
    assert asked(resource, Stubbed("securityhub", (method, "InvalidAccessException")), **key) == (None, [])
    with pytest.raises(ToolkitError, match="AccessDenied"):
        asked(resource, Stubbed("securityhub", (method, "AccessDeniedException")), **key)
