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
  monitors   = { for name, monitor in var.monitors : name => monitor if monitor.enabled }
  # Names of alarms, filters and rules start with this, and policies name them by it.
  alarm_names = { for name in keys(local.monitors) : name => "${var.name}-${replace(name, "_", "-")}" }

  descriptions = {
    unauthorized_api_calls      = "API calls were denied (CIS 5.0 4.1). Look for who: errorCode AccessDenied or UnauthorizedOperation."
    console_sign_in_without_mfa = "An IAM user signed in to the console without MFA (CIS 5.0 4.2)."
    root_use                    = "Root was used (CIS 5.0 4.3)."
    iam_policy_changes          = "An IAM policy was changed, attached or detached (CIS 5.0 4.4)."
    cloudtrail_changes          = "A trail was made, changed, deleted, started or stopped (CIS 5.0 4.5)."
    console_sign_in_failures    = "Sign-ins to the console failed (CIS 5.0 4.6)."
    kms_key_deletions           = "A KMS key was disabled or its deletion scheduled (CIS 5.0 4.7): deletion can be cancelled while it is pending."
    s3_bucket_policy_changes    = "Access to an S3 bucket was changed (CIS 5.0 4.8)."
    config_changes              = "AWS Config's recorder or delivery was changed (CIS 5.0 4.9)."
    security_group_changes      = "A security group was changed (CIS 5.0 4.10)."
    network_acl_changes         = "A network ACL was changed (CIS 5.0 4.11)."
    network_gateway_changes     = "A gateway was changed (CIS 5.0 4.12)."
    route_table_changes         = "A route table was changed (CIS 5.0 4.13)."
    vpc_changes                 = "A VPC or a peering was changed (CIS 5.0 4.14)."
    organizations_changes       = "The organization was changed (CIS 5.0 4.15)."
  }
}

resource "aws_cloudwatch_log_metric_filter" "monitor" {
  for_each = local.monitors

  name           = local.alarm_names[each.key]
  log_group_name = var.log_group_name
  pattern        = local.filter_patterns[each.key]

  # Without a default value, hours without a match have no data points, and cost nothing.
  metric_transformation {
    name      = each.key
    namespace = var.name
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "monitor" {
  for_each = local.monitors

  alarm_name          = local.alarm_names[each.key]
  alarm_description   = local.descriptions[each.key]
  namespace           = aws_cloudwatch_log_metric_filter.monitor[each.key].metric_transformation[0].namespace
  metric_name         = aws_cloudwatch_log_metric_filter.monitor[each.key].metric_transformation[0].name
  statistic           = "Sum"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  period              = each.value.period_minutes * 60
  evaluation_periods  = 1
  # No data is the normal state: without this an alarm would stay INSUFFICIENT_DATA and never return to OK.
  treat_missing_data = "notBreaching"
  actions_enabled    = true
  alarm_actions      = [module.alerts.arn]
}
