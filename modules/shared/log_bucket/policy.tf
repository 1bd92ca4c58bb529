data "aws_iam_policy_document" "this" {
  source_policy_documents = var.policy_documents

  statement {
    sid       = "DenyInsecureTransport"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [local.arn, "${local.arn}/*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  statement {
    sid       = "DenyOldTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [local.arn, "${local.arn}/*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "NumericLessThan"
      variable = "s3:TlsVersion"
      values   = ["1.2"]
    }
  }

  # A request through an access point names the access point: AWS does not document whether denials of this bucket's
  # objects in other policies reach it. Services deliver logs to the bucket itself, and no direct request has the key: it locks out
  # no principal. Reading through an access point stays possible.
  statement {
    sid       = "DenyChangesThroughAccessPoints"
    effect    = "Deny"
    actions   = ["s3:DeleteObject*", "s3:PutObject*", "s3:UpdateObject*"]
    resources = ["${local.arn}/*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "Null"
      variable = "s3:DataAccessPointArn"
      values   = ["false"]
    }
  }

  dynamic "statement" {
    for_each = length(var.access_log_sources) == 0 ? [] : [var.access_log_sources]

    content {
      sid       = "S3AccessLogDelivery"
      actions   = ["s3:PutObject"]
      resources = [for source in statement.value : "${local.arn}/${source}/*"]

      principals {
        type        = "Service"
        identifiers = ["logging.s3.amazonaws.com"]
      }

      condition {
        test     = "ArnLike"
        variable = "aws:SourceArn"
        values   = [for source in statement.value : "${local.arn_prefix}${source}"]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [data.aws_caller_identity.current.account_id]
      }
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.bucket
  policy = data.aws_iam_policy_document.this.json

  # S3 refuses two changes of a bucket's access rules at once ("A conflicting conditional operation is currently in
  # progress against this resource").
  depends_on = [
    aws_s3_bucket_public_access_block.this,
    aws_s3_bucket_ownership_controls.this,
  ]
}
