"""What AWS does and moto does not: KMS."""

from __future__ import annotations

from collections.abc import Callable

import boto3
import pytest

from toolkit.sandbox.patches import kms

REGION = "eu-central-1"


def rotation_has_a_period() -> bool:
    client = boto3.client("kms", REGION)

    def rotated(**period: int) -> object:
        key = client.create_key()["KeyMetadata"]
        assert "RotationPeriodInDays" not in client.get_key_rotation_status(KeyId=key["KeyId"])
        client.enable_key_rotation(KeyId=key["Arn"], **period)
        return client.get_key_rotation_status(KeyId=key["KeyId"]).get("RotationPeriodInDays")

    return (rotated(), rotated(RotationPeriodInDays=180)) == (365, 180)


CASES: dict[str, Callable[[], bool]] = {
    "kms-enable-rotation": rotation_has_a_period,
    "kms-rotation-status": rotation_has_a_period,
}


@pytest.mark.parametrize("name", CASES)
def test_moto_needs_the_patch(name: str, check: Callable[..., None]) -> None:
    check(kms.PATCHES, CASES, name)
