"""Amazon EC2, EBS and VPC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.resources.base import (
    FORMAT,
    IDENTITY,
    TERRAFORM,
    ResourceType,
    Strength,
    Stronger,
    each,
    iam_actions,
)
from toolkit.resources.price import Free, Price
from toolkit.resources.reading import Account, Live, OnCreate, Reading, arn_of


def _declared(answer: Mapping[str, Any]) -> str | None:
    """Who sets it, if a declarative policy of the organization does; the account cannot change it then.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_declarative.html
    """
    return "a declarative policy of the organization" if answer.get("ManagedBy") == "declarative-policy" else None


def _ebs_encryption(account: Account, region: str) -> Iterator[Live]:
    answer = account.call("ec2", "get_ebs_encryption_by_default", region) or {}
    enabled = answer["EbsEncryptionByDefault"]
    yield Live({}, {"enabled": enabled}, f"EBS encryption by default in {region}", "default", by_default=not enabled)


def _ebs_key(account: Account, region: str) -> Iterator[Live]:
    key = (account.call("ec2", "get_ebs_default_kms_key_id", region) or {})["KmsKeyId"]
    # AWS's own key is answered by its alias, or by an ARN that ends with it.
    own = key.endswith("alias/aws/ebs")
    yield Live({}, {"key_arn": key}, f"another default key of EBS in {region}", key, by_default=own)


def _snapshot_block(account: Account, region: str) -> Iterator[Live]:
    answer = account.call("ec2", "get_snapshot_block_public_access_state", region) or {}
    state, called = answer["State"], f"a block of public snapshots in {region}"
    by_default = state == "unblocked"
    yield Live({}, {"state": state}, called, region, by_default=by_default, managed_by=_declared(answer))


def _image_block(account: Account, region: str) -> Iterator[Live]:
    """AWS blocks by itself in accounts that had no public image in 2023, and not in the others.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-public-access-to-amis.html
    """
    answer = account.call("ec2", "get_image_block_public_access_state", region) or {}
    state, called = answer["ImageBlockPublicAccessState"], f"a block of public images in {region}"
    by_default = state == "unblocked"
    yield Live({}, {"state": state}, called, region, by_default=by_default, managed_by=_declared(answer))


def _metadata_defaults(account: Account, region: str) -> Iterator[Live]:
    answer = account.call("ec2", "get_instance_metadata_defaults", region) or {}
    found = answer.get("AccountLevel", {})
    chosen = {
        "http_tokens": found.get("HttpTokens"),
        "http_endpoint": found.get("HttpEndpoint"),
        "instance_metadata_tags": found.get("InstanceMetadataTags"),
        "http_put_response_hop_limit": found.get("HttpPutResponseHopLimit"),
    }
    chosen = {name: value for name, value in chosen.items() if value}
    called, managed = f"instance metadata defaults in {region}", _declared(found)
    # A claim asks for the tokens: without a value, the account has no preference, as the provider calls it.
    values = {"http_tokens": "no-preference", **chosen}
    yield Live({}, values, called, None, by_default=not chosen, managed_by=managed)


def _serial_console(account: Account, region: str) -> Iterator[Live]:
    answer = account.call("ec2", "get_serial_console_access_status", region) or {}
    enabled = answer["SerialConsoleAccessEnabled"]
    called, managed = f"access to the EC2 serial console in {region}", _declared(answer)
    yield Live({}, {"enabled": enabled}, called, "default", by_default=not enabled, managed_by=managed)


def _vpc_block(account: Account, region: str) -> Iterator[Live]:
    answer = account.call("ec2", "describe_vpc_block_public_access_options", region) or {}
    options = answer["VpcBlockPublicAccessOptions"]
    mode, called = options["InternetGatewayBlockMode"], f"VPC Block Public Access in {region}"
    values, by_default = {"internet_gateway_block_mode": mode}, mode == "off"
    yield Live({}, values, called, region, by_default=by_default, managed_by=_declared(options))


def _default_groups(account: Account, region: str) -> Iterator[Live]:
    filters = [{"Name": "group-name", "Values": ["default"]}]
    for group in account.pages("ec2", "describe_security_groups", "SecurityGroups", region, Filters=filters):
        yield _default_group(account, region, group)


def _find_default_group(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    filters = [
        {"Name": "group-name", "Values": ["default"]},
        {"Name": "vpc-id", "Values": [planned["vpc_id"]]},
    ]
    groups = account.pages("ec2", "describe_security_groups", "SecurityGroups", region, Filters=filters)
    # A VPC has one that nobody can delete: where there is none, there is no such VPC.
    return _default_group(account, region, groups[0]) if groups else None


def _default_group(account: Account, region: str, group: Mapping[str, Any]) -> Live:
    """A closed one has nothing that a create would take away; open is how AWS makes it, and people may rely on it."""
    identifier, used = group["GroupId"], ""
    rules = {
        "ingress": [_rule(rule, "from") for rule in group["IpPermissions"]],
        "egress": [_rule(rule, "to") for rule in group["IpPermissionsEgress"]],
    }
    if any(rules.values()):
        filters = [{"Name": "group-id", "Values": [identifier]}]
        found = account.pages("ec2", "describe_network_interfaces", "NetworkInterfaces", region, Filters=filters)
        used = f" (used by {len(found)} network interface{'' if len(found) == 1 else 's'})"
    called = f"the rules of {identifier} in {region}{used}"
    key, by_default, arn = {"vpc_id": group["VpcId"]}, not any(rules.values()), group.get("SecurityGroupArn")
    return Live(key, rules, called, identifier, arn=arn, by_default=by_default)


def _rule(permission: Mapping[str, Any], preposition: str) -> str:
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


def _flow_logs(account: Account, region: str) -> Iterator[Live]:
    """EC2 refuses a second flow log of the same traffic to the same place (FlowLogAlreadyExists).

    One of rejected and one of accepted traffic may go to the same log group: VPC User Guide, "Publish flow logs to
    CloudWatch Logs". https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-cwl.html
    """
    for log in account.pages("ec2", "describe_flow_logs", "FlowLogs", region):
        vpc, destination, traffic = log["ResourceId"], log.get("LogDestination", ""), log.get("TrafficType", "")
        if not vpc.startswith("vpc-"):
            continue
        values = {
            "traffic_type": traffic,
            "log_destination": destination,
            "log_destination_type": log.get("LogDestinationType"),
            "log_group_name": log.get("LogGroupName", ""),
            "log_format": log.get("LogFormat"),
            "iam_role_arn": log.get("DeliverLogsPermissionArn", ""),
            "deliver_cross_account_role": log.get("DeliverCrossAccountRole", ""),
            "max_aggregation_interval": log.get("MaxAggregationInterval"),
        }
        key = {"vpc_id": vpc, "log_destination": destination, "traffic_type": traffic}
        called = f"a flow log of {traffic} traffic of {vpc} to {destination}"
        identifier = log["FlowLogId"]
        arn = arn_of(account, "ec2", region, f"vpc-flow-log/{identifier}")
        yield Live(key, values, called, identifier, arn=arn)


def _vpcs(account: Account, region: str) -> Iterator[Live]:
    """Default VPCs, too: AWS makes one in each region of a new account."""
    for vpc in account.pages("ec2", "describe_vpcs", "Vpcs", region):
        identifier = vpc["VpcId"]
        values = {
            "cidr_block": vpc["CidrBlock"],
            "instance_tenancy": vpc["InstanceTenancy"],
            "owner_id": vpc["OwnerId"],
        }
        default = vpc["IsDefault"]
        called = f"the {'default ' if default else ''}VPC {identifier} in {region}"
        arn = arn_of(account, "ec2", region, f"vpc/{identifier}", owner=vpc["OwnerId"])
        yield Live({"id": identifier}, values, called, identifier, arn=arn, by_default=default)


def _actions(*names: str) -> tuple[str, ...]:
    return tuple(f"ec2:{name}" for name in names)


_FREE = Free(
    "a setting of EC2 in the region; encrypted volumes bill as others do, requests to a key with the key",
    "https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html",
    "2026-11-28",
)


TYPES = (
    ResourceType(
        "aws_default_security_group",
        unrecorded=iam_actions(
            "ec2",
            "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress DeleteTags RevokeSecurityGroupIngress",
        ),
        named_by=("vpc_id",),
        price=Free(
            "a security group is a setting of the VPC",
            "https://aws.amazon.com/vpc/pricing/",
            "2026-11-28",
        ),
        key=("vpc_id",),
        reading=Reading(
            _default_groups,
            OnCreate.OVERWRITES,
            finds=_find_default_group,
            actions=_actions("DescribeSecurityGroups", "DescribeNetworkInterfaces"),
        ),
        # A rule by its ports and peers: a changed one is another one.
        strengths=each(Stronger.SUBSET, "ingress", "egress", unset_is_strongest=True),
        no_weaker_side={IDENTITY: "vpc_id", TERRAFORM: "revoke_rules_on_delete"},
        sets=("egress", "ingress"),
    ),
    ResourceType(
        "aws_ebs_default_kms_key",
        unrecorded=iam_actions("ec2", "GetEbsDefaultKmsKeyId ModifyEbsDefaultKmsKeyId ResetEbsDefaultKmsKeyId"),
        price=_FREE,
        reading=Reading(_ebs_key, OnCreate.OVERWRITES, actions=_actions("GetEbsDefaultKmsKeyId")),
        strengths=(Strength("key_arn", Stronger.KEY),),
    ),
    ResourceType(
        "aws_ebs_encryption_by_default",
        price=_FREE,
        reading=Reading(_ebs_encryption, OnCreate.OVERWRITES, actions=_actions("GetEbsEncryptionByDefault")),
        strengths=(Strength("enabled", Stronger.TRUE, unset_is_strongest=True),),
    ),
    ResourceType(
        "aws_ebs_snapshot_block_public_access",
        price=_FREE,
        reading=Reading(_snapshot_block, OnCreate.OVERWRITES, actions=_actions("GetSnapshotBlockPublicAccessState")),
        strengths=(Strength("state", Stronger.ORDER, order=("unblocked", "block-new-sharing", "block-all-sharing")),),
    ),
    ResourceType(
        "aws_ec2_image_block_public_access",
        unrecorded=iam_actions("ec2", "DisableImageBlockPublicAccess"),
        price=_FREE,
        reading=Reading(_image_block, OnCreate.HARMLESS, actions=_actions("GetImageBlockPublicAccessState")),
        unread="the module only ever blocks, which lets through no more than what is there",
        strengths=(Strength("state", Stronger.ORDER, order=("unblocked", "block-new-sharing")),),
    ),
    ResourceType(
        "aws_ec2_instance_metadata_defaults",
        price=_FREE,
        reading=Reading(_metadata_defaults, OnCreate.OVERWRITES, actions=_actions("GetInstanceMetadataDefaults")),
        strengths=(
            Strength("http_tokens", Stronger.ORDER, order=("optional", "no-preference", "required")),
            # Each hop lets the answer travel one machine or container further. -1 is no preference.
            Strength("http_put_response_hop_limit", Stronger.LOWER),
            *each(
                Stronger.ORDER,
                "http_endpoint",
                "instance_metadata_tags",
                order=("enabled", "no-preference", "disabled"),
            ),
        ),
    ),
    ResourceType(
        "aws_ec2_serial_console_access",
        unrecorded=iam_actions("ec2", "EnableSerialConsoleAccess"),
        price=_FREE,
        reading=Reading(
            _serial_console, OnCreate.OVERWRITES, quiet=True, actions=_actions("GetSerialConsoleAccessStatus")
        ),
        strengths=(Strength("enabled", Stronger.FALSE),),
    ),
    ResourceType(
        "aws_flow_log",
        unrecorded=(
            *iam_actions("ec2", "DeleteTags"),
            *iam_actions("logs", "CreateLogDelivery DeleteLogDelivery"),
        ),
        named_by=("vpc_id",),
        price=Price(
            "VPC flow log",
            (
                "0.50 per GB delivered to CloudWatch Logs, 0.25 per GB delivered to S3, less beyond 10 TB "
                "a month; storage is billed in addition"
            ),
            "https://aws.amazon.com/cloudwatch/pricing/",
            "2026-11-28",
            driver="network traffic of the VPC",
            regions="AWS's page says that prices vary by region",
            unconfirmed="0.25 per GB delivered to S3: quotations of AWS's price list differ, others say 0.50",
        ),
        key=("vpc_id", "log_destination", "traffic_type"),
        reading=Reading(_flow_logs, OnCreate.COLLIDES, actions=_actions("DescribeFlowLogs")),
        strengths=(
            Strength("traffic_type", Stronger.ORDER, order=("ACCEPT", "REJECT", "ALL")),
            *each(Stronger.SAME, "log_destination", "log_destination_type"),
            *each(Stronger.SAME, "log_group_name", "log_format", by_aws=True),
            *each(Stronger.PRESENT, "iam_role_arn", "deliver_cross_account_role"),
            Strength("max_aggregation_interval", Stronger.LOWER),
        ),
        no_weaker_side={
            IDENTITY: "eni_id subnet_id vpc_id transit_gateway_id transit_gateway_attachment_id",
            FORMAT: "destination_options",
        },
        sets=("tag_field_specification",),
    ),
    ResourceType(
        # No module makes it: whether each has a flow log is a requirement of CIS.
        "aws_vpc",
        key=("id",),
        reading=Reading(_vpcs, OnCreate.COLLIDES, actions=_actions("DescribeVpcs")),
    ),
    ResourceType(
        "aws_vpc_block_public_access_options",
        price=Free(
            "a setting of EC2 in the region; none of AWS's pages that were read names a price for it",
            "https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html",
            "2026-11-28",
        ),
        reading=Reading(
            _vpc_block, OnCreate.OVERWRITES, quiet=True, actions=_actions("DescribeVpcBlockPublicAccessOptions")
        ),
        strengths=(
            Strength(
                "internet_gateway_block_mode",
                Stronger.ORDER,
                order=("off", "block-ingress", "block-bidirectional"),
                unset="off",
            ),
        ),
        no_weaker_side={TERRAFORM: "timeouts"},
    ),
)
