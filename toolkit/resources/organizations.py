"""AWS Organizations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from toolkit.policy_types import AnyManagementType, AuthorizationType
from toolkit.resources.base import (
    IDENTITY,
    NAMES,
    TERRAFORM,
    Gives,
    Irreversible,
    ResourceType,
    Strength,
    Stronger,
    each,
    iam_actions,
)
from toolkit.resources.price import Free
from toolkit.resources.reading import Account, Live, OnCreate, Reading

_CONTROLS = get_args(AuthorizationType)
_MANAGES = get_args(AnyManagementType)


_NO_ORGANIZATION = ("AWSOrganizationsNotInUseException",)


def _every(account: Account, region: str, operation: str, member: str, **parameters: Any) -> tuple[Any, ...]:
    return account.pages("organizations", operation, member, region, absent=_NO_ORGANIZATION, **parameters)


def _organization(account: Account, region: str) -> Iterator[Live]:
    for found in _found(account, region):
        services = _every(account, region, "list_aws_service_access_for_organization", "EnabledServicePrincipals")
        values = {
            "feature_set": found["FeatureSet"],
            "aws_service_access_principals": sorted(one["ServicePrincipal"] for one in services),
            "enabled_policy_types": sorted(_policy_types(account, region)),
        }
        yield _live_organization(found, values)


def _find_organization(account: Account, region: str, _: Mapping[str, Any]) -> Live | None:
    return next((_live_organization(found, {}) for found in _found(account, region)), None)


def _found(account: Account, region: str) -> Iterator[Mapping[str, Any]]:
    answer = account.call("organizations", "describe_organization", region, absent=_NO_ORGANIZATION)
    if answer is not None:
        yield answer["Organization"]


def _live_organization(found: Mapping[str, Any], values: Mapping[str, Any]) -> Live:
    return Live({}, values, f"the organization {found['Id']}", found["Id"], arn=found.get("Arn"))


def _policy_types(account: Account, region: str) -> Iterator[str]:
    for root in _every(account, region, "list_roots", "Roots"):
        yield from (one["Type"] for one in root.get("PolicyTypes", ()) if one["Status"] == "ENABLED")


def _units(account: Account, region: str) -> Iterator[Live]:
    parents = [root["Id"] for root in _every(account, region, "list_roots", "Roots")]
    while parents:
        for unit in _units_of(account, region, parents.pop()):
            yield unit
            parents.append(str(unit.import_id))


def _find_unit(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    units = _units_of(account, region, planned["parent_id"])
    return next((unit for unit in units if unit.key["name"] == planned["name"]), None)


def _units_of(account: Account, region: str, parent: str) -> Iterator[Live]:
    operation, member = "list_organizational_units_for_parent", "OrganizationalUnits"
    for unit in account.pages("organizations", operation, member, region, ParentId=parent):
        key = {"name": unit["Name"], "parent_id": parent}
        yield Live(key, key, f"the organizational unit {unit['Name']!r}", unit["Id"], arn=unit.get("Arn"))


def _policies(account: Account, region: str) -> Iterator[Live]:
    for kind in sorted(_policy_types(account, region)):
        for policy in _every(account, region, "list_policies", "Policies", Filter=kind):
            answer = account.call("organizations", "describe_policy", region, PolicyId=policy["Id"]) or {}
            yield _policy(policy, {"content": answer["Policy"]["Content"]})


def _find_policy(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    policies = _every(account, region, "list_policies", "Policies", Filter=planned["type"])
    return next((_policy(policy, {}) for policy in policies if policy["Name"] == planned["name"]), None)


def _policy(policy: Mapping[str, Any], values: Mapping[str, Any]) -> Live:
    name, own = policy["Name"], policy.get("AwsManaged", False)
    key = {"name": name, "type": policy.get("Type", "")}
    called = f"the policy {name!r}"
    return Live(key, {**key, **values}, called, policy["Id"], arn=policy.get("Arn"), by_default=own)


def _attachments(account: Account, region: str) -> Iterator[Live]:
    for policy in account.live("aws_organizations_policy", region):
        yield from _attachments_of(account, region, str(policy.import_id))


def _find_attachment(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    found = _attachments_of(account, region, planned["policy_id"])
    return next((one for one in found if one.key["target_id"] == planned["target_id"]), None)


def _attachments_of(account: Account, region: str, policy: str) -> Iterator[Live]:
    for target in account.pages("organizations", "list_targets_for_policy", "Targets", region, PolicyId=policy):
        key = {"policy_id": policy, "target_id": target["TargetId"]}
        called = f"the attachment of {policy} to {target['TargetId']}"
        yield Live(key, key, called, f"{target['TargetId']}:{policy}")


def _delegated(account: Account, region: str) -> Iterator[Live]:
    operation, member = "list_delegated_services_for_account", "DelegatedServices"
    for found in _every(account, region, "list_delegated_administrators", "DelegatedAdministrators"):
        for service in _every(account, region, operation, member, AccountId=found["Id"]):
            yield _administrator(found["Id"], service["ServicePrincipal"])


def _find_delegated(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    identifier, service = planned["account_id"], planned["service_principal"]
    operation, member = "list_delegated_administrators", "DelegatedAdministrators"
    found = _every(account, region, operation, member, ServicePrincipal=service)
    return _administrator(identifier, service) if any(one["Id"] == identifier for one in found) else None


def _administrator(identifier: str, service: str) -> Live:
    key = {"account_id": identifier, "service_principal": service}
    return Live(key, key, f"account {identifier} as administrator of {service}", f"{identifier}/{service}")


def _actions(*names: str) -> tuple[str, ...]:
    return tuple(f"organizations:{name}" for name in names)


_FREE = Free(
    "AWS offers Organizations at no additional charge",
    "https://docs.aws.amazon.com/organizations/latest/userguide/pricing.html",
    "2026-11-28",
)


TYPES = (
    ResourceType(
        "aws_organizations_delegated_administrator",
        price=_FREE,
        key=("account_id", "service_principal"),
        reading=Reading(
            _delegated,
            OnCreate.COLLIDES,
            finds=_find_delegated,
            is_global=True,
            actions=_actions("ListDelegatedAdministrators", "ListDelegatedServicesForAccount"),
        ),
        no_weaker_side={IDENTITY: "account_id service_principal"},
    ),
    ResourceType(
        "aws_organizations_organization",
        unrecorded=(
            *iam_actions("iam", "CreateServiceLinkedRole"),
            *iam_actions(
                "organizations",
                "CreateOrganization DisableAWSServiceAccess DisablePolicyType EnableAllFeatures",
            ),
        ),
        price=_FREE,
        reading=Reading(
            _organization,
            OnCreate.COLLIDES,
            finds=_find_organization,
            is_global=True,
            actions=_actions("DescribeOrganization", "ListAWSServiceAccessForOrganization", "ListRoots"),
        ),
        strengths=(
            *each(Stronger.SUPERSET, "aws_service_access_principals", "enabled_policy_types"),
            Strength("feature_set", Stronger.ORDER, order=("CONSOLIDATED_BILLING", "ALL")),
        ),
    ),
    ResourceType(
        "aws_organizations_organizational_unit",
        unrecorded=iam_actions("organizations", "UntagResource UpdateOrganizationalUnit"),
        price=_FREE,
        key=("name", "parent_id"),
        reading=Reading(
            _units,
            OnCreate.COLLIDES,
            finds=_find_unit,
            is_global=True,
            actions=_actions("ListRoots", "ListOrganizationalUnitsForParent"),
        ),
        no_weaker_side={IDENTITY: "parent_id", NAMES: "name"},
    ),
    ResourceType(
        "aws_organizations_policy",
        unrecorded=iam_actions("organizations", "UntagResource"),
        named_by=("name",),
        price=_FREE,
        key=("name", "type"),
        reading=Reading(
            _policies,
            OnCreate.COLLIDES,
            finds=_find_policy,
            is_global=True,
            actions=_actions("ListRoots", "ListPolicies", "DescribePolicy"),
        ),
        strengths=(
            Strength("content", Stronger.POLICY, only=("type", _CONTROLS)),
            # Of a grammar of their own, in which each line switches something on or asks for something.
            Strength("content", Stronger.CONTENT, only=("type", _MANAGES)),
        ),
        no_weaker_side={IDENTITY: "type", NAMES: "name description", TERRAFORM: "skip_destroy"},
        irreversible=(
            Irreversible(
                "AI services delete the content that they had stored to improve themselves.",
                "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_ai-opt-out.html, "
                "read on 2026-11-28",
                "type",
                ("AISERVICES_OPT_OUT_POLICY",),
            ),
        ),
    ),
    ResourceType(
        "aws_organizations_policy_attachment",
        gives=Gives("target", "target_id", "policy_id", managed=True),
        price=_FREE,
        key=("policy_id", "target_id"),
        reading=Reading(
            _attachments,
            OnCreate.COLLIDES,
            finds=_find_attachment,
            is_global=True,
            actions=_actions("ListRoots", "ListPolicies", "DescribePolicy", "ListTargetsForPolicy"),
        ),
        no_weaker_side={IDENTITY: "policy_id target_id", TERRAFORM: "skip_destroy"},
    ),
)
