"""Amazon GuardDuty."""

from __future__ import annotations

from toolkit.resources.base import IDENTITY, OFF_ON, ResourceType, Strength, Stronger, each

_MEMBERS = ("NONE", "NEW", "ALL")

TYPES = (
    ResourceType(
        "aws_guardduty_detector",
        strengths=(
            Strength("enable", Stronger.TRUE),
            Strength(
                "finding_publishing_frequency",
                Stronger.ORDER,
                order=("SIX_HOURS", "ONE_HOUR", "FIFTEEN_MINUTES"),
            ),
            # The older names of what features switch on.
            *each(
                Stronger.TRUE,
                "datasources[0].kubernetes[0].audit_logs[0].enable",
                "datasources[0].malware_protection[0].scan_ec2_instance_with_findings[0].ebs_volumes[0].enable",
                "datasources[0].s3_logs[0].enable",
                by_aws=True,
            ),
        ),
    ),
    ResourceType(
        "aws_guardduty_detector_feature",
        strengths=each(Stronger.ORDER, "status", "additional_configuration[*].status", order=OFF_ON),
        no_weaker_side={IDENTITY: "detector_id name"},
        keys={"additional_configuration": ("name",)},
    ),
    ResourceType(
        "aws_guardduty_publishing_destination",
        strengths=(Strength("destination_arn", Stronger.SAME), Strength("kms_key_arn", Stronger.KEY)),
        no_weaker_side={IDENTITY: "detector_id destination_type"},
    ),
    ResourceType("aws_guardduty_organization_admin_account", no_weaker_side={IDENTITY: "admin_account_id"}),
    ResourceType(
        "aws_guardduty_organization_configuration",
        strengths=(
            Strength("auto_enable_organization_members", Stronger.ORDER, order=_MEMBERS),
            # The older names: of the setting above, and of what features switch on.
            *each(
                Stronger.TRUE,
                "auto_enable",
                "datasources[0].kubernetes[0].audit_logs[0].enable",
                "datasources[0].malware_protection[0].scan_ec2_instance_with_findings[0].ebs_volumes[0].auto_enable",
                "datasources[0].s3_logs[0].auto_enable",
                by_aws=True,
            ),
        ),
        no_weaker_side={IDENTITY: "detector_id"},
    ),
    ResourceType(
        "aws_guardduty_organization_configuration_feature",
        strengths=each(Stronger.ORDER, "auto_enable", "additional_configuration[*].auto_enable", order=_MEMBERS),
        no_weaker_side={IDENTITY: "detector_id name"},
        keys={"additional_configuration": ("name",)},
    ),
)
