"""Users whom MFA enforcement newly reaches.

In: the plan, facts about users, and who applies. Out: findings. Pure.

What MFA enforcement does to a user (modules/mfa_enforcement): with a device, nothing is lost but sessions without MFA;
with a console password and no device, everything but enrolling one; with an access key alone, the key stops working for
everything but getting a session token, and no device can be enrolled, unless `access_key_enrolment_users` names its
user.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from toolkit.components.base import Role
from toolkit.findings import Finding
from toolkit.findings.rules import LOCKS_OUT, LOCKS_OUT_CALLER, LOCKS_OUT_LAST_ADMINISTRATOR
from toolkit.plan.case import Caller
from toolkit.plan.lockout.changes import memberships, newly_enforced
from toolkit.plan.lockout.finding import counted, lockout, per_change
from toolkit.plan.model import Plan
from toolkit.plan.roles import player
from toolkit.plan.users import UserFact


def by_mfa(
    plan: Plan,
    users: tuple[UserFact, ...],
    caller: Caller,
    bound: frozenset[str],
    enrolling: frozenset[str],
) -> Iterator[Finding]:
    """Users in groups on which the plan enforces MFA, and those who join one."""
    enforced = newly_enforced(plan)
    reached = [(u, enforced[next(iter(sorted(u.groups & set(enforced))))]) for u in users if u.groups & set(enforced)]
    # Whoever joins a bound group is reached as well, unless another group bound them already. A user whom the plan
    # makes is not among `users`: it loses nothing.
    joining = {name: change for change, name, _, joined in memberships(plan) if joined & (bound | set(enforced))}
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
    for change, others in per_change((u, c) for u, c in without if u.name != caller.user):
        yield lockout(
            LOCKS_OUT,
            change,
            f"MFA enforcement would apply to {counted(len(others), 'user')} without an MFA device: "
            f"{', '.join(u.name for u in others)}.",
            "; ".join(_situation(u, enrolling) for u in others),
            _how_to_enrol(others, enrolling),
            consent="--acknowledge-lockout",
        )


_ENROL = "`aws iam create-virtual-mfa-device`, `aws iam enable-mfa-device`"


def _setting() -> str:
    return f"{player(Role.ENFORCES_MFA)}.access_key_enrolment_users"


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


def _situation(user: UserFact, enrolling: frozenset[str]) -> str:
    parts = [
        "console password" if user.console_password else "no console password",
        f"{counted(user.mfa_devices, 'MFA device')}" if user.mfa_devices else "no MFA device",
        f"{counted(user.active_keys, 'active access key')}" if user.active_keys else "no access key",
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
