"""Whether who applies as a role keeps its rights, and could assume it again.

In: the plan's changes, who applies, and the role and its policies as they are now. Out: findings. Pure. Who assumed a
role is not told by the session's ARN: where some may assume it no more and others may, it is asked instead of decided.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from toolkit.findings import Finding
from toolkit.findings.rules import LOCKS_OUT, LOCKS_OUT_CALLER
from toolkit.iam import role_session
from toolkit.iam.trust import TrustLoss, compare_trust
from toolkit.plan.boundaries import Boundaries, Refused, changed_boundaries, may_limit_more
from toolkit.plan.case import Caller, Case, Guard
from toolkit.plan.denials import Denials, Denied, HeldPolicies, Member, newly_denies
from toolkit.plan.facts import Facts, Source, Wanted
from toolkit.plan.lockout.changes import PAST, goes, takes_administration
from toolkit.plan.lockout.finding import lockout
from toolkit.plan.managed_policies import (
    DocumentWanted,
    documents_wanted,
    is_of_aws,
    policies_with,
    read_document,
)
from toolkit.plan.model import Action, Change, Plan
from toolkit.plan.spelling import Spelling

_ROLE = "aws_iam_role"
_ATTACHED = "aws_iam_role_policy_attachment"
_TRUSTED = (_ROLE, "aws_iam_user", "aws_iam_openid_connect_provider", "aws_iam_saml_provider")
"""Types that trust policies name by ARN."""


@dataclass(frozen=True)
class OwnRole:
    """The role whose session applies."""

    arn: str
    """With its path."""
    trust: str
    """Its trust policy, as JSON text."""
    boundary: str | None = None
    """ARN of its permissions boundary."""


@dataclass(frozen=True)
class RoleWanted(Wanted[OwnRole | None]):
    """The role whose session applies; None: it does not exist.

    The embedded AWS lets sessions in of roles that it does not have: whoever comes so has nothing there to lose.
    """

    name: str

    @property
    def what(self) -> str:
        """As the base."""
        return f"the role {self.name}, with which you apply,"

    def read(self, source: Source) -> OwnRole | None:
        """As the base."""
        answer = source.call("iam", "get_role", source.home_region, absent=_absent(source), RoleName=self.name)
        if answer is None:
            return None
        role = answer["Role"]
        boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        # botocore has parsed the document already.
        return OwnRole(role["Arn"], json.dumps(role["AssumeRolePolicyDocument"]), boundary)


@dataclass(frozen=True)
class RoleBoundaryWanted(Wanted[str | None]):
    """What the permissions boundary of a role says; None: it has none, or one of AWS's own."""

    name: str

    @property
    def what(self) -> str:
        """As the base."""
        return f"the permissions boundary of the role {self.name}, with which you apply,"

    def read(self, source: Source) -> str | None:
        """As the base."""
        role = RoleWanted(self.name).read(source)
        boundary = role.boundary if role else None
        return None if boundary is None or is_of_aws(boundary) else read_document(source, boundary)


@dataclass(frozen=True)
class RolePoliciesWanted(Wanted[HeldPolicies]):
    """The policies of a role, with the text of those that are inline or the account's own."""

    name: str

    @property
    def what(self) -> str:
        """As the base."""
        return f"what policies the role {self.name} has, which applies this plan,"

    def read(self, source: Source) -> HeldPolicies:
        """As the base."""
        home, absent, role = source.home_region, _absent(source), self.name
        names = source.pages("iam", "list_role_policies", "PolicyNames", home, absent=absent, RoleName=role)
        attached = source.pages(
            "iam", "list_attached_role_policies", "AttachedPolicies", home, absent=absent, RoleName=role
        )
        arns = frozenset(policy["PolicyArn"] for policy in attached)
        inline = {name: _inline(source, role, name) for name in names}
        # AWS's own are not asked for: they deny nothing, but for AWSDenyAll.
        documents = {a: text for a in sorted(arns) if not is_of_aws(a) and (text := read_document(source, a))}
        return HeldPolicies({role: inline}, {role: arns}, documents, "role")


def _inline(source: Source, role: str, name: str) -> str:
    answer = source.call("iam", "get_role_policy", source.home_region, RoleName=role, PolicyName=name)
    assert answer is not None, "no error of this call is an absence"
    return json.dumps(answer["PolicyDocument"])


def _absent(source: Source) -> tuple[str, ...]:
    return ("NoSuchEntity",) if source.simulated else ()


def judge_own_role(
    plan: Plan,
    caller: Caller,
    trust: str | None = None,
    denied: Denied | None = None,
    bounded: tuple[Refused, Change] | None = None,
) -> Iterator[Finding]:
    """Findings about the very role that applies: deleted, limited, no longer an administrator, or closed to
    the caller.

    Args:
        plan: The plan.
        caller: Who applies.
        trust: The role's trust policy as AWS has it, wanted where `takes_trusted`.
        denied: What policies newly deny it; None: none do.
        bounded: What a boundary newly refuses it, and the change that does it; None: nothing.
    """
    role = role_of(caller)
    if role is None:
        return
    reported = set()
    for change in plan.changes:
        how = _loses(change, role)
        if how is not None:
            reported.add(change.address)
            yield lockout(
                LOCKS_OUT_CALLER,
                change,
                f"You apply as the role {role}, which {how} during this apply.",
                f"{change.address} would be {PAST[change.action]}",
                "let another administrator apply this, or another role",
                consent=None,
            )
    yield from _by_trust(plan, role, trust)
    if denied is not None and denied.change is not None:
        yield lockout(
            LOCKS_OUT_CALLER if denied.certain else LOCKS_OUT,
            denied.change,
            f"You apply as the role {role}, whose policies {'would' if denied.certain else 'might'} deny it actions "
            "that applying the baseline needs.",
            "; ".join(denied.lines),
            "let another administrator apply this, or let the statements deny less",
            consent=None if denied.certain else "--acknowledge-lockout",
        )
    if bounded is not None and bounded[1].address not in reported:
        refused, change = bounded
        yield lockout(
            LOCKS_OUT_CALLER if refused.certain else LOCKS_OUT,
            change,
            f"You apply as the role {role}, whose permissions boundary {'would' if refused.certain else 'might'} "
            "refuse actions that applying the baseline needs.",
            refused.line,
            "let another administrator apply this, or let the boundary allow what is needed",
            consent=None if refused.certain else "--acknowledge-lockout",
        )


