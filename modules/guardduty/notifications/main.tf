data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account_id    = data.aws_caller_identity.current.account_id
  partition     = data.aws_partition.current.partition
  region        = data.aws_region.current.id
  name          = var.notifications.name
  topic_arn     = "arn:${local.partition}:sns:${local.region}:${local.account_id}:${local.name}"
  alarm_name    = "${local.name}-undelivered"
  event_bus_arn = "arn:${local.partition}:events:${local.region}:${local.account_id}:event-bus/default"
}

# Matches this region's findings and those that the other regions forward to its event bus.
resource "aws_cloudwatch_event_rule" "findings" {
  name        = local.name
  description = "Mails GuardDuty findings of severity ${var.notifications.minimum_severity} and above."
  event_pattern = jsonencode({
    source      = ["aws.guardduty"]
    detail-type = ["GuardDuty Finding"]
    detail      = { severity = [{ numeric = [">=", var.notifications.minimum_severity] }] }
  })
}

resource "aws_cloudwatch_event_target" "findings" {
  rule      = aws_cloudwatch_event_rule.findings.name
  target_id = "topic"
  arn       = aws_sns_topic.findings.arn

  # Readable text instead of the finding's JSON.
  input_transformer {
    input_paths = {
      account     = "$.detail.accountId"
      description = "$.detail.description"
      id          = "$.detail.id"
      region      = "$.detail.region"
      severity    = "$.detail.severity"
      title       = "$.detail.title"
      type        = "$.detail.type"
    }

    input_template = join("\n", [
      "\"GuardDuty finding of severity <severity> in account <account>, region <region>\"",
      "\"<title>\"",
      "\"<description>\"",
      "\"Type: <type>\"",
      "\"https://console.aws.amazon.com/guardduty/home?region=<region>#/findings?macros=current&fId=<id>\"",
    ])
  }
}

# EventBridge silently drops what a target permanently refuses, and counts it for each rule
# (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html). A separate statement of the topic's
# policy allows CloudWatch to publish.
resource "aws_cloudwatch_metric_alarm" "undelivered" {
  alarm_name          = local.alarm_name
  alarm_description   = "EventBridge could not deliver GuardDuty findings to the topic: look at the policies of the topic and its key."
  namespace           = "AWS/Events"
  metric_name         = "FailedInvocations"
  dimensions          = { RuleName = aws_cloudwatch_event_rule.findings.name }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  # The metric has no value while nothing fails.
  treat_missing_data = "notBreaching"
  actions_enabled    = true
  alarm_actions      = [aws_sns_topic.findings.arn]

  # Messages that are published before the topic's policy allows it are lost.
  depends_on = [aws_sns_topic_policy.findings]
}

resource "aws_sns_topic" "findings" {
  name              = local.name
  kms_master_key_id = aws_kms_key.topic.arn
}

resource "aws_sns_topic_policy" "findings" {
  arn    = aws_sns_topic.findings.arn
  policy = data.aws_iam_policy_document.topic.json
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.notifications.email_addresses

  topic_arn = aws_sns_topic.findings.arn
  protocol  = "email"
  endpoint  = each.key
}

data "aws_iam_policy_document" "topic" {
  # Without a condition: EventBridge sends no request context, so a condition would silently drop every message
  # ("You can't use Condition blocks in Amazon SNS topic policies for EventBridge",
  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html).
  statement {
    sid       = "EventBridgePublish"
    actions   = ["sns:Publish"]
    resources = [local.topic_arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
  }

  statement {
    sid       = "AlarmPublish"
    actions   = ["sns:Publish"]
    resources = [local.topic_arn]

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
      values   = ["arn:${local.partition}:cloudwatch:${local.region}:${local.account_id}:alarm:${local.alarm_name}"]
    }
  }

  statement {
    sid       = "DenyInsecureTransport"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [local.topic_arn]

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

resource "aws_kms_key" "topic" {
  description             = "Encrypts the topic that mails GuardDuty findings."
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "topic" {
  name          = "alias/${local.name}"
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
  # would silently drop every message. The encryption context, which SNS always sends, binds the key to this topic.
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
      values   = [local.topic_arn]
    }
  }
}

# The other regions' rules use this role to put their findings on this region's event bus.
resource "aws_iam_role" "forward" {
  name               = "${local.name}-forward"
  description        = "Lets EventBridge rules of other regions forward GuardDuty findings to ${local.region}."
  assume_role_policy = data.aws_iam_policy_document.forward_trust.json
}

resource "aws_iam_role_policy" "forward" {
  name   = "put-events"
  role   = aws_iam_role.forward.name
  policy = data.aws_iam_policy_document.forward.json
}

data "aws_iam_policy_document" "forward_trust" {
  statement {
    sid     = "EventBridge"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:events:*:${local.account_id}:rule/${local.name}"]
    }
  }
}

data "aws_iam_policy_document" "forward" {
  statement {
    sid       = "PutEvents"
    actions   = ["events:PutEvents"]
    resources = [local.event_bus_arn]
  }
}
