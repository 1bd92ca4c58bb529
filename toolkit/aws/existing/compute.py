"""Readers of EC2, Systems Manager and KMS: what a region or a VPC has once."""

from __future__ import annotations

from typing import Any

from toolkit.aws.existing.reader import Reader, named, overwriting
from toolkit.aws.session import ClientFactory
from toolkit.plan.guards import Existing
from toolkit.plan.model import Change


def _ebs_encryption(clients: ClientFactory, change: Change) -> Existing | None:
    if not clients.client("ec2", change.region).get_ebs_encryption_by_default()["EbsEncryptionByDefault"]:
        return None
    return Existing({"enabled": True}, True, "default", f"EBS encryption by default in {change.region}")


def _ebs_key(clients: ClientFactory, change: Change) -> Existing | None:
    key = clients.client("ec2", change.region).get_ebs_default_kms_key_id()["KmsKeyId"]
    # AWS's own key is answered by its alias, or by an ARN that ends with it.
    if key.endswith("alias/aws/ebs"):
        return None
    return Existing({"key_arn": key}, True, key, f"another default key of EBS in {change.region}")


def _snapshot_block(clients: ClientFactory, change: Change) -> Existing | None:
    state = clients.client("ec2", change.region).get_snapshot_block_public_access_state()["State"]
    if state == "unblocked":
        return None
    return Existing({"state": state}, True, change.region, f"a block of public snapshots in {change.region}")


def _metadata_defaults(clients: ClientFactory, change: Change) -> Existing | None:
    found = clients.client("ec2", change.region).get_instance_metadata_defaults().get("AccountLevel", {})
    values = {
        "http_tokens": found.get("HttpTokens"),
        "http_endpoint": found.get("HttpEndpoint"),
        "instance_metadata_tags": found.get("InstanceMetadataTags"),
        "http_put_response_hop_limit": found.get("HttpPutResponseHopLimit"),
    }
    # What has no value has no preference.
    stated = {name: value for name, value in values.items() if value}
    return Existing(stated, True, None, f"instance metadata defaults in {change.region}") if stated else None


def _document_sharing(clients: ClientFactory, change: Change) -> Existing | None:
    """GetServiceSetting tells a value of AWS's own by its status; whose value differs from it has status Customized."""
    ssm = clients.client("ssm", change.region)
    setting = named(change, "setting_id")
    try:
        found = ssm.get_service_setting(SettingId=setting)["ServiceSetting"]
    except ssm.exceptions.ServiceSettingNotFound:
        return None
    if found.get("Status") == "Default":
        return None
    what = f"a setting for public sharing of SSM documents in {change.region}"
    return overwriting(change, {"setting_value": found["SettingValue"]}, setting, what)


def _serial_console(clients: ClientFactory, change: Change) -> Existing | None:
    if not clients.client("ec2", change.region).get_serial_console_access_status()["SerialConsoleAccessEnabled"]:
        return None
    return overwriting(change, {"enabled": True}, "default", f"access to the EC2 serial console in {change.region}")


def _vpc_block(clients: ClientFactory, change: Change) -> Existing | None:
    found = clients.client("ec2", change.region).describe_vpc_block_public_access_options()
    mode = found["VpcBlockPublicAccessOptions"]["InternetGatewayBlockMode"]
    if mode == "off":
        return None
    what = f"VPC Block Public Access in {change.region}"
    return overwriting(change, {"internet_gateway_block_mode": mode}, change.region, what)


def _default_security_group(clients: ClientFactory, change: Change) -> Existing | None:
    ec2 = clients.client("ec2", change.region)
    filters = [{"Name": "group-name", "Values": ["default"]}, {"Name": "vpc-id", "Values": [named(change, "vpc_id")]}]
    (group,) = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    rules = {
        "ingress": [_rule(rule, "from") for rule in group["IpPermissions"]],
        "egress": [_rule(rule, "to") for rule in group["IpPermissionsEgress"]],
    }
    if not any(rules.values()):
        return None
    pages = ec2.get_paginator("describe_network_interfaces").paginate(
        Filters=[{"Name": "group-id", "Values": [group["GroupId"]]}]
    )
    users = sum(len(page["NetworkInterfaces"]) for page in pages)
    used = f"used by {users} network interface{'' if users == 1 else 's'}"
    return Existing(rules, True, group["GroupId"], f"the rules of {group['GroupId']} in {change.region} ({used})")


def _rule(permission: dict[str, Any], preposition: str) -> str:
    """A security group's rule in a few words: a plan that closes the group shows what nobody can do any more."""
    protocol = "everything" if permission["IpProtocol"] == "-1" else permission["IpProtocol"]
    ports = sorted({permission[end] for end in ("FromPort", "ToPort") if end in permission})
    others = [
        *(r["CidrIp"] for r in permission.get("IpRanges", ())),
        *(r["CidrIpv6"] for r in permission.get("Ipv6Ranges", ())),
        *(r["PrefixListId"] for r in permission.get("PrefixListIds", ())),
        *(r["GroupId"] for r in permission.get("UserIdGroupPairs", ())),
    ]
    return " ".join([protocol, "-".join(map(str, ports)), preposition, ", ".join(others)]).replace("  ", " ")


def _flow_log(clients: ClientFactory, change: Change) -> Existing | None:
    """EC2 refuses a second flow log of the same traffic to the same place (FlowLogAlreadyExists)."""
    vpc, destination = named(change, "vpc_id"), named(change, "log_destination")
    if vpc is None or destination is None:
        # To a log group or bucket that is still to be made: none can go there yet.
        return None
    filters = [{"Name": "resource-id", "Values": [vpc]}]
    pages = clients.client("ec2", change.region).get_paginator("describe_flow_logs").paginate(Filters=filters)
    logs = [log for page in pages for log in page["FlowLogs"]]
    same = next((log["FlowLogId"] for log in logs if log.get("LogDestination") == destination), None)
    return Existing({}, False, same, f"a flow log of {vpc} to {destination}") if same else None


def _key_alias(clients: ClientFactory, change: Change) -> Existing | None:
    name = named(change, "name")
    aliases = clients.listed("kms", "list_aliases", "Aliases", change.region)
    if not any(alias["AliasName"] == name for alias in aliases):
        return None
    return Existing({}, False, name, f"the key alias {name!r} in {change.region}")


READERS: dict[str, Reader] = {
    "aws_ebs_encryption_by_default": _ebs_encryption,
    "aws_ebs_default_kms_key": _ebs_key,
    "aws_ebs_snapshot_block_public_access": _snapshot_block,
    "aws_ec2_instance_metadata_defaults": _metadata_defaults,
    "aws_ec2_serial_console_access": _serial_console,
    "aws_ssm_service_setting": _document_sharing,
    "aws_vpc_block_public_access_options": _vpc_block,
    "aws_default_security_group": _default_security_group,
    "aws_flow_log": _flow_log,
    "aws_kms_alias": _key_alias,
}
