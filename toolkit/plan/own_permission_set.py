"""Whether who applies by way of IAM Identity Center still gets into the account, with the same rights.

In: the plan's changes, what there is once it is applied, who applies, and who has the permission set now. Out:
findings. Pure. Unlike that of another role's session, this ARN tells who assumed it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.findings import Finding
from toolkit.findings.rules import LOCKS_OUT, LOCKS_OUT_CALLER
from toolkit.iam import role_session
from toolkit.iam.comparison import rights_lost
from toolkit.plan.boundaries import SET_BOUNDARY, Boundaries, Refused, boundary_of, in_account
from toolkit.plan.case import Caller, Case, Guard
from toolkit.plan.facts import Facts, Source, Wanted
from toolkit.plan.lockout.changes import PAST, goes
from toolkit.plan.lockout.finding import lockout
from toolkit.plan.managed_policies import is_administrator
from toolkit.plan.model import Action, Change, Plan, Resource
from toolkit.plan.policy_texts import known_policies, wanted_texts
from toolkit.resources.reading import Reason, Unreadable

_SET = "aws_ssoadmin_permission_set"
_ASSIGNMENT = "aws_ssoadmin_account_assignment"
_MANAGED = "aws_ssoadmin_managed_policy_attachment"
_CUSTOMER_MANAGED = "aws_ssoadmin_customer_managed_policy_attachment"
_INLINE = "aws_ssoadmin_permission_set_inline_policy"


@dataclass(frozen=True)
class SignedIn:
    """Who applies, as IAM Identity Center has them."""

    permission_set: str
    user: str


@dataclass(frozen=True)
class Assigned:
    """Who has a permission set in the account, by ids of the identity store."""

    principals: frozenset[str]
    own: frozenset[str] | None
    """The user and its groups; None where the identity store has no user of that name."""


@dataclass(frozen=True)
class AssignedWanted(Wanted[Assigned]):
    """Who has a permission set in an account, and who of them a user is."""

    instance: str
    """ARN of the instance of IAM Identity Center, which the account has or administers."""
    permission_set: str
    """ARN."""
    account_id: str
    region: str
    """Of the instance."""
    user: str
    """Name of the user who applies."""

    @property
    def what(self) -> str:
        """As the base."""
        return f"who has the permission set {self.permission_set} in {self.account_id}"

    def read(self, source: Source) -> Assigned | Unreadable:
        """As the base."""
        principals = source.pages(
            "sso-admin",
            "list_account_assignments",
            "AccountAssignments",
            self.region,
            InstanceArn=self.instance,
            AccountId=self.account_id,
            PermissionSetArn=self.permission_set,
        )
        instances = source.pages("sso-admin", "list_instances", "Instances", self.region)
        store = next((i["IdentityStoreId"] for i in instances if i["InstanceArn"] == self.instance), None)
        if store is None:
            problem = f"it does not name {self.instance}: IAM Identity Center may have been moved or deleted"
            return Unreadable("", self.region, "sso:ListInstances", Reason.UNKNOWN, problem)
        return Assigned(frozenset(p["PrincipalId"] for p in principals), self._own(source, store))

    def _own(self, source: Source, store: str) -> frozenset[str] | None:
        named = {"UniqueAttribute": {"AttributePath": "userName", "AttributeValue": self.user}}
        answer = source.call(
            "identitystore",
            "get_user_id",
            self.region,
            absent=("ResourceNotFoundException",),
            IdentityStoreId=store,
            AlternateIdentifier=named,
        )
        if answer is None:
            return None
        groups = source.pages(
            "identitystore",
            "list_group_memberships_for_member",
            "GroupMemberships",
            self.region,
            IdentityStoreId=store,
            MemberId={"UserId": answer["UserId"]},
        )
        return frozenset([answer["UserId"], *(group["GroupId"] for group in groups)])


def signed_in(caller: Caller) -> SignedIn | None:
    """The permission set and user behind a session; None for anybody who does not come by IAM Identity Center.

    Its roles are named AWSReservedSSO_SET_SUFFIX (IAM Identity Center User Guide, "Referencing permission sets in
    resource policies, Amazon EKS Cluster config maps, and AWS KMS key policies"), and each session after its user.
    """
    session = role_session(caller.arn)
    if session is None:
        return None
    role, user = session
    found = re.fullmatch(r"AWSReservedSSO_(.+)_[0-9a-f]{16}", role)
    return SignedIn(found[1], user) if found else None


def judge_own_permission_set(
    plan: Plan,
    outcome: Iterable[Resource],
    who: SignedIn,
    account_id: str,
    assigned: Assigned | None,
    bounded: Callable[[str | None, str], Refused | None] = lambda _old, _new: None,
) -> Iterator[Finding]:
    """Findings about the permission set by which whoever applies came in.

    Args:
        plan: The plan.
        outcome: What there is once it is applied.
        who: Who applies.
        account_id: The account that they are in.
        assigned: Who has the set there now, wanted where `lost_assignments`.
        bounded: (old boundary, new boundary) → what the latter refuses whoever applies that the former does not.
    """
    outcome = tuple(outcome)
    arns = _arns(plan, outcome, who)
    deleted = [c for c in plan.changes if c.type == _SET and goes(c) and c.before.get("name") == who.permission_set]
    administers = _administers(arns, outcome)
    for change in deleted or plan.changes:
        how = "is deleted" if deleted else _loses(change, arns, administers=administers)
        if how is not None:
            yield lockout(
                LOCKS_OUT_CALLER,
                change,
                f"You apply with the permission set {who.permission_set}, which {how} during this apply.",
                f"{change.address} would be {PAST[change.action]}",
                "let another administrator apply this, or sign in with another permission set",
                consent=None,
            )
        elif change.type == _INLINE and change.action in (Action.CREATE, Action.UPDATE) and _of(change.after, arns):
            yield from _by_inline(change, who, administers=administers)
        elif change.type == SET_BOUNDARY and change.action is not Action.FORGET and _of(change.after, arns):
            yield from _by_boundary(change, who, account_id, bounded)
    if deleted:
        return
    lost = lost_assignments(plan, outcome, who, account_id)
    if lost and assigned is not None:
        yield from _by_assignment(plan, lost, arns, who, account_id, assigned)


def lost_assignments(plan: Plan, outcome: Iterable[Resource], who: SignedIn, account_id: str) -> tuple[Change, ...]:
    """Assignments of the own permission set in the account that the plan deletes, be it to make them anew."""
    arns = _arns(plan, outcome, who)
    return tuple(c for c in plan.changes if goes(c) and _assigns(c.type, c.before, arns, account_id))


def _arns(plan: Plan, outcome: Iterable[Resource], who: SignedIn) -> frozenset[str]:
    """ARNs of the own permission set: one, or none where it is not of this state."""
    before = [c.before for c in plan.changes if c.type == _SET]
    after = [r.values for r in outcome if r.type == _SET]
    own = (v.get("arn") for v in (*before, *after) if v.get("name") == who.permission_set)
    return frozenset(arn for arn in own if isinstance(arn, str))


def _of(values: Mapping[str, Any], arns: frozenset[str]) -> bool:
    return values.get("permission_set_arn") in arns


def _assigns(resource: str, values: Mapping[str, Any], arns: frozenset[str], account_id: str) -> bool:
    return resource == _ASSIGNMENT and _of(values, arns) and values.get("target_id") == account_id


def _administers(arns: frozenset[str], outcome: Iterable[Resource]) -> bool:
    return any(
        r.type == _MANAGED and _of(r.values, arns) and is_administrator(str(r.values.get("managed_policy_arn")))
        for r in outcome
    )


def _loses(change: Change, arns: frozenset[str], *, administers: bool) -> str | None:
    """How a change takes rights from the permission set; None where it takes none."""
    if change.type == SET_BOUNDARY and change.action is Action.CREATE and _of(change.after, arns):
        return "gets a permissions boundary"
    # Which of several policies it takes to apply is not known; AdministratorAccess alone is all of them.
    if not goes(change) or not _of(change.before, arns) or administers:
        return None
    if change.type == _MANAGED:
        return f"loses {str(change.before.get('managed_policy_arn')).rsplit('/', 1)[-1]}"
    if change.type == _CUSTOMER_MANAGED:
        return "loses a customer managed policy"
    if change.type == _INLINE and rights_lost(change.before.get("inline_policy"), None)[0]:
        return "loses its inline policy"
    return None


def _by_inline(change: Change, who: SignedIn, *, administers: bool) -> Iterator[Finding]:
    before, after = change.before.get("inline_policy"), change.after.get("inline_policy")
    granted, denied = rights_lost(before, after) if isinstance(after, str) else ((), ("not known before the apply",))
    lost = denied if administers else (*granted, *denied)
    if lost:
        yield lockout(
            LOCKS_OUT,
            change,
            f"You apply with the permission set {who.permission_set}, whose inline policy would let you do less.",
            "; ".join(lost),
            "check whether you could still apply and undo this; or let another administrator apply it",
            consent="--acknowledge-lockout",
        )


def _by_boundary(
    change: Change, who: SignedIn, account_id: str, bounded: Callable[[str | None, str], Refused | None]
) -> Iterator[Finding]:
    """Another boundary in the place of the one that is there."""
    old, new = (boundary_of(SET_BOUNDARY, values) for values in (change.before, change.after))
    refused = bounded(old and in_account(old, account_id), in_account(new, account_id)) if new else None
    if refused is not None:
        yield lockout(
            LOCKS_OUT_CALLER if refused.certain else LOCKS_OUT,
            change,
            f"You apply with the permission set {who.permission_set}, whose new permissions boundary "
            f"{'would' if refused.certain else 'might'} refuse actions that applying the baseline needs.",
            refused.line,
            "let another administrator apply this, or let the boundary allow what is needed",
            consent=None if refused.certain else "--acknowledge-lockout",
        )


def _by_assignment(
    plan: Plan, lost: tuple[Change, ...], arns: frozenset[str], who: SignedIn, account_id: str, assigned: Assigned
) -> Iterator[Finding]:
    makes = (Action.CREATE, Action.REPLACE)
    come = {
        c.after.get("principal_id")
        for c in plan.changes
        if c.action in makes and _assigns(c.type, c.after, arns, account_id)
    }
    left = (assigned.principals - {c.before.get("principal_id") for c in lost}) | come
    own = [c for c in lost if assigned.own is None or c.before.get("principal_id") in assigned.own]
    if not own:
        return
    named = f"{who.permission_set} in {account_id}"
    if not (left if assigned.own is None else left & assigned.own):
        yield lockout(
            LOCKS_OUT_CALLER,
            own[0],
            f"You apply as {who.user}, who would no longer have the permission set {named} after this apply.",
            f"{', '.join(c.address for c in own)} would be deleted, and no other assignment of it is yours",
            "let another administrator apply this, or sign in with another permission set",
            consent=None,
        )
    elif assigned.own is None:
        yield lockout(
            LOCKS_OUT,
            own[0],
            f"You apply with the permission set {named}, which fewer users would have after this apply: whether you "
            f"are among them is unknown, since the identity store has no user {who.user}.",
            f"{', '.join(c.address for c in own)} would be deleted",
            "make sure that you have another assignment of it",
            consent="--acknowledge-lockout",
        )


def _lost(case: Case, who: SignedIn) -> AssignedWanted | None:
    """What is wanted where the plan deletes an assignment of the own set."""
    lost = lost_assignments(case.plan, case.outcome, who, case.account_id)
    if not lost:
        return None
    values = lost[0].before
    return AssignedWanted(
        values["instance_arn"], values["permission_set_arn"], values["target_id"], lost[0].region, who.user
    )


def _who(case: Case) -> SignedIn | None:
    who = None if case.ends else signed_in(case.caller)
    return who if any(c.type.startswith("aws_ssoadmin_") for c in case.plan.changes) else None


def _needs(case: Case) -> Iterator[Wanted[Any]]:
    who = _who(case)
    if who is not None:
        yield from wanted_texts(case)
        if (lost := _lost(case, who)) is not None:
            yield lost


def _judge(case: Case, facts: Facts) -> Iterator[Finding]:
    who = _who(case)
    if who is None:
        return
    lost = _lost(case, who)
    boundaries = Boundaries(case.plan, known_policies(case, facts), case.deployment)
    yield from judge_own_permission_set(
        case.plan,
        case.outcome,
        who,
        case.account_id,
        facts[lost] if lost is not None else None,
        lambda old, new: boundaries.replaced(case.caller.arn, old, new),
    )


GUARD = Guard(_judge, _needs)
