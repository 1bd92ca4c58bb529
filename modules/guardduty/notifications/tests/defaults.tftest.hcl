# The real provider, offline: policy documents are evaluated by it and need no AWS.
provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "mock_access_key"
  secret_key                  = "mock_secret_key"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_data {
  target = module.alerts.data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

variables {
  notifications = { email_addresses = ["security@example.com", "soc@example.com"] }
}

run "findings_by_mail" {
  command = plan

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.findings.event_pattern) == {
      source        = ["aws.guardduty"]
      "detail-type" = ["GuardDuty Finding"]
      detail        = { severity = [{ numeric = [">=", 7] }] }
    }
    error_message = "By default findings of high severity must be mailed."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.undelivered.dimensions == tomap({ RuleName = "baseline-guardduty-findings" }) && aws_cloudwatch_metric_alarm.undelivered.metric_name == "FailedInvocations"
    error_message = "Each failed delivery must raise an alarm."
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.forward_trust.json).Statement[0].Condition == {
      StringEquals = { "aws:SourceAccount" = "123456789012" }
      ArnLike      = { "aws:SourceArn" = "arn:aws:events:*:123456789012:rule/baseline-guardduty-findings" }
    }
    error_message = "Only this account's forwarding rules may use the role."
  }

  assert {
    condition     = output.event_bus_arn == "arn:aws:events:eu-central-1:123456789012:event-bus/default"
    error_message = "Other regions must forward to the default bus of this region."
  }
}

run "refused" {
  command = plan

  variables {
    notifications = { email_addresses = ["nobody"] }
  }

  expect_failures = [var.notifications]
}
