"""What findings about lost access share.

In: a change and words. Out: findings. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from toolkit.findings import Finding, Rule, Severity
from toolkit.findings.rules import LOCKS_OUT
from toolkit.plan.case import Caller
from toolkit.plan.model import Change
from toolkit.plan.users import UserFact


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
        resource=change.resource,
        attribute=None,
        summary=summary,
        evidence=evidence,
        remedy=remedy,
        consent=consent,
        component=change.component,
    )


def per_change(pairs: Iterable[tuple[UserFact, Change]]) -> Iterator[tuple[Change, list[UserFact]]]:
    """Users by what reaches them: an address says through which group, so users of another are not named beside it."""
    found: dict[str, tuple[Change, list[UserFact]]] = {}
    for user, change in pairs:
        found.setdefault(change.address, (change, []))[1].append(user)
    yield from found.values()


def counted(number: int, word: str) -> str:
    """ "1 user", "2 users"."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def has_mfa(user: UserFact, caller: Caller) -> bool:
    """Whether a user can have a session with MFA; of who applies, whether this one is."""
    return caller.session_with_mfa if user.name == caller.user else user.mfa_devices > 0
