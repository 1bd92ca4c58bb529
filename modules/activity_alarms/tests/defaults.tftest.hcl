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
  log_group_name = "/aws/cloudtrail/baseline"
  subscribers    = { email_addresses = ["security@example.com"] }
}

run "defaults" {
  command = plan

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.monitor) == 15 && keys(aws_cloudwatch_metric_alarm.monitor) == keys(aws_cloudwatch_log_metric_filter.monitor)
    error_message = "Each of the fifteen monitors must have a filter and an alarm."
  }

  assert {
    condition = alltrue([
      for name, alarm in aws_cloudwatch_metric_alarm.monitor :
      alarm.metric_name == name && alarm.namespace == "baseline-activity" && alarm.actions_enabled
      && alarm.statistic == "Sum" && alarm.comparison_operator == "GreaterThanOrEqualToThreshold"
      && alarm.evaluation_periods == 1 && alarm.treat_missing_data == "notBreaching"
      && startswith(alarm.alarm_name, "baseline-activity-") && length(alarm.alarm_description) > 20
    ])
    error_message = "Each alarm must count its own metric and tell of it."
  }

  assert {
    condition = { for name, alarm in aws_cloudwatch_metric_alarm.monitor : name => "${alarm.threshold} in ${alarm.period}" if alarm.threshold > 1 || alarm.period != 300 } == {
      unauthorized_api_calls   = "10 in 300"
      console_sign_in_failures = "5 in 900"
    }
    error_message = "One event within five minutes must raise an alarm, except where single ones are everyday life."
  }

  assert {
    condition = alltrue([
      for filter in aws_cloudwatch_log_metric_filter.monitor :
      filter.log_group_name == "/aws/cloudtrail/baseline" && length(filter.pattern) <= 1024
      && filter.metric_transformation[0].value == "1"
    ])
    error_message = "Each filter must count events of the trail's log group, by a pattern that the API takes."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.undelivered["baseline-activity-root-sign-in"].alarm_name == "baseline-activity-root-sign-in-undelivered" &&
      aws_cloudwatch_metric_alarm.undelivered["baseline-activity-root-sign-in"].dimensions == tomap({ RuleName = "baseline-activity-root-sign-in" }) &&
      aws_cloudwatch_metric_alarm.undelivered["baseline-activity-root-sign-in"].threshold == 0
    )
    error_message = "Each failed delivery must raise an alarm, of a name that the topic admits."
  }

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.root_sign_in["baseline-activity-root-sign-in"].event_pattern) == {
      source        = ["aws.signin"]
      "detail-type" = ["AWS Console Sign In via CloudTrail"]
      detail        = { eventName = [{ "anything-but" = ["CheckMfa"] }], userIdentity = { type = ["Root"] } }
    }
    error_message = "Root's sign-ins must be told, and each once."
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.forward_trust.json).Statement[0].Condition == {
      StringEquals = { "aws:SourceAccount" = "123456789012" }
      ArnLike      = { "aws:SourceArn" = "arn:aws:events:*:123456789012:rule/baseline-activity-root-sign-in" }
    }
    error_message = "Only this account's forwarding rules may use the role."
  }
}

run "every_switch" {
  command = plan

  variables {
    name                = "watch"
    root_sign_in_alerts = false
    patterns            = "benchmark"
    subscribers         = { https_endpoints = ["https://events.example.com/integration/abc?x=1"] }
    monitors = {
      root_use               = { enabled = false }
      unauthorized_api_calls = { threshold = 1, period_minutes = 1440 }
    }
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.monitor) == 14 && length(aws_cloudwatch_log_metric_filter.monitor) == 14 && !contains(keys(aws_cloudwatch_metric_alarm.monitor), "root_use")
    error_message = "A monitor that is off must have neither filter nor alarm."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.monitor["unauthorized_api_calls"].threshold == 1 && aws_cloudwatch_metric_alarm.monitor["unauthorized_api_calls"].period == 86400
    error_message = "Threshold and period must follow their settings."
  }

  assert {
    condition     = aws_cloudwatch_log_metric_filter.monitor["kms_key_deletions"].pattern == "{ ($.eventSource=kms.amazonaws.com) && (($.eventName=DisableKey)||($.eventName=ScheduleKeyDeletion)) }"
    error_message = "The benchmark's patterns must be the benchmark's."
  }

  assert {
    condition     = length(aws_cloudwatch_event_rule.root_sign_in) + length(aws_cloudwatch_event_target.root_sign_in) + length(aws_iam_role.forward) + length(aws_iam_role_policy.forward) == 0
    error_message = "Without root_sign_in_alerts there is nothing to forward and nothing that may."
  }
}

run "refused" {
  command = plan

  variables {
    name        = "a name"
    subscribers = {}
    monitors    = { root_use = { threshold = 0 } }
    patterns    = "loud"
  }

  expect_failures = [var.name, var.subscribers, var.monitors, var.patterns]
}

run "refused_values" {
  command = plan

  variables {
    subscribers = { email_addresses = ["nobody"], https_endpoints = ["https://user:secret@example.com/"] }
    monitors    = { root_use = { period_minutes = 1441 } }
  }

  expect_failures = [var.subscribers, var.monitors]
}
