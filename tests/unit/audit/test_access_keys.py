"""Active access keys of the credential report, root's among them; nothing of a report that was not read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from toolkit.audit.access_keys import AccessKey, access_keys
from toolkit.audit.facts import ROOT, CredentialReport
from toolkit.resources.reading import Live, Reason, Unreadable

from .conftest import NOW, live

CREATED = NOW - timedelta(days=900)


def key(*, active: bool = True, rotated: int | None = None, used: int | None = None) -> dict[str, Any]:
    days = {"last_rotated": rotated, "last_used": used}
    return {"active": active, **{k: None if v is None else NOW - timedelta(days=v) for k, v in days.items()}}


def row(user: str, *keys: dict[str, Any]) -> Live:
    none = key(active=False)
    return live({"user": user, "created": CREATED, "keys": [*keys, none, none][:2], "generated": NOW}, user)


def test_the_active_keys_are_there_oldest_first():
    report = (
        row("anna", key(rotated=10, used=1), key(active=False, rotated=400)),
        row(ROOT, key(rotated=500)),
        row("bert", key(rotated=90), key()),
        row("carla"),
    )
    found = access_keys({CredentialReport(): report})
    assert found is not None
    assert found.generated == NOW
    assert found.keys == (
        AccessKey("bert", 2, CREATED, None),  # IAM does not know since when: it is as old as its user
        AccessKey("root", 1, NOW - timedelta(days=500), None),
        AccessKey("bert", 1, NOW - timedelta(days=90), None),
        AccessKey("anna", 1, NOW - timedelta(days=10), NOW - timedelta(days=1)),
    )


UNREADABLE = Unreadable("", "eu-central-1", "iam:GetCredentialReport", Reason.DENIED, "denied")


@pytest.mark.parametrize(
    "answers",
    [{}, {CredentialReport(): UNREADABLE}, {CredentialReport(): (row("anna", key()), UNREADABLE)}],
    ids=["not asked", "unreadable", "unreadable in part"],
)
def test_a_report_that_was_not_read_has_no_keys(answers: dict[Any, Any]):
    assert access_keys(answers) is None
