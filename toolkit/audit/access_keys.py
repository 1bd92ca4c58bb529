"""Active access keys with their ages, as the audit's checks judge them: for a picture of all of them.

In: the answers that an audit has. Out: the keys, or None if the credential report was not read. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from toolkit.audit.facts import ROOT, CredentialReport
from toolkit.plan.facts import Wanted
from toolkit.resources.reading import Live

UNUSED_DAYS = 45
"""From when on a credential counts as unused: CIS 5.0 1.11, CIS 7.0 2.11."""
KEY_DAYS = 90
"""After how many days a key has to be rotated: CIS 5.0 1.13, CIS 7.0 2.12."""


@dataclass(frozen=True)
class AccessKey:
    """One active access key."""

    user: str
    """The user's name, "root" for root."""
    number: int
    """Of the two that a user can have."""
    since: datetime
    """When it was created, or activated last; where IAM does not know that, when its user was."""
    last_used: datetime | None
    """None: never."""


@dataclass(frozen=True)
class AccessKeys:
    """All active access keys of an account."""

    generated: datetime
    """When IAM wrote the credential report; days count up to then."""
    keys: tuple[AccessKey, ...]
    """The oldest first."""


def access_keys(answers: Mapping[Wanted[Any], Any]) -> AccessKeys | None:
    """The keys in the credential report.

    Args:
        answers: Question → answer, which may be `Unreadable`.
    """
    report = answers.get(CredentialReport())
    if not isinstance(report, tuple) or not all(isinstance(row, Live) for row in report) or not report:
        return None
    keys = [
        AccessKey(
            "root" if row.values["user"] == ROOT else row.values["user"],
            number,
            key["last_rotated"] or row.values["created"],
            key["last_used"],
        )
        for row in report
        for number, key in enumerate(row.values["keys"], 1)
        if key["active"]
    ]
    keys.sort(key=lambda one: (one.since, one.user, one.number))
    return AccessKeys(report[0].values["generated"], tuple(keys))
