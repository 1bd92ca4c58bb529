"""Amazon EC2, EBS and VPC."""

from __future__ import annotations

from toolkit.resources.base import FORMAT, IDENTITY, TERRAFORM, ResourceType, Strength, Stronger, each

TYPES = (
    ResourceType(
        "aws_default_security_group",
        # A rule by its ports and peers: a changed one is another one.
        strengths=each(Stronger.SUBSET, "ingress", "egress", unset_is_strongest=True),
        no_weaker_side={IDENTITY: "vpc_id", TERRAFORM: "revoke_rules_on_delete"},
    ),
    ResourceType("aws_ebs_default_kms_key", strengths=(Strength("key_arn", Stronger.KEY),)),
    ResourceType(
        "aws_ebs_encryption_by_default", strengths=(Strength("enabled", Stronger.TRUE, unset_is_strongest=True),)
    ),
    ResourceType(
        "aws_ebs_snapshot_block_public_access",
        strengths=(Strength("state", Stronger.ORDER, order=("unblocked", "block-new-sharing", "block-all-sharing")),),
    ),
    ResourceType(
        "aws_ec2_image_block_public_access",
        unread="the module only ever blocks, which lets through no more than what is there",
        strengths=(Strength("state", Stronger.ORDER, order=("unblocked", "block-new-sharing")),),
    ),
    ResourceType(
        "aws_ec2_instance_metadata_defaults",
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
    ResourceType("aws_ec2_serial_console_access", strengths=(Strength("enabled", Stronger.FALSE),)),
    ResourceType(
        "aws_flow_log",
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
    ),
    ResourceType(
        "aws_vpc_block_public_access_options",
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
