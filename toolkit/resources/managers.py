"""Who manages a resource, where it can be known: by what a service says, by its owner, its name, or its tags.

In: a Live, its tags, and the `Account` that calls AWS. Out: words for people, or None: not known. A name or a tag is a
convention, so what it says is a hint for whoever decides, and never the reason of a refusal.

Control Tower's names: https://docs.aws.amazon.com/controltower/latest/userguide/shared-account-resources.html. What it
governs under any other name, its baselines say (`by_control_tower`). ListLandingZones is not called: it makes an ARN
where there is none (API Reference). Landing Zone Accelerator: its default prefix, and any other one by the tag that it
gives to what it makes (source/packages/@aws-accelerator/accelerator/utils in awslabs/landing-zone-accelerator-on-aws:
setResourcePrefixes in app-utils.ts, addAcceleratorTags in stack-utils.ts).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.regions import GLOBAL_REGION, partition_of
from toolkit.resources.reading import Account, Live, Reason, Unreadable, UnreadableError

_CONTROL_TOWER, _ACCELERATOR = "AWS Control Tower", "Landing Zone Accelerator on AWS"
_NAMES = (
    (re.compile(r"aws-?controltower", re.I), _CONTROL_TOWER),
    (re.compile(r"StackSet-AWSControlTower"), _CONTROL_TOWER),
    (re.compile(r"aws-?accelerator", re.I), _ACCELERATOR),
    (re.compile(r"AWSReservedSSO_"), "IAM Identity Center"),
    (re.compile(r"stacksets-exec-"), "CloudFormation StackSets"),
    (re.compile(r"AWSServiceRoleFor"), "an AWS service"),
)
"""Beginning of a name → who uses it."""
_OF_OTHERS = ("policy_arn", "managed_policy_arn", "target_id", "policy_id", "instance_arn")
"""Attributes of keys that name another resource than the one that they are a part of."""
_STACK = "aws:cloudformation:stack-name"
_ACCELERATOR_TAG = "Accelerator"
"""Landing Zone Accelerator's; its value is the prefix of names."""
_TOOLS = re.compile(r"terraform|opentofu|terragrunt|pulumi|\bcdk\b", re.I)
_TAG_KEYS = re.compile(r"(managed|provisioned|created|deployed)[-_ :]?(by|with)|provisioner|iac|terraform", re.I)
"""Tags by which people say what a resource was made with; there is no standard."""


@dataclass(frozen=True)
class Manager:
    """Who manages a resource."""

    who: str | None
    """In words; None: nobody, as far as what could be read says."""
    unknown: tuple[Unreadable, ...] = ()
    """What could not be read and might say more."""


def by_owner_or_name(live: Live) -> str | None:
    """Who manages a resource, by the account in its ARN and by its name."""
    if (owner := other_account(live)) is not None:
        return f"account {owner}"
    return next((who for name in _names(live) if (who := _by_name(name))), None)


def other_account(live: Live) -> str | None:
    """The account in a resource's ARN, if it is another than the one that it was found in."""
    owner = "".join((live.arn or "").split(":", 5)[4:5])
    return owner if re.fullmatch(r"[0-9]{12}", owner) and owner != live.account_id else None


def by_tags(tags: Mapping[str, str]) -> str | None:
    """Who manages a resource, by its tags: CloudFormation's own, or those by which people name a tool."""
    if stack := tags.get(_STACK):
        return _by_name(stack) or _accelerator(tags) or f"the CloudFormation stack {stack}"
    if (found := _accelerator(tags)) is not None:
        return found
    for key, value in sorted(tags.items()):
        if _TAG_KEYS.fullmatch(key):
            named = _TOOLS.search(value) or (_TOOLS.search(key) if value.lower() in ("true", "yes", "1") else None)
            if named:
                return f"{named[0]} (tag {key}={value})"
    return None


def _accelerator(tags: Mapping[str, str]) -> str | None:
    prefix = tags.get(_ACCELERATOR_TAG)
    return prefix and f"{_ACCELERATOR} (tag {_ACCELERATOR_TAG}={prefix})"


def prefixes(tags: Iterable[Mapping[str, str]]) -> frozenset[str]:
    """Prefixes of names that Landing Zone Accelerator uses, by the tags of what it made in stacks of its own."""
    return frozenset(one[_ACCELERATOR_TAG] for one in tags if one.get(_ACCELERATOR_TAG) and one.get(_STACK))


