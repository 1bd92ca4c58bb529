module "access_log_bucket" {
  source = "../shared/log_bucket"

  name                               = local.access_log_name
  access_log_sources                 = [local.bucket_name]
  expiration_days                    = var.bucket.access_log_expiration_days
  noncurrent_version_expiration_days = var.bucket.noncurrent_version_expiration_days
  force_destroy                      = var.bucket.force_destroy
}

module "log_bucket" {
  source = "../shared/log_bucket"

  name                               = local.bucket_name
  kms_key_arn                        = aws_kms_key.this.arn
  policy_documents                   = [data.aws_iam_policy_document.bucket.json]
  expiration_days                    = var.bucket.expiration_days
  noncurrent_version_expiration_days = var.bucket.noncurrent_version_expiration_days
  transitions                        = var.bucket.transitions
  object_lock                        = var.bucket.object_lock
  access_log_bucket                  = module.access_log_bucket.name
  force_destroy                      = var.bucket.force_destroy
}

data "aws_iam_policy_document" "bucket" {
  statement {
    sid       = "CloudTrailAclCheck"
    actions   = ["s3:GetBucketAcl"]
    resources = [local.bucket_arn]

    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = [local.trail_arn]
    }
  }

  statement {
    sid     = "CloudTrailWrite"
    actions = ["s3:PutObject"]
    # An organization trail writes the member accounts' logs under the organization's id.
    resources = [
      for owner in concat([local.account_id], var.organization_id[*]) : "${local.bucket_arn}/AWSLogs/${owner}/*"
    ]

    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "s3:x-amz-acl"
      values   = ["bucket-owner-full-control"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = [local.trail_arn]
    }
  }
}
