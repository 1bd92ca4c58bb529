"""Amazon Macie."""

from __future__ import annotations

from toolkit.resources.base import PLACE, ResourceType, Strength, Stronger

TYPES = (
    ResourceType(
        "aws_macie2_account",
        strengths=(
            Strength("status", Stronger.ORDER, order=("PAUSED", "ENABLED")),
            Strength(
                "finding_publishing_frequency",
                Stronger.ORDER,
                order=("SIX_HOURS", "ONE_HOUR", "FIFTEEN_MINUTES"),
            ),
        ),
    ),
    ResourceType(
        "aws_macie2_classification_export_configuration",
        strengths=(
            Strength("s3_destination[0].bucket_name", Stronger.SAME),
            Strength("s3_destination[0].kms_key_arn", Stronger.KEY),
        ),
        no_weaker_side={PLACE: "s3_destination.key_prefix"},
    ),
)
