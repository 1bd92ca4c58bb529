data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  # Built from the name rather than read from the bucket, so that policies are known at plan time and two buckets that
  # name each other make no cycle.
  arn_prefix = "arn:${data.aws_partition.current.partition}:s3:::"
  arn        = "${local.arn_prefix}${var.name}"
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_144:Another region is another cost and, for personal data, another law: an operator's choice.
  #checkov:skip=CKV2_AWS_62:No consumer needs a notification per log file: consumers read the bucket.
  bucket        = var.name
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.bucket
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.bucket

  rule {
    # The account owns all objects, and ACLs have no effect.
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.bucket

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.bucket

  rule {
    # A bucket key saves one KMS request per object.
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.bucket

  rule {
    id     = "logs"
    status = "Enabled"

    filter {}

    dynamic "transition" {
      for_each = { for t in var.transitions : t.storage_class => t.days }

      content {
        days          = transition.value
        storage_class = transition.key
      }
    }

    dynamic "expiration" {
      for_each = var.expiration_days[*]

      content {
        days = expiration.value
      }
    }

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_version_expiration_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = var.abort_multipart_upload_days
    }
  }

  # S3 refuses rules on noncurrent versions while versioning is being enabled.
  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_logging" "this" {
  for_each = toset(var.access_log_bucket[*])

  bucket        = aws_s3_bucket.this.bucket
  target_bucket = each.value
  target_prefix = "${var.name}/"
}

resource "aws_s3_bucket_object_lock_configuration" "this" {
  for_each = toset(var.object_lock[*].mode)

  bucket = aws_s3_bucket.this.bucket

  rule {
    default_retention {
      mode = each.value
      days = var.object_lock.days
    }
  }

  # Enables object lock on an existing bucket, which needs versioning. The bucket's own object_lock_enabled argument is
  # not set: changing it would replace the bucket and delete its logs.
  depends_on = [aws_s3_bucket_versioning.this]
}
