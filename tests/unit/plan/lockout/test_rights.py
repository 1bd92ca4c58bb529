"""Administrators who are deleted, suspended, or lose their rights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from toolkit.findings import Finding, Rule, Severity
from toolkit.findings.rules import ADVICE, LOCKS_OUT, LOCKS_OUT_CALLER, LOCKS_OUT_LAST_ADMINISTRATOR
from toolkit.plan.case import Caller
from toolkit.plan.lockout.changes import reaches_users, takes_administration
from toolkit.plan.lockout.guard import judge_lockout
from toolkit.plan.managed_policies import is_administrator, is_deny_all
from toolkit.plan.model import Plan
from toolkit.plan.users import UserFact

from .conftest import (
    ADMIN,
    CONSOLE,
    DIRECT,
    KEY_ONLY,
    ROLE,
    SAFE,
    USER,
    found,
    gone,
    membership,
    plan,
    removes_password,
    stripped,
    suspended,
    user_change,
)

GOING = {
    "deleted": [user_change("admin")],
    "made anew": [user_change("admin", "delete+create")],
    "suspended": [suspended("admin"), membership("admin", ["administrators"], None)],
    "out of the group": [membership("admin", ["administrators", "developers"], ["developers"])],
    "out of every group": [membership("admin", ["administrators"], None)],
}


@pytest.mark.parametrize("entries", GOING.values(), ids=GOING)
def test_the_last_administrator_does_not_go(entries: list[dict[str, Any]]):
    p = plan(*entries)
    assert reaches_users(p)

    def judged(*users: UserFact) -> list[Finding]:
        found = judge_lockout(p, users, USER, removed=frozenset({"admin"}))
        # That a user is made anew without credentials is another matter, of whoever it is.
        return [f for f in found if f.rule is not ADVICE and "created again" not in f.summary]

    (finding,) = judged(SAFE, ADMIN)
    assert (finding.rule, finding.consent) == (LOCKS_OUT_LAST_ADMINISTRATOR, None)
    assert "(admin)" in finding.summary
    # With another one who gets in, whoever goes goes without asking.
    assert judged(ADMIN, DIRECT) == []
    # Who has nothing to get in with is no administrator to count on.
    (finding,) = judged(ADMIN, replace(DIRECT, console_password=False))
    assert finding.rule is LOCKS_OUT_LAST_ADMINISTRATOR


@pytest.mark.parametrize("entries", GOING.values(), ids=GOING)
def test_nobody_takes_away_their_own_rights(entries: list[dict[str, Any]]):
    caller = Caller("arn:aws:iam::123456789012:user/admin", "admin", True)
    (finding,) = [f for f in judge_lockout(plan(*entries), [ADMIN, DIRECT], caller) if f.rule is not ADVICE]
    assert (finding.rule, finding.consent) == (LOCKS_OUT_CALLER, None)


def test_a_group_does_not_cease_to_make_administrators_of_the_last_ones():
    p = plan(stripped("administrators"))
    assert reaches_users(p)
    assert found(p, SAFE, ADMIN, caller=USER) == [(LOCKS_OUT_LAST_ADMINISTRATOR, Severity.CRITICAL)]
    assert found(p, ADMIN) == [(LOCKS_OUT, Severity.HIGH)]
    assert found(p, ADMIN, DIRECT, caller=USER) == []
    own = Caller("arn:aws:iam::123456789012:user/admin", "admin", True)
    assert found(p, ADMIN, DIRECT, caller=own) == [(LOCKS_OUT_CALLER, Severity.CRITICAL)]
    # Other policies come and go, and so do groups beside the one that counts.
    assert found(plan(stripped("administrators", "arn:aws:iam::aws:policy/ReadOnlyAccess")), ADMIN, caller=own) == []
    assert found(plan(stripped("others")), ADMIN, caller=own) == []
    both = replace(ADMIN, groups=frozenset({"a", "b"}), administrator_groups=frozenset({"a", "b"}))
    assert found(plan(stripped("a")), both, caller=USER) == []
    (last,) = judge_lockout(plan(stripped("a"), membership("admin", ["b"], None)), [both], USER)
    assert last.rule is LOCKS_OUT_LAST_ADMINISTRATOR


def guardrail(group: str) -> dict[str, Any]:
    entry = gone("aws_iam_group_policy_attachment", "iam_groups", group=group, policy_arn="arn:guardrail")
    change = {"actions": ["create"], "before": None, "after": entry["change"]["before"]}
    return {**entry, "name": "guardrail", "change": change}


def test_the_guardrail_takes_no_administrator_unasked():
    """It denies what AdministratorAccess allows: who is in a group of each is no administrator."""
    guarded = frozenset({"developers"})
    both = replace(ADMIN, groups=frozenset({"administrators", "developers"}))
    own = Caller("arn:aws:iam::123456789012:user/admin", "admin", True)
    p = plan(guardrail("developers"))
    assert reaches_users(p)
    assert found(p, SAFE, ADMIN, caller=own) == []

    def rules(p: Plan, *users: UserFact, caller: Caller = USER) -> set[Rule]:
        removed = frozenset({"direct"})
        return {f.rule for f in judge_lockout(p, users, caller, guarded=guarded, removed=removed) if f.blocks}

    assert rules(p, both) == {LOCKS_OUT, LOCKS_OUT_LAST_ADMINISTRATOR}
    assert rules(p, both, DIRECT) == {LOCKS_OUT}
    assert rules(p, both, DIRECT, caller=own) == {LOCKS_OUT_CALLER}
    # Joining such a group does the same; whoever was in one before has nothing more to lose, and counts no more.
    joins = plan(membership("admin", ["administrators"], ["administrators", "developers"]))
    assert rules(joins, ADMIN, DIRECT, caller=own) == {LOCKS_OUT_CALLER}
    assert rules(joins, both, DIRECT) == set()
    assert rules(plan(user_change("direct")), both, DIRECT) == {LOCKS_OUT_LAST_ADMINISTRATOR}


def test_a_role_may_let_the_last_of_the_users_go_if_it_says_so():
    (finding,) = judge_lockout(plan(user_change("admin")), [ADMIN], ROLE, removed=frozenset({"admin"}))
    assert (finding.rule, finding.consent) == (LOCKS_OUT, "--acknowledge-lockout")


def test_who_is_administrator_otherwise_too_stays_one():
    both = replace(ADMIN, groups=frozenset({"a", "b"}), administrator_groups=frozenset({"a", "b"}))
    assert found(plan(membership("admin", ["a"], None)), both, caller=USER) == []
    assert found(plan(membership("direct", ["developers"], None)), DIRECT, caller=USER) == []


def test_ordinary_leavers_need_no_consent():
    p = plan(user_change("console"), suspended("robot"), membership("robot", ["developers"], None))
    told = list(judge_lockout(p, [SAFE, CONSOLE, KEY_ONLY, ADMIN], USER, removed=frozenset({"console"})))
    assert [f.rule for f in told] == [ADVICE]
    assert not told[0].blocks
    assert told[0].evidence == "1 active access key"
    assert "update-access-key --user-name robot" in told[0].remedy


def test_groups_of_other_components_and_new_users_need_no_facts():
    assert not reaches_users(plan(user_change("new", "create")))


def test_the_last_administrators_password_is_not_deleted():
    p = plan(removes_password("admin"))
    assert reaches_users(p)
    asked, last = (LOCKS_OUT, Severity.HIGH), (LOCKS_OUT_LAST_ADMINISTRATOR, Severity.CRITICAL)
    assert found(p, ADMIN, caller=USER) == [last, asked]
    assert found(p, ADMIN, DIRECT, caller=USER) == [asked]
    # With an access key they still get in; the password is gone all the same.
    assert found(p, replace(ADMIN, active_keys=1), caller=USER) == [asked]
    own = Caller("arn:aws:iam::123456789012:user/admin", "admin", True)
    assert found(p, ADMIN, DIRECT, caller=own) == [(LOCKS_OUT_CALLER, Severity.CRITICAL)]


@pytest.mark.parametrize(
    ("arn", "administrator", "denies"),
    [
        ("arn:aws:iam::aws:policy/AdministratorAccess", True, False),
        ("arn:aws-us-gov:iam::aws:policy/AdministratorAccess", True, False),
        ("arn:aws:iam::aws:policy/AWSDenyAll", False, True),
        ("arn:aws:iam::123456789012:policy/AdministratorAccess", False, False),
        ("arn:aws:iam::123456789012:policy/AWSDenyAll", False, False),
        ("arn:aws:iam::aws:policy/AdministratorAccess-Amplify", False, False),
    ],
)
def test_a_policy_of_the_account_that_is_called_like_one_of_aws_is_none(arn: str, administrator: bool, denies: bool):
    assert (is_administrator(arn), is_deny_all(arn)) == (administrator, denies)
    (taken,) = plan(stripped("administrators", arn)).changes
    assert takes_administration(taken) is administrator
