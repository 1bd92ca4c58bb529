"""KMS, corrected."""

from __future__ import annotations

import json
from typing import Any

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


_ROTATION = (
    "moto drops the rotation period of a key and never answers one, so the provider plans 0 -> 365 forever. KMS API, "
    "EnableKeyRotation and GetKeyRotationStatus: RotationPeriodInDays, 365 when none is given."
)

PATCHES = (
    Patch("kms-enable-rotation", KmsResponse, "enable_key_rotation", _ROTATION, _enable_rotation),
    Patch("kms-rotation-status", KmsResponse, "get_key_rotation_status", _ROTATION, _rotation_status),
)
