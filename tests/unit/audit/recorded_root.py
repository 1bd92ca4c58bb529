"""Root, in each state that a check tells from another."""

from __future__ import annotations

from datetime import timedelta

from toolkit.audit.checks.root import VirtualDevices
from toolkit.audit.facts import AccountSummary, CredentialReport
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import NOW, SCOPE, Case, Flip, live
from .recorded_users import NO_KEY, key, row

PASS, FAIL, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.NOT_APPLICABLE


def summary(**values: int) -> tuple[Live, ...]:
    return (live({"AccountAccessKeysPresent": 0, "AccountMFAEnabled": 1, "AccountPasswordPresent": 1, **values}),)


def _kind(expected: Status, summary_: tuple[Live, ...], *devices: Live, flips: tuple[Flip, ...] = ()) -> Case:
    answers = {AccountSummary(): summary_, VirtualDevices(): devices}
    return Case("iam_root_hardware_mfa_enabled", expected, answers, flips)


NO_MFA = summary(AccountMFAEnabled=0)
REMOVED = summary(AccountMFAEnabled=0, AccountPasswordPresent=0)
LONG_AGO, JUST_NOW = NOW - timedelta(days=300), NOW - timedelta(days=1)
ROOT = row("<root_account>", key(active=True, used=LONG_AGO), NO_KEY, password_last_used=LONG_AGO)

CASES = (
    Case(
        "iam_no_root_access_key",
        PASS,
        {AccountSummary(): summary()},
        (Flip("AccountAccessKeysPresent", 1, FAIL),),
    ),
    Case("iam_no_root_access_key", FAIL, {AccountSummary(): summary(AccountAccessKeysPresent=1)}),
    Case("iam_root_mfa_enabled", PASS, {AccountSummary(): summary()}, (Flip("AccountMFAEnabled", 0, FAIL),)),
    Case(
        "iam_root_mfa_enabled",
        FAIL,
        {AccountSummary(): NO_MFA},
        (Flip("AccountPasswordPresent", 0, NOT_APPLICABLE), Flip("AccountMFAEnabled", 1, PASS)),
    ),
    Case("iam_root_mfa_enabled", NOT_APPLICABLE, {AccountSummary(): REMOVED}),
    _kind(
        PASS,
        summary(),
        live({"user_arn": "arn:aws:iam::123456789012:user/alice"}),
        flips=(
            Flip("AccountMFAEnabled", 0, FAIL, AccountSummary()),
            Flip("user_arn", SCOPE.root_arn, FAIL, VirtualDevices()),
        ),
    ),
    _kind(FAIL, summary(), live({"user_arn": SCOPE.root_arn})),
    _kind(FAIL, NO_MFA, flips=(Flip("AccountPasswordPresent", 0, NOT_APPLICABLE, AccountSummary()),)),
    _kind(NOT_APPLICABLE, REMOVED),
    Case(
        "iam_avoid_root_usage",
        PASS,
        {CredentialReport(): (ROOT,)},
        (
            Flip("password_last_used", JUST_NOW, FAIL),
            Flip("keys.0.last_used", JUST_NOW, FAIL),
            Flip("generated", LONG_AGO + timedelta(days=89), FAIL),
            Flip("user", "alice", Status.UNKNOWN),
        ),
    ),
    Case("iam_avoid_root_usage", PASS, {CredentialReport(): (row("<root_account>"),)}),
    Case("iam_avoid_root_usage", FAIL, {CredentialReport(): (row("<root_account>", password_last_used=JUST_NOW),)}),
)
