"""Whether who applies as a role keeps its rights, and could assume it again.

In: the plan's changes, who applies, and the policies that the role has now. Out: findings. Pure. Who assumed a role is
not told by the session's ARN: where some may assume it no more and others may, it is asked instead of decided.
"""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.findings import Finding
from toolkit.findings.rules import LOCKS_OUT, LOCKS_OUT_CALLER
from toolkit.iam import role_session
from toolkit.iam.trust import TrustLoss, compare_trust
from toolkit.plan.boundaries import Refused, may_limit_more
from toolkit.plan.denials import Denied
from toolkit.plan.lockout import PAST, Caller, goes, lockout, takes_administration
from toolkit.plan.model import Action, Change, Plan

_ROLE = "aws_iam_role"
_ATTACHED = "aws_iam_role_policy_attachment"
_TRUSTED = (_ROLE, "aws_iam_user", "aws_iam_openid_connect_provider", "aws_iam_saml_provider")
"""Types that trust policies name by ARN."""


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
