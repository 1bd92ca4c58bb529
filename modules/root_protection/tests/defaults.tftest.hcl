mock_provider "aws" {}

run "an_account_by_itself" {
  command = plan

  assert {
    condition     = length(aws_iam_organizations_features.this) == 0 && output.enabled_features == []
    error_message = "Without an organization there is nothing to switch on."
  }
}

run "central_root_access" {
  command = plan

  variables {
    enabled_features = ["RootCredentialsManagement", "RootSessions"]
  }

  assert {
    condition     = aws_iam_organizations_features.this["organization"].enabled_features == toset(["RootCredentialsManagement", "RootSessions"])
    error_message = "Both features must be switched on."
  }
}

run "refused" {
  command = plan

  variables {
    enabled_features = ["RootUser"]
  }

  expect_failures = [var.enabled_features]
}
