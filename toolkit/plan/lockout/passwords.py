"""Passwords that expire at once by a new password policy.

In: the change of the policy, and facts about users. Out: findings. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.findings import Finding, Severity
from toolkit.findings.rules import LOCKS_OUT, LOCKS_OUT_CALLER
from toolkit.plan.case import Caller
from toolkit.plan.lockout.finding import counted, lockout
from toolkit.plan.model import Change
from toolkit.plan.users import UserFact


def by_expiry(change: Change, users: tuple[UserFact, ...], caller: Caller) -> Iterator[Finding]:
    """Users whose passwords expire at once, and whether they can choose new ones."""
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
        f"The password of {counted(len(expired), 'user')} would expire immediately (max_password_age {age}): "
        f"{outcome}.",
        evidence,
        "let them change their passwords first, or begin with a longer max_password_age",
        # Being asked for a new password at the next sign-in is what the setting is for: told, but in nobody's way.
        consent="--acknowledge-lockout" if hard else None,
        severity=Severity.HIGH if hard else Severity.NOTE,
    )
