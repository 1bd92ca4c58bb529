"""What AWS does and moto does not: KMS."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from toolkit.sandbox.patches import kms
from toolkit.signing import public_key_from_der

REGION = "eu-central-1"


def rotation_has_a_period() -> bool:
    client = boto3.client("kms", REGION)

    def rotated(**period: int) -> object:
        key = client.create_key()["KeyMetadata"]
        assert "RotationPeriodInDays" not in client.get_key_rotation_status(KeyId=key["KeyId"])
        client.enable_key_rotation(KeyId=key["Arn"], **period)
        return client.get_key_rotation_status(KeyId=key["KeyId"]).get("RotationPeriodInDays")

    return (rotated(), rotated(RotationPeriodInDays=180)) == (365, 180)


SIGNING = {"RSA_2048": "RSASSA_PSS_SHA_256", "ECC_NIST_P256": "ECDSA_SHA_256", "ECC_NIST_P384": "ECDSA_SHA_384"}


def signed(client: Any, spec: str, message: bytes, message_type: str) -> dict[str, Any]:
    key = client.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    request = {"KeyId": key, "MessageType": message_type, "SigningAlgorithm": SIGNING[spec]}
    return {**request, "Signature": client.sign(Message=message, **request)["Signature"]}


def a_signature_verifies_outside_of_kms() -> bool:
    client, message = boto3.client("kms", REGION), b"a manifest"

    def verifies(spec: str) -> bool:
        digest = hashlib.new(f"sha{SIGNING[spec][-3:]}", message).digest()
        for message_type, sent in (("DIGEST", digest), ("RAW", message)):
            made = signed(client, spec, sent, message_type)
            public = public_key_from_der(client.get_public_key(KeyId=made["KeyId"])["PublicKey"])
            if not public.verifies(made["Signature"], message):
                return False
        return True

    return all(verifies(spec) for spec in SIGNING)


def a_digest_is_verified_as_the_message() -> bool:
    client, message = boto3.client("kms", REGION), b"a manifest"

    def valid(spec: str) -> bool:
        digest = hashlib.new(f"sha{SIGNING[spec][-3:]}", message).digest()
        made = {**signed(client, spec, digest, "DIGEST"), "MessageType": "RAW"}
        answers = [client.verify(Message=one, **made)["SignatureValid"] for one in (message, message + b".")]
        return answers == [True, False]

    return all(valid(spec) for spec in SIGNING)


def a_public_key_is_of_an_arn() -> bool:
    client = boto3.client("kms", REGION)
    key = client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    answer = client.get_public_key(KeyId=key["KeyId"])
    return (answer["KeyId"], answer.get("KeySpec")) == (key["Arn"], "ECC_NIST_P256")


CASES: dict[str, Callable[[], bool]] = {
    "kms-enable-rotation": rotation_has_a_period,
    "kms-rotation-status": rotation_has_a_period,
    "kms-sign": a_signature_verifies_outside_of_kms,
    "kms-verify": a_digest_is_verified_as_the_message,
    "kms-public-key": a_public_key_is_of_an_arn,
}


@pytest.mark.parametrize("name", CASES)
def test_moto_needs_the_patch(name: str, check: Callable[..., None]) -> None:
    check(kms.PATCHES, CASES, name)
