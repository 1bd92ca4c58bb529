locals {
  rule_name = "${var.topic.name_prefix}key-rotation"
}

# Config sends an event when the result for a resource changes, and none for each evaluation that finds it unchanged.
resource "aws_cloudwatch_event_rule" "findings" {
  name        = local.rule_name
  description = "Tells of access keys over age and credentials that nobody uses, as Config finds them."

  event_pattern = jsonencode({
    source      = ["aws.config"]
    detail-type = ["Config Rules Compliance Change"]
    detail = {
      messageType         = ["ComplianceChangeNotification"]
      configRuleName      = sort(var.rules)
      newEvaluationResult = { complianceType = ["NON_COMPLIANT"] }
    }
  })
}

resource "aws_cloudwatch_event_target" "findings" {
  rule      = aws_cloudwatch_event_rule.findings.name
  target_id = "topic"
  arn       = var.topic.arn

  # Readable text. Config identifies users by their id.
  input_transformer {
    input_paths = {
      account = "$.detail.awsAccountId"
      id      = "$.detail.resourceId"
      rule    = "$.detail.configRuleName"
      time    = "$.detail.newEvaluationResult.resultRecordedTime"
      type    = "$.detail.resourceType"
    }

    input_template = join("\n", [
      "\"Config rule <rule> finds <type> <id> of account <account> non-compliant, at <time>.\"",
      "\"Who it is: aws iam list-users --query 'Users[?UserId==`<id>`].UserName'\"",
      "\"Make a new key, change to it, make the old one inactive, and delete it when nothing misses it. Credentials that nobody uses are made inactive at once.\"",
    ])
  }
}

# EventBridge silently drops what a target permanently refuses, and counts it for each rule
# (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html). A separate statement of the topic's
# policy allows CloudWatch to publish.
resource "aws_cloudwatch_metric_alarm" "undelivered" {
  alarm_name          = "${local.rule_name}-undelivered"
  alarm_description   = "EventBridge could not deliver findings about credentials to the topic: look at the policies of the topic and its key."
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
  alarm_actions      = [var.topic.arn]
}
