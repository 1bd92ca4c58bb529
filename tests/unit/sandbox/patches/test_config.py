"""What AWS does and moto does not: AWS Config."""

from __future__ import annotations

from collections.abc import Callable

import boto3
import pytest
from botocore.exceptions import ClientError

from toolkit.sandbox.patches import config

REGION = "eu-central-1"
ROLE = "arn:aws:iam::123456789012:role/config"


def recorder_is_updated_in_place() -> bool:
    client = boto3.client("config", REGION)
    group = {"allSupported": True, "includeGlobalResourceTypes": True}
    client.put_configuration_recorder(
        ConfigurationRecorder={"name": "default", "roleARN": ROLE, "recordingGroup": group}
    )
    continuous = client.describe_configuration_recorders()["ConfigurationRecorders"][0]
    changed = {**continuous["recordingGroup"], "includeGlobalResourceTypes": False}
    try:
        client.put_configuration_recorder(
            ConfigurationRecorder={
                "name": "default",
                "roleARN": ROLE,
                "recordingGroup": {**changed, "exclusionByResourceTypes": {}},  # what the Terraform provider sends
                "recordingMode": {"recordingFrequency": "DAILY"},
            }
        )
    except ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidRecordingGroupException"
        return False
    daily = client.describe_configuration_recorders()["ConfigurationRecorders"][0]
    return (
        continuous.get("recordingMode") == {"recordingFrequency": "CONTINUOUS"}
        and daily["recordingMode"] == {"recordingFrequency": "DAILY"}
        and daily["recordingGroup"]["includeGlobalResourceTypes"] is False
        and daily["recordingGroup"]["allSupported"] is True
    )


CASES: dict[str, Callable[[], bool]] = {
    "config-recorder-update": recorder_is_updated_in_place,
}


@pytest.mark.parametrize("name", CASES)
def test_moto_needs_the_patch(name: str, check: Callable[..., None]) -> None:
    check(config.PATCHES, CASES, name)
