"""What Security Hub has, what it does for an organization's accounts, and who administers it: asked of stubs."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.aws.inventory import Inventory
from toolkit.errors import ToolkitError
from toolkit.plan.guards import Existing
from toolkit.resources.registry import RESOURCES

from .conftest import Stubbed, creates, existing, judged, plan_of, read_and_judged, read_existing

pytestmark = pytest.mark.usefixtures("aws")

POLICY = "a1b2c3d4-5678-90ab-cdef-111111111111"
STANDARD = "arn:aws:securityhub:eu-central-1::standards/cis-aws-foundations-benchmark/v/5.0.0"


@pytest.mark.parametrize("accounts", [["111122223333"], []])
def test_who_administers_security_hub_here(accounts: list[str]):
    answer = {"AdminAccounts": [{"AccountId": a, "Status": "ENABLED"} for a in accounts]}
    clients = Stubbed("securityhub", ("list_organization_admin_accounts", answer))
    administrator = "aws_securityhub_organization_admin_account"
    found = existing(plan_of("organization", administrator, {"admin_account_id": "444455556666"}), clients)
    assert ([(found.import_id, found.overwritten)] if found else []) == [(a, False) for a in accounts]


def test_another_regions_finding_aggregator_collides():
    arn = "arn:aws:securityhub:us-east-1:123456789012:finding-aggregator/123e4567-e89b-12d3-a456-426652340000"
    plan = creates("aws_securityhub_finding_aggregator")
    answer = {"FindingAggregators": [{"FindingAggregatorArn": arn}]}
    (found,) = read_existing(plan, Inventory(Stubbed("securityhub", ("list_finding_aggregators", answer)))).values()
    assert (found.overwritten, found.import_id) == (False, arn)
    nothing = Stubbed("securityhub", ("list_finding_aggregators", {"FindingAggregators": []}))
    assert read_existing(plan, Inventory(nothing)) == {}


HUB_V2 = "arn:aws:securityhub:eu-central-1:123456789012:hubv2/25054a12-7926-47bc-924f-368e03d43e94"


def test_security_hub_v2_that_is_enabled_is_imported_and_not_created():
    plan = creates("aws_securityhub_account_v2")
    there = Stubbed("securityhub", ("describe_security_hub_v2", {"HubV2Arn": HUB_V2, "SubscribedAt": "x"}))
    (found,) = read_existing(plan, Inventory(there)).values()
    assert (found.overwritten, found.import_id) == (False, HUB_V2)
    absent = Stubbed("securityhub", ("describe_security_hub_v2", "ResourceNotFoundException"))
    assert read_existing(plan, Inventory(absent)) == {}
    denied = Stubbed("securityhub", ("describe_security_hub_v2", "AccessDeniedException"))
    with pytest.raises(ToolkitError, match="securityhub:DescribeSecurityHubV2"):
        read_existing(plan, Inventory(denied))


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "ConflictException"])
def test_an_aggregator_of_security_hub_v2_collides(code: str):
    arn = "arn:aws:securityhub:us-east-1:123456789012:aggregatorv2/123e4567-e89b-12d3-a456-426652340000"
    plan = creates("aws_securityhub_aggregator_v2")
    there = Stubbed("securityhub", ("list_aggregators_v2", {"AggregatorsV2": [{"AggregatorV2Arn": arn}]}))
    (found,) = read_existing(plan, Inventory(there)).values()
    assert (found.overwritten, found.import_id) == (False, arn)
    assert read_existing(plan, Inventory(Stubbed("securityhub", ("list_aggregators_v2", code)))) == {}


def associations(status: str, standard: str = STANDARD, **more: str) -> tuple[str, dict[str, Any]]:
    summary = {
        "StandardsArn": standard,
        "SecurityControlId": "IAM.6",
        "SecurityControlArn": "arn:aws:securityhub:eu-central-1:123456789012:security-control/IAM.6",
        "AssociationStatus": status,
        **more,
    }
    return "list_standards_control_associations", {"StandardsControlAssociationSummaries": [summary]}


def test_a_control_that_is_on_is_not_switched_off_unseen():
    values = {"security_control_id": "IAM.6", "standards_arn": STANDARD, "association_status": "DISABLED"}
    resource, hub = "aws_securityhub_standards_control_association", ("aws_securityhub_account", {"id": "x"})
    plan = plan_of("security_hub", resource, values, imports=hub)
    weakens, note = judged(plan, Stubbed("securityhub", associations("ENABLED")))
    assert weakens.blocks
    assert weakens.evidence == '"ENABLED" → "DISABLED"'
    assert "the control IAM.6 in eu-central-1" in note.summary
    assert judged(plan, Stubbed("securityhub", associations("DISABLED"))) == []
    assert judged(plan, Stubbed("securityhub", associations("ENABLED", "arn:aws:securityhub:::other"))) == []
    # Of a hub that is in the state, only what somebody has switched: AWS switches all on by itself.
    ours = plan_of("security_hub", resource, values)
    assert judged(ours, Stubbed("securityhub", associations("ENABLED"))) == []
    weakens, _note = judged(ours, Stubbed("securityhub", associations("ENABLED", UpdatedReason="we need it")))
    assert weakens.blocks
    no_hub = Stubbed("securityhub", ("list_standards_control_associations", "InvalidAccessException"))
    assert judged(plan, no_hub) == []


def test_security_hubs_settings_are_told_where_they_change() -> None:
    answer = {
        "AutoEnable": True,
        "AutoEnableStandards": "DEFAULT",
        "OrganizationConfiguration": {"ConfigurationType": "LOCAL", "Status": "ENABLED"},
    }
    central = {"configuration_type": "CENTRAL"}
    values = {"auto_enable": False, "auto_enable_standards": "NONE", "organization_configuration": [central]}
    hub = "aws_securityhub_organization_configuration"
    _, (told,) = read_and_judged(hub, Stubbed("securityhub", ("describe_organization_configuration", answer)), **values)
    assert "auto_enable: true → false" in told.evidence
    same = {"auto_enable": True, "auto_enable_standards": "DEFAULT"}
    local = [{"configuration_type": "LOCAL"}]
    clients = Stubbed("securityhub", ("describe_organization_configuration", answer))
    assert read_and_judged(hub, clients, **same, organization_configuration=local) == (None, [])


def test_a_policy_of_the_same_name_collides() -> None:
    answer = {"ConfigurationPolicySummaries": [{"Id": POLICY, "Name": "baseline"}]}
    policy = "aws_securityhub_configuration_policy"
    found, _ = read_and_judged(policy, Stubbed("securityhub", ("list_configuration_policies", answer)), name="baseline")
    assert found == Existing({}, False, POLICY, "the configuration policy 'baseline'")
    other, _ = read_and_judged(policy, Stubbed("securityhub", ("list_configuration_policies", answer)), name="other")
    assert other is None


@pytest.mark.parametrize("target", ["r-ab12", "ou-ab12-cdefgh34", "111122223333"])
def test_a_policy_that_a_target_has_is_replaced_and_one_that_is_handed_down_is_not(target: str) -> None:
    answer = {"ConfigurationPolicyId": POLICY, "TargetId": target, "AssociationType": "APPLIED"}
    association = "aws_securityhub_configuration_policy_association"

    def found(answer: dict[str, Any]) -> Existing | None:
        clients = Stubbed("securityhub", ("get_configuration_policy_association", answer))
        return read_and_judged(association, clients, target_id=target, policy_id="other")[0]

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
    assert read_and_judged(resource, Stubbed("securityhub", (method, "InvalidAccessException")), **key) == (None, [])
    with pytest.raises(ToolkitError, match="AccessDenied"):
        read_and_judged(resource, Stubbed("securityhub", (method, "AccessDeniedException")), **key)
