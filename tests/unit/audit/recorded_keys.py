"""KMS keys, in each state that a check tells from another."""

from __future__ import annotations

import json
from typing import Any

from toolkit.audit.checks.keys import KeyPolicies, KeyRotations, Keys
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import HOME, NOW, Case, Flip, live

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE


def key(**values: Any) -> Live:
    return live({"state": "Enabled", "deletion_date": None, **values}, "the key k")


def policy(principal: Any, **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


OWN = policy({"AWS": "arn:aws:iam::123456789012:root"})
PUBLIC = policy("*")
LIMITED = policy("*", Condition={"StringEquals": {"kms:CallerAccount": "123456789012"}})


def _rotation(expected: Status, *keys: Live, flips: tuple[Flip, ...] = ()) -> Case:
    return Case("kms_cmk_rotation_enabled", expected, {KeyRotations(HOME): keys}, flips)


def _policies(expected: Status, *keys: Live, flips: tuple[Flip, ...] = ()) -> Case:
    return Case("kms_key_not_publicly_accessible", expected, {KeyPolicies(HOME): keys}, flips)


def _deletion(expected: Status, *keys: Live, flips: tuple[Flip, ...] = ()) -> Case:
    return Case("kms_cmk_not_deleted_unintentionally", expected, {Keys(HOME): keys}, flips)


CASES = (
    _rotation(
        PASS,
        key(rotates=True),
        key(rotates=None),
        flips=(
            Flip("rotates", False, FAIL),
            Flip("rotates", None, NOT_APPLICABLE),
            Flip("rotates", False, FAIL, at=1),
        ),
    ),
    _rotation(FAIL, key(rotates=True), key(rotates=False), flips=(Flip("rotates", None, PASS, at=1),)),
    _rotation(NOT_APPLICABLE, key(rotates=None), flips=(Flip("rotates", True, PASS),)),
    _rotation(NOT_APPLICABLE),
    _policies(
        PASS,
        key(policy=OWN),
        key(policy=LIMITED),
        flips=(
            Flip("policy", PUBLIC, FAIL),
            Flip("policy", PUBLIC, FAIL, at=1),
            Flip("policy", "{}", UNKNOWN),
        ),
    ),
    _policies(FAIL, key(policy=OWN), key(policy=PUBLIC), flips=(Flip("policy", LIMITED, PASS, at=1),)),
    _policies(FAIL, key(policy="{}"), key(policy=PUBLIC)),
    _policies(UNKNOWN, key(policy="{}"), flips=(Flip("policy", OWN, PASS),)),
    _policies(NOT_APPLICABLE),
    _deletion(
        PASS,
        key(),
        key(state="Disabled"),
        flips=(
            Flip("state", "PendingDeletion", FAIL),
            Flip("state", "PendingReplicaDeletion", FAIL, at=1),
        ),
    ),
    _deletion(
        FAIL, key(), key(state="PendingDeletion", deletion_date=NOW), flips=(Flip("state", "Enabled", PASS, at=1),)
    ),
    _deletion(FAIL, key(state="PendingReplicaDeletion")),
    _deletion(NOT_APPLICABLE),
)
DISPLAY = {"kms_cmk_not_deleted_unintentionally": ("Keys.deletion_date",)}
"""The state alone says that KMS will delete a key."""
