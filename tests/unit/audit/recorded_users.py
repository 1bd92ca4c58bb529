"""IAM users as the credential report has them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from toolkit.audit.facts import CredentialReport
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import NOW, Case, Flip

PASS, FAIL = Status.PASS, Status.FAIL


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def key(*, active: bool = True, made: datetime | None = None, used: datetime | None = None) -> dict[str, Any]:
    return {"active": active, "last_rotated": made, "last_used": used}


NO_KEY = key(active=False)


def row(name: str = "alice", *keys: dict[str, Any], **values: Any) -> Live:
    every = {
        "user": name, "created": ago(400), "password_enabled": False, "password_last_used": None,
        "password_last_changed": None, "mfa_active": False, "keys": [*keys, NO_KEY, NO_KEY][:2], "generated": NOW,
        **values,
    }  # fmt: skip
    return Live({"user": name}, every, f"the user {name!r}", None)


def _case(check: str, expected: Status, user: Live, *flips: Flip) -> Case:
    return Case(check, expected, {CredentialReport(): (user,)}, flips)


MFA = "iam_user_mfa_enabled_console_access"
PASSWORD = "iam_user_console_access_unused"
UNUSED = "iam_user_accesskey_unused"
OLD = "iam_rotate_access_key_90_days"
TWO = "iam_user_two_active_access_key"
INITIAL = "iam_user_no_setup_initial_access_key"
IS_ROOT = Flip("user", "<root_account>", PASS)
"""Root's row is no user's, whatever it says."""

CASES = (
    _case(MFA, PASS, row(password_enabled=True, mfa_active=True), Flip("mfa_active", False, FAIL)),
    _case(MFA, PASS, row(), Flip("password_enabled", True, FAIL)),
    _case(MFA, FAIL, row(password_enabled=True), IS_ROOT),
    _case(
        PASSWORD,
        PASS,
        row(password_enabled=True, password_last_used=ago(44)),
        Flip("password_last_used", ago(45), FAIL),
        Flip("generated", NOW + timedelta(days=1), FAIL),
    ),
    _case(PASSWORD, PASS, row(password_last_used=ago(300)), Flip("password_enabled", True, FAIL)),
    _case(
        PASSWORD,
        PASS,
        row(password_enabled=True, password_last_changed=ago(3)),
        Flip("password_last_changed", ago(46), FAIL),
    ),
    _case(PASSWORD, PASS, row(password_enabled=True, created=ago(3)), Flip("created", ago(46), FAIL)),
    _case(PASSWORD, FAIL, row(password_enabled=True), IS_ROOT),
    _case(
        UNUSED,
        PASS,
        row("alice", key(used=ago(44))),
        Flip("keys.0.last_used", ago(45), FAIL),
        Flip("generated", NOW + timedelta(days=1), FAIL),
    ),
    _case(UNUSED, PASS, row("alice", key(made=ago(44))), Flip("keys.0.last_rotated", ago(45), FAIL)),
    _case(UNUSED, PASS, row("alice", key(), created=ago(44)), Flip("created", ago(45), FAIL)),
    _case(UNUSED, PASS, row("alice", NO_KEY, key(active=False, used=ago(99))), Flip("keys.1.active", True, FAIL)),
    _case(UNUSED, FAIL, row("alice", key(used=ago(45))), IS_ROOT),
    _case(
        OLD,
        PASS,
        row("alice", key(made=ago(90))),
        Flip("keys.0.last_rotated", ago(91), FAIL),
        Flip("generated", NOW + timedelta(days=1), FAIL),
    ),
    _case(OLD, PASS, row("alice", key(), created=ago(90)), Flip("created", ago(91), FAIL)),
    _case(OLD, PASS, row("alice", key(active=False, made=ago(91))), Flip("keys.0.active", True, FAIL)),
    _case(OLD, FAIL, row("alice", key(made=ago(91))), IS_ROOT),
    _case(TWO, PASS, row("alice", key()), Flip("keys.1.active", True, FAIL)),
    _case(TWO, FAIL, row("alice", key(), key()), IS_ROOT),
    _case(
        INITIAL,
        PASS,
        row("alice", key(made=ago(399)), password_enabled=True),
        Flip("keys.0.last_rotated", ago(400), FAIL),
        Flip("created", ago(399), FAIL),
    ),
    _case(INITIAL, PASS, row("alice", key(made=ago(400))), Flip("password_enabled", True, FAIL)),
    _case(
        INITIAL,
        PASS,
        row("alice", key(active=False, made=ago(400)), password_enabled=True),
        Flip("keys.0.active", True, FAIL),
    ),
    _case(
        INITIAL,
        PASS,
        row("alice", key(made=ago(400), used=ago(3)), password_enabled=True),
        Flip("keys.0.last_used", None, FAIL),
    ),
    _case(INITIAL, FAIL, row("alice", key(made=ago(400)), password_enabled=True), IS_ROOT),
)