def by_prefix(live: Live, accelerators: frozenset[str]) -> str | None:
    """Whether its name has one of these prefixes: Landing Zone Accelerator tags no rules of EventBridge, for one."""
    for prefix in sorted(accelerators):
        begins = re.compile(rf"(alias/|/)?{re.escape(prefix)}[-/]", re.I)
        if any(begins.match(name) for name in _names(live)):
            return f"{_ACCELERATOR} (prefix {prefix})"
    return None


def tag_pairs(tags: Iterable[Mapping[str, str]]) -> Mapping[str, str]:
    """AWS's list of tags as a mapping."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def read_tags(account: Account, region: str, arns: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
    """ARN → tags, of those that have any and that the tagging API knows.

    A hundred in a call; users, groups and roles are not among what it knows.
    https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html

    Raises:
        UnreadableError: They cannot be read.
    """
    every, found = sorted(set(arns)), {}
    for start in range(0, len(every), _AT_ONCE):
        answer = account.call(
            "resourcegroupstaggingapi", "get_resources", region, ResourceARNList=every[start : start + _AT_ONCE]
        )
        for one in (answer or {}).get("ResourceTagMappingList", ()):
            found[one["ResourceARN"]] = tag_pairs(one.get("Tags", ()))
    return found


_AT_ONCE = 100
TAG_ACTION = "tag:GetResources"


def _names(live: Live) -> Iterator[str]:
    for attribute, value in live.key.items():
        if attribute not in _OF_OTHERS:
            # As it is, and as the end of an ARN or of a path.
            yield from (value, re.split(r"[:/]", value)[-1])


def _by_name(name: str) -> str | None:
    return next((who for beginning, who in _NAMES if beginning.match(name)), None)


def _guardduty(account: Account, region: str) -> str | None:
    for detector in account.pages("guardduty", "list_detectors", "DetectorIds", region)[:1]:
        answer = account.call("guardduty", "get_administrator_account", region, DetectorId=detector) or {}
        return _account_id(answer.get("Administrator"), "AccountId")
    return None


def _security_hub(account: Account, region: str) -> str | None:
    off = ("InvalidAccessException", "ResourceNotFoundException")
    answer = account.call("securityhub", "get_administrator_account", region, absent=off) or {}
    return _account_id(answer.get("Administrator"), "AccountId")


def _macie(account: Account, region: str) -> str | None:
    answer = account.call("macie2", "get_administrator_account", region, absent=("ResourceNotFoundException",)) or {}
    return _account_id(answer.get("administrator"), "accountId")


def _inspector(account: Account, region: str) -> str | None:
    answer = account.call("inspector2", "get_delegated_admin_account", region, absent=("ResourceNotFoundException",))
    found = (answer or {}).get("delegatedAdmin") or {}
    return _account_id(found, "accountId") if found.get("relationshipStatus") == "ENABLED" else None


def _account_id(found: Mapping[str, Any] | None, name: str) -> str | None:
    return (found or {}).get(name) or None


_ADMINISTRATORS: Mapping[str, tuple[str, Callable[[Account, str], str | None]]] = {
    "aws_guardduty_detector": ("guardduty:GetAdministratorAccount", _guardduty),
    "aws_guardduty_detector_feature": ("guardduty:GetAdministratorAccount", _guardduty),
    "aws_securityhub_account": ("securityhub:GetAdministratorAccount", _security_hub),
    "aws_macie2_account": ("macie2:GetAdministratorAccount", _macie),
    "aws_inspector2_enabler": ("inspector2:GetDelegatedAdminAccount", _inspector),
}
"""Type that an organization's administrator may manage from another account → IAM action, and who that is."""


def by_administrator(account: Account, kind: str, region: str) -> str | None:
    """The organization's administrator of a service, if it is another account.

    Raises:
        UnreadableError: AWS does not say.
    """
    found = _ADMINISTRATORS[kind][1](account, region) if kind in _ADMINISTRATORS else None
    return None if found in (None, account.account_id) else f"the administrator account {found}"


_DELEGATED = {
    "aws_guardduty_detector": "guardduty.amazonaws.com",
    "aws_guardduty_detector_feature": "guardduty.amazonaws.com",
    "aws_securityhub_account": "securityhub.amazonaws.com",
    "aws_macie2_account": "macie.amazonaws.com",
    "aws_inspector2_enabler": "inspector2.amazonaws.com",
    "aws_detective_graph": "detective.amazonaws.com",
}
"""Type that a delegated administrator may manage in every account of an organization → the service's principal."""


