mock_provider "aws" {}

run "nobody" {
  command = plan

  assert {
    condition     = length(aws_guardduty_organization_admin_account.this) + length(aws_securityhub_organization_admin_account.this) == 0
    error_message = "Without an account there must be no administrator."
  }
}

run "one_for_both" {
  command = apply

  variables {
    security_administrator_account_id = "111122223333"
  }

  assert {
    condition = (
      aws_guardduty_organization_admin_account.this["111122223333"].admin_account_id == "111122223333"
      && aws_securityhub_organization_admin_account.this["111122223333"].admin_account_id == "111122223333"
      && output.security_administrator_account_id == "111122223333"
    )
    error_message = "One account must administer both services."
  }
}

run "refused" {
  command = plan

  variables {
    security_administrator_account_id = "1234"
  }

  expect_failures = [var.security_administrator_account_id]
}
