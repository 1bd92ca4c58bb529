"""KMS, corrected."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from moto.kms.responses import KmsResponse

from toolkit.sandbox.patches.base import Method, Patch


def _rotated_key(response: KmsResponse) -> Any:
    return response.kms_backend.keys[response.kms_backend.get_key_id(response._get_param("KeyId"))]


def _enable_rotation(original: Method) -> Method:
    def enable_key_rotation(self: KmsResponse) -> str:
        answer: str = original(self)
        _rotated_key(self).rotation_period_in_days = self._get_param("RotationPeriodInDays") or 365
        return answer

    return enable_key_rotation


def _rotation_status(original: Method) -> Method:
    def get_key_rotation_status(self: KmsResponse) -> str:
        answer = json.loads(original(self))
        if answer["KeyRotationEnabled"]:
            answer["RotationPeriodInDays"] = getattr(_rotated_key(self), "rotation_period_in_days", 365)
        return json.dumps(answer)

    return get_key_rotation_status


def _signing(response: KmsResponse) -> tuple[Any, bytes, tuple[Any, ...]]:
    """The private key, the message, and how it is padded and hashed."""
    key: Any = response.kms_backend.describe_key(response._get_param("KeyId"))
    algorithm = response._get_param("SigningAlgorithm")
    digest: Any = getattr(hashes, f"SHA{algorithm[-3:]}")()
    hashed = utils.Prehashed(digest) if response._get_param("MessageType") == "DIGEST" else digest
    message = response._get_param("Message")
    if algorithm.startswith("ECDSA"):
        return key.private_key.private_key, message, (ec.ECDSA(hashed),)
    pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
    padded = pss if algorithm.startswith("RSASSA_PSS") else padding.PKCS1v15()
    return key.private_key.private_key, message, (padded, hashed)


def _sign(original: Method) -> Method:
    def sign(self: KmsResponse) -> str:
        answer = json.loads(original(self))  # it refuses keys of other kinds
        key, message, how = _signing(self)
        return json.dumps({**answer, "Signature": base64.b64encode(key.sign(message, *how)).decode()})

    return sign


def _verify(original: Method) -> Method:
    def verify(self: KmsResponse) -> str:
        answer = json.loads(original(self))
        key, message, how = _signing(self)
        try:
            key.public_key().verify(base64.b64decode(self._get_param("Signature")), message, *how)
        except InvalidSignature:
            return json.dumps({**answer, "SignatureValid": False})
        return json.dumps({**answer, "SignatureValid": True})

    return verify


def _public_key(original: Method) -> Method:
    def get_public_key(self: KmsResponse) -> str:
        answer = json.loads(original(self))
        arn = self.kms_backend.describe_key(self._get_param("KeyId")).arn
        return json.dumps({**answer, "KeyId": arn, "KeySpec": answer["CustomerMasterKeySpec"]})

    return get_public_key


_SIGNATURE = (
    "moto hashes a digest again, as if it were the message. KMS API, Sign: with MessageType DIGEST the message is its "
    "digest, which is not hashed again; so the signature verifies with the public key outside of KMS."
)
_ROTATION = (
    "moto drops the rotation period of a key and never answers one, so the provider plans 0 -> 365 forever. KMS API, "
    "EnableKeyRotation and GetKeyRotationStatus: RotationPeriodInDays, 365 when none is given."
)

PATCHES = (
    Patch("kms-sign", KmsResponse, "sign", _SIGNATURE, _sign),
    Patch("kms-verify", KmsResponse, "verify", _SIGNATURE, _verify),
    Patch(
        "kms-public-key",
        KmsResponse,
        "get_public_key",
        "moto answers the key's id, and no KeySpec. KMS API, GetPublicKey: KeyId is the key's ARN.",
        _public_key,
    ),
    Patch("kms-enable-rotation", KmsResponse, "enable_key_rotation", _ROTATION, _enable_rotation),
    Patch("kms-rotation-status", KmsResponse, "get_key_rotation_status", _ROTATION, _rotation_status),
)
