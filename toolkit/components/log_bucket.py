"""What the log buckets of several components have in common, beside their settings: what protects them."""

from __future__ import annotations

from toolkit.components.base import Protected, Strength, Stronger

PROTECTED = tuple(
    Protected(resource)
    for resource in (
        "aws_s3_bucket",
        "aws_s3_bucket_policy",
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_versioning",
        "aws_s3_bucket_ownership_controls",
        "aws_s3_bucket_server_side_encryption_configuration",
        "aws_s3_bucket_logging",
    )
)
"""Of a log bucket (modules/shared/log_bucket), everything but its lifecycle: without that, logs are kept."""

STRENGTHS = (
    Strength("aws_s3_bucket", "force_destroy", Stronger.FALSE),
    Strength("aws_s3_bucket_policy", "policy", Stronger.POLICY),
    *(
        Strength("aws_s3_bucket_public_access_block", name, Stronger.TRUE)
        for name in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    ),
    Strength(
        "aws_s3_bucket_versioning",
        "versioning_configuration[0].status",
        Stronger.ORDER,
        order=("Disabled", "Suspended", "Enabled"),
    ),
    Strength(
        "aws_s3_bucket_ownership_controls",
        "rule[0].object_ownership",
        Stronger.ORDER,
        order=("ObjectWriter", "BucketOwnerPreferred", "BucketOwnerEnforced"),
    ),
    Strength(
        "aws_s3_bucket_server_side_encryption_configuration",
        "rule[0].apply_server_side_encryption_by_default[0].sse_algorithm",
        Stronger.ORDER,
        order=("AES256", "aws:kms", "aws:kms:dsse"),
    ),
    Strength("aws_s3_bucket_logging", "target_bucket", Stronger.SAME),
    Strength(
        "aws_s3_bucket_lifecycle_configuration",
        "rule[0].expiration[0].days",
        Stronger.HIGHER,
        unset_is_strongest=True,
    ),
    Strength(
        "aws_s3_bucket_lifecycle_configuration",
        "rule[0].noncurrent_version_expiration[0].noncurrent_days",
        Stronger.HIGHER,
        unset_is_strongest=True,
    ),
)

LOCK = "aws_s3_bucket_object_lock_configuration"

LOCK_STRENGTHS = (
    Strength(LOCK, "rule[0].default_retention[0].mode", Stronger.ORDER, order=("GOVERNANCE", "COMPLIANCE")),
    Strength(LOCK, "rule[0].default_retention[0].days", Stronger.HIGHER),
)
"""Of a log bucket with object lock."""

KEY_STRENGTHS = (
    Strength("aws_kms_key", "enable_key_rotation", Stronger.TRUE),
    Strength("aws_kms_key", "rotation_period_in_days", Stronger.LOWER),
    Strength("aws_kms_key", "deletion_window_in_days", Stronger.HIGHER),
    Strength("aws_kms_key", "is_enabled", Stronger.TRUE),
    Strength("aws_kms_key", "policy", Stronger.POLICY),
)
"""Of a customer-managed key."""
