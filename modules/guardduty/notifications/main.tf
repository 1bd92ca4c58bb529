data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# Its region: data.aws_region fails in one that is newer than the provider ("finding Region by name").
data "aws_service" "current" {
  service_id = "s3"
}

locals {
  account_id    = data.aws_caller_identity.current.account_id
  partition     = data.aws_partition.current.partition
  region        = data.aws_service.current.region
  name          = var.notifications.name
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
  arn       = module.alerts.arn

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
  alarm_actions      = [module.alerts.arn]
}

module "alerts" {
  source = "../../shared/alert_topic"

  name            = local.name
  key_description = "Encrypts the topic that mails GuardDuty findings."
  alarm_name      = local.alarm_name
  subscribers     = { email_addresses = var.notifications.email_addresses }
}

# Addresses of 0.1.
moved {
  from = aws_sns_topic.findings
  to   = module.alerts.aws_sns_topic.this
}

moved {
  from = aws_sns_topic_policy.findings
  to   = module.alerts.aws_sns_topic_policy.this
}

moved {
  from = aws_sns_topic_subscription.email
  to   = module.alerts.aws_sns_topic_subscription.email
}

moved {
  from = aws_kms_key.topic
  to   = module.alerts.aws_kms_key.topic
}

moved {
  from = aws_kms_alias.topic
  to   = module.alerts.aws_kms_alias.topic
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
