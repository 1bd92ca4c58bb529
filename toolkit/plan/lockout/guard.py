"""Who would lose access by a plan: whoever it deletes, suspends or takes the rights from, and users whom MFA or a
password policy newly reaches.

In: the plan's changes, facts about the account's users, and who applies. Out: findings. Pure.
Each subject has a file beside this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from toolkit.findings import Finding
from toolkit.plan.boundaries import Boundaries
from toolkit.plan.case import Caller, Case, Guard
from toolkit.plan.denials import Denials, GroupPoliciesWanted, HeldPolicies
from toolkit.plan.facts import Facts, Wanted
from toolkit.plan.lockout.changes import EXPIRY, newly_guarded, reaches_users
from toolkit.plan.lockout.finding import has_mfa
from toolkit.plan.lockout.leaving import by_group, by_leaving, judge_forgotten
from toolkit.plan.lockout.mfa import by_mfa
from toolkit.plan.lockout.passwords import by_expiry
from toolkit.plan.lockout.rights import by_rights, members_of
from toolkit.plan.managed_policies import ManagedPolicies
from toolkit.plan.model import Action, Plan
from toolkit.plan.spelling import Spelling
from toolkit.plan.users import UserFact, UsersWanted


def judge_lockout(
    plan: Plan,
    users: Iterable[UserFact],
    caller: Caller,
    bound: frozenset[str] = frozenset(),
    guarded: frozenset[str] = frozenset(),
    denials: Denials | None = None,
    boundaries: Boundaries | None = None,
    removed: frozenset[str] = frozenset(),
    enrolling: frozenset[str] = frozenset(),
) -> Iterator[Finding]:
    """Findings about people and programs that would lose access.

    Args:
        plan: The plan.
        users: Every user of the account.
        caller: Who applies.
        bound: Groups on which MFA is enforced once the plan is applied.
        guarded: Groups that are denied the administration of identities once the plan is applied.
        denials: Judges what other policies of groups deny; None: they have none that deny.
        boundaries: Judges what boundaries of users refuse; None: no user has one.
        removed: Users whom the environment file removes by name (`status: removed`).
        enrolling: Users who may enrol a device with an access key alone (`access_key_enrolment_users`).
    """
    users = tuple(users)
    # A denial beats AdministratorAccess, and so does a boundary: whom they limit already is not counted on.
    denied = guarded - set(newly_guarded(plan))
    members = members_of(plan, users, caller) if denials else {}

    def is_denied(user: UserFact) -> bool:
        if user.groups & denied:
            return True
        if boundaries is not None and user.administrator:
            mfa = has_mfa(user, caller)
            if boundaries.before(user.arn, user.boundary, mfa=mfa).administration is not True:
                return True
        return denials is not None and user.administrator and denials.already(members[user.name]).administers_not

    users = tuple(
        replace(u, administrator=False, administrator_groups=frozenset()) if is_denied(u) else u for u in users
    )
    newly = {
        u.name: found
        for u in users
        if denials and (u.administrator or u.name == caller.user) and (found := denials.newly(members[u.name])).actions
    }
    bounded = {
        u.name: limited
        for u in users
        if boundaries
        and (u.administrator or u.name == caller.user)
        and (limited := boundaries.newly(u.arn, u.boundary, mfa=has_mfa(u, caller)))
    }
    yield from by_mfa(plan, users, caller, bound, enrolling)
    yield from by_rights(plan, users, caller, guarded, newly, bounded)
    yield from by_leaving(plan, [u for u in users if u.name != caller.user], removed)
    yield from by_group(plan, users)
    for change in plan.changes:
        if change.type == EXPIRY and change.action in (Action.CREATE, Action.UPDATE, Action.REPLACE):
            yield from by_expiry(change, users, caller)


def users_wanted(case: Case) -> UsersWanted | None:
    """What is wanted of users, and of the policies of groups with them; None: the plan reaches nobody."""
    if case.ends or not reaches_users(case.plan):
        return None
    return UsersWanted(any(c.type == EXPIRY and c.action is not Action.DELETE for c in case.plan.changes))


def _needs(case: Case) -> Iterator[Wanted[Any]]:
    wanted = users_wanted(case)
    if wanted is not None:
        yield from (wanted, GroupPoliciesWanted())


def _judge(case: Case, facts: Facts) -> Iterator[Finding]:
    wanted = users_wanted(case)
    if wanted is None:
        return
    users, held = facts[wanted], facts[GroupPoliciesWanted()]
    spelling = spelling_of(users, held)
    plan, said = spelling.plan(case.plan), case.identities
    with_mfa = spelling.groups(said.with_mfa)
    yield from judge_lockout(
        plan,
        users,
        case.caller,
        with_mfa,
        spelling.groups(said.without_administration),
        Denials(plan, held, case.deployment, with_mfa),
        Boundaries(plan, ManagedPolicies(plan, case.outcome, held.documents), case.deployment),
        spelling.users(said.removed_users),
        spelling.users(said.enrolling_users),
    )


def spelling_of(users: Iterable[UserFact], held: HeldPolicies) -> Spelling:
    """How the account spells the names of users and groups."""
    return Spelling(users=(user.name for user in users), groups=held.attached)


GUARD = Guard(_judge, _needs)


FORGOTTEN = Guard(lambda case, _: () if case.ends else judge_forgotten(case.plan))
