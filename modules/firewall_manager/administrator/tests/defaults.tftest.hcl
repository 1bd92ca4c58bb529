mock_provider "aws" {
  mock_data "aws_service" {
    defaults = { region = "us-east-1" }
  }
}

mock_provider "aws" {
  alias = "elsewhere"

  mock_data "aws_service" {
    defaults = { region = "eu-central-1" }
  }
}

variables {
  administrator_account_id = "111122223333"
}

run "names_the_administrator" {
  command = plan

  assert {
    condition     = aws_fms_admin_account.this.account_id == "111122223333"
    error_message = "The given account must become the administrator."
  }
}

run "refused" {
  command = plan

  variables {
    administrator_account_id = "1234"
  }

  expect_failures = [var.administrator_account_id]
}

run "refused_elsewhere" {
  command = plan

  providers = { aws = aws.elsewhere }

  expect_failures = [aws_fms_admin_account.this]
}
