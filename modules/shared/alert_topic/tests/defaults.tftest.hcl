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
  name            = "example-alerts"
  key_description = "Encrypts the topic of the example."
  alarm_name      = "example-alerts-*"
  subscribers     = { email_addresses = ["security@example.com", "soc@example.com"] }
}

run "several_alarms" {
  command = plan

  assert {
    condition     = aws_sns_topic.this.name == "example-alerts" && aws_sns_topic.this.display_name == null && aws_kms_alias.topic.name == "alias/example-alerts"
    error_message = "Topic and alias must have the given name."
  }

  assert {
    condition     = aws_kms_key.topic.enable_key_rotation && aws_kms_key.topic.deletion_window_in_days == 30
    error_message = "The key must rotate, and deleting it must be revocable for as long as AWS allows."
  }

  assert {
    condition     = toset(keys(aws_sns_topic_subscription.email)) == toset(["security@example.com", "soc@example.com"]) && length(aws_sns_topic_subscription.https) == 0
    error_message = "Each address must be subscribed."
  }

  assert {
    condition = { for s in jsondecode(data.aws_iam_policy_document.topic.json).Statement : s.Sid => s if s.Effect == "Allow" } == {
      EventBridgePublish = {
        Sid       = "EventBridgePublish"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = "arn:aws:sns:eu-central-1:123456789012:example-alerts"
      }
      AlarmsPublish = {
        Sid       = "AlarmsPublish"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = "arn:aws:sns:eu-central-1:123456789012:example-alerts"
        Condition = {
          StringEquals = { "aws:SourceAccount" = "123456789012" }
          ArnLike      = { "aws:SourceArn" = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:example-alerts-*" }
        }
      }
    }
    error_message = "Only alarms of that name and EventBridge may publish; with a condition, EventBridge's messages would be dropped."
  }

  assert {
    condition = one([for s in jsondecode(data.aws_iam_policy_document.topic.json).Statement : s if s.Effect == "Deny"]) == {
      Sid       = "DenyInsecureTransport"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = "sns:Publish"
      Resource  = "arn:aws:sns:eu-central-1:123456789012:example-alerts"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }
    error_message = "Publishing without TLS must be denied."
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.key.json).Statement == [
      {
        Sid       = "AccountAdministration"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::123456789012:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "PublishersOfTheTopic"
        Effect    = "Allow"
        Principal = { Service = ["events.amazonaws.com", "cloudwatch.amazonaws.com"] }
        Action    = ["kms:GenerateDataKey*", "kms:Decrypt"]
        Resource  = "*"
        Condition = { StringEquals = { "kms:EncryptionContext:aws:sns:topicArn" = "arn:aws:sns:eu-central-1:123456789012:example-alerts" } }
      },
    ]
    error_message = "CloudWatch and EventBridge may use the key, for this topic only; a condition on aws:Source… would drop EventBridge's messages."
  }
}

run "one_alarm" {
  command = plan

  variables {
    alarm_name   = "example-alerts-undelivered"
    display_name = "Example"
    subscribers  = { https_endpoints = ["https://events.example.com/integration/abc?x=1"] }
  }

  assert {
    condition     = keys(aws_sns_topic_subscription.https) == ["https://events.example.com/integration/abc?x=1"] && length(aws_sns_topic_subscription.email) == 0 && aws_sns_topic.this.display_name == "Example"
    error_message = "Endpoints must be subscribed."
  }

  assert {
    condition = one([for s in jsondecode(data.aws_iam_policy_document.topic.json).Statement : s if s.Sid == "AlarmPublish"]).Condition == {
      StringEquals = { "aws:SourceAccount" = "123456789012" }
      ArnEquals    = { "aws:SourceArn" = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:example-alerts-undelivered" }
    }
    error_message = "Of all alarms, only this one may publish."
  }
}

run "refused" {
  command = plan

  variables {
    name        = "an example"
    alarm_name  = "*-undelivered"
    subscribers = { email_addresses = ["nobody"] }
  }

  expect_failures = [var.name, var.alarm_name, var.subscribers]
}

run "refused_endpoint" {
  command = plan

  variables {
    subscribers = { https_endpoints = ["https://user:secret@example.com/"] }
  }

  expect_failures = [var.subscribers]
}
