data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# Its region: data.aws_region fails in one that is newer than the provider ("finding Region by name").
data "aws_service" "current" {
  service_id = "s3"
}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_service.current.region
  topic_arn  = coalesce(var.topic_arn, one([for alerts in module.alerts : alerts.arn]))
}

resource "aws_cloudwatch_event_rule" "checks" {
  name        = var.name
  description = "Tells of Trusted Advisor's checks that change to ${join(", ", sort(var.statuses))}."
  event_pattern = jsonencode({
    source      = ["aws.trustedadvisor"]
    detail-type = ["Trusted Advisor Check Item Refresh Notification"]
    detail = merge(
      { status = sort(var.statuses) },
      length(var.check_names) == 0 ? {} : { check-name = sort(var.check_names) },
    )
  })

  lifecycle {
    precondition {
      condition     = contains(["us-east-1", "us-gov-west-1", "cn-north-1"], local.region)
      error_message = "trusted_advisor belongs in us-east-1 (GovCloud: us-gov-west-1, China: cn-north-1): events of Trusted Advisor come nowhere else."
    }
  }
}

resource "aws_cloudwatch_event_target" "checks" {
  rule      = aws_cloudwatch_event_rule.checks.name
  target_id = "topic"
  arn       = local.topic_arn

  # Readable text instead of the event's JSON.
  input_transformer {
    input_paths = {
      account  = "$.account"
      check    = "$.detail.check-name"
      resource = "$.detail.resource_id"
      status   = "$.detail.status"
      time     = "$.time"
    }

    input_template = join("\n", [
      "\"Trusted Advisor, account <account>: <check> is <status> since <time>\"",
      "\"Resource: <resource>\"",
      "\"https://console.aws.amazon.com/trustedadvisor/home\"",
    ])
  }
}

# EventBridge silently drops what a target permanently refuses, and counts it for each rule
# (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html). A separate statement of the topic's
# policy allows CloudWatch to publish.
resource "aws_cloudwatch_metric_alarm" "undelivered" {
  alarm_name          = "${var.name}-undelivered"
  alarm_description   = "EventBridge could not deliver Trusted Advisor's checks to the topic: look at the policies of the topic and its key."
  namespace           = "AWS/Events"
  metric_name         = "FailedInvocations"
  dimensions          = { RuleName = aws_cloudwatch_event_rule.checks.name }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  # The metric has no value while nothing fails.
  treat_missing_data = "notBreaching"
  actions_enabled    = true
  alarm_actions      = [local.topic_arn]
}
