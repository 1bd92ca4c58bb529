# A schedule calls the API itself (universal target); each has one target, so there is one per check.
resource "aws_scheduler_schedule" "refresh" {
  #checkov:skip=CKV_AWS_297:It holds the id of a check, which AWS publishes; encrypted with AWS's own key.
  for_each = toset(var.refresh == null ? [] : var.refresh.check_ids)

  name                         = each.key
  group_name                   = one([for group in aws_scheduler_schedule_group.refresh : group.name])
  description                  = "Refreshes this check of Trusted Advisor once a week."
  schedule_expression          = "cron(0 ${var.refresh.hour_utc} ? * ${var.refresh.weekday} *)"
  schedule_expression_timezone = "UTC"

  # AWS throttles simultaneous refreshes.
  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 60
  }

  target {
    arn      = "arn:${local.partition}:scheduler:::aws-sdk:support:refreshTrustedAdvisorCheck"
    role_arn = one([for role in aws_iam_role.refresh : role.arn])
    input    = jsonencode({ CheckId = each.key })

    # The next attempt is in a week; a check that AWS refreshes itself always fails.
    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 3
    }
  }

  # Before the role has its policy, the first calls would fail.
  depends_on = [aws_iam_role_policy.refresh]
}

resource "aws_scheduler_schedule_group" "refresh" {
  for_each = toset(var.refresh == null ? [] : [var.name])

  name = each.key
}

resource "aws_iam_role" "refresh" {
  for_each = toset(var.refresh == null ? [] : ["${var.name}-refresh"])

  name               = each.key
  description        = "Lets schedules refresh Trusted Advisor's checks."
  assume_role_policy = data.aws_iam_policy_document.refresh_trust.json
}

resource "aws_iam_role_policy" "refresh" {
  for_each = aws_iam_role.refresh

  name   = "refresh-checks"
  role   = each.value.name
  policy = data.aws_iam_policy_document.refresh.json
}

data "aws_iam_policy_document" "refresh_trust" {
  statement {
    sid     = "Scheduler"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }

    # The form that AWS documents (EventBridge Scheduler User Guide, "Confused deputy prevention"): the group, not the schedule.
    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:scheduler:${local.region}:${local.account_id}:schedule-group/${var.name}"]
    }
  }
}

data "aws_iam_policy_document" "refresh" {
  statement {
    sid     = "RefreshChecks"
    actions = ["support:RefreshTrustedAdvisorCheck"]
    # The Support API has no resource types.
    resources = ["*"]
  }
}
