"""The organization's guardrails: which accounts its authorization policies reach, and who manages its policies.

Only the management account knows either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import get_args

from toolkit.audit.checks.organizations import Policies as OrganizationPolicies
from toolkit.audit.checks.organizations import in_management, needs_in_management, statements_of
from toolkit.audit.facts import Fact
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.iam import (
    Policies,
    PolicyDocument,
    PolicyError,
    PolicyKind,
    Principal,
    PrincipalKind,
    Request,
    RequestError,
    evaluate,
)
from toolkit.iam.assumed import generous
from toolkit.plan.facts import Source
from toolkit.policy_types import AuthorizationType, PolicyType
from toolkit.resources.reading import Live

_GUIDE = "https://docs.aws.amazon.com/organizations/latest/userguide/"
_NOT_IN_USE = "AWSOrganizationsNotInUseException"
_NONE = "ResourcePolicyNotFoundException"
_GUARDRAILS = get_args(AuthorizationType)


@dataclass(frozen=True)
class MemberAccounts(Fact):
    """Every account of the organization except its management account, and what is `above` it, itself included.

    Listed from the root down: AWS answers the parent of one account at a time otherwise.
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html
    """

    named = "every member account of the organization"

    @property
    def actions(self) -> tuple[str, ...]:
        """What it calls."""
        return tuple(
            f"organizations:{one}"
            for one in (
                "DescribeOrganization",
                "ListAccountsForParent",
                "ListOrganizationalUnitsForParent",
                "ListRoots",
            )
        )

    def read(self, source: Source) -> tuple[Live, ...]:
        """The accounts; none in a member account, which cannot list them."""
        home = source.home_region
        answer = source.call("organizations", "describe_organization", home, absent=(_NOT_IN_USE,))
        if answer is None or answer["Organization"]["MasterAccountId"] != source.account_id:
            return ()
        roots = source.pages("organizations", "list_roots", "Roots", home)
        return tuple(one for root in roots for one in self._below(source, (root["Id"],)))

    def _below(self, source: Source, above: tuple[str, ...]) -> Iterator[Live]:
        home, parent = source.home_region, above[-1]
        for one in source.pages("organizations", "list_accounts_for_parent", "Accounts", home, ParentId=parent):
            if one["Id"] != source.account_id:
                yield Live(
                    {"id": one["Id"]},
                    {"above": [*above, one["Id"]]},
                    f"the account {one['Id']}",
                    one["Id"],
                    one["Arn"],
                    type="aws_organizations_account",
                    region=home,
                )
        operation = "list_organizational_units_for_parent"
        for unit in source.pages("organizations", operation, "OrganizationalUnits", home, ParentId=parent):
            yield from self._below(source, (*above, unit["Id"]))


@dataclass(frozen=True)
class Delegation(Fact):
    """The organization's resource-based policy, by which member accounts may manage its policies.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeResourcePolicy.html
    """

    named = "the delegation policy of the organization"
    calls = ("organizations:DescribeOrganization", "organizations:DescribeResourcePolicy")

    def read(self, source: Source) -> tuple[Live, ...]:
        """One `Live` with its `content`; none: there is no such policy."""
        home = source.home_region
        answer = source.call("organizations", "describe_organization", home, absent=(_NOT_IN_USE,))
        if answer is None or answer["Organization"]["MasterAccountId"] != source.account_id:
            return ()
        found = source.call("organizations", "describe_resource_policy", home, absent=(_NONE,))
        if found is None:
            return ()
        summary = found["ResourcePolicy"]["ResourcePolicySummary"]
        values = {"content": found["ResourcePolicy"]["Content"]}
        called = "the delegation policy of the organization"
        return (Live({}, values, called, summary["Id"], summary["Arn"], region=home),)


def _limits(policy: Live) -> bool:
    """Whether it is an authorization policy of the organization's own that takes something away."""
    if policy.values["kind"] not in _GUARDRAILS or policy.values["of_aws"]:
        return False
    return any(one["Effect"] == "Deny" for one in statements_of(policy))


def _cover(_: Scope, answers: Answers) -> Iterator[Outcome]:
    accounts = answers[MemberAccounts()]
    reached = {target for one in answers[OrganizationPolicies()] if _limits(one) for target in one.values["targets"]}
    outside = [one for one in accounts if reached.isdisjoint(one.values["above"])]
    for one in outside:
        yield Outcome(Status.FAIL, f"no authorization policy that denies anything applies to {one.called}", one)
    if accounts and not outside:
        yield Outcome(
            Status.PASS, f"an authorization policy that denies actions applies to all {len(accounts):,} members"
        )


