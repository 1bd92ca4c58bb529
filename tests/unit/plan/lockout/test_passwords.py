"""Passwords that a policy lets expire at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from toolkit.findings import Severity
from toolkit.findings.rules import LOCKS_OUT, LOCKS_OUT_CALLER
from toolkit.plan.case import Caller
from toolkit.plan.lockout.changes import reaches_users
from toolkit.plan.lockout.guard import judge_lockout

from .conftest import ROLE, SAFE, found, password_policy, plan


def test_a_password_that_would_expire_at_once_is_told():
    old = replace(SAFE, name="old", password_age_days=100)
    p = plan(password_policy(90))
    assert reaches_users(p)
    assert found(p, SAFE, old) == [(LOCKS_OUT, Severity.NOTE)]


def test_with_hard_expiry_it_needs_acknowledgement():
    old = replace(SAFE, name="old", password_age_days=100)
    assert found(plan(password_policy(90, hard=True)), SAFE, old) == [(LOCKS_OUT, Severity.HIGH)]


def test_with_hard_expiry_the_callers_own_password_is_refused():
    old = replace(SAFE, name="old", password_age_days=100)
    caller = Caller("arn:aws:iam::123456789012:user/old", "old", True)
    assert found(plan(password_policy(90, hard=True)), old, caller=caller)[0] == (
        LOCKS_OUT_CALLER,
        Severity.CRITICAL,
    )


def test_an_unknown_age_is_never_taken_for_a_young_one():
    unknown = replace(SAFE, name="unknown", password_age_days=None)
    (finding,) = judge_lockout(plan(password_policy(90, hard=True)), [unknown], ROLE)
    assert "unknown: age unknown" in finding.evidence


@pytest.mark.parametrize("entry", [password_policy(None), password_policy(0), password_policy(120, before=90)])
def test_no_age_or_a_longer_one_expires_nobody(entry: dict[str, Any]):
    assert found(plan(entry), replace(SAFE, password_age_days=1000)) == []


@pytest.mark.parametrize(
    ("before", "after", "asked"),
    [
        ((90, False), (90, True), True),
        ((90, None), (90, True), True),
        ((60, False), (90, True), True),
        ((90, True), (90, True), False),
        ((90, True), (120, True), False),
        ((90, False), (90, False), False),
        ((90, True), (90, False), False),
    ],
)
def test_passwords_older_than_the_age_are_judged_when_expiry_hardens(
    before: tuple[int, bool | None], after: tuple[int, bool], asked: bool
):
    entry = password_policy(after[0], before=before[0], hard=after[1])
    entry["change"]["before"]["hard_expiry"] = before[1]
    old = replace(SAFE, name="old", password_age_days=100)
    assert found(plan(entry), old, SAFE) == ([(LOCKS_OUT, Severity.HIGH)] if asked else [])
    caller = Caller("arn:aws:iam::123456789012:user/old", "old", True)
    rules = [rule for rule, _ in found(plan(entry), old, caller=caller)]
    assert rules == ([LOCKS_OUT_CALLER, LOCKS_OUT] if asked else [])
