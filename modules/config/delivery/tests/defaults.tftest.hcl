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

override_data {
  target = module.bucket.data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

run "defaults" {
  command = plan

  assert {
    condition = (
      output.bucket_name == "baseline-config-123456789012-eu-central-1"
      && output.role_arn == "arn:aws:iam::123456789012:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    )
    error_message = "Names must be derived from account and region."
  }

  assert {
    condition     = length(aws_iam_service_linked_role.this) == 1 && length(aws_config_configuration_aggregator.this) == 0
    error_message = "By default the service-linked role must be created, and no aggregator."
  }

  assert {
    condition = [for s in jsondecode(data.aws_iam_policy_document.bucket.json).Statement : [s.Sid, s.Principal.Service, s.Condition.StringEquals["aws:SourceAccount"]]] == [
      ["ConfigBucketCheck", "config.amazonaws.com", "123456789012"],
      ["ConfigWrite", "config.amazonaws.com", "123456789012"],
    ]
    error_message = "Config may write only for this account."
  }

  assert {
    condition     = jsondecode(data.aws_iam_policy_document.bucket.json).Statement[1].Resource == "arn:aws:s3:::baseline-config-123456789012-eu-central-1/AWSLogs/123456789012/Config/*"
    error_message = "Config may write only below its own prefix."
  }
}

run "every_switch" {
  command = plan

  variables {
    create_service_linked_role = false
    aggregator                 = { enabled = true, name = "all-regions" }
    bucket = {
      name              = "example-config"
      expiration_days   = 2557
      kms_key_arn       = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
      access_log_bucket = "example-access-logs"
      force_destroy     = true
    }
  }

  assert {
    condition     = length(aws_iam_service_linked_role.this) == 0 && output.role_arn == "arn:aws:iam::123456789012:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    error_message = "An existing service-linked role must be used as it is."
  }

  assert {
    condition     = aws_config_configuration_aggregator.this["all-regions"].account_aggregation_source[0].all_regions && output.bucket_name == "example-config"
    error_message = "The aggregator must span all regions."
  }
}

run "refused" {
  command = plan

  variables {
    aggregator = { name = "a name" }
  }

  expect_failures = [var.aggregator]
}
