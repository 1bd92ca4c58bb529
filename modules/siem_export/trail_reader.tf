locals {
  bucket_arn = "arn:${local.partition}:s3:::${coalesce(var.trail_bucket_name, "none")}"
}

# The policies of bucket and key do not name the SIEM's account: the SIEM reads as this role, of this account.
resource "aws_iam_role" "trail_reader" {
  for_each = toset(var.trail_reader == null ? [] : ["${var.name}-trail-reader"])

  name                 = each.key
  description          = "Lets the SIEM read the trail's log files."
  max_session_duration = var.trail_reader.max_session_hours * 3600
  assume_role_policy   = data.aws_iam_policy_document.trail_reader_trust.json
}

resource "aws_iam_role_policy" "trail_reader" {
  for_each = aws_iam_role.trail_reader

  name   = "read-log-files"
  role   = each.value.name
  policy = data.aws_iam_policy_document.trail_reader.json
}

data "aws_iam_policy_document" "trail_reader_trust" {
  statement {
    sid     = "Siem"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = try(var.trail_reader.principal_arns, [])
    }

    # A vendor reads many customers' accounts: without this, another customer could point it at this role.
    condition {
      test     = "StringEquals"
      variable = "sts:ExternalId"
      values   = var.trail_reader[*].external_id
    }
  }
}

data "aws_iam_policy_document" "trail_reader" {
  statement {
    sid       = "LocateBucket"
    actions   = ["s3:GetBucketLocation"]
    resources = [local.bucket_arn]
  }

  statement {
    sid       = "ListLogFiles"
    actions   = ["s3:ListBucket"]
    resources = [local.bucket_arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["AWSLogs/*"]
    }
  }

  statement {
    sid       = "ReadLogFiles"
    actions   = ["s3:GetObject"]
    resources = ["${local.bucket_arn}/AWSLogs/*"]
  }

  statement {
    sid       = "DecryptLogFiles"
    actions   = ["kms:Decrypt"]
    resources = var.trail_key_arn[*]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${local.region}.${data.aws_partition.current.dns_suffix}"]
    }
  }
}
