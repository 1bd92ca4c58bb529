"""Users whom MFA enforcement reaches: who is named, who is refused, and what each is told to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from toolkit.findings import Severity
from toolkit.findings.rules import LOCKS_OUT, LOCKS_OUT_CALLER, LOCKS_OUT_LAST_ADMINISTRATOR
from toolkit.plan.case import Caller
from toolkit.plan.lockout.changes import reaches_users
from toolkit.plan.lockout.guard import judge_lockout
from toolkit.plan.users import UserFact

from .conftest import (
    ASLEEP,
    BY_KEY,
    BY_PASSWORD,
    CONSOLE,
    KEY_ONLY,
    OUTSIDE,
    ROLE,
    SAFE,
    attach,
    found,
    membership,
    plan,
    user_change,
)


def test_users_with_a_device_outside_the_groups_or_without_any_access_lose_nothing():
    assert found(plan(attach("developers")), SAFE, OUTSIDE, ASLEEP) == []


@pytest.mark.parametrize("user", [CONSOLE, KEY_ONLY], ids=lambda u: u.name)
def test_users_without_a_device_are_named_and_need_acknowledgement(user: UserFact):
    (finding,) = judge_lockout(plan(attach("developers")), [SAFE, user], ROLE)
    assert finding.rule is LOCKS_OUT
    assert finding.blocks
    assert finding.consent == "--acknowledge-lockout"
    assert user.name in finding.summary
    assert "safe" not in finding.summary


def test_what_each_of_them_loses_is_said():
    (finding,) = judge_lockout(plan(attach("developers")), [CONSOLE, KEY_ONLY], ROLE)
    assert "console (console password, no MFA device, no access key; can do nothing but enrol" in finding.evidence
    assert "robot (no console password, no MFA device, 1 active access key; its key stops working" in finding.evidence


def test_users_of_several_groups_are_named_at_the_attachment_that_reaches_them():
    p = plan(attach("developers"), attach("others"))
    found = list(judge_lockout(p, [CONSOLE, KEY_ONLY, OUTSIDE], ROLE))
    assert {f.address.split('"')[1]: f.summary.split(": ")[1] for f in found} == {
        "developers": "console, robot.",
        "others": "outside.",
    }
    assert "outside" not in found[0].evidence + found[0].remedy
    assert len({f.address for f in found}) == 2


LISTED = "list the name under `mfa_enforcement.access_key_enrolment_users`"


@pytest.mark.parametrize(
    ("user", "listed", "says", "not_says"),
    [
        (CONSOLE, False, ["console: " + BY_PASSWORD], [LISTED, "no longer enrol"]),
        (KEY_ONLY, False, ["robot: enrol a device before the apply", LISTED, "no longer enrol"], ["console"]),
        (KEY_ONLY, True, ["robot: " + BY_KEY, "nothing but enrol until it has a device"], [LISTED, "no longer enrol"]),
    ],
    ids=["with a password", "with a key alone", "with a key, listed"],
)
def test_what_to_do_first_is_what_this_user_can_do(user: UserFact, listed: bool, says: list[str], not_says: list[str]):
    enrolling = frozenset({user.name}) if listed else frozenset()
    (finding,) = judge_lockout(plan(attach("developers")), [user], ROLE, enrolling=enrolling)
    text = f"{finding.evidence}; {finding.remedy}".replace("no console password", "")
    assert all(part in text for part in says), text
    assert not any(part in text for part in not_says), text


def test_an_administrator_who_may_enrol_by_key_gets_in_again():
    admin = replace(KEY_ONLY, name="admin", administrator=True)
    p = plan(attach("developers"))
    (last, _) = judge_lockout(p, [admin], ROLE)
    assert last.rule is LOCKS_OUT_LAST_ADMINISTRATOR
    assert "`mfa_enforcement.access_key_enrolment_users`" in last.remedy
    assert [f.rule for f in judge_lockout(p, [admin], ROLE, enrolling=frozenset({"admin"}))] == [LOCKS_OUT]


def test_a_caller_without_a_device_is_refused_whatever_the_consent():
    caller = Caller("arn:aws:iam::123456789012:user/console", "console", False)
    (finding,) = judge_lockout(plan(attach("developers")), [CONSOLE], caller)
    assert (finding.rule, finding.consent) == (LOCKS_OUT_CALLER, None)


def test_a_caller_with_a_device_but_a_long_lived_key_is_refused_and_told_how():
    caller = Caller("arn:aws:iam::123456789012:user/safe", "safe", False)
    (finding,) = judge_lockout(plan(attach("developers")), [SAFE], caller)
    assert (finding.rule, finding.consent) == (LOCKS_OUT_CALLER, None)
    assert "get-session-token" in finding.remedy


def test_a_caller_with_a_session_is_not():
    caller = Caller("arn:aws:iam::123456789012:user/safe", "safe", True)
    assert found(plan(attach("developers")), SAFE, caller=caller) == []


def test_the_last_administrator_is_kept():
    admin = replace(KEY_ONLY, name="admin", administrator=True)
    rules = dict(found(plan(attach("developers")), admin))
    assert rules[LOCKS_OUT_LAST_ADMINISTRATOR] is Severity.CRITICAL
    other = replace(SAFE, name="other", administrator=True)
    assert LOCKS_OUT_LAST_ADMINISTRATOR not in dict(found(plan(attach("developers")), admin, other))
    enrolling = replace(CONSOLE, name="enrolling", administrator=True)
    assert LOCKS_OUT_LAST_ADMINISTRATOR not in dict(found(plan(attach("developers")), admin, enrolling))


def test_detaching_locks_nobody_out():
    p = plan(attach("developers", "delete"))
    assert not reaches_users(p)
    assert found(p, CONSOLE, KEY_ONLY) == []


def test_who_newly_joins_a_group_with_mfa_is_reached_by_it():
    bound = frozenset({"developers"})
    stranger = replace(CONSOLE, groups=frozenset({"others"}))
    p = plan(membership("console", ["others"], ["others", "developers"]))
    (finding,) = judge_lockout(p, [stranger], ROLE, bound)
    assert (finding.rule, finding.consent) == (LOCKS_OUT, "--acknowledge-lockout")
    assert "console" in finding.summary
    # Bound already, unbound still, made by this very plan, or with a device: nothing is lost.
    assert list(judge_lockout(p, [CONSOLE], ROLE, bound)) == []
    assert list(judge_lockout(p, [stranger], ROLE)) == []
    assert (
        list(
            judge_lockout(plan(user_change("new", "create"), membership("new", None, ["developers"])), [], ROLE, bound)
        )
        == []
    )
    assert list(judge_lockout(p, [replace(stranger, mfa_devices=1)], ROLE, bound)) == []
    caller = Caller("arn:aws:iam::123456789012:user/console", "console", True)
    assert found(p, stranger, caller=caller) == []
    assert [f.rule for f in judge_lockout(p, [stranger], caller, bound)] == [LOCKS_OUT_CALLER]
