mock_provider "aws" {}

run "defaults" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_account_public_access_block.this["all"].block_public_acls,
      aws_s3_account_public_access_block.this["all"].block_public_policy,
      aws_s3_account_public_access_block.this["all"].ignore_public_acls,
      aws_s3_account_public_access_block.this["all"].restrict_public_buckets,
    ])
    error_message = "All four ways to a public bucket must be blocked (CIS 5.0 2.1.4)."
  }

  assert {
    condition     = length(aws_iam_account_alias.this) + length(aws_budgets_budget.this) == 0
    error_message = "Alias and budgets must be asked for."
  }
}

run "everything" {
  command = plan

  variables {
    block_s3_public_access = false
    account_alias          = "example-production"
    budgets = {
      monthly = { limit_usd = 500, email_addresses = ["billing@example.com"] }
      storage = {
        limit_usd     = 12.5
        period        = "DAILY"
        alerts        = [{ percent = 50 }]
        sns_topic_arn = "arn:aws:sns:us-east-1:123456789012:costs"
        cost_filters  = { Service = ["Amazon Simple Storage Service"] }
      }
    }
  }

  assert {
    condition     = length(aws_s3_account_public_access_block.this) == 0
    error_message = "A block that is switched off must be left as it is."
  }

  assert {
    condition     = aws_iam_account_alias.this["example-production"].account_alias == "example-production"
    error_message = "The alias must be the one asked for."
  }

  assert {
    condition     = aws_budgets_budget.this["monthly"].limit_amount == "500" && aws_budgets_budget.this["monthly"].time_unit == "MONTHLY" && aws_budgets_budget.this["storage"].limit_amount == "12.5" && aws_budgets_budget.this["storage"].time_unit == "DAILY"
    error_message = "Limit and period must be those asked for."
  }

  assert {
    condition     = toset([for n in aws_budgets_budget.this["monthly"].notification : "${n.notification_type} ${n.threshold} ${join(",", n.subscriber_email_addresses)}"]) == toset(["ACTUAL 80 billing@example.com", "ACTUAL 100 billing@example.com", "FORECASTED 100 billing@example.com"])
    error_message = "Without alerts of its own a budget must tell at 80 and 100 percent, and when 100 are forecast."
  }

  assert {
    condition     = one(aws_budgets_budget.this["storage"].notification).subscriber_sns_topic_arns == toset(["arn:aws:sns:us-east-1:123456789012:costs"]) && one(aws_budgets_budget.this["storage"].cost_filter).values == tolist(["Amazon Simple Storage Service"])
    error_message = "Topic and filter must be those asked for."
  }
}

run "refused" {
  command = plan

  variables {
    account_alias = "123456789012"
    budgets = {
      "a:b" = {
        limit_usd       = 0
        period          = "DAILY"
        alerts          = [{ percent = 0 }, { percent = 0 }, { percent = 80, of = "GUESSED" }]
        email_addresses = ["nobody"]
        sns_topic_arn   = "costs"
      }
      silent = { limit_usd = 1, period = "WEEKLY" }
    }
  }

  expect_failures = [var.account_alias, var.budgets]
}
