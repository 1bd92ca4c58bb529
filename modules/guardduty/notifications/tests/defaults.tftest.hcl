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

variables {
  notifications = { email_addresses = ["security@example.com", "soc@example.com"] }
}

run "findings_by_mail" {
  command = plan

  assert {
    condition     = toset(keys(aws_sns_topic_subscription.email)) == toset(["security@example.com", "soc@example.com"])
    error_message = "Each address must be subscribed."
  }

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.findings.event_pattern) == {
      source        = ["aws.guardduty"]
      "detail-type" = ["GuardDuty Finding"]
      detail        = { severity = [{ numeric = [">=", 7] }] }
    }
    error_message = "By default findings of high severity must be mailed."
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.topic.json).Statement[0] == {
      Sid       = "EventBridgePublish"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = "arn:aws:sns:eu-central-1:123456789012:baseline-guardduty-findings"
    }
    error_message = "EventBridge may publish; with a condition, its messages would be dropped."
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.topic.json).Statement[1] == {
      Sid       = "AlarmPublish"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = "arn:aws:sns:eu-central-1:123456789012:baseline-guardduty-findings"
      Condition = {
        StringEquals = { "aws:SourceAccount" = "123456789012" }
        ArnEquals    = { "aws:SourceArn" = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:baseline-guardduty-findings-undelivered" }
      }
    }
    error_message = "This alarm may publish."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.undelivered.dimensions == tomap({ RuleName = "baseline-guardduty-findings" }) && aws_cloudwatch_metric_alarm.undelivered.metric_name == "FailedInvocations"
    error_message = "Each failed delivery must raise an alarm."
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.key.json).Statement[1].Condition == {
      StringEquals = { "kms:EncryptionContext:aws:sns:topicArn" = "arn:aws:sns:eu-central-1:123456789012:baseline-guardduty-findings" }
    }
    error_message = "EventBridge may use the key only for this topic, and a condition on aws:Source… would drop every mail."
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