def _delegation(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    found = answers[Delegation()]
    for one in found:
        try:
            document = PolicyDocument.parse(one.values["content"], name=one.called, kind=PolicyKind.RESOURCE)
        except PolicyError as e:
            yield Outcome(Status.UNKNOWN, f"{one.called} cannot be understood: {e}", one)
            continue
        sure, possible = _managers(document, scope.account_id)
        if sure:
            yield Outcome(Status.PASS, f"{one.called} lets {', '.join(sure)} change and attach policies", one)
        elif possible:
            doubt = f"whether {one.called} lets {', '.join(possible)} change and attach policies"
            yield Outcome(Status.UNKNOWN, f"{doubt} depends on conditions that are not known to hold", one)
        else:
            yield Outcome(Status.FAIL, f"{one.called} lets no member account change and attach policies", one)
    if not found:
        yield Outcome(Status.FAIL, "the organization has no delegation policy")


_MANAGES = ("organizations:UpdatePolicy", "organizations:AttachPolicy")
_EVERYONE = "*"
_TYPE = "organizations:PolicyType"
"""https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html"""
_OWN_SIDE = PolicyDocument.parse(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
    name="the member account's own policies",
    kind=PolicyKind.IDENTITY,
)


def _managers(document: PolicyDocument, management: str) -> tuple[list[str], list[str]]:
    """The principals of member accounts that may change and attach policies of one type; and those that perhaps may.

    AWS's examples allow either action in a statement of its own. The member account is taken to allow it as well, since
    it decides that alone. The management account needs no delegation.
    https://docs.aws.amazon.com/organizations/latest/userguide/security_iam_resource-based-policy-examples.html
    """
    named = dict.fromkeys(
        principal
        for one in document.statements
        if one.effect == "Allow" and one.principals is not None
        for principal in ((_EVERYONE,) if one.principals.everyone else one.principals.aws)
    )
    sure, possible = [], []
    for principal in named:
        try:
            caller = _caller(principal)
        except RequestError:
            continue  # The id of a user or role that was deleted.
        if caller.account != management:
            known = _known(principal, caller)
            if _manages(caller, _sure(document, known), management):
                sure.append(principal)
            elif _manages(caller, generous(document, known), management):
                possible.append(principal)
    return sure, possible


def _caller(principal: str) -> Principal:
    if principal == _EVERYONE:
        principal = "0" * 12
    return Principal.parse(f"arn:aws:iam::{principal}:root" if principal.isdigit() else principal)


def _known(principal: str, caller: Principal) -> frozenset[str]:
    """Condition keys whose values are known; one who is named by the account may be any of its users and roles."""
    keys = {_TYPE.lower(), "aws:resourceaccount"}
    if principal != _EVERYONE:
        keys.add("aws:principalaccount")
    if caller.kind is not PrincipalKind.ROOT:
        keys.add("aws:principalarn")
    return frozenset(keys)


def _sure(document: PolicyDocument, known: frozenset[str]) -> PolicyDocument:
    """The policy where conditions on keys that are not known are not met where it allows, and met where it denies."""
    kept = []
    for one in document.statements:
        left = tuple(condition for condition in one.conditions if condition.key.lower() in known)
        if one.effect == "Deny" or left == one.conditions:
            kept.append(replace(one, conditions=left))
    return replace(document, statements=tuple(kept))


def _manages(caller: Principal, document: PolicyDocument, management: str) -> bool:
    """Whether a policy lets somebody change and attach policies of one type at least."""
    policies = Policies(identity=(_OWN_SIDE,), resource=document)

    def may(action: str, kind: str) -> bool:
        return any(
            evaluate(Request(caller.arn, action, one, {_TYPE: kind}, resource_account=management), policies).allowed
            for one in _resources(document, kind, management)
        )

    return any(all(may(action, kind) for action in _MANAGES) for kind in get_args(PolicyType))


def _resources(document: PolicyDocument, kind: str, management: str) -> Iterator[str]:
    """A policy of a type, in each organization that the document names, and one of what each statement allows.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html (forms of ARNs)
    """
    texts = [text for one in document.statements for text in (*one.resources, *one.not_resources)]
    organizations = sorted({found for text in texts for found in re.findall(r"/(o-[a-z0-9]+)/", text)})
    for organization in organizations or ["o-example"]:
        yield f"arn:aws:organizations::{management}:policy/{organization}/{kind.lower()}/p-example"
    for text in texts:
        example = text.replace("*", "x").replace("?", "x")
        of = re.search(r":policy/[^/]+/([^/]+)/", example)
        other = of is not None and of[1].upper() in get_args(PolicyType) and of[1].upper() != kind
        if example.startswith("arn:") and not other:
            yield example


CHECKS = (
    Check(
        "organizations_authorization_policies_cover_every_account",
        "An authorization policy that denies actions applies to every member account.",
        Severity.HIGH,
        "organizations",
        needs_in_management(lambda _: OrganizationPolicies(), lambda _: MemberAccounts()),
        in_management(_cover),
        Remedy(
            "set `components.organization.service_control_policies` in environment.yaml, with the root as a target",
            "organization",
            "service_control_policies",
        ),
        why="Administrators of an account that no policy limits can switch off what protects it.",
        source=f"{_GUIDE}orgs_manage_policies_authorization_policies.html",
    ),
    Check(
        "organizations_policies_delegated",
        "A member account may change and attach the organization's policies.",
        Severity.MEDIUM,
        "organizations",
        needs_in_management(lambda _: Delegation()),
        in_management(_delegation),
        Remedy("create a resource-based delegation policy that names the account for security"),
        why="Policies are otherwise managed by users of the management account, to whom no policy applies.",
        source=f"{_GUIDE}orgs_delegate_policies.html",
    ),
)
