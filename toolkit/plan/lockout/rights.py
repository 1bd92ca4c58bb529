"""Users who are deleted or suspended, and administrators whose rights a plan takes or denies.

In: the plan, facts about users, and what policies and boundaries newly deny them. Out: findings. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from toolkit.components.base import Role
from toolkit.findings import Finding, Severity
from toolkit.findings.rules import ADVICE, LOCKS_OUT, LOCKS_OUT_CALLER, LOCKS_OUT_LAST_ADMINISTRATOR
from toolkit.plan.boundaries import Refused
from toolkit.plan.case import Caller
from toolkit.plan.denials import Denied, Member
from toolkit.plan.lockout.changes import USER, goes, groups_stripped, memberships, newly_guarded, without_password
from toolkit.plan.lockout.finding import counted, has_mfa, lockout, per_change
from toolkit.plan.model import Change, Plan
from toolkit.plan.roles import plays
from toolkit.plan.users import UserFact


def by_rights(
    plan: Plan,
    users: tuple[UserFact, ...],
    caller: Caller,
    guarded: frozenset[str],
    newly: Mapping[str, Denied],
    bounded: Mapping[str, tuple[Refused, Change]],
) -> Iterator[Finding]:
    """Users who are deleted or suspended, and administrators whom no group makes one any more, or one denies it."""
    known = {user.name: user for user in users}
    lost: dict[str, tuple[Change, str]] = {}
    leaving: dict[str, tuple[Change, frozenset[str]]] = {}
    for change, name, left, joined in memberships(plan):
        user = known.get(name)
        if user is None:
            continue
        if plays(change, Role.SUSPENDS_USER) and joined:
            lost[name] = (change, "suspended")
            if user.gets_in:
                yield _left_over(user, change)
        elif left:
            leaving[name] = (change, left)
    stripped = groups_stripped(plan)
    for user in users:
        groups = sorted(user.administrator_groups)
        taken = {g: stripped[g] for g in groups if g in stripped}
        if user.name in leaving:
            change, left = leaving[user.name]
            taken |= {g: change for g in groups if g in left}
        if groups and len(taken) == len(groups):
            lost.setdefault(user.name, (taken[groups[0]], "without administrator rights"))
    denied = _denied(plan, users, guarded)
    for name, change in denied.items():
        if known[name].administrator or name == caller.user:
            lost.setdefault(name, (change, "denied the administration of identities"))
    by_policies = {name: d for name, d in newly.items() if name not in denied and name not in lost and d.change}
    for name, found in by_policies.items():
        # An administrator who is denied something else could still undo it; whoever applies could not finish.
        if found.change and (found.certain if name == caller.user else found.administers_not):
            lost[name] = (found.change, f"denied {'; '.join(found.lines)}")
    by_boundary = {name: found for name, found in bounded.items() if name not in lost}
    for name, (refused, change) in by_boundary.items():
        # As with denials: who applies needs all of it, another administrator what it takes to undo it.
        if refused.certain if name == caller.user else refused.administration is False:
            lost[name] = (change, f"refused {refused.line}")
    for name, change in without_password(plan).items():
        if name in known and known[name].console_password and not known[name].active_keys:
            lost.setdefault(name, (change, "left without a password or an access key"))
    for change in plan.changes:
        if change.type == USER and goes(change):
            lost[str(change.before.get("name"))] = (change, "deleted")
    others = (n for n in denied if known[n].administrator and known[n].gets_in and n != caller.user)
    for change, limited in per_change((known[n], denied[n]) for n in others):
        yield lockout(
            LOCKS_OUT,
            change,
            f"{counted(len(limited), 'administrator')} would be denied the administration of identities: "
            f"{', '.join(u.name for u in limited)}.",
            "; ".join(f"{u.name} is in {', '.join(sorted(u.groups)) or 'no group yet'}" for u in limited),
            "take administrators out of the groups that have the guardrail, which beats AdministratorAccess",
            consent="--acknowledge-lockout",
        )
    yield from _by_policies(by_policies, known, caller)
    yield from _by_boundary(by_boundary, known, caller)
    if caller.user in lost:
        change, how = lost[caller.user]
        yield lockout(
            LOCKS_OUT_CALLER,
            change,
            f"You are {caller.user}, who would be {how} by this apply.",
            f"{change.address} would be {change.action.value}d",
            "let another administrator apply this",
            consent=None,
        )
    administrators = [user for user in users if user.administrator and user.gets_in]
    if administrators and all(user.name in lost for user in administrators):
        names = ", ".join(user.name for user in administrators)
        evidence = "; ".join(f"{user.name} is {lost[user.name][1]}" for user in administrators)
        change = lost[administrators[0].name][0]
        if caller.user is None:
            # Whoever applies is a role, and gets in without any user: it may well be the last of them that goes.
            yield lockout(
                LOCKS_OUT,
                change,
                f"No IAM user who can sign in would be an administrator ({names}); only roles would be.",
                evidence,
                "keep one of them, or make sure that the role you apply with can be assumed without IAM users",
                consent="--acknowledge-lockout",
            )
        else:
            yield lockout(
                LOCKS_OUT_LAST_ADMINISTRATOR,
                change,
                f"Every administrator who can sign in ({names}) would lose these permissions or be deleted.",
                evidence,
                "keep one of them, or give another user these permissions and credentials, then plan again",
                consent=None,
            )


def _by_policies(denied: Mapping[str, Denied], known: Mapping[str, UserFact], caller: Caller) -> Iterator[Finding]:
    """Administrators, and who applies, whom policies of their groups deny actions that applying the baseline needs."""
    told = {n: d for n, d in denied.items() if (not d.certain if n == caller.user else known[n].gets_in)}
    pairs = ((known[name], found.change) for name, found in told.items() if found.change is not None)
    for change, users in per_change(pairs):
        who = ", ".join(f"you ({u.name})" if u.name == caller.user else u.name for u in users)
        by = [told[u.name] for u in users]
        yield lockout(
            LOCKS_OUT,
            change,
            f"Policies of groups {'would' if any(d.certain for d in by) else 'might'} deny {who} actions that "
            "applying the baseline needs.",
            "; ".join(dict.fromkeys(line for d in by for line in d.lines)),
            "take administrators out of these groups, or let the statements deny less",
            consent="--acknowledge-lockout",
        )


def _by_boundary(
    bounded: Mapping[str, tuple[Refused, Change]], known: Mapping[str, UserFact], caller: Caller
) -> Iterator[Finding]:
    """Administrators whom a boundary newly limits; who applies, where it may."""
    shown = {
        name: (refused, change)
        for name, (refused, change) in bounded.items()
        if (not refused.certain if name == caller.user else known[name].gets_in)
    }
    for name, (refused, change) in shown.items():
        might = "would" if refused.certain else "might"
        yield lockout(
            LOCKS_OUT,
            change,
            f"A permissions boundary {might} refuse {'you (' + name + ')' if name == caller.user else name} actions "
            "that applying the baseline needs.",
            refused.line,
            "let the boundary allow what administrators do, or remove the boundary from them",
            consent="--acknowledge-lockout",
        )


def members_of(plan: Plan, users: Iterable[UserFact], caller: Caller) -> dict[str, Member]:
    """User → in which groups they are before and after; a suspension is judged by what it is for."""
    moves = {name: (c, left, joined) for c, name, left, joined in memberships(plan) if not plays(c, Role.SUSPENDS_USER)}
    found = {}
    for user in users:
        change, left, joined = moves.get(user.name, (None, frozenset(), frozenset()))
        after = user.groups - left | joined
        found[user.name] = Member(user.arn, user.groups, after, change if joined else None, has_mfa(user, caller))
    return found


def _denied(plan: Plan, users: tuple[UserFact, ...], guarded: frozenset[str]) -> dict[str, Change]:
    """User → the change by which the guardrail newly reaches them."""
    newly = newly_guarded(plan)
    found = {}
    for change, name, _, joined in memberships(plan):
        if not plays(change, Role.SUSPENDS_USER) and joined & (guarded | set(newly)):
            found[name] = change
    for user in users:
        for group in sorted(user.groups & set(newly)):
            found.setdefault(user.name, newly[group])
    # Whom another group denies it already loses nothing, and whom the plan makes has nothing to lose.
    before = guarded - set(newly)
    return {u.name: found[u.name] for u in users if u.name in found and not u.groups & before}


def _left_over(user: UserFact, change: Change) -> Finding:
    """What a suspended user keeps: nothing works with it, but it works again the day the suspension ends."""
    keys = [counted(user.active_keys, "active access key")] if user.active_keys else []
    return lockout(
        ADVICE,
        change,
        f"{user.name} is suspended and denied everything, but credentials created outside of Terraform stay active.",
        " and ".join([*keys, *(["a console password"] if user.console_password else [])]),
        f"`aws iam update-access-key --user-name {user.name} --access-key-id … --status Inactive`, "
        f"`aws iam delete-login-profile --user-name {user.name}`",
        consent=None,
        severity=Severity.NOTE,
    )
