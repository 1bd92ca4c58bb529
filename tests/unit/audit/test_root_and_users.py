"""Root and users: each check in both directions, at its limits."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.audit.checks.root import VirtualDevices
from toolkit.audit.facts import AccountSummary, CredentialReport
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import SCOPE, Ask
from .recorded_users import NO_KEY, ago, key, row

PASS, FAIL, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.NOT_APPLICABLE


def summary(**values: int) -> tuple[Live, ...]:
    return (Live({}, {"AccountAccessKeysPresent": 0, "AccountMFAEnabled": 1, **values}, "the account", None),)


def device(of: str) -> Live:
    return Live({"serial": "x"}, {"user_arn": of}, "the virtual MFA device x", None)


@pytest.mark.parametrize(
    ("check", "values", "devices", "expected"),
    [
        ("iam_no_root_access_key", {}, None, PASS),
        ("iam_no_root_access_key", {"AccountAccessKeysPresent": 1}, None, FAIL),
        ("iam_root_mfa_enabled", {}, None, PASS),
        ("iam_root_mfa_enabled", {"AccountMFAEnabled": 0}, None, FAIL),
        ("iam_root_mfa_enabled", {"AccountMFAEnabled": 0, "AccountPasswordPresent": 1}, None, FAIL),
        ("iam_root_mfa_enabled", {"AccountMFAEnabled": 0, "AccountPasswordPresent": 0}, None, NOT_APPLICABLE),
        ("iam_root_hardware_mfa_enabled", {}, [], PASS),
        ("iam_root_hardware_mfa_enabled", {}, [device("arn:aws:iam::123456789012:user/alice")], PASS),
        ("iam_root_hardware_mfa_enabled", {}, [device(SCOPE.root_arn)], FAIL),
        ("iam_root_hardware_mfa_enabled", {"AccountMFAEnabled": 0}, [], FAIL),
        ("iam_root_hardware_mfa_enabled", {"AccountMFAEnabled": 0, "AccountPasswordPresent": 0}, [], NOT_APPLICABLE),
    ],
)
def test_root(ask: Ask, check: str, values: dict[str, int], devices: list[Live] | None, expected: Status):
    answers: dict[Any, Any] = {AccountSummary(): summary(**values)}
    if devices is not None:
        answers[VirtualDevices()] = tuple(devices)
    assert ask(check, answers).status is expected


@pytest.mark.parametrize(
    ("row_of_root", "expected"),
    [
        (row("<root_account>", password_enabled=None), PASS),
        (row("<root_account>", password_last_used=ago(90)), PASS),
        (row("<root_account>", password_last_used=ago(89)), FAIL),
        (row("<root_account>", key(used=ago(1)), password_last_used=ago(500)), FAIL),
    ],
)
def test_the_last_use_of_root(ask: Ask, row_of_root: Live, expected: Status):
    assert ask("iam_avoid_root_usage", {CredentialReport(): (row(), row_of_root)}).status is expected


@pytest.mark.parametrize(
    ("check", "user", "expected"),
    [
        ("iam_user_mfa_enabled_console_access", row(password_enabled=True, mfa_active=True), PASS),
        ("iam_user_mfa_enabled_console_access", row(), PASS),
        ("iam_user_mfa_enabled_console_access", row(password_enabled=True), FAIL),
        ("iam_user_console_access_unused", row(password_enabled=True, password_last_used=ago(44)), PASS),
        ("iam_user_console_access_unused", row(password_enabled=True, password_last_used=ago(45)), FAIL),
        ("iam_user_console_access_unused", row(password_enabled=True, password_last_changed=ago(3)), PASS),
        ("iam_user_console_access_unused", row(password_enabled=True), FAIL),
        ("iam_user_console_access_unused", row(password_last_used=ago(300)), PASS),
        ("iam_user_accesskey_unused", row("alice", key(used=ago(44), made=ago(300))), PASS),
        ("iam_user_accesskey_unused", row("alice", key(used=ago(45))), FAIL),
        ("iam_user_accesskey_unused", row("alice", NO_KEY, key(made=ago(46))), FAIL),
        ("iam_user_accesskey_unused", row("alice", key(active=False, used=ago(300))), PASS),
        ("iam_rotate_access_key_90_days", row("alice", key(made=ago(90))), PASS),
        ("iam_rotate_access_key_90_days", row("alice", key(made=ago(91))), FAIL),
        ("iam_rotate_access_key_90_days", row("alice", key(active=False, made=ago(91))), PASS),
        ("iam_user_two_active_access_key", row("alice", key()), PASS),
        ("iam_user_two_active_access_key", row("alice", key(), key()), FAIL),
        ("iam_user_no_setup_initial_access_key", row("a", key(made=ago(400)), password_enabled=True), FAIL),
        (
            "iam_user_no_setup_initial_access_key",
            row("a", key(made=ago(400), used=ago(3)), password_enabled=True),
            PASS,
        ),
        ("iam_user_no_setup_initial_access_key", row("a", key(made=ago(399)), password_enabled=True), PASS),
        ("iam_user_no_setup_initial_access_key", row("a", key(made=ago(400))), PASS),
    ],
)
def test_users(ask: Ask, check: str, user: Live, expected: Status):
    """Root's row is no user's, whatever it says."""
    root = row("<root_account>", key(made=ago(999)), key(), password_enabled=True)
    result = ask(check, {CredentialReport(): (root, user)})
    assert result.status is expected
    assert all(one.resource is None or one.resource.key["user"] != "<root_account>" for one in result.outcomes)


@pytest.mark.parametrize("check", ["iam_user_mfa_enabled_console_access", "iam_rotate_access_key_90_days"])
def test_no_users_is_a_pass_that_says_so(ask: Ask, check: str):
    result = ask(check, {CredentialReport(): (row("<root_account>"),)})
    assert (result.status, result.outcomes[0].evidence) == (PASS, "there are no IAM users")
