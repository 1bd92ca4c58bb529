data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.id
  # Composed, not read from the resources: topic, key and rule name each other in their policies.
  own_topic_arn = "arn:${local.partition}:sns:${local.region}:${local.account_id}:${var.name}"
  rule_arn      = "arn:${local.partition}:events:${local.region}:${local.account_id}:rule/${var.name}"
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
  arn       = coalesce(var.topic_arn, one([for topic in aws_sns_topic.this : topic.arn]))

  # Text that a person can read, in place of the event's JSON.
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

  # Without it the first messages would be lost.
  depends_on = [aws_sns_topic_policy.this]
}
