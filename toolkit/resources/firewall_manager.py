"""AWS Firewall Manager."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.resources.base import (
    IDENTITY,
    NAMES,
    TERRAFORM,
    ResourceType,
    Strength,
    Stronger,
    each,
    iam_actions,
)
from toolkit.resources.price import Free, Price
from toolkit.resources.reading import Absent, Account, Live, OnCreate, Reading

_NOT_ADMINISTRATOR = (Absent("", "is not currently delegated by AWS FM"), "ResourceNotFoundException")
"""There is no administrator yet, or this account is not it: the first is an answer that the API does not define."""


def _administrator(account: Account, region: str) -> Iterator[Live]:
    answer = account.call("fms", "get_admin_account", region, absent=_NOT_ADMINISTRATOR) or {}
    if identifier := answer.get("AdminAccount"):
        called = f"{identifier} as administrator of Firewall Manager"
        yield Live({}, {"account_id": identifier}, called, identifier)


def _policies(account: Account, region: str) -> Iterator[Live]:
    for summary in _summaries(account, region):
        answer = account.call("fms", "get_policy", region, PolicyId=summary["PolicyId"]) or {}
        yield _policy(region, summary, _values(answer["Policy"]))


def _find_policy(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    found = (one for one in _summaries(account, region) if one["PolicyName"] == planned["name"])
    return next((_policy(region, one, {}) for one in found), None)


def _summaries(account: Account, region: str) -> tuple[Mapping[str, Any], ...]:
    return account.pages("fms", "list_policies", "PolicyList", region, absent=_NOT_ADMINISTRATOR)


def _policy(region: str, summary: Mapping[str, Any], values: Mapping[str, Any]) -> Live:
    name = summary["PolicyName"]
    called = f"the policy {name!r} of Firewall Manager in {region}"
    return Live({"name": name}, {"name": name, **values}, called, summary["PolicyId"], arn=summary.get("PolicyArn"))


def _values(policy: Mapping[str, Any]) -> dict[str, Any]:
    data = policy["SecurityServicePolicyData"]
    return {
        "remediation_enabled": policy["RemediationEnabled"],
        "include_map": _accounts(policy.get("IncludeMap", {})),
        "exclude_map": _accounts(policy.get("ExcludeMap", {})),
        "resource_tags": {tag["Key"]: tag.get("Value", "") for tag in policy.get("ResourceTags", ())},
        "exclude_resource_tags": policy["ExcludeResourceTags"],
        "resource_type": policy["ResourceType"],
        "resource_type_list": list(policy.get("ResourceTypeList", ())),
        "resource_set_ids": list(policy.get("ResourceSetIds", ())),
        "delete_unused_fm_managed_resources": policy.get("DeleteUnusedFMManagedResources", False),
        "security_service_policy_data": [
            {"type": data["Type"], "managed_service_data": data.get("ManagedServiceData")},
        ],
    }


def _accounts(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    named = {"account": sorted(found.get("ACCOUNT", ())), "orgunit": sorted(found.get("ORG_UNIT", ()))}
    return [named] if any(named.values()) else []


TYPES = (
    ResourceType(
        "aws_fms_admin_account",
        unrecorded=(
            *iam_actions("fms", "AssociateAdminAccount DisassociateAdminAccount GetAdminAccount"),
            *iam_actions(
                "organizations",
                "DeregisterDelegatedAdministrator DescribeOrganization EnableAWSServiceAccess "
                "ListAWSServiceAccessForOrganization ListDelegatedAdministrators "
                "RegisterDelegatedAdministrator",
            ),
        ),
        regional=False,
        unsupported_in_simulator="moto does not have it",
        price=Free(
            "names an account; Firewall Manager bills policies",
            "https://aws.amazon.com/firewall-manager/pricing/",
            "2026-11-28",
        ),
        reading=Reading(_administrator, OnCreate.COLLIDES, actions=("fms:GetAdminAccount",)),
        no_weaker_side={IDENTITY: "account_id"},
    ),
    ResourceType(
        "aws_fms_policy",
        unrecorded=iam_actions(
            "fms",
            "DeletePolicy GetPolicy ListTagsForResource PutPolicy TagResource UntagResource",
        ),
        named_by=("name",),
        unsupported_in_simulator="moto does not have it",
        price=Price(
            "Firewall Manager policy",
            (
                "100.00 a month for each policy and region; web ACLs that it makes 5.00 each a month and "
                "1.00 per rule, the requests that they see 0.60 per million; Config rules and items in "
                "each account. WAF policies are included in Shield Advanced"
            ),
            "https://aws.amazon.com/firewall-manager/pricing/",
            "2026-11-28",
            fixed=100.0,
            driver="number of accounts and resources in its scope",
            regions="110.00 in me-central-1, 120.00 in ap-southeast-3 and eu-central-2",
            unconfirmed="5.00 per web ACL, 1.00 per rule, 0.60 per million requests",
        ),
        key=("name",),
        reading=Reading(
            _policies, OnCreate.COLLIDES, finds=_find_policy, actions=("fms:ListPolicies", "fms:GetPolicy")
        ),
        strengths=(
            Strength("remediation_enabled", Stronger.TRUE),
            # Without a map of its own a policy holds for the whole organization; with one, for those in it.
            Strength("include_map", Stronger.ABSENT),
            *each(Stronger.SUPERSET, "include_map[0].account", "include_map[0].orgunit"),
            *each(Stronger.SUBSET, "exclude_map[0].account", "exclude_map[0].orgunit", unset_is_strongest=True),
            # Tags limit a policy to what has them, or take that out, by the second of the two.
            Strength("resource_tags", Stronger.SAME, unset_is_strongest=True),
            Strength("exclude_resource_tags", Stronger.SAME),
            Strength("resource_type", Stronger.SAME),
            Strength("resource_set_ids", Stronger.SAME, by_aws=True),
            Strength("resource_type_list", Stronger.SUPERSET),
            # Protections are taken from what leaves the policy's scope.
            Strength("delete_unused_fm_managed_resources", Stronger.FALSE),
            *each(
                Stronger.SAME,
                "security_service_policy_data[0].type",
                "security_service_policy_data[0].policy_option",
            ),
            Strength("security_service_policy_data[0].managed_service_data", Stronger.CONTENT),
        ),
        no_weaker_side={NAMES: "name description", TERRAFORM: "delete_all_policy_resources"},
        sets=(
            "security_service_policy_data.policy_option.network_acl_common_policy.network_acl_entry_set.first_entry",
            "security_service_policy_data.policy_option.network_acl_common_policy.network_acl_entry_set.last_entry",
        ),
    ),
)