def by_delegation(account: Account, kind: str) -> str | None:
    """The delegated administrator of a service, for the management account of an organization.

    It can enroll that account like any other one, and until it has, the service names no administrator there. Of any
    other account nothing is asked: Organizations answers ListDelegatedAdministrators in the management account and for
    delegated administrators alone, and a service tells its members itself (`by_administrator`).
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListDelegatedAdministrators.html

    Raises:
        UnreadableError: AWS does not say.
    """
    service, home = _DELEGATED.get(kind), account.home_region
    if service is None:
        return None
    none = ("AWSOrganizationsNotInUseException",)
    answer = account.call("organizations", "describe_organization", home, absent=none)
    if answer is None or answer["Organization"]["MasterAccountId"] != account.account_id:
        return None
    found = account.pages(
        "organizations", "list_delegated_administrators", "DelegatedAdministrators", home, ServicePrincipal=service
    )
    others = sorted(one["Id"] for one in found if one["Id"] != account.account_id)
    return f"the delegated administrator {', '.join(others)}" if others else None


_GOVERNED = (
    "aws_config_configuration_recorder",
    "aws_config_configuration_recorder_status",
    "aws_config_delivery_channel",
)
_EXECUTION = "AWSControlTowerExecution"
_BASELINES = "controltower:ListEnabledBaselines"


def may_say(live: Live, who: str | None) -> bool:
    """Whether a service can say who manages a resource, beyond what its owner or its name says."""
    return live.type in {*_ADMINISTRATORS, *_DELEGATED} or (live.type in _GOVERNED and who is None)


def by_control_tower(account: Account, kind: str) -> str | None:
    """Whether Control Tower governs the account, for what it takes over under the name that it had.

    An account that is enrolled with a recorder keeps it:
    https://docs.aws.amazon.com/controltower/latest/userguide/existing-config-resources.html. Every enrolled account
    has a role for Control Tower: https://docs.aws.amazon.com/controltower/latest/userguide/awscontroltowerexecution.html.
    With the role, baselines decide: they are listed where the landing zone has its home, for its management account.

    Raises:
        UnreadableError: AWS does not say.
    """
    home = account.home_region
    if kind not in _GOVERNED:
        return None
    if account.call("iam", "get_role", home, absent=("NoSuchEntity",), RoleName=_EXECUTION) is None:
        return None
    found = account.pages("controltower", "list_enabled_baselines", "enabledBaselines", home, includeChildren=True)
    if any(one["targetIdentifier"].endswith(f"/{account.account_id}") for one in found):
        return _CONTROL_TOWER
    message = (
        f"the account has the role {_EXECUTION}, and no baseline in this region; the landing zone may be elsewhere"
    )
    raise UnreadableError(_BASELINES, home, Reason.UNKNOWN, message)


def actions() -> tuple[str, ...]:
    """The IAM actions that these reads need."""
    administrators = {action for action, _ in _ADMINISTRATORS.values()}
    organization = ("organizations:DescribeOrganization", "organizations:ListDelegatedAdministrators")
    return (TAG_ACTION, "iam:GetRole", _BASELINES, "guardduty:ListDetectors", *organization, *sorted(administrators))


def tagged_in(one: Live) -> str:
    """Region in which the tagging API knows a resource: of a service without regions, where that one lives.

    AWS General Reference, "Service endpoints and quotas", of each: https://docs.aws.amazon.com/general/latest/gr/
    """
    service, partition = "".join((one.arn or "").split(":", 3)[2:3]), partition_of(one.region) or "aws"
    if service not in _WITHOUT_REGIONS:
        return one.region
    return _ELSEWHERE.get((service, partition), GLOBAL_REGION[partition])


_WITHOUT_REGIONS = ("budgets", "iam", "organizations", "shield")
"""Services without regions; buckets and permission sets have ARNs without one, and live in a region all the same."""
_ELSEWHERE = {("budgets", "aws-cn"): "cn-northwest-1", ("organizations", "aws-cn"): "cn-northwest-1"}
"""Service and partition → where it lives, if not where IAM does.

https://docs.amazonaws.cn/en_us/aws/latest/userguide/endpoints-Ningxia.html
"""
