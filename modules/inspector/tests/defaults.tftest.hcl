mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
}

run "defaults" {
  command = plan

  assert {
    condition     = aws_inspector2_enabler.this.resource_types == toset(["EC2", "ECR", "LAMBDA"]) && aws_inspector2_enabler.this.account_ids == toset(["123456789012"])
    error_message = "Instances, images and functions of this account must be scanned."
  }
}

run "every_type" {
  command = plan

  variables {
    resource_types = ["EC2", "ECR", "LAMBDA", "LAMBDA_CODE"]
  }

  assert {
    condition     = length(aws_inspector2_enabler.this.resource_types) == 4
    error_message = "Types must follow their setting."
  }
}

run "refused" {
  command = plan

  variables {
    resource_types = ["RDS"]
  }

  expect_failures = [var.resource_types]
}

run "refused_code_alone" {
  command = plan

  variables {
    resource_types = ["LAMBDA_CODE"]
  }

  expect_failures = [var.resource_types]
}

run "refused_nothing" {
  command = plan

  variables {
    resource_types = []
  }

  expect_failures = [var.resource_types]
}
