# Creates a topic, unless topic_arn names one.
resource "aws_sns_topic" "this" {
  for_each = toset(var.subscribers == null ? [] : [var.name])

  name              = each.key
  display_name      = "Trusted Advisor"
  kms_master_key_id = aws_kms_key.topic[each.key].arn
}

resource "aws_sns_topic_policy" "this" {
  for_each = aws_sns_topic.this

  arn    = each.value.arn
  policy = data.aws_iam_policy_document.topic.json
}

resource "aws_sns_topic_subscription" "email" {
  for_each = toset(var.subscribers == null ? [] : var.subscribers.email_addresses)

  topic_arn = aws_sns_topic.this[var.name].arn
  protocol  = "email"
  endpoint  = each.key
}

resource "aws_sns_topic_subscription" "https" {
  for_each = toset(var.subscribers == null ? [] : var.subscribers.https_endpoints)

  topic_arn = aws_sns_topic.this[var.name].arn
  protocol  = "https"
  endpoint  = each.key
}

data "aws_iam_policy_document" "topic" {
  # Without a condition: EventBridge sends no request context, so a condition would silently drop every message
  # ("You can't use Condition blocks in Amazon SNS topic policies for EventBridge",
  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html).
  statement {
    sid       = "EventBridgePublish"
    actions   = ["sns:Publish"]
    resources = [local.own_topic_arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
  }

  statement {
    sid       = "AlarmPublish"
    actions   = ["sns:Publish"]
    resources = [local.own_topic_arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:cloudwatch:${local.region}:${local.account_id}:alarm:${var.name}-undelivered"]
    }
  }

  statement {
    sid       = "DenyInsecureTransport"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [local.own_topic_arn]

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
}

# The AWS managed key of SNS does not allow EventBridge: its messages would be lost without an error.
resource "aws_kms_key" "topic" {
  for_each = toset(var.subscribers == null ? [] : [var.name])

  description             = "Encrypts the topic that tells of Trusted Advisor's checks."
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "topic" {
  for_each = aws_kms_key.topic

  name          = "alias/${each.key}"
  target_key_id = each.value.key_id
}

data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:A key policy applies to its own key only; without the account's permissions the key is lost.
  #checkov:skip=CKV_AWS_111:As above.
  #checkov:skip=CKV_AWS_356:In a key policy * is the key itself (KMS Developer Guide, Key policies).
  # Delegates access to IAM: without this statement no principal could change the key.
  statement {
    sid       = "AccountAdministration"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${local.account_id}:root"]
    }
  }

  # EventBridge sends no aws:SourceArn to KMS: the encryption context, which SNS always sends, binds the key to this
  # topic.
  statement {
    sid       = "PublishersOfTheTopic"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "events.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:aws:sns:topicArn"
      values   = [local.own_topic_arn]
    }
  }
}
