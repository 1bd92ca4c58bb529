"""Who would lose access: every kind of user against MFA enforcement and password rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from toolkit.components.registry import REGISTRY
from toolkit.findings import Finding, Rule, Severity
from toolkit.findings.rules import ADVICE, LOCKS_OUT, LOCKS_OUT_CALLER, LOCKS_OUT_LAST_ADMINISTRATOR
from toolkit.plan.case import Caller
from toolkit.plan.lockout.changes import reaches_users, takes_administration
from toolkit.plan.lockout.guard import judge_lockout
from toolkit.plan.lockout.leaving import judge_forgotten
from toolkit.plan.managed_policies import is_administrator, is_deny_all
from toolkit.plan.model import Attribution, Plan, parse_plan
from toolkit.plan.users import UserFact

ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1",), "eu-central-1")
ROLE = Caller("arn:aws:sts::123456789012:assumed-role/deployer/x", None, True)

SAFE = UserFact("safe", "arn:aws:iam::123456789012:user/safe", frozenset({"developers"}), True, 1, 0, False, 10)
CONSOLE = replace(SAFE, name="console", mfa_devices=0)
KEY_ONLY = replace(SAFE, name="robot", console_password=False, mfa_devices=0, active_keys=1, password_age_days=None)
OUTSIDE = replace(CONSOLE, name="outside", groups=frozenset({"others"}))
ASLEEP = replace(KEY_ONLY, name="asleep", active_keys=0)


def plan(*entries: dict[str, Any]) -> Plan:
    return parse_plan({"format_version": "1.2", "resource_changes": list(entries)}, ATTRIBUTION)


def attach(group: str, action: str = "create") -> dict[str, Any]:
    before = None if action == "create" else {"group": group}
    after = None if action == "delete" else {"group": group}
    return {
        "address": f'module.mfa_enforcement.aws_iam_group_policy_attachment.this["{group}"]',
        "mode": "managed",
        "type": "aws_iam_group_policy_attachment",
        "name": "this",
        "change": {"actions": [action], "before": before, "after": after},
    }


def password_policy(age: int | None, *, before: int | None = None, hard: bool = False) -> dict[str, Any]:
    old = {"max_password_age": before} if before is not None else None
    return {
        "address": "module.password_policy.aws_iam_account_password_policy.this",
        "mode": "managed",
        "type": "aws_iam_account_password_policy",
        "name": "this",
        "change": {
            "actions": ["create"] if old is None else ["update"],
            "before": old,
            "after": {"max_password_age": age, "hard_expiry": hard},
        },
    }


def found(p: Plan, *users: UserFact, caller: Caller = ROLE) -> list[tuple[Rule, Severity]]:
    return [(f.rule, f.severity) for f in judge_lockout(p, users, caller)]


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


BY_PASSWORD, BY_KEY = "enrol a device in the console", "enrol a device with the access key"
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


def user_change(name: str, action: str = "delete") -> dict[str, Any]:
    return {
        "address": f'module.iam_users.aws_iam_user.this["{name}"]',
        "mode": "managed",
        "type": "aws_iam_user",
        "name": "this",
        "change": {
            "actions": action.split("+"),
            "before": None if action == "create" else {"name": name},
            "after": None if action == "delete" else {"name": name},
        },
    }


def membership(
    name: str, before: list[str] | None, after: list[str] | None, *, resource: str = "active"
) -> dict[str, Any]:
    action = "create" if before is None else "delete" if after is None else "update"
    return {
        "address": f'module.iam_users.aws_iam_user_group_membership.{resource}["{name}"]',
        "mode": "managed",
        "type": "aws_iam_user_group_membership",
        "name": resource,
        "change": {
            "actions": [action],
            "before": None if before is None else {"user": name, "groups": before},
            "after": None if after is None else {"user": name, "groups": after},
        },
    }


def suspended(name: str) -> dict[str, Any]:
    return membership(name, None, ["suspended-users"], resource="suspended")


ADMIN = replace(
    SAFE,
    name="admin",
    administrator=True,
    groups=frozenset({"administrators"}),
    administrator_groups=frozenset({"administrators"}),
)
DIRECT = replace(ADMIN, name="direct", groups=frozenset(), administrator_groups=frozenset())
USER = Caller("arn:aws:iam::123456789012:user/other", "other", True)

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


ADMINISTRATION = "arn:aws:iam::aws:policy/AdministratorAccess"


def gone(kind: str, component: str = "iam_groups", action: str = "delete", **before: Any) -> dict[str, Any]:
    return {
        "address": f"module.{component}.{kind}.this",
        "mode": "managed",
        "type": kind,
        "name": "this",
        "change": {"actions": action.split("+"), "before": before, "after": None if action == "delete" else before},
    }


def stripped(group: str, policy: str = ADMINISTRATION) -> dict[str, Any]:
    return gone("aws_iam_group_policy_attachment", group=group, policy_arn=policy)


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


def test_groups_of_other_components_and_new_users_need_no_facts():
    assert not reaches_users(plan(user_change("new", "create")))


# What takes somebody's way in without naming them.


def removes_password(name: str) -> dict[str, Any]:
    """`console_pgp_key` taken out of an entry: the provider deletes the login profile that it made."""
    values = {"user": name, "pgp_key": "keybase:x"}
    return {
        "address": f'module.iam_users.aws_iam_user_login_profile.first["{name}"]',
        "mode": "managed",
        "type": "aws_iam_user_login_profile",
        "name": "first",
        "change": {"actions": ["delete"], "before": values, "after": None},
    }


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


def test_whose_password_goes_is_said_with_what_is_left():
    (finding,) = judge_lockout(plan(removes_password("safe")), [SAFE], ROLE)
    assert (finding.rule, finding.consent) == (LOCKS_OUT, "--acknowledge-lockout")
    assert finding.summary == "The console password of safe would be deleted, and no credentials would be left."
    assert finding.evidence == "safe has a console password, 1 MFA device"
    assert "console_pgp_key" in finding.remedy
    (finding,) = judge_lockout(plan(removes_password("safe")), [replace(SAFE, active_keys=2)], ROLE)
    assert finding.summary == "The console password of safe would be deleted."
    # Who is suspended or removed by name loses it on purpose; who has none, or is not there, loses nothing.
    for gone in ([suspended("safe")], [user_change("safe")]):
        told = judge_lockout(plan(removes_password("safe"), *gone), [SAFE], ROLE, removed=frozenset({"safe"}))
        assert [f for f in told if f.blocks] == []
    assert found(plan(removes_password("safe")), replace(SAFE, console_password=False), OUTSIDE) == []


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
