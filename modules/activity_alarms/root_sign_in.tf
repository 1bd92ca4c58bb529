# Reports root sign-ins within seconds; CloudTrail's log group, and with it the alarm of root_use, takes minutes.

locals {
  # Composed, not read from the rule: the trust policy of the forwarding role names it.
  rule_name     = "${var.name}-root-sign-in"
  event_bus_arn = "arn:${local.partition}:events:${local.region}:${local.account_id}:event-bus/default"
}

# Matches this region's sign-ins and those that the other regions forward to its event bus.
resource "aws_cloudwatch_event_rule" "root_sign_in" {
  for_each = toset(var.root_sign_in_alerts ? [local.rule_name] : [])

  name        = each.key
  description = "Tells of sign-ins as root, failed ones too, and of attempts to recover root's password."
  # The same pattern as in forward/main.tf. Every sign-in also has a CheckMfa event, which would send the message twice.
  event_pattern = jsonencode({
    source      = ["aws.signin"]
    detail-type = ["AWS Console Sign In via CloudTrail"]
    detail = {
      eventName    = [{ anything-but = ["CheckMfa"] }]
      userIdentity = { type = ["Root"] }
    }
  })
}

resource "aws_cloudwatch_event_target" "root_sign_in" {
  for_each = aws_cloudwatch_event_rule.root_sign_in

  rule      = each.value.name
  target_id = "topic"
  arn       = module.alerts.arn

  # Readable text. It contains nothing that the user who signs in can choose, such as the user agent.
  input_transformer {
    input_paths = {
      account = "$.account"
      address = "$.detail.sourceIPAddress"
      event   = "$.detail.eventName"
      mfa     = "$.detail.additionalEventData.MFAUsed"
      region  = "$.detail.awsRegion"
      result  = "$.detail.responseElements.ConsoleLogin"
      time    = "$.detail.eventTime"
    }

    input_template = join("\n", [
      "\"Root of account <account>: <event>, result <result>, at <time>\"",
      "\"From <address>, MFA used: <mfa>, recorded in <region>\"",
      "\"Nobody uses root for daily work. If you do not know who this was, act at once: change root's password, and look at CloudTrail for what was done.\"",
    ])
  }
}

# EventBridge silently drops what a target permanently refuses, and counts it for each rule
# (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html). A separate statement of the topic's
# policy allows CloudWatch to publish.
resource "aws_cloudwatch_metric_alarm" "undelivered" {
  for_each = aws_cloudwatch_event_rule.root_sign_in

  alarm_name          = "${each.key}-undelivered"
  alarm_description   = "EventBridge could not deliver sign-ins as root to the topic: look at the policies of the topic and its key."
  namespace           = "AWS/Events"
  metric_name         = "FailedInvocations"
  dimensions          = { RuleName = each.value.name }
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

# The other regions' rules use this role to put their events on this region's event bus.
resource "aws_iam_role" "forward" {
  for_each = aws_cloudwatch_event_rule.root_sign_in

  name               = "${each.key}-forward"
  description        = "Lets EventBridge rules of other regions forward root's sign-ins to ${local.region}."
  assume_role_policy = data.aws_iam_policy_document.forward_trust.json
}

resource "aws_iam_role_policy" "forward" {
  for_each = aws_iam_role.forward

  name   = "put-events"
  role   = each.value.name
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
      values   = ["arn:${local.partition}:events:*:${local.account_id}:rule/${local.rule_name}"]
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
