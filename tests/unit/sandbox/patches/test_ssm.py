"""What AWS does and moto does not: Systems Manager."""

from __future__ import annotations

from collections.abc import Callable

import boto3
import pytest

from toolkit.sandbox.patches import ssm

REGION = "eu-central-1"


def documents_have_a_sharing_permission() -> bool:
    client = boto3.client("ssm", REGION)
    setting = "/ssm/documents/console/public-sharing-permission"
    arn = f"arn:aws:ssm:{REGION}:123456789012:servicesetting{setting}"

    def found() -> object:
        answer = client.get_service_setting(SettingId=setting)["ServiceSetting"]
        assert answer["ARN"] == arn
        return answer["SettingValue"], answer["Status"]

    values = [found()]
    client.update_service_setting(SettingId=arn, SettingValue="Disable")
    values.append(found())
    client.reset_service_setting(SettingId=arn)
    values.append(found())
    return values == [("Enable", "Default"), ("Disable", "Customized"), ("Enable", "Default")]


CASES: dict[str, Callable[[], bool]] = {
    "ssm-setting-get": documents_have_a_sharing_permission,
    "ssm-setting-update": documents_have_a_sharing_permission,
    "ssm-setting-reset": documents_have_a_sharing_permission,
}


@pytest.mark.parametrize("name", CASES)
def test_moto_needs_the_patch(name: str, check: Callable[..., None]) -> None:
    check(ssm.PATCHES, CASES, name)
