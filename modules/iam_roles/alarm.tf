# Use of the break-glass role. By the trail's log group, not EventBridge: it has every region's events in one place, and
# also the read-only ones, while EventBridge leaves calls such as Describe out.
locals {
  watched = { for role in [var.break_glass] : role.name => "${local.iam}:role/${role.name}" if role != null && var.alarm != null }
}

resource "aws_cloudwatch_log_metric_filter" "break_glass" {
  for_each = local.watched

  name           = "${var.alarm.name_prefix}${each.key}-use"
  log_group_name = var.alarm.log_group_name
  # Attempts to assume the role, and all calls with it.
  pattern = "{ ($.requestParameters.roleArn=\"${each.value}\")||($.userIdentity.sessionContext.sessionIssuer.arn=\"${each.value}\") }"

  metric_transformation {
    name      = each.key
    namespace = "${var.alarm.name_prefix}roles"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "break_glass" {
  for_each = local.watched

  alarm_name          = "${var.alarm.name_prefix}${each.key}-use"
  alarm_description   = "The emergency role ${each.key} was assumed, used, or tried. If nobody announced an emergency, act at once: revoke the role's sessions, and look at CloudTrail for what was done."
  namespace           = aws_cloudwatch_log_metric_filter.break_glass[each.key].metric_transformation[0].namespace
  metric_name         = aws_cloudwatch_log_metric_filter.break_glass[each.key].metric_transformation[0].name
  statistic           = "Sum"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 1
  # No data is the normal state: without this an alarm would stay INSUFFICIENT_DATA and never return to OK.
  treat_missing_data = "notBreaching"
  actions_enabled    = true
  alarm_actions      = [var.alarm.topic_arn]
}
