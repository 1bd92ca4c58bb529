"""IAM users' passwords, MFA and access keys, as the credential report has them.

Its age counts: IAM writes a new report at most every four hours, and days are counted up to when it was written.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from toolkit.audit.access_keys import KEY_DAYS, UNUSED_DAYS
from toolkit.audit.facts import CredentialReport, Fact, users
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.resources.reading import Live

_WITH_THE_USER = timedelta(minutes=1)
"""A key made so soon after its user was made with it: the report has whole seconds, and a person needs longer."""


def _needs(_: Scope) -> Iterator[Fact]:
    yield CredentialReport()


_Problem = tuple[str, datetime | None]


def _each(said: Callable[[Live], Iterable[_Problem]], well: str) -> Callable[[Scope, Answers], Iterator[Outcome]]:
    """Judges each user by what is wrong with it.

    Args:
        said: What is wrong with a user: a sentence, and since when; None: it does not age.
        well: What holds of all users where nothing is; `{}` is how many there are.
    """

    def judge(_: Scope, answers: Answers) -> Iterator[Outcome]:
        every = users(answers[CredentialReport()])
        wrong = [
            Outcome(Status.FAIL, text, user, facts=None if since is None else (f"since {since.isoformat()}",))
            for user in every
            for text, since in said(user)
        ]
        yield from wrong
        if every and not wrong:
            yield Outcome(Status.PASS, well.format(f"{len(every):,} user{'' if len(every) == 1 else 's'}"))
        elif not every:
            yield Outcome(Status.PASS, "there are no IAM users")

    return judge


def _without_mfa(user: Live) -> Iterator[_Problem]:
    if user.values["password_enabled"] and not user.values["mfa_active"]:
        yield f"{user.called} has a console password and no MFA device", None


def _days(user: Live, since: datetime) -> int:
    written: datetime = user.values["generated"]
    return (written - since) // timedelta(days=1)


def _unused_password(user: Live) -> Iterator[_Problem]:
    if not user.values["password_enabled"]:
        return
    used = user.values["password_last_used"]
    # A password that was never used counts from when it was set.
    since = used or user.values["password_last_changed"] or user.values["created"]
    if (days := _days(user, since)) >= UNUSED_DAYS:
        what = "has not used the password for" if used else "has a password that was never used, for"
        yield f"{user.called} {what} {days} days", since


def _active_keys(user: Live) -> Iterator[tuple[int, dict[str, datetime | None]]]:
    yield from ((n, key) for n, key in enumerate(user.values["keys"], 1) if key["active"])


def _unused_key(user: Live) -> Iterator[_Problem]:
    for number, key in _active_keys(user):
        since = key["last_used"] or key["last_rotated"] or user.values["created"]
        if (days := _days(user, since)) >= UNUSED_DAYS:
            what = "has not been used" if key["last_used"] else "was never used"
            yield f"access key {number} of {user.called} {what} for {days} days", since


def _old_key(user: Live) -> Iterator[_Problem]:
    for number, key in _active_keys(user):
        since = key["last_rotated"] or user.values["created"]
        if (days := _days(user, since)) > KEY_DAYS:
            yield f"access key {number} of {user.called} is {days} days old", since


def _two_keys(user: Live) -> Iterator[_Problem]:
    if len(list(_active_keys(user))) > 1:
        yield f"{user.called} has two active access keys", None


def _made_with_user(user: Live) -> Iterator[_Problem]:
    if not user.values["password_enabled"]:
        return
    for number, key in _active_keys(user):
        made = key["last_rotated"]
        if made is not None and made - user.values["created"] < _WITH_THE_USER and key["last_used"] is None:
            yield f"access key {number} of {user.called} was made with the user and never used", None


def _check(
    check_id: str,
    title: str,
    severity: Severity,
    said: Callable[[Live], Iterable[_Problem]],
    well: str,
    remedy: Remedy,
    why: str,
) -> Check:
    return Check(check_id, title, severity, "iam", _needs, _each(said, well), remedy, why)


CHECKS = (
    _check(
        "iam_user_mfa_enabled_console_access",
        "Every user with a console password has an MFA device.",
        Severity.HIGH,
        _without_mfa,
        "{} have MFA or no password",
        Remedy("let the user register an MFA device, and enable `components.mfa_enforcement`", "mfa_enforcement"),
        "A password alone can be guessed, bought or phished.",
    ),
    _check(
        "iam_user_console_access_unused",
        f"No console password is unused for {UNUSED_DAYS} days.",
        Severity.MEDIUM,
        _unused_password,
        "{} use their passwords, or have none",
        Remedy("delete the user's login profile, or set `status: removed` for a user that is in environment.yaml"),
        "If an unused credential is stolen, its owner does not notice.",
    ),
    _check(
        "iam_user_accesskey_unused",
        f"No active access key is unused for {UNUSED_DAYS} days.",
        Severity.MEDIUM,
        _unused_key,
        "{} use their active keys, or have none",
        Remedy("deactivate the key, wait whether anything fails, then delete it"),
        "If an unused credential is stolen, its owner does not notice.",
    ),
    _check(
        "iam_rotate_access_key_90_days",
        f"No active access key is older than {KEY_DAYS} days.",
        Severity.MEDIUM,
        _old_key,
        f"{{}} have no active key of more than {KEY_DAYS} days",
        Remedy("create a second key, use it where the first is used, deactivate and delete the first; or use a role"),
        "The older a key, the more places know it.",
    ),
    _check(
        "iam_user_two_active_access_key",
        "No user has two active access keys.",
        Severity.MEDIUM,
        _two_keys,
        "{} have one active key at most",
        Remedy("deactivate the key that is not used, then delete it"),
        "The second key is for the time of a rotation; left active, it is one more to lose.",
    ),
    _check(
        "iam_user_no_setup_initial_access_key",
        "No unused access key was made together with a console user.",
        Severity.MEDIUM,
        _made_with_user,
        "{} have no key that was made with them and never used",
        Remedy("delete the key; a user who needs one can create it"),
        "A key that was created along with the user, and is not used, is one more to lose.",
    ),
)
