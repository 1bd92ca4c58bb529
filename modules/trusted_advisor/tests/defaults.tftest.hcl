# The real provider, offline: policy documents are evaluated by it and need no AWS.
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "mock_access_key"
  secret_key                  = "mock_secret_key"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}

provider "aws" {
  alias                       = "elsewhere"
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
  target = module.alerts["topic"].data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

run "subscribers" {
  command = plan

  variables {
    subscribers = { email_addresses = ["security@example.com"] }
  }

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.checks.event_pattern) == {
      source        = ["aws.trustedadvisor"]
      "detail-type" = ["Trusted Advisor Check Item Refresh Notification"]
      detail        = { status = ["ERROR", "WARN"] }
    }
    error_message = "What is not well must be told, of every check."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.undelivered.dimensions == tomap({ RuleName = "baseline-trusted-advisor" }) && aws_cloudwatch_metric_alarm.undelivered.metric_name == "FailedInvocations"
    error_message = "Each failed delivery must raise an alarm."
  }

  assert {
    condition     = length(aws_scheduler_schedule.refresh) + length(aws_iam_role.refresh) + length(aws_scheduler_schedule_group.refresh) == 0
    error_message = "Nothing is refreshed unless asked for."
  }
}

run "every_switch" {
  command = plan

  variables {
    name         = "advice"
    topic_arn    = "arn:aws:sns:us-east-1:123456789012:alerts"
    statuses     = ["ERROR"]
    check_names  = ["MFA on Root Account"]
    support_plan = "business"
    refresh      = { check_ids = ["HCP4007jGY", "7DAFEmoDos"], weekday = "SUN", hour_utc = 0 }
  }

  assert {
    condition     = length(module.alerts) == 0 && aws_cloudwatch_event_target.checks.arn == "arn:aws:sns:us-east-1:123456789012:alerts"
    error_message = "A topic that is there already must be told, and none made."
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.checks.event_pattern).detail == { status = ["ERROR"], "check-name" = ["MFA on Root Account"] }
    error_message = "Only the named checks and statuses must be told."
  }

  assert {
    condition = { for id, schedule in aws_scheduler_schedule.refresh : id => "${schedule.schedule_expression} ${schedule.target[0].arn} ${schedule.target[0].input}" } == {
      "HCP4007jGY" = "cron(0 0 ? * SUN *) arn:aws:scheduler:::aws-sdk:support:refreshTrustedAdvisorCheck {\"CheckId\":\"HCP4007jGY\"}"
      "7DAFEmoDos" = "cron(0 0 ? * SUN *) arn:aws:scheduler:::aws-sdk:support:refreshTrustedAdvisorCheck {\"CheckId\":\"7DAFEmoDos\"}"
    }
    error_message = "Each named check must be refreshed once a week."
  }

  assert {
    condition = jsondecode(aws_iam_role.refresh["advice-refresh"].assume_role_policy).Statement[0].Condition == {
      StringEquals = { "aws:SourceAccount" = "123456789012" }
      ArnEquals    = { "aws:SourceArn" = "arn:aws:scheduler:us-east-1:123456789012:schedule-group/advice" }
    }
    error_message = "Only this group's schedules may use the role."
  }

  assert {
    condition     = jsondecode(data.aws_iam_policy_document.refresh.json).Statement[0].Action == "support:RefreshTrustedAdvisorCheck" && length(jsondecode(data.aws_iam_policy_document.refresh.json).Statement) == 1
    error_message = "The role may refresh, and nothing else."
  }
}

run "refused" {
  command = plan

  variables {
    name         = "a name"
    statuses     = ["RED"]
    check_names  = [" "]
    support_plan = "gold"
    topic_arn    = "arn:aws:sns:eu-central-1:123456789012:alerts"
  }

  expect_failures = [var.name, var.statuses, var.check_names, var.support_plan, var.topic_arn]
}

run "refused_refresh" {
  command = plan

  variables {
    topic_arn    = "arn:aws:sns:us-east-1:123456789012:alerts"
    support_plan = "enterprise"
    refresh      = { check_ids = [], weekday = "MONDAY", hour_utc = 24 }
  }

  expect_failures = [var.refresh]
}

run "refused_without_the_api" {
  command = plan

  variables {
    topic_arn = "arn:aws:sns:us-east-1:123456789012:alerts"
    refresh   = { check_ids = ["HCP4007jGY"] }
  }

  expect_failures = [var.refresh]
}

run "refused_when_nobody_is_told" {
  command = plan

  expect_failures = [var.subscribers]
}

run "refused_addresses" {
  command = plan

  variables {
    subscribers = { email_addresses = ["nobody"], https_endpoints = ["http://example.com"] }
  }

  expect_failures = [var.subscribers]
}

run "refused_elsewhere" {
  command = plan

  providers = { aws = aws.elsewhere }

  variables {
    subscribers = { email_addresses = ["security@example.com"] }
  }

  expect_failures = [aws_cloudwatch_event_rule.checks]
}
