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


def a_session_is_updated() -> bool:
    client = boto3.client("macie2", REGION)
    client.enable_macie(findingPublishingFrequency="SIX_HOURS")
    client.update_macie_session(findingPublishingFrequency="ONE_HOUR")
    found = [client.get_macie_session()]
    client.update_macie_session(status="PAUSED")
    found.append(client.get_macie_session())
    states = [(one["findingPublishingFrequency"], one["status"]) for one in found]
    return states == [("ONE_HOUR", "ENABLED"), ("ONE_HOUR", "PAUSED")]


CASES: dict[str, Callable[[], bool]] = {
    "macie-off-at-first": macie_is_off_until_it_is_enabled,
    "macie-update": a_session_is_updated,
}


@pytest.mark.parametrize("name", CASES)
def test_moto_needs_the_patch(name: str, check: Callable[..., None]) -> None:
    check(macie.PATCHES, CASES, name)
