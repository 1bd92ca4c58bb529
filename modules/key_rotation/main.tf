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

  # Text that a person can read. Config knows users by their id.
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
