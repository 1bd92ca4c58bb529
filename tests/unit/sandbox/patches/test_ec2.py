"""What AWS does and moto does not: EC2 and EBS."""

from __future__ import annotations

from collections.abc import Callable

import boto3
import pytest
from botocore.exceptions import ClientError

from toolkit.sandbox.patches import ec2

REGION = "eu-central-1"


def snapshots_are_blocked() -> bool:
    client = boto3.client("ec2", REGION)

    def state() -> object:
        return client.get_snapshot_block_public_access_state()["State"]

    states = [state()]
    for wanted in ("block-all-sharing", "block-new-sharing"):
        assert client.enable_snapshot_block_public_access(State=wanted)["State"] == wanted
        states.append(state())
    # The other regions of the account have values of their own.
    states.append(boto3.client("ec2", "us-east-1").get_snapshot_block_public_access_state()["State"])
    client.disable_snapshot_block_public_access()
    states.append(state())
    return states == ["unblocked", "block-all-sharing", "block-new-sharing", "unblocked", "unblocked"]


def images_are_blocked() -> bool:
    client = boto3.client("ec2", REGION)

    def state() -> object:
        return client.get_image_block_public_access_state()["ImageBlockPublicAccessState"]

    states = [state()]
    client.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")
    states.append(state())
    client.disable_image_block_public_access()
    states.append(state())
    return states == ["unblocked", "block-new-sharing", "unblocked"]


def ebs_has_a_default_key() -> bool:
    client = boto3.client("ec2", REGION)
    key = boto3.client("kms", REGION).create_key()["KeyMetadata"]["Arn"]
    keys = [client.get_ebs_default_kms_key_id()["KmsKeyId"]]
    client.modify_ebs_default_kms_key_id(KmsKeyId=key)
    keys.append(client.get_ebs_default_kms_key_id()["KmsKeyId"])
    client.reset_ebs_default_kms_key_id()
    keys.append(client.get_ebs_default_kms_key_id()["KmsKeyId"])
    return keys == ["alias/aws/ebs", key, "alias/aws/ebs"]


def the_serial_console_has_a_switch() -> bool:
    client = boto3.client("ec2", REGION)

    def enabled() -> object:
        return client.get_serial_console_access_status()["SerialConsoleAccessEnabled"]

    found = [enabled()]
    client.enable_serial_console_access()
    found += [enabled(), boto3.client("ec2", "us-east-1").get_serial_console_access_status()]
    client.disable_serial_console_access()
    found.append(enabled())
    return [f if isinstance(f, bool) else f["SerialConsoleAccessEnabled"] for f in found] == [False, True, False, False]


def vpcs_are_blocked() -> bool:
    client = boto3.client("ec2", REGION)

    def mode() -> object:
        return client.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"][
            "InternetGatewayBlockMode"
        ]

    modes = [mode()]
    for wanted in ("block-ingress", "block-bidirectional", "off"):
        client.modify_vpc_block_public_access_options(InternetGatewayBlockMode=wanted)
        modes.append(mode())
    return modes == ["off", "block-ingress", "block-bidirectional", "off"]


def instance_metadata_has_defaults() -> bool:
    client = boto3.client("ec2", REGION)
    found = [client.get_instance_metadata_defaults()["AccountLevel"]]
    for values in (
        {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        {"HttpEndpoint": "enabled", "HttpPutResponseHopLimit": -1},
        {"HttpTokens": "no-preference", "HttpEndpoint": "no-preference"},
    ):
        client.modify_instance_metadata_defaults(**values)
        found.append(client.get_instance_metadata_defaults()["AccountLevel"])
    return found == [
        {},
        {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        {"HttpTokens": "required", "HttpEndpoint": "enabled"},
        {},
    ]


def regions_are_those_of_the_partition() -> bool:
    names = {one["RegionName"] for one in boto3.client("ec2", "eu-central-1").describe_regions()["Regions"]}
    china = {one["RegionName"] for one in boto3.client("ec2", "cn-north-1").describe_regions()["Regions"]}
    return (
        "us-east-1" in names
        and not any(one.startswith(("cn-", "us-gov-")) for one in names)
        and china
        == {
            "cn-north-1",
            "cn-northwest-1",
        }
    )


def one_log_group_takes_flow_logs_of_different_traffic() -> bool:
    client = boto3.client("ec2", REGION)
    vpc = client.describe_vpcs()["Vpcs"][0]["VpcId"]

    def refused(traffic: str) -> bool:
        try:
            client.create_flow_logs(
                ResourceIds=[vpc],
                ResourceType="VPC",
                TrafficType=traffic,
                LogGroupName="flows",
                DeliverLogsPermissionArn="arn:aws:iam::123456789012:role/flows",
            )
        except ClientError as e:
            return e.response["Error"]["Code"] == "FlowLogAlreadyExists"
        return False

    answers = [refused(traffic) for traffic in ("REJECT", "ACCEPT", "REJECT")]
    kept = sorted(one["TrafficType"] for one in client.describe_flow_logs()["FlowLogs"])
    return answers == [False, False, True] and kept == ["ACCEPT", "REJECT"]


CASES: dict[str, Callable[[], bool]] = {
    "ec2-regions-of-partition": regions_are_those_of_the_partition,
    "ec2-snapshot-block-get": snapshots_are_blocked,
    "ec2-snapshot-block-enable": snapshots_are_blocked,
    "ec2-snapshot-block-disable": snapshots_are_blocked,
    "ec2-image-block-get": images_are_blocked,
    "ec2-image-block-enable": images_are_blocked,
    "ec2-image-block-disable": images_are_blocked,
    "ec2-ebs-key-get": ebs_has_a_default_key,
    "ec2-ebs-key-reset": ebs_has_a_default_key,
    "ec2-metadata-defaults-modify": instance_metadata_has_defaults,
    "ec2-metadata-defaults-get": instance_metadata_has_defaults,
    "ec2-serial-get": the_serial_console_has_a_switch,
    "ec2-serial-enable": the_serial_console_has_a_switch,
    "ec2-serial-disable": the_serial_console_has_a_switch,
    "ec2-flow-logs-create": one_log_group_takes_flow_logs_of_different_traffic,
    "ec2-vpc-block-get": vpcs_are_blocked,
    "ec2-vpc-block-modify": vpcs_are_blocked,
}


@pytest.mark.parametrize("name", CASES)
def test_moto_needs_the_patch(name: str, check: Callable[..., None]) -> None:
    check(ec2.PATCHES, CASES, name)
