"""How much of AWS's quotas an account uses, for those that a plan adds to. Reads only.

Only what a plan adds to is read, and each list once: an apply that adds nothing reads nothing. What cannot be read is
answered as unknown, with the reason.

IAM answers its quotas with what is used of them (GetAccountSummary). Of other services the documented default is taken
first: AWS raises quotas and does not go below. Only where a plan would exceed it is Service Quotas asked for the
account's own value, unless AWS raises it for nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from toolkit.aws.existing import NOT_SIMULATED
from toolkit.aws.facts import asked, side_by_side
from toolkit.aws.session import ClientFactory
from toolkit.errors import ToolkitError
from toolkit.plan.model import Action, Change, Plan
from toolkit.plan.quotas import Usage

T = TypeVar("T")

ACCOUNT_WIDE: Mapping[str, tuple[str, str]] = {
    "aws_iam_group": ("Groups", "groups in the account"),
    "aws_iam_policy": ("Policies", "customer managed policies in the account"),
    "aws_iam_role": ("Roles", "roles in the account"),
    "aws_iam_user": ("Users", "users in the account"),
}
"""Type → key of IAM's account summary, whose quota is KEYQuota, and what it counts.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
"""


PER_OWNER: Mapping[str, tuple[str, str, str]] = {
    "aws_iam_group_policy_attachment": ("group", "AttachedPoliciesPerGroupQuota", "managed policies on the group"),
    "aws_iam_role_policy_attachment": ("role", "AttachedPoliciesPerRoleQuota", "managed policies on the role"),
    "aws_iam_user_group_membership": ("user", "GroupsPerUserQuota", "groups of the user"),
}
"""Type → attribute that names the owner, key of the quota in IAM's account summary, and what it limits."""


@dataclass(frozen=True)
class Regional:
    """A quota of a region, or of one owner in it, that AWS does not count itself.

    Attributes:
        of: What it limits, for people; {owner} stands for the owner's name.
        default: What AWS documents for everybody.
        source: Where.
        count: How many there are.
        owner: Attribute that names the owner; None: the quota is the region's.
        own_value: (service code, words of the quota's name) in Service Quotas; None: AWS raises it for nobody.
    """

    of: str
    default: int
    source: str
    count: Callable[[ClientFactory, str, str], int]
    owner: str | None = None
    own_value: tuple[str, str] | None = None


def _trails(clients: ClientFactory, region: str, _owner: str) -> int:
    # With those of other regions that record in this one, too: each counts.
    return len(clients.client("cloudtrail", region).describe_trails(includeShadowTrails=True)["trailList"])


def _listing(service: str, call: str, member: str) -> Callable[[ClientFactory, str, str], int]:
    return lambda clients, region, _owner: len(clients.listed(service, call, member, region))


def _in_log_group(call: str, member: str) -> Callable[[ClientFactory, str, str], int]:
    def count(clients: ClientFactory, region: str, owner: str) -> int:
        logs = clients.client("logs", region)
        try:
            return len(clients.listed("logs", call, member, region, logGroupName=owner))
        except logs.exceptions.ResourceNotFoundException:
            return 0  # the log group is still to be made

    return count


_LOGS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"

REGIONAL: Mapping[str, Regional] = {
    "aws_cloudtrail": Regional(
        "trails that record in {region}",
        5,
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html",
        _trails,
    ),
    "aws_cloudwatch_event_rule": Regional(
        "rules on the default event bus in {region}",
        100,  # in newer regions; 300 in the others
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html",
        _listing("events", "list_rules", "Rules"),
        own_value=("events", "number of rules"),
    ),
    "aws_cloudwatch_log_metric_filter": Regional(
        "metric filters of the log group {owner}",
        100,
        _LOGS,
        _in_log_group("describe_metric_filters", "metricFilters"),
        owner="log_group_name",
    ),
    "aws_cloudwatch_log_subscription_filter": Regional(
        "subscription filters of the log group {owner}",
        2,
        _LOGS,
        _in_log_group("describe_subscription_filters", "subscriptionFilters"),
        owner="log_group_name",
    ),
    "aws_cloudwatch_metric_alarm": Regional(
        "alarms in {region}",
        5000,
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html",
        _listing("cloudwatch", "describe_alarms", "MetricAlarms"),
        own_value=("monitoring", "alarms"),
    ),
    "aws_config_config_rule": Regional(
        "Config rules in {region}",
        1000,
        "https://docs.aws.amazon.com/config/latest/developerguide/configlimits.html",
        _listing("config", "describe_config_rules", "ConfigRules"),
        own_value=("config", "config rules per region"),
    ),
}
"""Type → its quota, outside of IAM and Organizations."""


