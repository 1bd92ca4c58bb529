"""What a region holds once for EC2, EBS and VPC, and the default security group: asked of moto, and of stubs."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.components.registry import REGISTRY
from toolkit.plan.guards import judge
from toolkit.plan.model import Attribution, parse_plan

from .conftest import KEY, REGION, Stubbed, client, creates, default_vpc, read_existing

pytestmark = pytest.mark.usefixtures("aws")

HELD: list[Any] = [
    # resource, call, AWS's answer, values as Terraform holds them; None where there is nothing to overwrite
    ("aws_ebs_default_kms_key", "get_ebs_default_kms_key_id", {"KmsKeyId": KEY}, {"key_arn": KEY}),
    ("aws_ebs_default_kms_key", "get_ebs_default_kms_key_id", {"KmsKeyId": "alias/aws/ebs"}, None),
    (
        "aws_ebs_default_kms_key",
        "get_ebs_default_kms_key_id",
        {"KmsKeyId": "arn:aws:kms:eu-central-1:123456789012:alias/aws/ebs"},
        None,
    ),
    (
        "aws_ebs_snapshot_block_public_access",
        "get_snapshot_block_public_access_state",
        {"State": "block-new-sharing"},
        {"state": "block-new-sharing"},
    ),
    (
        "aws_ebs_snapshot_block_public_access",
        "get_snapshot_block_public_access_state",
        {"State": "unblocked"},
        None,
    ),
    (
        "aws_ec2_instance_metadata_defaults",
        "get_instance_metadata_defaults",
        {"AccountLevel": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2}},
        {
            "http_tokens": "required",
            "http_put_response_hop_limit": 2,
        },
    ),
    ("aws_ec2_instance_metadata_defaults", "get_instance_metadata_defaults", {"AccountLevel": {}}, None),
    ("aws_ec2_instance_metadata_defaults", "get_instance_metadata_defaults", {}, None),
    (
        "aws_ec2_serial_console_access",
        "get_serial_console_access_status",
        {"SerialConsoleAccessEnabled": True},
        {"enabled": True},
    ),
    ("aws_ec2_serial_console_access", "get_serial_console_access_status", {"SerialConsoleAccessEnabled": False}, None),
    *(
        (
            "aws_vpc_block_public_access_options",
            "describe_vpc_block_public_access_options",
            {"VpcBlockPublicAccessOptions": {"InternetGatewayBlockMode": mode}},
            values,
        )
        for mode, values in (
            ("block-bidirectional", {"internet_gateway_block_mode": "block-bidirectional"}),
            ("off", None),
        )
    ),
]


@pytest.mark.parametrize(("resource", "call", "answer", "values"), HELD)
def test_what_a_region_holds_once(resource: str, call: str, answer: dict[str, Any], values: dict[str, Any] | None):
    found = read_existing(creates(resource), Inventory(Stubbed("ec2", (call, answer))))
    assert [(e.values, e.overwritten) for e in found.values()] == ([] if values is None else [(values, True)])


def test_a_stronger_value_of_the_region_is_refused_by_name():
    clients = Stubbed("ec2", ("get_snapshot_block_public_access_state", {"State": "block-all-sharing"}))
    attribution = Attribution(("account_defaults",), (REGION,), REGION)
    entry = {
        "address": 'module.account_defaults_eu_central_1.aws_ebs_snapshot_block_public_access.this["snapshots"]',
        "mode": "managed",
        "type": "aws_ebs_snapshot_block_public_access",
        "name": "this",
        "change": {"actions": ["create"], "before": None, "after": {"state": "block-new-sharing"}},
    }
    plan = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, attribution)
    weakens, note = judge(plan, REGISTRY, read_existing(plan, Inventory(clients)))
    assert weakens.blocks
    assert weakens.evidence == '"block-all-sharing" → "block-new-sharing"'
    assert "a block of public snapshots in eu-central-1" in note.summary


def test_the_default_security_group_of_a_vpc_that_is_gone_is_an_absence(clients: AwsSession):
    plan = creates("aws_default_security_group", vpc_id="vpc-0a1b2c3d4e5f60718")
    assert read_existing(plan, Inventory(clients)) == {}


def test_rules_that_closing_the_default_security_group_takes_away(clients: AwsSession):
    ec2, vpc = client("ec2"), default_vpc()
    plan = creates("aws_default_security_group", vpc_id=vpc)
    filters = [{"Name": "group-name", "Values": ["default"]}, {"Name": "vpc-id", "Values": [vpc]}]
    (group,) = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    identifier = group["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=identifier, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="192.0.2.0/24"
    )
    subnet = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"][0]["SubnetId"]
    ec2.create_network_interface(SubnetId=subnet, Groups=[identifier])
    (found,) = read_existing(plan, Inventory(clients)).values()
    assert "tcp 22 from 192.0.2.0/24" in found.values["ingress"]
    assert found.values["egress"] == ["everything to 0.0.0.0/0"]
    assert found.named == f"the rules of {identifier} in eu-central-1 (used by 1 network interface)"
    ec2.revoke_security_group_ingress(GroupId=identifier, IpPermissions=group["IpPermissions"])
    for direction in ("Ingress", "Egress"):
        (group,) = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
        rules = group["IpPermissions" if direction == "Ingress" else "IpPermissionsEgress"]
        if rules:
            getattr(ec2, f"revoke_security_group_{direction.lower()}")(GroupId=identifier, IpPermissions=rules)
    assert read_existing(plan, Inventory(clients)) == {}