def role_of(caller: Caller) -> str | None:
    """Name of the role whose session applies; None for anybody else."""
    session = role_session(caller.arn)
    return session[0] if session else None


def takes_trusted(plan: Plan) -> bool:
    """Whether the plan deletes what a trust policy may name, so that the own role's has to be known."""
    return any(c.type in _TRUSTED and goes(c) for c in plan.changes)


def may_be_bounded(plan: Plan, role: str) -> bool:
    """Whether the plan may change what a boundary refuses the role, so that its boundary has to be known."""
    return any(
        may_limit_more(c) or (c.type == _ROLE and c.before.get("name") == role and c.action is Action.UPDATE)
        for c in plan.changes
    )


def _loses(change: Change, role: str) -> str | None:
    """How a change takes rights from a role; None where it takes none that are known to be needed."""
    if change.type == _ROLE and change.before.get("name") == role:
        if goes(change):
            return "is deleted"
        if change.action is Action.UPDATE and not change.before.get("permissions_boundary"):
            return "gets a permissions boundary" if change.after.get("permissions_boundary") else None
    if change.type == _ATTACHED and change.before.get("role") == role and takes_administration(change):
        return "loses AdministratorAccess"
    return None


def _by_trust(plan: Plan, role: str, trust: str | None) -> Iterator[Finding]:
    own = next((c for c in plan.changes if c.type == _ROLE and c.before.get("name") == role), None)
    if own is not None and goes(own):
        return
    gone = {str(c.before.get("arn")): c for c in plan.changes if c.type in _TRUSTED and goes(c)}
    updates = own is not None and own.action is Action.UPDATE
    before = own.before.get("assume_role_policy") if own is not None else trust
    after = own.after.get("assume_role_policy") if own is not None and updates else before
    if not isinstance(before, str) or (before == after and not gone):
        return
    loss = TrustLoss(("the new trust policy is not known before the apply",), False)
    if isinstance(after, str):
        loss = compare_trust(before, after, frozenset(gone))
    named = next((change for arn, change in gone.items() if f'"{arn}"' in before), None)
    change = own if updates and before != after else named
    if not loss.lines or change is None:
        return
    if loss.everybody:
        yield lockout(
            LOCKS_OUT_CALLER,
            change,
            f"You apply as the role {role}, and no principal that can assume it now could do so after this apply.",
            "; ".join(loss.lines),
            "keep the principals that it trusts, or let another administrator apply this",
            consent=None,
        )
        return
    yield lockout(
        LOCKS_OUT,
        change,
        f"You apply as the role {role}, which fewer principals could assume after this apply: whether you are among "
        "them is unknown, since a session does not name who assumed it.",
        "; ".join(loss.lines),
        "keep the principals that it trusts, or make sure that you can assume it through one that stays",
        consent="--acknowledge-lockout",
    )


def _needs(case: Case) -> Iterator[Wanted[Any]]:
    name = role_of(case.caller)
    if name is None or case.ends:
        return
    plan = Spelling(roles=[name]).plan(case.plan)
    denies, limits = newly_denies(plan, name), may_be_bounded(plan, name)
    if denies or limits or takes_trusted(plan):
        yield RoleWanted(name)
    if denies:
        yield RolePoliciesWanted(name)
        yield from policies_given(plan, name)
    if limits:
        yield RoleBoundaryWanted(name)
        yield from documents_wanted(changed_boundaries(plan), plan, case.outcome)


def policies_given(plan: Plan, role: str) -> Iterator[DocumentWanted]:
    """Policies that the role is to get."""
    for change in plan.changes:
        arn = str(change.after.get("policy_arn"))
        if change.after.get("role") == role and arn.startswith("arn:") and not is_of_aws(arn):
            yield DocumentWanted(arn)


def _judge(case: Case, facts: Facts) -> Iterator[Finding]:
    name = role_of(case.caller)
    if name is None or case.ends:
        return
    plan = Spelling(roles=[name]).plan(case.plan)
    denies, limits = newly_denies(plan, name), may_be_bounded(plan, name)
    role = facts[RoleWanted(name)] if denies or limits or takes_trusted(plan) else None
    denied = bounded = None
    if role is not None and denies:
        held = facts[RolePoliciesWanted(name)]
        given = {wanted.arn: text for wanted in policies_given(plan, name) if (text := facts[wanted]) is not None}
        held = replace(held, documents={**held.documents, **given})
        itself = frozenset({name})
        member = Member(role.arn, itself, itself, None, mfa=False)
        denied = Denials(plan, held, case.deployment).newly(member)
    if role is not None and limits:
        arns = changed_boundaries(plan)
        if role.boundary:
            arns |= {role.boundary}
            facts = facts.also(DocumentWanted(role.boundary), facts[RoleBoundaryWanted(name)])
        policies = policies_with(facts, arns, plan, case.outcome)
        bounded = Boundaries(plan, policies, case.deployment).newly(role.arn, role.boundary)
    yield from judge_own_role(plan, case.caller, role.trust if role else None, denied, bounded)


GUARD = Guard(_judge, _needs)