def read_quotas(plan: Plan, clients: ClientFactory, attachable: Mapping[str, tuple[str, int]]) -> tuple[Usage, ...]:
    """Every quota that the plan adds to, as it is now.

    Args:
        plan: The plan.
        clients: Reach the account.
        attachable: Name of a policy of the organization → its type ("SERVICE_CONTROL_POLICY"), and how many of the type
            a root, unit or account may have.
    """
    changes = [c for c in plan.changes if c.action in _COUNTED and not (clients.simulated and c.type in NOT_SIMULATED)]
    at_once: list[Usage] = []
    reads = [*_regional(changes, clients), *_per_target(changes, clients, attachable)]
    if any(c.type in ACCOUNT_WIDE or c.type in PER_OWNER for c in changes):
        iam = clients.client("iam")
        values, why = _known("iam:GetAccountSummary", lambda: dict(iam.get_account_summary()["SummaryMap"]))
        summary = _Summary(values or {}, why or "IAM's account summary does not have it")
        at_once += _account_wide(changes, summary)
        reads += _per_owner(changes, clients, summary)
    return (*at_once, *side_by_side(lambda read: read(), reads))


_COUNTED = (Action.CREATE, Action.DELETE, Action.UPDATE, Action.REPLACE)


@dataclass(frozen=True)
class _Summary:
    """IAM's account summary: {} and the reason where it could not be read."""

    values: Mapping[str, int]
    why: str

    def usage(self, of: str, adds: int, change: Change, used: int | None, quota: str, why: str = "") -> Usage:
        limit = self.values.get(quota)
        return Usage(of, adds, change, used, limit, why or (self.why if limit is None or used is None else ""))


def _known(call: str, read: Callable[[], T]) -> tuple[T | None, str]:
    """What `read` answers, or None and why it is not known."""
    try:
        return asked(call, read), ""
    except ToolkitError as e:
        return None, e.problem


def _created(changes: Iterable[Change], kind: str) -> tuple[int, Change | None]:
    """How many more of a type there are after the plan, and the first that it creates."""
    mine = [c for c in changes if c.type == kind]
    creates = [c for c in mine if c.action is Action.CREATE]
    return len(creates) - sum(c.action is Action.DELETE for c in mine), next(iter(creates), None)


def _account_wide(changes: list[Change], summary: _Summary) -> Iterator[Usage]:
    for kind, (key, of) in ACCOUNT_WIDE.items():
        adds, first = _created(changes, kind)
        if first is not None:
            yield summary.usage(of, adds, first, summary.values.get(key), f"{key}Quota")


def _members(change: Change, values: Mapping[str, Any]) -> set[str]:
    """What an attachment or membership gives its owner: ARNs or groups; the address stands for an unknown ARN."""
    if "groups" in values:
        groups = values["groups"]
        return set(map(str, groups)) if isinstance(groups, list) else set()
    arn = values.get("policy_arn")
    return {arn if isinstance(arn, str) else change.address} if values else set()


def _per_owner(changes: list[Change], clients: ClientFactory, summary: _Summary) -> Iterator[Callable[[], Usage]]:
    new = {(c.type, c.after.get("name")) for c in changes if c.action is Action.CREATE}
    for kind, (attribute, quota, of) in PER_OWNER.items():
        owners: defaultdict[str, list[Change]] = defaultdict(list)
        for change in changes:
            owner = (change.after or change.before).get(attribute) if change.type == kind else None
            if isinstance(owner, str):
                owners[owner].append(change)
        for owner, mine in owners.items():
            is_new = (f"aws_iam_{attribute}", owner) in new
            yield partial(_owner_usage, clients, summary, kind, owner, f"{of} {owner!r}", quota, mine, is_new=is_new)


def _owner_usage(
    clients: ClientFactory,
    summary: _Summary,
    kind: str,
    owner: str,
    of: str,
    quota: str,
    changes: list[Change],
    *,
    is_new: bool,
) -> Usage:
    gets = {member for c in changes for member in _members(c, c.after)}
    loses = {member for c in changes for member in _members(c, c.before)} - gets
    first = next((c for c in changes if c.after), changes[0])
    held: set[str] | None = set()
    why = ""
    if gets and not is_new:
        held, why = _known(f"iam:{_HELD[kind].action}", lambda: _HELD[kind].read(clients, owner))
    if held is None:
        return summary.usage(of, len(gets), first, None, quota, why)
    # What is attached already counts once.
    return summary.usage(of, len((held - loses) | gets) - len(held), first, len(held), quota)


