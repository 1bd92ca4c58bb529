"""What a plan takes from users and groups, or puts on them.

In: a plan. Out: the changes by which it may take somebody's access. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.components.base import Role
from toolkit.plan.boundaries import boundary_of, may_limit_more
from toolkit.plan.denials import newly_denies
from toolkit.plan.managed_policies import is_administrator
from toolkit.plan.model import Action, Change, Plan
from toolkit.plan.roles import plays

USER = "aws_iam_user"


_LOGIN = "aws_iam_user_login_profile"


EXPIRY = "aws_iam_account_password_policy"


GROUP = "aws_iam_group"


_ATTACHED_TO_GROUP = "aws_iam_group_policy_attachment"


PAST = {
    Action.CREATE: "created",
    Action.UPDATE: "changed",
    Action.REPLACE: "deleted and recreated",
    Action.DELETE: "deleted",
}
"""What becomes of something by each action that can take access, for people: "would be …"."""


def goes(change: Change) -> bool:
    """Whether what there is now is deleted, be it to be made anew."""
    return change.action in (Action.DELETE, Action.REPLACE)


def takes_administration(change: Change) -> bool:
    """Whether a change detaches AdministratorAccess."""
    return goes(change) and is_administrator(str(change.before.get("policy_arn")))


def reaches_users(plan: Plan) -> bool:
    """Whether the plan has any change for which facts about users are needed at all."""
    return bool(newly_enforced(plan) or newly_guarded(plan) or groups_stripped(plan) or newly_denies(plan)) or any(
        (c.type == EXPIRY and c.action is not Action.DELETE)
        or (c.type in (GROUP, USER, _LOGIN) and goes(c))
        or may_limit_more(c)
        or (c.type == USER and boundary_of(c.type, c.before) != boundary_of(c.type, c.after))
        or plays(c, Role.MOVES_USER)
        for c in plan.changes
    )


def groups_stripped(plan: Plan) -> dict[str, Change]:
    """Group → the change that takes AdministratorAccess from it."""
    return {
        str(c.before.get("group")): c for c in plan.changes if c.type == _ATTACHED_TO_GROUP and takes_administration(c)
    }


def newly_guarded(plan: Plan) -> dict[str, Change]:
    """Group → the change that puts the guardrail on it, which denies the administration of identities."""
    return {
        str(c.after.get("group")): c
        for c in plan.changes
        if plays(c, Role.DENIES_IDENTITY_ADMINISTRATION) and c.action in (Action.CREATE, Action.REPLACE)
    }


def newly_enforced(plan: Plan) -> dict[str, Change]:
    """Group → the change that puts the MFA policy on it."""
    return {
        str(c.after.get("group")): c
        for c in plan.changes
        if plays(c, Role.ENFORCES_MFA) and c.action in (Action.CREATE, Action.REPLACE)
    }


def memberships(plan: Plan) -> Iterator[tuple[Change, str, frozenset[str], frozenset[str]]]:
    """(change, user, groups left, groups joined) of what changes memberships."""
    for change in plan.changes:
        if plays(change, Role.MOVES_USER) and change.action is not Action.FORGET:
            before, after = frozenset(change.before.get("groups") or ()), _known_groups(change.after.get("groups"))
            yield change, str(change.before.get("user") or change.after.get("user")), before - after, after - before


def _known_groups(value: object) -> frozenset[str]:
    # Groups that are not known before the apply are none that stand here already.
    return frozenset(value) if isinstance(value, (list, tuple, set, frozenset)) else frozenset()


def without_password(plan: Plan) -> dict[str, Change]:
    """User → the change that deletes the console password."""
    return {str(c.before.get("user")): c for c in plan.changes if c.type == _LOGIN and c.action is Action.DELETE}
