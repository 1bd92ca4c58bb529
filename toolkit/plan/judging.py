"""Judges a plan by every guard: what they want of the account is gathered first, then nothing more is read.

In: a Case. Out: what is wanted; with the answers, findings. Pure: `toolkit.workflows.judge` has the reading in between.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from toolkit.findings import Finding
from toolkit.plan import (
    gains,
    guards,
    memberships,
    own_permission_set,
    own_rights,
    own_role,
    pipeline_trust,
    usage,
    weaker,
)
from toolkit.plan.case import Case
from toolkit.plan.existing import existing
from toolkit.plan.facts import Facts, Wanted
from toolkit.plan.grants import without_standing
from toolkit.plan.lockout import guard as lockout

GUARDS = (
    weaker.GUARD,
    guards.ORPHANS,
    usage.GUARD,
    lockout.FORGOTTEN,
    own_role.GUARD,
    own_rights.GUARD,
    own_permission_set.GUARD,
    pipeline_trust.GUARD,
    lockout.GUARD,
    memberships.GUARD,
    gains.GUARD,
)
"""Every guard. Their order is that of equal findings in reports."""


def needs(case: Case) -> tuple[Wanted[Any], ...]:
    """What all guards want of the account, each question once."""
    return tuple(dict.fromkeys(wanted for guard in GUARDS for wanted in guard.needs(case)))


def prepared(case: Case, facts: Facts) -> Case:
    """A case without what the account has already, and with what the plan changes in who may do what.

    Args:
        case: What is judged.
        facts: Answers to `needs(case)`.
    """
    same = {a for a, one in existing(case.plan, facts, simulated=case.simulated).items() if one.same}
    case = replace(case, plan=without_standing(case.plan, same))
    return replace(case, access=gains.shifts(case, facts))


def judge(case: Case, facts: Facts) -> tuple[Finding, ...]:
    """The findings of all guards, those that say the same made one.

    Args:
        case: What `prepared` gives.
        facts: Answers to `needs` of the case before.
    """
    return gains.subsumed((finding for guard in GUARDS for finding in guard.judge(case, facts)), case.access)
