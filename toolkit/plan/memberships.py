"""Judges users who join a group that administers the account.

In: the plan, the policies that the account's groups have, and what managed policies say. Out: findings. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toolkit.findings import Finding, Severity
from toolkit.findings.rules import WEAKENS
from toolkit.iam.comparison import rights_lost
from toolkit.plan.case import Case, Guard
from toolkit.plan.denials import GroupPoliciesWanted, HeldPolicies
from toolkit.plan.facts import Facts, Wanted
from toolkit.plan.lockout.guard import spelling_of, users_wanted
from toolkit.plan.managed_policies import ALLOW_EVERYTHING, ManagedPolicies
from toolkit.plan.model import Action, Change, Marker, Plan

_MEMBERSHIP = "aws_iam_user_group_membership"
_USER = "aws_iam_user"


def judge_memberships(plan: Plan, held: HeldPolicies, policies: ManagedPolicies) -> Iterator[Finding]:
    """Users who are there already and join a group that may do everything.

    A new user in such a group is one of the things that the plan makes, and is reviewed with them. Whoever comes back
    from suspension is not judged here: the membership that denies everything is protected, and deleting it is refused.

    Args:
        plan: The plan.
        held: Policies of every group of the account.
        policies: What managed policies say.
    """
    left: dict[str, set[str]] = {}
    for change in plan.changes:
        if change.type == _MEMBERSHIP and change.action is not Action.CREATE:
            left.setdefault(str(change.before.get("user")), set()).update(_groups(change.before.get("groups")))
    made = {str(c.after.get("name")) for c in plan.changes if c.type == _USER and c.action is Action.CREATE}
    back = {
        str(c.before.get("user"))
        for c in plan.changes
        if c.type == _MEMBERSHIP and c.name == "suspended" and c.action is Action.DELETE
    }
    for change in plan.changes:
        user = change.after.get("user")
        if (
            change.type != _MEMBERSHIP
            or change.action not in (Action.CREATE, Action.UPDATE, Action.REPLACE)
            or user in made
            or user in back
        ):
            continue
        had = left.get(str(user), set())
        joins = [group for group in _groups(change.after.get("groups")) if group not in had]
        if any(isinstance(one, Marker) for one in _values(change.after.get("groups"))):
            # Which groups is not known before the apply: any may be among them.
            yield _joins(
                change, f"The user {user} could become an administrator.", "joins groups that are not known yet"
            )
            continue
        administers = [group for group in joins if _allows_everything(group, plan, held, policies)]
        # Whoever was in another such group is no administrator more than before.
        if administers and not any(_allows_everything(group, plan, held, policies) for group in had):
            evidence = f"joins {', '.join(administers)}, which may do everything"
            yield _joins(change, f"The user {user} becomes an administrator.", evidence)


def _joins(change: Change, summary: str, evidence: str) -> Finding:
    return Finding(
        rule=WEAKENS,
        severity=Severity.HIGH,
        resource=change.resource,
        attribute="groups",
        summary=summary,
        evidence=evidence,
        remedy="choose a group that grants what the user needs",
        consent=f"--allow-weaker '{change.address}.groups'",
        component=change.component,
    )


def _values(names: object) -> list[object]:
    return names if isinstance(names, list) else [names]


def _groups(names: object) -> list[str]:
    return [name for name in _values(names) if isinstance(name, str)]


def _allows_everything(group: str, plan: Plan, held: HeldPolicies, policies: ManagedPolicies) -> bool:
    """Whether the group has a policy that allows every action on everything, before or after the plan."""
    changes = [c.after for c in plan.changes if c.after.get("group") == group and c.action is not Action.DELETE]
    arns = {*held.attached.get(group, ()), *(a for v in changes if isinstance(a := v.get("policy_arn"), str))}
    texts = [*held.inline.get(group, {}).values(), *(t for v in changes if isinstance(t := v.get("policy"), str))]
    texts += [text for arn in arns if (text := policies.after(arn)) is not None]
    return any(not rights_lost(ALLOW_EVERYTHING, text)[0] for text in texts)


def _needs(case: Case) -> Iterator[Wanted[Any]]:
    wanted = users_wanted(case)
    if wanted is not None:
        yield from (wanted, GroupPoliciesWanted())


def _judge(case: Case, facts: Facts) -> Iterator[Finding]:
    wanted = users_wanted(case)
    if wanted is None:
        return
    held = facts[GroupPoliciesWanted()]
    plan = spelling_of(facts[wanted], held).plan(case.plan)
    yield from judge_memberships(plan, held, ManagedPolicies(plan, case.outcome, held.documents))


GUARD = Guard(_judge, _needs)
