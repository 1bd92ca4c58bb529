"""Buckets: the blocks of public access in every combination with the account's, and policies about transport."""

from __future__ import annotations

import json
from typing import Any

from toolkit.audit.checks.buckets import BesideBuckets, OwnBlocks, bucket_policies
from toolkit.audit.facts import Every
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import HOME, Case, Flip

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
BLOCKS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
ACCOUNT, OWN = Every("aws_s3_account_public_access_block", HOME), OwnBlocks(HOME)
POLICY = bucket_policies(HOME)
VERSIONING = BesideBuckets("aws_s3_bucket_versioning", "versioning_configuration", HOME)


def blocks(*on: str) -> Live:
    return Live({"bucket": "b"}, {name: name in on for name in BLOCKS}, "the bucket 'b'", "b")


def _blocks(expected: Status, account: tuple[Live, ...], *own: Live, flips: tuple[Flip, ...] = ()) -> Case:
    return Case("s3_bucket_level_public_access_block", expected, {ACCOUNT: account, OWN: own}, flips)


def others(name: str) -> tuple[str, ...]:
    return tuple(one for one in BLOCKS if one != name)


BOTH = ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]
HTTP = {"Bool": {"aws:SecureTransport": "false"}}


def policy(**changes: Any) -> str:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": BOTH, "Condition": HTTP, **changes}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _transport(expected: Status, policy: str | None = None, flips: tuple[Flip, ...] = ()) -> Case:
    """One bucket."""
    bucket = Live({"bucket": "b"}, {"policy": policy}, "the bucket 'b'", "b")
    return Case("s3_bucket_secure_transport_policy", expected, {POLICY: (bucket,)}, flips)


def _deletion(expected: Status, *configurations: Any, flips: tuple[Flip, ...] = ()) -> Case:
    """Buckets with these configurations of versioning; None: one that was never versioned."""
    buckets = tuple(
        Live({"bucket": f"b{n}"}, {"versioning_configuration": has and [has]}, f"the bucket 'b{n}'", None)
        for n, has in enumerate(configurations)
    )
    return Case("s3_bucket_no_mfa_delete", expected, {VERSIONING: buckets}, flips)


MFA = "versioning_configuration.0.mfa_delete"
STRICT, LAX = {"status": "Enabled", "mfa_delete": "Enabled"}, {"status": "Enabled", "mfa_delete": "Disabled"}

CASES = (
    # None is read of a bucket where the account's own has all four; without one of them there would be no bucket.
    _blocks(PASS, (blocks(*BLOCKS),), flips=tuple(Flip(one, False, NOT_APPLICABLE, ACCOUNT) for one in BLOCKS)),
    _blocks(PASS, (), blocks(*BLOCKS), flips=tuple(Flip(one, False, FAIL, OWN) for one in BLOCKS)),
    *(
        _blocks(
            PASS,
            (blocks(*others(one)),),
            blocks(one),
            flips=(Flip(one, False, FAIL, OWN), *(Flip(other, False, FAIL, ACCOUNT) for other in others(one))),
        )
        for one in BLOCKS
    ),
    *(
        _blocks(
            FAIL,
            (blocks(*others(one)),),
            blocks(*others(one)),
            flips=(Flip(one, True, PASS, OWN), Flip(one, True, PASS, ACCOUNT)),
        )
        for one in BLOCKS
    ),
    _blocks(FAIL, (), blocks(*BLOCKS), blocks()),
    _blocks(NOT_APPLICABLE, ()),
    _transport(
        PASS,
        policy(),
        flips=(
            Flip("policy", policy(Effect="Allow"), FAIL, POLICY),
            Flip("policy", policy(Principal={"AWS": "arn:aws:iam::123456789012:root"}), FAIL, POLICY),
            Flip("policy", policy(Action="s3:GetObject"), FAIL, POLICY),
            Flip("policy", policy(Resource=BOTH[0]), FAIL, POLICY),
            Flip("policy", policy(Resource=BOTH[1]), FAIL, POLICY),
            Flip("policy", policy(Condition={"Bool": {"aws:SecureTransport": "true"}}), FAIL, POLICY),
            Flip("policy", "{}", UNKNOWN, POLICY),
        ),
    ),
    _transport(FAIL),
    _transport(FAIL, policy(Effect="Allow"), flips=(Flip("policy", policy(), PASS, POLICY),)),
    _transport(UNKNOWN, "{}", flips=(Flip("policy", policy(), PASS, POLICY),)),
    Case("s3_bucket_secure_transport_policy", NOT_APPLICABLE, {POLICY: ()}),
    _deletion(PASS, STRICT, flips=(Flip(MFA, "Disabled", FAIL, VERSIONING),)),
    _deletion(FAIL, STRICT, LAX, flips=(Flip(MFA, "Enabled", PASS, VERSIONING, at=1),)),
    _deletion(FAIL, {"status": "Enabled"}),
    _deletion(FAIL, STRICT, None, flips=(Flip("versioning_configuration", [STRICT], PASS, at=1),)),
    _deletion(NOT_APPLICABLE),
)
