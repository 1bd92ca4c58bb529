"""What takes somebody's way in without naming them: entries that vanish, passwords, groups, what is forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest

from toolkit.findings import Rule
from toolkit.findings.rules import LOCKS_OUT
from toolkit.plan.lockout.changes import reaches_users
from toolkit.plan.lockout.guard import judge_lockout
from toolkit.plan.lockout.leaving import judge_forgotten
from toolkit.plan.users import UserFact

from .conftest import (
    ADMIN,
    ADMINISTRATION,
    ASLEEP,
    CONSOLE,
    DIRECT,
    KEY_ONLY,
    OUTSIDE,
    ROLE,
    SAFE,
    USER,
    found,
    gone,
    membership,
    plan,
    removes_password,
    suspended,
    user_change,
)


def test_a_group_with_members_is_not_deleted():
    p = plan(gone("aws_iam_group", name="developers"))
    assert reaches_users(p)
    (finding,) = judge_lockout(p, [SAFE, OUTSIDE, CONSOLE], ROLE)
    assert (finding.rule, finding.consent, finding.evidence) == (LOCKS_OUT, None, "in it: safe, console")
    assert finding.blocks
    assert found(p, OUTSIDE) == []
    # Who is taken out of it, or deleted, by this very plan is in nobody's way.
    out = [gone("aws_iam_group", name="developers"), membership("safe", ["developers"], None), user_change("console")]
    assert list(judge_lockout(plan(*out), [SAFE, CONSOLE], ROLE, removed=frozenset({"console"}))) == []


def test_whose_password_goes_is_said_with_what_is_left():
    (finding,) = judge_lockout(plan(removes_password("safe")), [SAFE], ROLE)
    assert (finding.rule, finding.consent) == (LOCKS_OUT, "--acknowledge-lockout")
    assert finding.summary == "The console password of safe would be deleted, and no credentials would be left."
    assert finding.evidence == "safe has a console password, 1 MFA device"
    assert "console_pgp_key" in finding.remedy
    (finding,) = judge_lockout(plan(removes_password("safe")), [replace(SAFE, active_keys=2)], ROLE)
    assert finding.summary == "The console password of safe would be deleted."
    # Who is suspended or removed by name loses it on purpose; who has none, or is not there, loses nothing.
    for entries in ([suspended("safe")], [user_change("safe")]):
        told = judge_lockout(plan(removes_password("safe"), *entries), [SAFE], ROLE, removed=frozenset({"safe"}))
        assert [f for f in told if f.blocks] == []
    assert found(plan(removes_password("safe")), replace(SAFE, console_password=False), OUTSIDE) == []


@pytest.mark.parametrize(
    ("kind", "owner"),
    [
        ("aws_iam_group_policy_attachment", {"group": "administrators", "policy_arn": ADMINISTRATION}),
        ("aws_iam_role_policy_attachment", {"role": "deployer", "policy_arn": ADMINISTRATION}),
        ("aws_iam_user_policy_attachment", {"user": "admin", "policy_arn": ADMINISTRATION}),
        (
            "aws_ssoadmin_managed_policy_attachment",
            {"permission_set_arn": "arn:aws:sso:::permissionSet/x/y", "managed_policy_arn": ADMINISTRATION},
        ),
    ],
)
def test_administration_is_not_forgotten_unasked(kind: str, owner: dict[str, str]):
    def forgets(action: str, **values: str) -> list[tuple[Rule, str | None]]:
        entry = gone(kind, action=action, **{**owner, **values})
        return [(f.rule, f.consent) for f in judge_forgotten(plan(entry))]

    assert forgets("forget") == [(LOCKS_OUT, "--acknowledge-lockout")]
    # What deletes it is judged by who loses it; what it is without is nobody's lock-out.
    assert forgets("delete") == []
    other = ADMINISTRATION.replace("AdministratorAccess", "ReadOnlyAccess")
    assert forgets("forget", **{k: other for k in owner if "policy_arn" in k}) == []


VANISHED = {
    "a password": SAFE,
    "no device": CONSOLE,
    "a key": KEY_ONLY,
    "nothing to get in with": ASLEEP,
    "administration": ADMIN,
}


@pytest.mark.parametrize("user", VANISHED.values(), ids=VANISHED)
def test_an_entry_that_vanishes_deletes_nobody_unasked(user: UserFact):
    p = plan(user_change(user.name), user_change(f"{user.name}2", "create"))
    assert reaches_users(p)
    (finding,) = judge_lockout(p, [user, DIRECT], USER)
    assert (finding.rule, finding.consent) == (LOCKS_OUT, "--acknowledge-lockout")
    assert finding.address == f'module.iam_users.aws_iam_user.this["{user.name}"]'
    assert "`status: removed`" in finding.remedy
    assert finding.evidence.startswith(f"{user.name} has ")
    # Who is removed by name is meant to go; IAM does not tell names apart by case.
    assert list(judge_lockout(p, [user, DIRECT], USER, removed=frozenset({user.name.upper()}))) == []
    # Deleted by hand already.
    assert list(judge_lockout(p, [DIRECT], USER)) == []


def test_a_user_who_is_made_anew_loses_the_credentials_whatever_the_entry_says():
    p = plan(user_change("safe", "delete+create"))
    (finding,) = judge_lockout(p, [SAFE], ROLE, removed=frozenset({"safe"}))
    assert "created again without them" in finding.summary
    half_made = user_change("safe", "delete+create") | {"action_reason": "replace_because_tainted"}
    assert [f.rule for f in judge_lockout(plan(half_made), [SAFE], ROLE)] == [LOCKS_OUT]
    assert list(judge_lockout(plan(half_made), [replace(SAFE, console_password=False)], ROLE)) == []
