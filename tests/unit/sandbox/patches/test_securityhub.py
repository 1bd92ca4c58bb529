"""What AWS does and moto does not: Security Hub."""

from __future__ import annotations

from collections.abc import Callable

import boto3
import pytest

from toolkit.sandbox.patches import securityhub

REGION = "eu-central-1"


def a_hub_is_as_it_was_configured() -> bool:
    client = boto3.client("securityhub", REGION)

    def settings() -> tuple[bool, str]:
        hub = client.describe_hub()
        return hub["AutoEnableControls"], hub["ControlFindingGenerator"]

    client.enable_security_hub(EnableDefaultStandards=False, ControlFindingGenerator="STANDARD_CONTROL")
    first = settings()
    try:
        client.update_security_hub_configuration(AutoEnableControls=False)
    except NotImplementedError:
        return False
    second = settings()
    client.update_security_hub_configuration(ControlFindingGenerator="SECURITY_CONTROL")
    return (first, second, settings()) == (
        (True, "STANDARD_CONTROL"),
        (False, "STANDARD_CONTROL"),
        (False, "SECURITY_CONTROL"),
    )


CASES: dict[str, Callable[[], bool]] = {
    "securityhub-enable": a_hub_is_as_it_was_configured,
    "securityhub-configure": a_hub_is_as_it_was_configured,
    "securityhub-describe": a_hub_is_as_it_was_configured,
}


@pytest.mark.parametrize("name", CASES)
def test_moto_needs_the_patch(name: str, check: Callable[..., None]) -> None:
    check(securityhub.PATCHES, CASES, name)
