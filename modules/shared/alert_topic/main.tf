data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# Its region: data.aws_region fails in one that is newer than the provider ("finding Region by name").
data "aws_service" "current" {
  service_id = "s3"
}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_service.current.region
  # Composed, not read from the topic: the policies of topic and key name each other.
  arn = "arn:${local.partition}:sns:${local.region}:${local.account_id}:${var.name}"
  # One alarm, or all whose names match.
  several_alarms = strcontains(var.alarm_name, "*")
}

resource "aws_sns_topic" "this" {
  name              = var.name
  display_name      = var.display_name
  kms_master_key_id = aws_kms_key.topic.arn
}

resource "aws_sns_topic_policy" "this" {
  arn    = aws_sns_topic.this.arn
  policy = data.aws_iam_policy_document.topic.json
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.subscribers.email_addresses

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.key
}

resource "aws_sns_topic_subscription" "https" {
  for_each = var.subscribers.https_endpoints

  topic_arn = aws_sns_topic.this.arn
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
    resources = [local.arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
  }

  statement {
    sid       = local.several_alarms ? "AlarmsPublish" : "AlarmPublish"
    actions   = ["sns:Publish"]
    resources = [local.arn]

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
      test     = local.several_alarms ? "ArnLike" : "ArnEquals"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:cloudwatch:${local.region}:${local.account_id}:alarm:${var.alarm_name}"]
    }
  }

  statement {
    sid       = "DenyInsecureTransport"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [local.arn]

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

# The AWS managed key of SNS allows neither CloudWatch nor EventBridge: their messages would be lost without an error.
resource "aws_kms_key" "topic" {
  description             = var.key_description
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "topic" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.topic.key_id
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

  # aws:SourceArn and aws:SourceAccount are absent when EventBridge publishes to an encrypted topic: a condition on them
  # would silently drop its messages. The encryption context, which SNS always sends, binds the key to this topic.
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
      values   = [local.arn]
    }
  }
}
