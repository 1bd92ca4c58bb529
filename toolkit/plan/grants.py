"""Judges what groups, roles, users and permission sets that are there already are given by AWS's own policies.

In: a change and its plan. Out: findings; and a plan without what the account has already. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace

from toolkit.findings import Finding, Severity
from toolkit.findings.rules import WEAKENS
from toolkit.plan.model import Action, Change, Plan
from toolkit.resources.registry import RESOURCES

_OWNERS = {record.owner.kind: (record.name, record.owner.named_by) for record in RESOURCES.values() if record.owner}
_ATTACHMENTS = {
    record.name: (record.gives.named_by, record.gives.policy, *_OWNERS[record.gives.owner])
    for record in RESOURCES.values()
    if record.gives and record.gives.managed and record.gives.owner in _OWNERS
}
"""Type that gives a managed policy to an owner → its attributes of owner and policy, the owner's type and attribute."""

_OF_AWS = re.compile(r"arn:[a-z-]+:iam::aws:policy/(.+)")
_EVERYTHING = "AdministratorAccess"


def without_standing(plan: Plan, same: Collection[str]) -> Plan:
    """The plan without creates of what the account has in the very same form: they change nobody's rights.

    One that stays, stands only until the apply: the plan takes it away at another address, or what it belongs to.

    Args:
        plan: The plan.
        same: Addresses of creates that the account has already, as they are planned.
    """
    taken = [c for c in plan.changes if c.action in (Action.DELETE, Action.REPLACE, Action.UPDATE)]

    def stands(change: Change) -> bool:
        if change.address not in same or change.action is not Action.CREATE:
            return False
        values = {v for v in change.after.values() if isinstance(v, str)}
        # Updated are only memberships among these types; by name or ARN, what it belongs to is deleted.
        return not any(
            (t.type == change.type and all(t.before.get(k) == change.after.get(k) for k in _keys(change)))
            or (t.action is not Action.UPDATE and values & {t.before.get("name"), t.before.get("arn")})
            for t in taken
        )

    return replace(plan, changes=tuple(c for c in plan.changes if not stands(c)))


def _keys(change: Change) -> tuple[str, ...]:
    return _ATTACHMENTS[change.type][:2] if change.type in _ATTACHMENTS else ("user",)


def judge_grants(change: Change, plan: Plan) -> Iterator[Finding]:
    """What an owner that is there already is given by AWS's policies: refused where it takes another one's place.

    Their documents are not known here, so that of two the wider is not known either, but for the one that allows
    everything. An addition alone is told and not refused: after an interrupted apply, it is what completes it.
    """
    if change.type not in _ATTACHMENTS or change.action not in (Action.CREATE, Action.REPLACE):
        return
    owner_of, policy_of, owner_type, owner_name = _ATTACHMENTS[change.type]
    owner, policy = change.after.get(owner_of), _OF_AWS.fullmatch(str(change.after.get(policy_of)))
    made = any(
        c.type == owner_type and c.action is Action.CREATE and c.after.get(owner_name) == owner for c in plan.changes
    )
    if made or policy is None or not isinstance(owner, str):
        return
    taken = {
        match[1]
        for c in plan.changes
        if c.type == change.type and c.action in (Action.DELETE, Action.REPLACE) and c.before.get(owner_of) == owner
        if (match := _OF_AWS.fullmatch(str(c.before.get(policy_of))))
    } - {policy[1]}
    if _EVERYTHING in taken:
        return
    swapped = f"{', '.join(sorted(taken))} → " if taken else "+ "
    yield Finding(
        rule=WEAKENS,
        severity=Severity.HIGH if taken else Severity.NOTE,
        resource=change.resource,
        attribute=policy_of,
        summary=f"{owner.rsplit('/', 1)[-1]}, which exists already, gets the permissions of another AWS managed "
        "policy.",
        evidence=f"{swapped}{policy[1]}",
        remedy="compare the two policies; keep the old one, or give consent if the new one is narrower"
        if taken
        else "check that every principal that has it should get these permissions",
        consent=f"--allow-weaker '{change.address}.{policy_of}'" if taken else None,
        component=change.component,
    )
