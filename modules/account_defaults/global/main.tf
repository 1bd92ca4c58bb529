# The account has exactly one such block: creating it overwrites the existing values, destroying it removes the block.
resource "aws_s3_account_public_access_block" "this" {
  for_each = toset(var.block_s3_public_access ? ["all"] : [])

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_iam_account_alias" "this" {
  for_each = toset(compact([var.account_alias]))

  account_alias = each.key
}

resource "aws_budgets_budget" "this" {
  for_each = var.budgets

  name         = each.key
  budget_type  = "COST"
  time_unit    = each.value.period
  limit_amount = tostring(each.value.limit_usd)
  limit_unit   = "USD"

  dynamic "cost_filter" {
    for_each = each.value.cost_filters

    content {
      name   = cost_filter.key
      values = cost_filter.value
    }
  }

  dynamic "notification" {
    for_each = { for alert in each.value.alerts : "${alert.of} ${alert.percent}" => alert }

    content {
      comparison_operator        = "GREATER_THAN"
      notification_type          = notification.value.of
      threshold                  = notification.value.percent
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = each.value.email_addresses
      subscriber_sns_topic_arns  = compact([each.value.sns_topic_arn])
    }
  }
}
