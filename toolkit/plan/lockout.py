"""Who would lose access by a plan: whoever it deletes, suspends or takes the rights from, and users whom MFA or a
password policy newly reaches.

In: the plan's changes, facts about the account's users, and who applies. Out: findings. Pure.

What MFA enforcement does to a user (modules/mfa_enforcement): with a device, nothing is lost but sessions without MFA;
with a console password and no device, everything but enrolling one; with an access key alone, the key stops working for
everything but getting a session token, and no device can be enrolled, unless `access_key_enrolment_users` names its
user.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from toolkit.components.base import Role
from toolkit.findings import Finding, Rule, Severity
from toolkit.findings.rules import ADVICE, LOCKS_OUT, LOCKS_OUT_CALLER, LOCKS_OUT_LAST_ADMINISTRATOR
from toolkit.plan.boundaries import Boundaries, Refused, boundary_of, may_limit_more
from toolkit.plan.case import Caller, Case, Guard
from toolkit.plan.denials import Denials, Denied, GroupPoliciesWanted, HeldPolicies, Member, newly_denies
from toolkit.plan.facts import Facts, Wanted
from toolkit.plan.managed_policies import ManagedPolicies, is_administrator
from toolkit.plan.model import Action, Change, Plan
from toolkit.plan.roles import player, plays
from toolkit.plan.spelling import Spelling
from toolkit.plan.users import UserFact, UsersWanted

_USER = "aws_iam_user"
_LOGIN = "aws_iam_user_login_profile"
_EXPIRY = "aws_iam_account_password_policy"
_GROUP = "aws_iam_group"
_ATTACHED_TO_GROUP = "aws_iam_group_policy_attachment"
PAST = {
    Action.CREATE: "created",
    Action.UPDATE: "changed",
    Action.REPLACE: "deleted and recreated",
    Action.DELETE: "deleted",
}
"""What becomes of something by each action that can take access, for people: "would be …"."""


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
    denied = guarded - set(_newly_guarded(plan))
    members = _members(plan, users, caller) if denials else {}

    def is_denied(user: UserFact) -> bool:
        if user.groups & denied:
            return True
        if boundaries is not None and user.administrator:
            mfa = _with_mfa(user, caller)
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
        and (limited := boundaries.newly(u.arn, u.boundary, mfa=_with_mfa(u, caller)))
    }
    yield from _by_mfa(plan, users, caller, bound, enrolling)
    yield from _by_rights(plan, users, caller, guarded, newly, bounded)
    yield from _by_leaving(plan, [u for u in users if u.name != caller.user], removed)
    yield from _by_group(plan, users)
    for change in plan.changes:
        if change.type == _EXPIRY and change.action in (Action.CREATE, Action.UPDATE, Action.REPLACE):
            yield from _by_expiry(change, users, caller)


def reaches_users(plan: Plan) -> bool:
    """Whether the plan has any change for which facts about users are needed at all."""
    return bool(_newly_enforced(plan) or _newly_guarded(plan) or _stripped(plan) or newly_denies(plan)) or any(
        (c.type == _EXPIRY and c.action is not Action.DELETE)
        or (c.type in (_GROUP, _USER, _LOGIN) and goes(c))
        or may_limit_more(c)
        or (c.type == _USER and boundary_of(c.type, c.before) != boundary_of(c.type, c.after))
        or plays(c, Role.MOVES_USER)
        for c in plan.changes
    )


def takes_administration(change: Change) -> bool:
    """Whether a change detaches AdministratorAccess."""
    return goes(change) and is_administrator(str(change.before.get("policy_arn")))


def _stripped(plan: Plan) -> dict[str, Change]:
    """Group → the change that takes AdministratorAccess from it."""
    return {
        str(c.before.get("group")): c for c in plan.changes if c.type == _ATTACHED_TO_GROUP and takes_administration(c)
    }


def _newly_guarded(plan: Plan) -> dict[str, Change]:
    """Group → the change that puts the guardrail on it, which denies the administration of identities."""
    return {
        str(c.after.get("group")): c
        for c in plan.changes
        if plays(c, Role.DENIES_IDENTITY_ADMINISTRATION) and c.action in (Action.CREATE, Action.REPLACE)
    }


def goes(change: Change) -> bool:
    """Whether what there is now is deleted, be it to be made anew."""
    return change.action in (Action.DELETE, Action.REPLACE)


def _memberships(plan: Plan) -> Iterator[tuple[Change, str, frozenset[str], frozenset[str]]]:
    """(change, user, groups left, groups joined) of what changes memberships."""
    for change in plan.changes:
        if plays(change, Role.MOVES_USER) and change.action is not Action.FORGET:
            before, after = frozenset(change.before.get("groups") or ()), _known_groups(change.after.get("groups"))
            yield change, str(change.before.get("user") or change.after.get("user")), before - after, after - before


def _known_groups(value: object) -> frozenset[str]:
    # Groups that are not known before the apply are none that stand here already.
    return frozenset(value) if isinstance(value, (list, tuple, set, frozenset)) else frozenset()


def _newly_enforced(plan: Plan) -> dict[str, Change]:
    """Group → the change that puts the MFA policy on it."""
    return {
        str(c.after.get("group")): c
        for c in plan.changes
        if plays(c, Role.ENFORCES_MFA) and c.action in (Action.CREATE, Action.REPLACE)
    }


def _by_mfa(
    plan: Plan,
    users: tuple[UserFact, ...],
    caller: Caller,
    bound: frozenset[str],
    enrolling: frozenset[str],
) -> Iterator[Finding]:
    enforced = _newly_enforced(plan)
    reached = [(u, enforced[next(iter(sorted(u.groups & set(enforced))))]) for u in users if u.groups & set(enforced)]
    # Whoever joins a bound group is reached as well, unless another group bound them already. A user whom the plan
    # makes is not among `users`: it loses nothing.
    joining = {name: change for change, name, _, joined in _memberships(plan) if joined & (bound | set(enforced))}
    reached += [(u, joining[u.name]) for u in users if u.name in joining and not u.groups & (bound | set(enforced))]
    if not reached:
        return
    without = [(u, change) for u, change in reached if not u.mfa_devices and (u.console_password or u.active_keys)]
    for user, change in without:
        if user.name == caller.user:
            yield lockout(
                LOCKS_OUT_CALLER,
                change,
                f"You are {user.name} and have no MFA device, and MFA enforcement would apply to you.",
                _situation(user, enrolling),
                "enrol a device and apply with a session made with MFA, or apply as a role",
                consent=None,
            )
    for user, change in reached:
        # A long-lived key of somebody who has a device works no longer by itself: the rest of this very apply, too.
        if user.name == caller.user and user.mfa_devices and not caller.session_with_mfa:
            yield lockout(
                LOCKS_OUT_CALLER,
                change,
                f"You apply with a long-lived access key of {user.name}, which would stop working during the apply.",
                _situation(user, enrolling),
                "apply with a session made with MFA: `aws sts get-session-token --serial-number … --token-code …`",
                consent=None,
            )
    administrators = [u for u in users if u.administrator and u.gets_in]
    lost = {u.name for u, _ in without if not _enrols(u, enrolling)}
    if administrators and all(u.name in lost for u in administrators):
        names = ", ".join(u.name for u in administrators)
        yield lockout(
            LOCKS_OUT_LAST_ADMINISTRATOR,
            next(change for user, change in without if user.name == administrators[0].name),
            f"Every administrator ({names}) has only an access key and no MFA device: all of them would lose access.",
            "; ".join(_situation(u, enrolling) for u in administrators),
            f"give one of them a console password, enrol a device for one ({_ENROL}), or list one under "
            f"`{_setting()}`; then plan again",
            consent=None,
        )
    for change, others in _per_change((u, c) for u, c in without if u.name != caller.user):
        yield lockout(
            LOCKS_OUT,
            change,
            f"MFA enforcement would apply to {_count(len(others), 'user')} without an MFA device: "
            f"{', '.join(u.name for u in others)}.",
            "; ".join(_situation(u, enrolling) for u in others),
            _how_to_enrol(others, enrolling),
            consent="--acknowledge-lockout",
        )


_ENROL = "`aws iam create-virtual-mfa-device`, `aws iam enable-mfa-device`"


def _setting() -> str:
    return f"{player(Role.ENFORCES_MFA)}.access_key_enrolment_users"


def _per_change(pairs: Iterable[tuple[UserFact, Change]]) -> Iterator[tuple[Change, list[UserFact]]]:
    """Users by what reaches them: an address says through which group, so users of another are not named beside it."""
    found: dict[str, tuple[Change, list[UserFact]]] = {}
    for user, change in pairs:
        found.setdefault(change.address, (change, []))[1].append(user)
    yield from found.values()


def _enrols(user: UserFact, enrolling: frozenset[str]) -> bool:
    """Whether a user without a device can enrol one once MFA is enforced."""
    return user.console_password or user.name in enrolling


def _how_to_enrol(users: Iterable[UserFact], enrolling: frozenset[str]) -> str:
    """What to do first, for each kind of user without a device."""
    console = [u.name for u in users if u.console_password]
    by_key = [u.name for u in users if not u.console_password and u.name in enrolling]
    stuck = [u.name for u in users if not _enrols(u, enrolling)]
    ways = []
    if console:
        ways.append(f"{', '.join(console)}: enrol a device in the console before the apply")
    if by_key:
        ways.append(f"{', '.join(by_key)}: enrol a device with the access key before the apply ({_ENROL})")
    if stuck:
        ways.append(
            f"{', '.join(stuck)}: enrol a device before the apply ({_ENROL}), or list the name under "
            f"`{_setting()}`, so that the access key can still enrol one after it"
        )
    return "; ".join(ways)


def _by_rights(
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
    for change, name, left, joined in _memberships(plan):
        user = known.get(name)
        if user is None:
            continue
        if plays(change, Role.SUSPENDS_USER) and joined:
            lost[name] = (change, "suspended")
            if user.gets_in:
                yield _left_over(user, change)
        elif left:
            leaving[name] = (change, left)
    stripped = _stripped(plan)
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
    for name, change in _without_password(plan).items():
        if name in known and known[name].console_password and not known[name].active_keys:
            lost.setdefault(name, (change, "left without a password or an access key"))
    for change in plan.changes:
        if change.type == _USER and goes(change):
            lost[str(change.before.get("name"))] = (change, "deleted")
    others = (n for n in denied if known[n].administrator and known[n].gets_in and n != caller.user)
    for change, limited in _per_change((known[n], denied[n]) for n in others):
        yield lockout(
            LOCKS_OUT,
            change,
            f"{_count(len(limited), 'administrator')} would be denied the administration of identities: "
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
    for change, users in _per_change(pairs):
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


def _without_password(plan: Plan) -> dict[str, Change]:
    """User → the change that deletes the console password."""
    return {str(c.before.get("user")): c for c in plan.changes if c.type == _LOGIN and c.action is Action.DELETE}


def _by_leaving(plan: Plan, users: Iterable[UserFact], removed: frozenset[str]) -> Iterator[Finding]:
    """Users whom nobody removed by name, and passwords that go while their users stay.

    An entry that is renamed, or lost in a merge, looks like one that was deleted on purpose.
    """
    known = {user.name: user for user in users}
    by_name = {name.casefold() for name in removed}
    gone = {str(c.before.get("name")): c for c in plan.changes if c.type == _USER and goes(c)}
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
    suspended = {name for change, name, _, joined in _memberships(plan) if plays(change, Role.SUSPENDS_USER) and joined}
    for name, change in _without_password(plan).items():
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
        *([_count(user.active_keys, "active access key")] if user.active_keys else []),
        *([_count(user.mfa_devices, "MFA device")] if user.mfa_devices else []),
    ]
    return f"{user.name} has {', '.join(parts) or 'no credentials'}"


def judge_forgotten(plan: Plan) -> Iterator[Finding]:
    """Attachments of AdministratorAccess that Terraform would no longer manage: later plans could not restore them."""
    for change in plan.changes:
        policy = str(change.before.get("policy_arn") or change.before.get("managed_policy_arn"))
        if change.action is not Action.FORGET or not is_administrator(policy):
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


def _with_mfa(user: UserFact, caller: Caller) -> bool:
    """Whether a user can have a session with MFA; of who applies, whether this one is."""
    return caller.session_with_mfa if user.name == caller.user else user.mfa_devices > 0


def _members(plan: Plan, users: Iterable[UserFact], caller: Caller) -> dict[str, Member]:
    """User → in which groups they are before and after; a suspension is judged by what it is for."""
    moves = {
        name: (c, left, joined) for c, name, left, joined in _memberships(plan) if not plays(c, Role.SUSPENDS_USER)
    }
    found = {}
    for user in users:
        change, left, joined = moves.get(user.name, (None, frozenset(), frozenset()))
        after = user.groups - left | joined
        found[user.name] = Member(user.arn, user.groups, after, change if joined else None, _with_mfa(user, caller))
    return found


def _denied(plan: Plan, users: tuple[UserFact, ...], guarded: frozenset[str]) -> dict[str, Change]:
    """User → the change by which the guardrail newly reaches them."""
    newly = _newly_guarded(plan)
    found = {}
    for change, name, _, joined in _memberships(plan):
        if not plays(change, Role.SUSPENDS_USER) and joined & (guarded | set(newly)):
            found[name] = change
    for user in users:
        for group in sorted(user.groups & set(newly)):
            found.setdefault(user.name, newly[group])
    # Whom another group denies it already loses nothing, and whom the plan makes has nothing to lose.
    before = guarded - set(newly)
    return {u.name: found[u.name] for u in users if u.name in found and not u.groups & before}


def _by_group(plan: Plan, users: tuple[UserFact, ...]) -> Iterator[Finding]:
    """Groups that are deleted while somebody is in them: IAM refuses that, when everything was taken from them already.

    What limits the members (enforced MFA, the guardrail) is detached by then as well, and the group is still there.
    """
    gone = {c.before.get("name") for c in plan.changes if c.type == "aws_iam_user" and goes(c)}
    leaving: dict[str, frozenset[str]] = {}
    for _, name, left, _ in _memberships(plan):
        leaving[name] = leaving.get(name, frozenset()) | left
    for change in plan.changes:
        if change.type != _GROUP or not goes(change):
            continue
        group = str(change.before.get("name"))
        members = [u.name for u in users if group in u.groups - leaving.get(u.name, frozenset()) and u.name not in gone]
        if members:
            yield lockout(
                LOCKS_OUT,
                change,
                f"The group {group} has {_count(len(members), 'member')}, who would lose its permissions and its "
                "denials before AWS refuses to delete it.",
                f"in it: {', '.join(members)}",
                f"keep the group, or remove them from it first: `aws iam remove-user-from-group --group-name {group} "
                "--user-name …`",
                consent=None,
                severity=Severity.CRITICAL,
            )


def _left_over(user: UserFact, change: Change) -> Finding:
    """What a suspended user keeps: nothing works with it, but it works again the day the suspension ends."""
    keys = [_count(user.active_keys, "active access key")] if user.active_keys else []
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


def _by_expiry(change: Change, users: tuple[UserFact, ...], caller: Caller) -> Iterator[Finding]:
    age = change.after.get("max_password_age")
    before = change.before.get("max_password_age")
    hard = change.after.get("hard_expiry") is True
    # With the same age, whoever had to choose a new password at the next sign-in can then not do so any more.
    hardens = hard and change.before.get("hard_expiry") is not True
    if not isinstance(age, int) or age == 0 or (isinstance(before, int) and 0 < before <= age and not hardens):
        return
    expired = [u for u in users if u.console_password and (u.password_age_days is None or u.password_age_days >= age)]
    if not expired:
        return
    unknown = [u.name for u in expired if u.password_age_days is None]
    evidence = "; ".join(
        f"{u.name}: {'age unknown' if u.password_age_days is None else f'{u.password_age_days} days old'}"
        for u in expired
    )
    outcome = "an administrator has to set a new one" if hard else "they have to choose a new one at the next sign-in"
    if hard and any(u.name == caller.user for u in expired if u.name not in unknown):
        yield lockout(
            LOCKS_OUT_CALLER,
            change,
            "Your own password would expire immediately, and hard_expiry prevents you from choosing a new one.",
            evidence,
            "change your password first, or set hard_expiry: false",
            consent=None,
        )
    yield lockout(
        LOCKS_OUT,
        change,
        f"The password of {_count(len(expired), 'user')} would expire immediately (max_password_age {age}): {outcome}.",
        evidence,
        "let them change their passwords first, or begin with a longer max_password_age",
        # Being asked for a new password at the next sign-in is what the setting is for: told, but in nobody's way.
        consent="--acknowledge-lockout" if hard else None,
        severity=Severity.HIGH if hard else Severity.NOTE,
    )


def lockout(
    rule: Rule,
    change: Change,
    summary: str,
    evidence: str,
    remedy: str,
    *,
    consent: str | None,
    severity: Severity | None = None,
) -> Finding:
    """A finding about somebody who loses access; unless told otherwise high for others, critical for the caller."""
    return Finding(
        rule=rule,
        severity=severity or (Severity.HIGH if rule is LOCKS_OUT else Severity.CRITICAL),
        address=change.address,
        attribute=None,
        summary=summary,
        evidence=evidence,
        remedy=remedy,
        consent=consent,
        component=change.component,
        region=change.region,
    )


def _situation(user: UserFact, enrolling: frozenset[str]) -> str:
    parts = [
        "console password" if user.console_password else "no console password",
        f"{_count(user.mfa_devices, 'MFA device')}" if user.mfa_devices else "no MFA device",
        f"{_count(user.active_keys, 'active access key')}" if user.active_keys else "no access key",
    ]
    loses = ""
    if not user.mfa_devices:
        loses = (
            "; can do nothing but enrol until it has a device"
            if user.console_password
            else "; its key can do nothing but enrol until it has a device"
            if user.name in enrolling
            else "; its key stops working, and can no longer enrol a device either"
        )
    return f"{user.name} ({', '.join(parts)}{loses})"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def users_wanted(case: Case) -> UsersWanted | None:
    """What is wanted of users, and of the policies of groups with them; None: the plan reaches nobody."""
    if case.ends or not reaches_users(case.plan):
        return None
    return UsersWanted(any(c.type == _EXPIRY and c.action is not Action.DELETE for c in case.plan.changes))


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
