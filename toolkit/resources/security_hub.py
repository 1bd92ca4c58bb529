"""AWS Security Hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.resources.base import (
    IDENTITY,
    LEFT_ALONE,
    NAMES,
    OFF_ON,
    ResourceType,
    Strength,
    Stronger,
    iam_actions,
)
from toolkit.resources.price import Price, grows, switched
from toolkit.resources.reading import Account, Live, OnCreate, Reading, Reason, Unreadable

_GROUPING = "whether a control has one finding for all standards or one in each: what is found stays the same"
_ONCE = "decides once, when Security Hub is switched on, which standards it starts with"
_CONTROLS = "configuration_policy[0].security_controls_configuration[0]"
_LINKING = ("NO_REGIONS", "SPECIFIED_REGIONS", "ALL_REGIONS_EXCEPT_SPECIFIED", "ALL_REGIONS")


_OFF = ("InvalidAccessException", "ResourceNotFoundException")
"""Security Hub API Reference, DescribeHub: the account is not subscribed, or has no hub."""


def _hub(account: Account, region: str) -> Iterator[Live]:
    answer = account.call("securityhub", "describe_hub", region, absent=_OFF)
    if answer is not None:
        values = {"auto_enable_controls": answer.get("AutoEnableControls", False)}
        yield Live({}, values, f"Security Hub in {region}", account.account_id, arn=answer.get("HubArn"))


def _aggregators(account: Account, region: str) -> Iterator[Live]:
    for arn in _aggregator_arns(account, region):
        found = account.call("securityhub", "get_finding_aggregator", region, FindingAggregatorArn=arn) or {}
        values = {"linking_mode": found["RegionLinkingMode"], "specified_regions": sorted(found.get("Regions", ()))}
        yield Live({}, values, "a finding aggregator of Security Hub", arn, arn=arn)


def _find_aggregator(account: Account, region: str, _: Mapping[str, Any]) -> Live | None:
    arn = next(iter(_aggregator_arns(account, region)), None)
    return None if arn is None else Live({}, {}, "a finding aggregator of Security Hub", arn, arn=arn)


def _aggregator_arns(account: Account, region: str) -> tuple[str, ...]:
    found = account.pages("securityhub", "list_finding_aggregators", "FindingAggregators", region, absent=_OFF[:1])
    return tuple(one["FindingAggregatorArn"] for one in found)


_NO_V2 = ("ResourceNotFoundException",)
"""Security Hub API Reference, DescribeSecurityHubV2: the account has not enabled it in the region."""


def _hub_v2(account: Account, region: str) -> Iterator[Live]:
    answer = account.call("securityhub", "describe_security_hub_v2", region, absent=_NO_V2)
    if answer is not None:
        arn = answer["HubV2Arn"]
        yield Live({}, {}, f"Security Hub (V2) in {region}", arn, arn=arn)


def _aggregators_v2(account: Account, region: str) -> Iterator[Live]:
    for arn in _aggregator_v2_arns(account, region):
        found = account.call("securityhub", "get_aggregator_v2", region, AggregatorV2Arn=arn) or {}
        values = {
            "region_linking_mode": found["RegionLinkingMode"],
            "linked_regions": sorted(found.get("LinkedRegions", ())),
        }
        yield Live({}, values, _AGGREGATOR_V2, arn, arn=arn)


def _find_aggregator_v2(account: Account, region: str, _: Mapping[str, Any]) -> Live | None:
    arn = next(iter(_aggregator_v2_arns(account, region)), None)
    return None if arn is None else Live({}, {}, _AGGREGATOR_V2, arn, arn=arn)


_AGGREGATOR_V2 = "an aggregator of Security Hub (V2)"


def _aggregator_v2_arns(account: Account, region: str) -> tuple[str, ...]:
    # Where Security Hub is not enabled, the answer is a conflict or nothing found: the provider takes both for absence.
    # https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/securityhub/aggregator_v2.go
    found = account.pages(
        "securityhub", "list_aggregators_v2", "AggregatorsV2", region, absent=(*_NO_V2, "ConflictException")
    )
    return tuple(one["AggregatorV2Arn"] for one in found)


def _enabled(account: Account, region: str) -> tuple[Any, ...]:
    return account.pages("securityhub", "get_enabled_standards", "StandardsSubscriptions", region, absent=_OFF)


def _standards(account: Account, region: str) -> Iterator[Live]:
    for one in _enabled(account, region):
        arn, standard = one["StandardsSubscriptionArn"], one["StandardsArn"]
        called = f"the standard {standard.split(':', 5)[-1]} in {region}"
        yield Live({"standards_arn": standard}, {"standards_arn": standard}, called, arn, arn=arn)


_BATCH = 100
"""Controls that BatchGetStandardsControlAssociations takes at most (Security Hub API Reference)."""


def _controls(account: Account, region: str) -> Iterator[Live | Unreadable]:
    """Controls that someone has switched; the thousands of others are as their standard has them."""
    of = "StandardsControlAssociationId"
    pairs = [
        {"SecurityControlId": control["SecurityControlId"], "StandardsArn": one["StandardsArn"]}
        for one in _enabled(account, region)
        for control in account.pages(
            "securityhub",
            "list_security_control_definitions",
            "SecurityControlDefinitions",
            region,
            StandardsArn=one["StandardsArn"],
        )
        if control.get("CurrentRegionAvailability") != "UNAVAILABLE"
    ]
    operation = "batch_get_standards_control_associations"
    batches = [pairs[start : start + _BATCH] for start in range(0, len(pairs), _BATCH)]
    answers = account.side_by_side(
        lambda ids: account.call("securityhub", operation, region, StandardsControlAssociationIds=ids) or {}, batches
    )
    for answer in answers:
        # Also of a standard that Security Hub is still preparing (API Reference, RESOURCE_NOT_FOUND).
        left = answer.get("UnprocessedAssociations", ())
        for code, standard in dict.fromkeys((one["ErrorCode"], one[of]["StandardsArn"]) for one in left):
            reason = Reason.DENIED if code == "ACCESS_DENIED" else Reason.UNKNOWN
            action = "securityhub:BatchGetStandardsControlAssociations"
            yield Unreadable("", region, action, reason, f"controls of {standard}: {code}")
        for one in answer["StandardsControlAssociationDetails"]:
            if one.get("UpdatedReason"):
                yield _control(one, one["SecurityControlId"], region)


def _control(found: Mapping[str, Any], control: str, region: str) -> Live:
    # Enabling a standard switches its controls on; whoever switches one gives a reason.
    return Live(
        {"security_control_id": control, "standards_arn": found["StandardsArn"]},
        {"association_status": found["AssociationStatus"]},
        f"the control {control} in {region}",
        None,
        by_default=not found.get("UpdatedReason"),
    )


def _find_control(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    """BatchUpdateStandardsControlAssociations sets what stands: a control that is on by itself may be switched off.

    Absent where there is no hub, or no such control in any enabled standard.
    """
    control, standard = planned["security_control_id"], planned["standards_arn"]
    found = account.pages(
        "securityhub",
        "list_standards_control_associations",
        "StandardsControlAssociationSummaries",
        region,
        absent=_OFF,
        SecurityControlId=control,
    )
    one = next((one for one in found if one["StandardsArn"] == standard), None)
    return None if one is None else _control(one, control, region)


def _administrators(account: Account, region: str) -> Iterator[Live]:
    for found in account.pages("securityhub", "list_organization_admin_accounts", "AdminAccounts", region):
        identifier = found["AccountId"]
        called = f"{identifier} as administrator of Security Hub in {region}"
        yield Live({}, {"admin_account_id": identifier}, called, identifier)


def _organization(account: Account, region: str) -> Iterator[Live]:
    found = account.call("securityhub", "describe_organization_configuration", region, absent=_OFF)
    if found is not None:
        kind = found.get("OrganizationConfiguration", {}).get("ConfigurationType", "LOCAL")
        values = {
            "auto_enable": found["AutoEnable"],
            "auto_enable_standards": found.get("AutoEnableStandards", "NONE"),
            "organization_configuration": [{"configuration_type": kind}],
        }
        yield Live({}, values, f"Security Hub's settings of member accounts in {region}", account.account_id)


def _policies(account: Account, region: str) -> Iterator[Live]:
    for summary in _summaries(account, region):
        answer = account.call("securityhub", "get_configuration_policy", region, Identifier=summary["Id"]) or {}
        policy = answer.get("ConfigurationPolicy", {}).get("SecurityHub", {})
        yield _policy(summary, {"configuration_policy": [_policy_values(policy)]})


def _find_policy(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    found = (one for one in _summaries(account, region) if one["Name"] == planned["name"])
    return next((_policy(one, {}) for one in found), None)


def _summaries(account: Account, region: str) -> tuple[Mapping[str, Any], ...]:
    return account.pages(
        "securityhub", "list_configuration_policies", "ConfigurationPolicySummaries", region, absent=_OFF[:1]
    )


def _policy(summary: Mapping[str, Any], values: Mapping[str, Any]) -> Live:
    name = summary["Name"]
    called = f"the configuration policy {name!r}"
    return Live({"name": name}, {"name": name, **values}, called, summary["Id"], arn=summary.get("Arn"))


def _policy_values(policy: Mapping[str, Any]) -> dict[str, Any]:
    controls = policy.get("SecurityControlsConfiguration", {})
    custom = [
        {"security_control_id": c["SecurityControlId"]} for c in controls.get("SecurityControlCustomParameters", ())
    ]
    configured = {
        "disabled_control_identifiers": sorted(controls.get("DisabledSecurityControlIdentifiers", ())),
        "enabled_control_identifiers": sorted(controls.get("EnabledSecurityControlIdentifiers", ())),
        "security_control_custom_parameter": custom,
    }
    return {
        "service_enabled": policy.get("ServiceEnabled", False),
        "enabled_standard_arns": sorted(policy.get("EnabledStandardIdentifiers", ())),
        "security_controls_configuration": [configured] if controls else [],
    }


def _associations(account: Account, region: str) -> Iterator[Live]:
    found = account.pages(
        "securityhub",
        "list_configuration_policy_associations",
        "ConfigurationPolicyAssociationSummaries",
        region,
        absent=_OFF,
        Filters={"AssociationType": "APPLIED"},
    )
    for one in found:
        yield _association(one["TargetId"], one["ConfigurationPolicyId"])


def _find_association(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    target = planned["target_id"]
    kind = "RootId" if target.startswith("r-") else "OrganizationalUnitId" if target.startswith("ou-") else "AccountId"
    found = account.call(
        "securityhub", "get_configuration_policy_association", region, absent=_OFF, Target={kind: target}
    )
    if found is None or found["AssociationType"] != "APPLIED":
        # What a unit above hands down stays there for the others.
        return None
    return _association(target, found["ConfigurationPolicyId"])


def _association(target: str, policy: str) -> Live:
    return Live({"target_id": target}, {"policy_id": policy}, f"the configuration policy of {target}", target)


def _actions(*names: str) -> tuple[str, ...]:
    return tuple(f"securityhub:{name}" for name in names)


_PRICES = "https://aws.amazon.com/security-hub/pricing/"


def _linking(mode: str, regions: str) -> tuple[Strength, ...]:
    """Of an aggregator: the regions that are linked, or those that are not."""
    return (
        Strength(mode, Stronger.ORDER, order=_LINKING),
        Strength(regions, Stronger.SUPERSET, only=(mode, ("SPECIFIED_REGIONS",))),
        Strength(regions, Stronger.SUBSET, unset_is_strongest=True, only=(mode, ("ALL_REGIONS_EXCEPT_SPECIFIED",))),
    )


TYPES = (
    ResourceType(
        "aws_securityhub_account",
        price=Price(
            "Security Hub",
            (
                "0.0010 per check up to 100,000 a month and region, 0.0008 up to 500,000, 0.0005 beyond; "
                "findings of other services 0.00003 each beyond 10,000 a month; 30 days free per region. "
                "As Security Hub CSPM bills: AWS's newer plans per resource apply where they are chosen"
            ),
            _PRICES,
            "2026-11-28",
            driver="number of controls of the chosen standards and of resources in the region",
        ),
        reading=Reading(_hub, OnCreate.COLLIDES, actions=_actions("DescribeHub")),
        strengths=(Strength("auto_enable_controls", Stronger.TRUE),),
        no_weaker_side={_GROUPING: "control_finding_generator", _ONCE: "enable_default_standards"},
    ),
    ResourceType(
        "aws_securityhub_configuration_policy",
        unrecorded=iam_actions(
            "securityhub",
            "CreateConfigurationPolicy DeleteConfigurationPolicy GetConfigurationPolicy UpdateConfigurationPolicy",
        ),
        named_by=("name",),
        unsupported_in_simulator="moto does not have it",
        price=Price(
            "Security Hub standard of a configuration policy",
            "as the standard, in every account and region that the policy is associated with",
            _PRICES,
            "2026-11-28",
            driver="number of accounts, and resources of each",
            # A new policy bills where it is associated; one that is associated, with what is added to it.
            starts=grows("configuration_policy[0].service_enabled", "configuration_policy[0].enabled_standard_arns"),
        ),
        key=("name",),
        reading=Reading(
            _policies,
            OnCreate.COLLIDES,
            finds=_find_policy,
            actions=_actions("ListConfigurationPolicies", "GetConfigurationPolicy"),
        ),
        strengths=(
            Strength("configuration_policy[0].service_enabled", Stronger.TRUE),
            Strength("configuration_policy[0].enabled_standard_arns", Stronger.SUPERSET),
            # All controls but these, or, where the other list is given, only those.
            Strength(f"{_CONTROLS}.disabled_control_identifiers", Stronger.SUBSET, unset_is_strongest=True),
            Strength(f"{_CONTROLS}.enabled_control_identifiers", Stronger.SUPERSET, unset_is_strongest=True),
            # Parameters of controls have no common direction.
            Strength(f"{_CONTROLS}.security_control_custom_parameter", Stronger.SAME, unset_is_strongest=True),
        ),
        no_weaker_side={NAMES: "name description"},
        sets=("configuration_policy.security_controls_configuration.security_control_custom_parameter.parameter",),
    ),
    ResourceType(
        "aws_securityhub_configuration_policy_association",
        unrecorded=iam_actions(
            "securityhub",
            "GetConfigurationPolicyAssociation StartConfigurationPolicyAssociation "
            "StartConfigurationPolicyDisassociation",
        ),
        unsupported_in_simulator="moto does not have it",
        price=Price(
            "Security Hub by a configuration policy",
            "as a hub with the policy's standards, in every account of the target and every linked region",
            _PRICES,
            "2026-11-28",
            driver="number of accounts, and controls and resources of each",
        ),
        key=("target_id",),
        reading=Reading(
            _associations,
            OnCreate.OVERWRITES,
            finds=_find_association,
            quiet=True,
            actions=_actions("ListConfigurationPolicyAssociations", "GetConfigurationPolicyAssociation"),
        ),
        # Another policy may switch off what this one switches on.
        strengths=(Strength("policy_id", Stronger.SAME),),
        no_weaker_side={IDENTITY: "target_id"},
    ),
    ResourceType(
        "aws_securityhub_finding_aggregator",
        unrecorded=iam_actions(
            "securityhub",
            "CreateFindingAggregator DeleteFindingAggregator GetFindingAggregator "
            "ListFindingAggregators UpdateFindingAggregator",
        ),
        regional=True,
        unsupported_in_simulator="moto does not have it",
        price=Price(
            "Security Hub finding aggregator",
            "no charge of its own is known",
            _PRICES,
            "2026-11-28",
            fixed=0.0,
            unconfirmed="that findings are aggregated for free",
        ),
        reading=Reading(
            _aggregators,
            OnCreate.COLLIDES,
            finds=_find_aggregator,
            is_global=True,
            actions=_actions("ListFindingAggregators", "GetFindingAggregator"),
        ),
        strengths=_linking("linking_mode", "specified_regions"),
    ),
    ResourceType(
        "aws_securityhub_account_v2",
        unrecorded=iam_actions(
            "securityhub",
            "DescribeSecurityHubV2 DisableSecurityHubV2 EnableSecurityHubV2 ListTagsForResource "
            "TagResource UntagResource",
        ),
        unsupported_in_simulator="moto does not have it",
        price=Price(
            "Security Hub (V2)",
            "its Essentials plan, per monitored resource; AWS then bills Security Hub CSPM, Inspector and others by "
            "that plan, too",
            _PRICES,
            "2026-11-29",
            driver="number of resources in the region",
            unconfirmed="the charge per resource",
        ),
        # What a second EnableSecurityHubV2 answers is not documented: an import is safe in either case.
        reading=Reading(_hub_v2, OnCreate.COLLIDES, actions=_actions("DescribeSecurityHubV2")),
        no_weaker_side={LEFT_ALONE: "region"},
    ),
    ResourceType(
        "aws_securityhub_aggregator_v2",
        unrecorded=iam_actions(
            "securityhub",
            "CreateAggregatorV2 DeleteAggregatorV2 GetAggregatorV2 ListTagsForResource TagResource "
            "UntagResource UpdateAggregatorV2",
        ),
        regional=True,
        unsupported_in_simulator="moto does not have it",
        price=Price(
            "Security Hub (V2) aggregator",
            "no charge of its own is known",
            _PRICES,
            "2026-11-29",
            fixed=0.0,
            unconfirmed="that findings are aggregated for free",
        ),
        reading=Reading(
            _aggregators_v2,
            OnCreate.COLLIDES,
            finds=_find_aggregator_v2,
            is_global=True,
            actions=_actions("ListAggregatorsV2", "GetAggregatorV2"),
        ),
        strengths=_linking("region_linking_mode", "linked_regions"),
        no_weaker_side={LEFT_ALONE: "region"},
    ),
    ResourceType(
        "aws_securityhub_organization_admin_account",
        unrecorded=(
            *iam_actions(
                "organizations",
                "DeregisterDelegatedAdministrator DescribeOrganization EnableAWSServiceAccess "
                "ListAWSServiceAccessForOrganization ListDelegatedAdministrators "
                "RegisterDelegatedAdministrator",
            ),
            *iam_actions(
                "securityhub",
                "DisableOrganizationAdminAccount EnableOrganizationAdminAccount ListOrganizationAdminAccounts",
            ),
        ),
        unsupported_in_simulator=(
            "made, but not found again: moto has no ListOrganizationAdminAccounts of Security Hub"
        ),
        price=Price(
            "Security Hub in the delegated administrator's account",
            "as a hub, in the region, if Security Hub is not on in that account yet",
            _PRICES,
            "2026-11-28",
            driver="controls and resources of that account",
            unconfirmed="that Security Hub is switched on there",
        ),
        reading=Reading(_administrators, OnCreate.COLLIDES, actions=_actions("ListOrganizationAdminAccounts")),
        no_weaker_side={IDENTITY: "admin_account_id"},
    ),
    ResourceType(
        "aws_securityhub_organization_configuration",
        unrecorded=iam_actions("securityhub", "DescribeOrganizationConfiguration UpdateOrganizationConfiguration"),
        unsupported_in_simulator="moto does not have it",
        price=Price(
            "Security Hub in member accounts",
            "as a hub, in every member account and region that it is switched on in",
            _PRICES,
            "2026-11-28",
            driver="number of member accounts, and controls and resources of each",
            # What is switched on in other accounts bills there.
            starts=switched("auto_enable", True),
        ),
        reading=Reading(
            _organization, OnCreate.OVERWRITES, quiet=True, actions=_actions("DescribeOrganizationConfiguration")
        ),
        strengths=(
            Strength("organization_configuration[0].configuration_type", Stronger.ORDER, order=("LOCAL", "CENTRAL")),
            # With central configuration, configuration policies decide, and Security Hub refuses these.
            Strength(
                "auto_enable",
                Stronger.TRUE,
                only=("organization_configuration[0].configuration_type", ("LOCAL", None)),
            ),
            Strength(
                "auto_enable_standards",
                Stronger.ORDER,
                order=("NONE", "DEFAULT"),
                only=("organization_configuration[0].configuration_type", ("LOCAL", None)),
            ),
        ),
    ),
    ResourceType(
        "aws_securityhub_standards_control_association",
        unrecorded=iam_actions(
            "securityhub",
            "BatchUpdateStandardsControlAssociations ListStandardsControlAssociations UpdateStandardsControl",
        ),
        unsupported_in_simulator="moto does not have it",
        price=Price(
            "Security Hub control that is switched on",
            "0.0010 per check up to 100,000 a month and region, 0.0008 up to 500,000, 0.0005 beyond",
            _PRICES,
            "2026-11-28",
            driver="number of resources that the control looks at",
            starts=switched("association_status", "ENABLED"),
        ),
        key=("security_control_id", "standards_arn"),
        reading=Reading(
            _controls,
            OnCreate.OVERWRITES,
            finds=_find_control,
            quiet=True,
            default_with="aws_securityhub_account",
            actions=_actions(
                "ListStandardsControlAssociations",
                "GetEnabledStandards",
                "ListSecurityControlDefinitions",
                "BatchGetStandardsControlAssociations",
            ),
        ),
        strengths=(Strength("association_status", Stronger.ORDER, order=OFF_ON),),
        no_weaker_side={IDENTITY: "security_control_id standards_arn", NAMES: "updated_reason"},
    ),
    ResourceType(
        "aws_securityhub_standards_subscription",
        unrecorded=iam_actions("securityhub", "BatchDisableStandards BatchEnableStandards GetEnabledStandards"),
        unsupported_in_simulator="moto does not have it",
        price=Price(
            "Security Hub standard",
            "0.0010 per check up to 100,000 a month and region, 0.0008 up to 500,000, 0.0005 beyond",
            _PRICES,
            "2026-11-28",
            driver="number of the standard's controls that no other standard has, and of resources in the region",
        ),
        key=("standards_arn",),
        reading=Reading(_standards, OnCreate.HARMLESS, actions=_actions("GetEnabledStandards")),
        unread="enabling a standard that is enabled leaves its controls as they are",
        no_weaker_side={IDENTITY: "standards_arn"},
    ),
)
