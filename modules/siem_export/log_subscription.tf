locals {
  # arn:aws:SERVICE:REGION:ACCOUNT:…
  destination = try(split(":", var.log_subscription.destination_arn), [])
  # A destination of CloudWatch Logs has its own role, in its account; a stream needs a role here.
  needs_role = try(local.destination[2], "logs") != "logs"
  put_actions = {
    firehose = ["firehose:PutRecord", "firehose:PutRecordBatch"]
    kinesis  = ["kinesis:PutRecord", "kinesis:PutRecords"]
  }
}

resource "aws_cloudwatch_log_subscription_filter" "this" {
  for_each = { for name, subscription in { (var.name) = var.log_subscription } : name => subscription if subscription != null }

  name            = each.key
  log_group_name  = var.log_group_name
  filter_pattern  = each.value.filter_pattern
  destination_arn = each.value.destination_arn
  role_arn        = one([for role in aws_iam_role.log_subscription : role.arn])

  lifecycle {
    precondition {
      condition     = !local.needs_role || (local.destination[3] == local.region && local.destination[4] == local.account_id)
      error_message = "log_subscription.destination_arn must be a stream in the log group's account and region; for another account or region, give a destination of CloudWatch Logs there."
    }
  }

  # CloudWatch Logs writes a test record when the filter is created.
  depends_on = [aws_iam_role_policy.log_subscription]
}

resource "aws_iam_role" "log_subscription" {
  for_each = toset(local.needs_role ? ["${var.name}-log-subscription"] : [])

  name               = each.key
  description        = "Lets CloudWatch Logs hand the trail's events to the SIEM's stream."
  assume_role_policy = data.aws_iam_policy_document.log_subscription_trust.json
}

resource "aws_iam_role_policy" "log_subscription" {
  for_each = aws_iam_role.log_subscription

  name   = "put-records"
  role   = each.value.name
  policy = data.aws_iam_policy_document.log_subscription.json
}

# The form that AWS documents (CloudWatch Logs User Guide, "Subscription filters"): the account id is part of aws:SourceArn.
data "aws_iam_policy_document" "log_subscription_trust" {
  statement {
    sid     = "CloudWatchLogs"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["logs.amazonaws.com"]
    }

    condition {
      test     = "StringLike"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:logs:${local.region}:${local.account_id}:*"]
    }
  }
}

data "aws_iam_policy_document" "log_subscription" {
  statement {
    sid       = "PutRecords"
    actions   = local.put_actions[try(local.destination[2], "firehose") == "kinesis" ? "kinesis" : "firehose"]
    resources = var.log_subscription[*].destination_arn
  }
}
