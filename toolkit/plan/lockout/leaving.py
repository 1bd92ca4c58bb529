"""Users, passwords and groups that a plan deletes, and rights that Terraform would forget.

In: the plan and facts about users. Out: findings. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from toolkit.components.base import Role
from toolkit.findings import Finding, Severity
from toolkit.findings.rules import LOCKS_OUT
from toolkit.plan.lockout.changes import GROUP, USER, goes, memberships, without_password
from toolkit.plan.lockout.finding import counted, lockout
from toolkit.plan.managed_policies import gives_administration
from toolkit.plan.model import Action, Plan
from toolkit.plan.roles import plays
from toolkit.plan.users import UserFact


def by_leaving(plan: Plan, users: Iterable[UserFact], removed: frozenset[str]) -> Iterator[Finding]:
    """Users whom nobody removed by name, and passwords that go while their users stay.

    An entry that is renamed, or lost in a merge, looks like one that was deleted on purpose.
    """
    known = {user.name: user for user in users}
    by_name = {name.casefold() for name in removed}
    gone = {str(c.before.get("name")): c for c in plan.changes if c.type == USER and goes(c)}
    for name, change in gone.items():
        user = known.get(name)
        # What an interrupted apply left half-made has nothing to get in with yet.
        half_made = user is not None and change.tainted and not user.gets_in
        if user is None or half_made or (change.action is Action.DELETE and name.casefold() in by_name):
            continue
        yield lockout(
            LOCKS_OUT,
            change,
            f"The user {name} would be deleted with all credentials"
            f"{', and created again without them' if change.action is Action.REPLACE else ''}, though no entry says "
            "`status: removed`.",
            _credentials(user),
            f"if the entry {name} under iam_users.users was renamed or lost, restore it; to delete the user, keep the "
            "entry and set `status: removed`",
            consent="--acknowledge-lockout",
        )
    suspended = {name for change, name, _, joined in memberships(plan) if plays(change, Role.SUSPENDS_USER) and joined}
    for name, change in without_password(plan).items():
        user = known.get(name)
        if user is None or not user.console_password or name in gone or name in suspended:
            continue
        yield lockout(
            LOCKS_OUT,
            change,
            f"The console password of {name} would be deleted"
            f"{'' if user.active_keys else ', and no credentials would be left'}.",
            _credentials(user),
            f"set console_pgp_key of {name} again: Terraform made the password with it, and deletes it without it",
            consent="--acknowledge-lockout",
        )


def _credentials(user: UserFact) -> str:
    """What a user gets in with."""
    parts = [
        *(["a console password"] if user.console_password else []),
        *([counted(user.active_keys, "active access key")] if user.active_keys else []),
        *([counted(user.mfa_devices, "MFA device")] if user.mfa_devices else []),
    ]
    return f"{user.name} has {', '.join(parts) or 'no credentials'}"


def by_group(plan: Plan, users: tuple[UserFact, ...]) -> Iterator[Finding]:
    """Groups that are deleted while somebody is in them: IAM refuses that, when everything was taken from them already.

    What limits the members (enforced MFA, the guardrail) is detached by then as well, and the group is still there.
    """
    gone = {c.before.get("name") for c in plan.changes if c.type == "aws_iam_user" and goes(c)}
    leaving: dict[str, frozenset[str]] = {}
    for _, name, left, _ in memberships(plan):
        leaving[name] = leaving.get(name, frozenset()) | left
    for change in plan.changes:
        if change.type != GROUP or not goes(change):
            continue
        group = str(change.before.get("name"))
        members = [u.name for u in users if group in u.groups - leaving.get(u.name, frozenset()) and u.name not in gone]
        if members:
            yield lockout(
                LOCKS_OUT,
                change,
                f"The group {group} has {counted(len(members), 'member')}, who would lose its permissions and its "
                "denials before AWS refuses to delete it.",
                f"in it: {', '.join(members)}",
                f"keep the group, or remove them from it first: `aws iam remove-user-from-group --group-name {group} "
                "--user-name …`",
                consent=None,
                severity=Severity.CRITICAL,
            )


def judge_forgotten(plan: Plan) -> Iterator[Finding]:
    """Attachments of AdministratorAccess that Terraform would no longer manage: later plans could not restore them."""
    for change in plan.changes:
        if change.action is not Action.FORGET or not gives_administration(change.before):
            continue
        owners = (change.before.get(kind) for kind in ("group", "role", "user", "permission_set_arn"))
        owner = next((str(o) for o in owners if o), "its owner")
        yield lockout(
            LOCKS_OUT,
            change,
            f"Terraform would no longer manage AdministratorAccess of {owner}. AWS keeps it, but no later plan "
            "would report or restore it once it is detached.",
            f"{change.address} would be removed from the state",
            "keep it in environment.yaml; or make sure that another administrator does not depend on it",
            consent="--acknowledge-lockout",
        )