@dataclass(frozen=True)
class _Held:
    """What an owner has already: boto3's call, its parameter, where items stand in the answer, and what names one."""

    call: str
    parameter: str
    member: str
    name: str
    action: str

    def read(self, clients: ClientFactory, owner: str) -> set[str]:
        iam = clients.client("iam")
        try:
            pages = list(iam.get_paginator(self.call).paginate(**{self.parameter: owner}))
        except iam.exceptions.NoSuchEntityException:
            return set()  # the owner is still to be made
        return {item[self.name] for page in pages for item in page[self.member]}


_HELD = {
    "aws_iam_group_policy_attachment": _Held(
        "list_attached_group_policies", "GroupName", "AttachedPolicies", "PolicyArn", "ListAttachedGroupPolicies"
    ),
    "aws_iam_role_policy_attachment": _Held(
        "list_attached_role_policies", "RoleName", "AttachedPolicies", "PolicyArn", "ListAttachedRolePolicies"
    ),
    "aws_iam_user_group_membership": _Held(
        "list_groups_for_user", "UserName", "Groups", "GroupName", "ListGroupsForUser"
    ),
}


def _regional(changes: list[Change], clients: ClientFactory) -> Iterator[Callable[[], Usage]]:
    for kind, quota in REGIONAL.items():
        places: defaultdict[tuple[str, str], list[Change]] = defaultdict(list)
        for change in changes:
            owner = (change.after or change.before).get(quota.owner) if quota.owner else ""
            if change.type == kind and isinstance(owner, str):
                places[change.region, owner].append(change)
        for (region, owner), mine in places.items():
            adds, first = _created(mine, kind)
            if first is not None and adds > 0:
                yield partial(_regional_usage, clients, quota, region, owner, adds, first)


def _regional_usage(
    clients: ClientFactory, quota: Regional, region: str, owner: str, adds: int, first: Change
) -> Usage:
    of = quota.of.format(region=region, owner=repr(owner))
    used, why = _known(f"how many {of} there are", lambda: quota.count(clients, region, owner))
    if used is None or used + adds <= quota.default:
        return Usage(of, adds, first, used, quota.default, why)
    documented = f"AWS documents {quota.default}: {quota.source}"
    if quota.own_value is None:
        return Usage(of, adds, first, used, quota.default, documented, otherwise=None)
    own, why = _known("servicequotas:ListServiceQuotas", lambda: _own_value(clients, region, quota))
    unknown = f"{why or 'Service Quotas does not name it'}; {documented}" if own is None else ""
    return Usage(of, adds, first, used, own, unknown)


def _own_value(clients: ClientFactory, region: str, quota: Regional) -> int | None:
    """The account's own quota; None where Service Quotas has none of that name, or several."""
    assert quota.own_value is not None
    service, words = quota.own_value
    listed = clients.listed("service-quotas", "list_service_quotas", "Quotas", region, ServiceCode=service)
    found = [q["Value"] for q in listed if words in q["QuotaName"].lower()]
    return int(found[0]) if len(found) == 1 else None


def _per_target(
    changes: list[Change], clients: ClientFactory, attachable: Mapping[str, tuple[str, int]]
) -> Iterator[Callable[[], Usage]]:
    """Policies of one type on one root, unit or account of the organization."""
    targets: defaultdict[tuple[str, str, int], list[Change]] = defaultdict(list)
    for change in changes:
        target = (change.after or change.before).get("target_id")
        # The key of an instance is the policy's name and the target, as the environment names it.
        name = change.address.partition('["')[2].partition("/")[0]
        # A unit that is still to be made has none; what the plan attaches to it is counted before Terraform starts.
        if change.type == "aws_organizations_policy_attachment" and isinstance(target, str) and name in attachable:
            targets[target, *attachable[name]].append(change)
    for (target, kind, limit), mine in targets.items():
        adds, first = _created(mine, "aws_organizations_policy_attachment")
        if first is not None and adds > 0:
            yield partial(_target_usage, clients, target, kind, limit, adds, first)


def _target_usage(clients: ClientFactory, target: str, kind: str, limit: int, adds: int, first: Change) -> Usage:
    def count() -> int:
        pages = clients.client("organizations").get_paginator("list_policies_for_target")
        return sum(len(page["Policies"]) for page in pages.paginate(TargetId=target, Filter=kind))

    used, why = _known("organizations:ListPoliciesForTarget", count)
    otherwise = "set `limits` of the component to what AWS allows you, if that is more"
    return Usage(f"policies of the type {kind} on {target}", adds, first, used, limit, why, otherwise)
