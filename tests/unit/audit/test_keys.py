"""KMS keys: each check in both directions, and which policies let in everyone."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from toolkit.audit.checks.keys import KeyPolicies, KeyRotations, Keys
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import HOME, NOW, Ask

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE


def key(**values: Any) -> Live:
    return Live({"key_id": "k"}, {"state": "Enabled", "deletion_date": None, **values}, "the key k", "k")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ((), NOT_APPLICABLE),
        ((key(rotates=None),), NOT_APPLICABLE),
        ((key(rotates=True), key(rotates=None)), PASS),
        ((key(rotates=True), key(rotates=False)), FAIL),
    ],
)
def test_rotation(ask: Ask, keys: tuple[Live, ...], expected: Status):
    assert ask("kms_cmk_rotation_enabled", {KeyRotations(HOME): keys}).status is expected


@pytest.mark.parametrize(
    ("state", "date", "expected"),
    [
        ("Enabled", None, PASS),
        ("Disabled", None, PASS),
        ("PendingDeletion", NOW, FAIL),
        ("PendingReplicaDeletion", None, FAIL),
    ],
)
def test_deletion(ask: Ask, state: str, date: datetime | None, expected: Status):
    keys = (key(), key(state=state, deletion_date=date))
    assert ask("kms_cmk_not_deleted_unintentionally", {Keys(HOME): keys}).status is expected
    assert ask("kms_cmk_not_deleted_unintentionally", {Keys(HOME): ()}).status is NOT_APPLICABLE


OWN = {"AWS": "arn:aws:iam::123456789012:root"}
ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": "o-example"}}


def statement(principal: Any = "*", condition: Any = None, effect: str = "Allow") -> dict[str, Any]:
    made = {"Effect": effect, "Principal": principal, "Action": "kms:Decrypt", "Resource": "*"}
    return {**made, "Condition": condition} if condition else made


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([statement(OWN)], PASS),
        ([statement("*")], FAIL),
        ([statement({"AWS": "*"})], FAIL),
        ([statement({"AWS": ["arn:aws:iam::123456789012:root", "*"]})], FAIL),
        ([statement(OWN), statement("*")], FAIL),
        ([statement("*", effect="Deny")], PASS),
        ([statement({"Service": "cloudtrail.amazonaws.com"})], PASS),
        ([{"Effect": "Allow", "NotPrincipal": OWN, "Action": "kms:*", "Resource": "*"}], FAIL),
        ([statement("*", ORGANIZATION)], PASS),
        ([statement("*", {"StringEquals": {"kms:CallerAccount": "123456789012"}})], PASS),
        ([statement("*", {"StringEquals": {"kms:ViaService": "ec2.eu-central-1.amazonaws.com"}})], FAIL),
        ([statement("*", {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-example"}})], FAIL),
        ([statement("*", {"StringNotEquals": {"aws:PrincipalOrgID": "o-example"}})], FAIL),
        ([statement("*", {"ForAllValues:StringEquals": {"aws:PrincipalOrgPaths": "o-example/"}})], FAIL),
        ([statement("*", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/*"}})], PASS),
        ([statement("*", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-ab12/ou-*"}})], PASS),
        ([statement("*", {"StringLike": {"aws:SourceOrgPaths": ["o-a1b2c3d4e5/*"]}})], PASS),
        ([statement("*", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "*"}})], FAIL),
        ([statement("*", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*/r-ab12/*"}})], FAIL),
        ([statement("*", {"StringLike": {"aws:SourceOrgPaths": ["o-a1b2c3d4e5/*", "o-?/*"]}})], FAIL),
        ([statement("*", {"StringLike": {"aws:SourceOrgPaths": "${aws:PrincipalOrgID}/*"}})], FAIL),
        ([statement("*", {"StringLike": {"aws:PrincipalOrgID": "o-a1b2c3d4e5/*"}})], FAIL),
        ([statement("*", {"StringLike": {"kms:CallerAccount": "*"}})], FAIL),
        ([statement("*", {"StringLike": {"kms:CallerAccount": ["123456789012", "*"]}})], FAIL),
        ([statement("*", {"StringEquals": {"kms:CallerAccount": "${aws:PrincipalAccount}"}})], FAIL),
        ([statement("*", {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/audit"}})], FAIL),
        ([statement("*", {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/*"}})], PASS),
        ([statement("*", {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}})], FAIL),
        ([statement("*", {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::example-logs"}})], PASS),
        ([statement("*", {"Bool": {"aws:SecureTransport": "true"}})], FAIL),
        ([statement("*", {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})], FAIL),
    ],
)
def test_policies(ask: Ask, statements: list[dict[str, Any]], expected: Status):
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    assert ask("kms_key_not_publicly_accessible", {KeyPolicies(HOME): (key(policy=policy),)}).status is expected


def test_a_policy_that_is_not_understood_is_unknown(ask: Ask):
    result = ask("kms_key_not_publicly_accessible", {KeyPolicies(HOME): (key(policy="{}"),)})
    assert result.status is UNKNOWN
    assert ask("kms_key_not_publicly_accessible", {KeyPolicies(HOME): ()}).status is NOT_APPLICABLE


def test_keys_are_read_with_what_the_checks_look_at():
    from toolkit.aws.inventory import Inventory
    from toolkit.aws.session import AwsSession
    from toolkit.environment import load_text

    text = f'account_id: "123456789012"\nregions: {{home: {HOME}}}\ncomponents: {{}}\n'
    with mock_aws():
        kms = boto3.client("kms", HOME)
        plain, rotating, signing, deleted = (
            kms.create_key(**more)["KeyMetadata"]["KeyId"]
            for more in ({}, {}, {"KeyUsage": "SIGN_VERIFY", "KeySpec": "ECC_NIST_P256"}, {})
        )
        kms.enable_key_rotation(KeyId=rotating)
        kms.schedule_key_deletion(KeyId=deleted)
        source = Inventory(AwsSession(load_text(text, name="x", shown_as="x"), {}))
        rotations = {one.key["key_id"]: one.values["rotates"] for one in KeyRotations(HOME).read(source)}
        assert rotations == {plain: False, rotating: True, signing: None, deleted: None}
        states = {one.key["key_id"]: one.values for one in Keys(HOME).read(source)}
        assert states[deleted]["state"] == "PendingDeletion"
        assert states[deleted]["deletion_date"] is not None
        assert all(json.loads(one.values["policy"]) for one in KeyPolicies(HOME).read(source))
