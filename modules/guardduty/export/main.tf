data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# Its region: data.aws_region fails in one that is newer than the provider ("finding Region by name").
data "aws_service" "current" {
  service_id = "s3"
}

locals {
  account_id  = data.aws_caller_identity.current.account_id
  partition   = data.aws_partition.current.partition
  bucket_name = coalesce(var.findings_bucket.name, "baseline-guardduty-${local.account_id}-${data.aws_service.current.region}")
  bucket_arn  = "arn:${local.partition}:s3:::${local.bucket_name}"

  # In an opt-in region, GuardDuty is another principal: "replace guardduty.amazonaws.com with
  # guardduty.me-south-1.amazonaws.com".
  # https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_exportfindings.html
  writers = concat(
    ["guardduty.amazonaws.com"],
    [for region in sort(var.opt_in_regions) : "guardduty.${region}.amazonaws.com"],
  )

  # Every region's detector exports here, and their ids are not known before the bucket exists.
  detector_arns = "arn:${local.partition}:guardduty:*:${local.account_id}:detector/*"
}

module "bucket" {
  source = "../../shared/log_bucket"

  name                               = local.bucket_name
  kms_key_arn                        = aws_kms_key.this.arn
  policy_documents                   = [data.aws_iam_policy_document.bucket.json]
  expiration_days                    = var.findings_bucket.expiration_days
  noncurrent_version_expiration_days = var.findings_bucket.noncurrent_version_expiration_days
  transitions                        = var.findings_bucket.transitions
  access_log_bucket                  = var.findings_bucket.access_log_bucket
  force_destroy                      = var.findings_bucket.force_destroy
}

data "aws_iam_policy_document" "bucket" {
  statement {
    sid       = "GuardDutyLocate"
    actions   = ["s3:GetBucketLocation"]
    resources = [local.bucket_arn]

    principals {
      type        = "Service"
      identifiers = local.writers
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = [local.detector_arns]
    }
  }

  statement {
    sid       = "GuardDutyWrite"
    actions   = ["s3:PutObject"]
    resources = ["${local.bucket_arn}/*"]

    principals {
      type        = "Service"
      identifiers = local.writers
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = [local.detector_arns]
    }
  }
}

resource "aws_kms_key" "this" {
  description             = "Encrypts the findings that GuardDuty exports."
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "this" {
  name          = "alias/${local.bucket_name}"
  target_key_id = aws_kms_key.this.key_id
}

data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:A key policy applies to its own key only; without the account's permissions the key is lost.
  #checkov:skip=CKV_AWS_111:As above.
  #checkov:skip=CKV_AWS_356:In a key policy * is the key itself (KMS Developer Guide, Key policies).
  # Delegates access to IAM: without this statement no principal could read the findings or change the key.
  statement {
    sid       = "AccountAdministration"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${local.account_id}:root"]
    }
  }

  statement {
    sid       = "GuardDutyEncrypt"
    actions   = ["kms:GenerateDataKey"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = local.writers
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = [local.detector_arns]
    }
  }
}
