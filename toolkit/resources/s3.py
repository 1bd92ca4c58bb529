"""Amazon S3."""

from __future__ import annotations

from toolkit.resources.base import (
    COST,
    ELSEWHERE,
    FORMAT,
    IDENTITY,
    LEFT_ALONE,
    PLACE,
    ResourceType,
    Strength,
    Stronger,
    each,
)

_PUBLIC_ACCESS = each(
    Stronger.TRUE, "block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"
)
_TYPED_IN = "a code from an MFA device, or a token of AWS's support, for one call"

TYPES = (
    ResourceType(
        "aws_s3_account_public_access_block",
        strengths=_PUBLIC_ACCESS,
        no_weaker_side={IDENTITY: "account_id"},
    ),
    ResourceType(
        "aws_s3_bucket",
        strengths=(
            Strength("force_destroy", Stronger.FALSE),
            Strength("object_lock_enabled", Stronger.TRUE, by_aws=True),
        ),
        no_weaker_side={
            IDENTITY: "bucket bucket_prefix",
            LEFT_ALONE: "acceleration_status acl cors_rule grant replication_configuration request_payer website",
            ELSEWHERE: "policy lifecycle_rule logging object_lock_configuration server_side_encryption_configuration "
            "versioning",
        },
    ),
    ResourceType(
        "aws_s3_bucket_lifecycle_configuration",
        strengths=(Strength("rule", Stronger.KEPT),),
        keys={"rule": ("id",)},
        no_weaker_side={
            IDENTITY: "bucket expected_bucket_owner",
            COST: "transition_default_minimum_object_size",
        },
    ),
    ResourceType(
        "aws_s3_bucket_logging",
        strengths=(
            Strength("target_bucket", Stronger.SAME),
            Strength("target_grant", Stronger.SUBSET, unset_is_strongest=True),
        ),
        no_weaker_side={
            IDENTITY: "bucket expected_bucket_owner",
            PLACE: "target_prefix",
            FORMAT: "target_object_key_format",
        },
    ),
    ResourceType(
        "aws_s3_bucket_object_lock_configuration",
        strengths=(
            Strength("object_lock_enabled", Stronger.PRESENT),
            Strength("rule[0].default_retention[0].mode", Stronger.ORDER, order=("GOVERNANCE", "COMPLIANCE")),
            Strength(
                "rule[0].default_retention[0].days",
                Stronger.HIGHER,
                otherwise=("rule[0].default_retention[0].years", 365),
            ),
        ),
        no_weaker_side={IDENTITY: "bucket expected_bucket_owner", _TYPED_IN: "token"},
    ),
    ResourceType(
        "aws_s3_bucket_ownership_controls",
        strengths=(
            Strength(
                "rule[0].object_ownership",
                Stronger.ORDER,
                order=("ObjectWriter", "BucketOwnerPreferred", "BucketOwnerEnforced"),
            ),
        ),
        no_weaker_side={IDENTITY: "bucket"},
    ),
    ResourceType(
        "aws_s3_bucket_policy",
        strengths=(Strength("policy", Stronger.POLICY),),
        no_weaker_side={IDENTITY: "bucket"},
    ),
    ResourceType(
        "aws_s3_bucket_public_access_block",
        strengths=_PUBLIC_ACCESS,
        no_weaker_side={IDENTITY: "bucket"},
    ),
    ResourceType(
        "aws_s3_bucket_server_side_encryption_configuration",
        strengths=(
            Strength(
                "rule[0].apply_server_side_encryption_by_default[0].sse_algorithm",
                Stronger.ORDER,
                order=("AES256", "aws:kms", "aws:kms:dsse"),
            ),
            Strength("rule[0].apply_server_side_encryption_by_default[0].kms_master_key_id", Stronger.KEY),
        ),
        no_weaker_side={IDENTITY: "bucket expected_bucket_owner", COST: "rule.bucket_key_enabled"},
        single=("rule",),
    ),
    ResourceType(
        "aws_s3_bucket_versioning",
        strengths=(
            Strength("versioning_configuration[0].status", Stronger.ORDER, order=("Disabled", "Suspended", "Enabled")),
            Strength(
                "versioning_configuration[0].mfa_delete", Stronger.ORDER, order=("Disabled", "Enabled"), by_aws=True
            ),
        ),
        no_weaker_side={IDENTITY: "bucket expected_bucket_owner", _TYPED_IN: "mfa"},
    ),
)
