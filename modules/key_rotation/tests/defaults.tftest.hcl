mock_provider "aws" {}

variables {
  topic = { arn = "arn:aws:sns:eu-central-1:123456789012:baseline-activity", name_prefix = "baseline-activity-" }
}

run "defaults" {
  command = plan

  assert {
    condition     = aws_cloudwatch_event_rule.findings.name == "baseline-activity-key-rotation"
    error_message = "The topic must let the rule publish."
  }
  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.findings.event_pattern) == {
      source      = ["aws.config"]
      detail-type = ["Config Rules Compliance Change"]
      detail = {
        messageType         = ["ComplianceChangeNotification"]
        configRuleName      = ["access-keys-rotated", "iam-user-unused-credentials-check"]
        newEvaluationResult = { complianceType = ["NON_COMPLIANT"] }
      }
    }
    error_message = "What becomes non-compliant is told, and nothing else."
  }
  assert {
    condition     = aws_cloudwatch_event_target.findings.arn == "arn:aws:sns:eu-central-1:123456789012:baseline-activity"
    error_message = "The topic is told."
  }
}

run "refused" {
  command = plan

  variables {
    rules = []
    topic = { arn = "x", name_prefix = "a prefix" }
  }

  expect_failures = [var.rules, var.topic]
}
