"""What AWS does and moto does not: Macie."""

from __future__ import annotations

from collections.abc import Callable

import boto3
import pytest
from botocore.exceptions import ClientError

from toolkit.sandbox.patches import macie

REGION = "eu-central-1"


def macie_is_off_until_it_is_enabled() -> bool:
    client = boto3.client("macie2", REGION)
    try:
        client.get_macie_session()
    except ClientError:
        client.enable_macie(findingPublishingFrequency="ONE_HOUR")
        return bool(client.get_macie_session()["findingPublishingFrequency"] == "ONE_HOUR")
    return False


CASES: dict[str, Callable[[], bool]] = {
    "macie-off-at-first": macie_is_off_until_it_is_enabled,
}


@pytest.mark.parametrize("name", CASES)
def test_moto_needs_the_patch(name: str, check: Callable[..., None]) -> None:
    check(macie.PATCHES, CASES, name)
