# The real provider, offline: policy documents are evaluated by it and need no AWS.
provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "mock_access_key"
  secret_key                  = "mock_secret_key"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

run "all_accounts_and_regions" {
  command = plan

  assert {
    condition     = aws_config_configuration_aggregator.organization["baseline-config-organization"].organization_aggregation_source[0].all_regions && aws_iam_role_policy_attachment.organization["baseline-config-organization"].policy_arn == "arn:aws:iam::aws:policy/service-role/AWSConfigRoleForOrganizations"
    error_message = "All accounts and regions must be gathered."
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.trust.json).Statement[0] == {
      Sid       = "Config"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "config.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = "123456789012" } }
    }
    error_message = "Only AWS Config of this account may use the role."
  }
}

run "off" {
  command = plan

  variables {
    config_aggregator = { enabled = false }
  }

  assert {
    condition     = length(aws_config_configuration_aggregator.organization) + length(aws_iam_role.organization) == 0 && output.aggregator_arn == null
    error_message = "Without an aggregator there must be no role."
  }
}

run "refused" {
  command = plan

  variables {
    config_aggregator = { name = "a name", role_name = "a role" }
  }

  expect_failures = [var.config_aggregator]
}
