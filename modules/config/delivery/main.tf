data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# Its region: data.aws_region fails in one that is newer than the provider ("finding Region by name").
data "aws_service" "current" {
  service_id = "s3"
}

locals {
  account_id  = data.aws_caller_identity.current.account_id
  partition   = data.aws_partition.current.partition
  bucket_name = coalesce(var.bucket.name, "baseline-config-${local.account_id}-${data.aws_service.current.region}")
  bucket_arn  = "arn:${local.partition}:s3:::${local.bucket_name}"
  role_arn    = "arn:${local.partition}:iam::${local.account_id}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
}

resource "aws_iam_service_linked_role" "this" {
  for_each = var.create_service_linked_role ? toset(["config.amazonaws.com"]) : toset([])

  aws_service_name = each.key
  description      = "Lets AWS Config read the configuration of the account's resources."
}

module "bucket" {
  source = "../../shared/log_bucket"

  name                               = local.bucket_name
  kms_key_arn                        = var.bucket.kms_key_arn
  policy_documents                   = [data.aws_iam_policy_document.bucket.json]
  expiration_days                    = var.bucket.expiration_days
  noncurrent_version_expiration_days = var.bucket.noncurrent_version_expiration_days
  transitions                        = var.bucket.transitions
  access_log_bucket                  = var.bucket.access_log_bucket
  force_destroy                      = var.bucket.force_destroy
}

# The service-linked role has no permissions on S3: Config writes as the service, which needs these statements.
data "aws_iam_policy_document" "bucket" {
  statement {
    sid       = "ConfigBucketCheck"
    actions   = ["s3:GetBucketAcl", "s3:ListBucket"]
    resources = [local.bucket_arn]

    principals {
      type        = "Service"
      identifiers = ["config.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }

  statement {
    sid       = "ConfigWrite"
    actions   = ["s3:PutObject"]
    resources = ["${local.bucket_arn}/AWSLogs/${local.account_id}/Config/*"]

    principals {
      type        = "Service"
      identifiers = ["config.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "s3:x-amz-acl"
      values   = ["bucket-owner-full-control"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

resource "aws_config_configuration_aggregator" "this" {
  for_each = toset(var.aggregator.enabled ? [var.aggregator.name] : [])

  name = each.key

  account_aggregation_source {
    account_ids = [local.account_id]
    all_regions = true
  }
}
