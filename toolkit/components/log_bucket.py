"""What the log buckets of several components have in common, beside their settings: what protects them."""

from __future__ import annotations

from toolkit.components.base import Protected

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

LOCK = "aws_s3_bucket_object_lock_configuration"
