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

override_resource {
  target          = aws_kms_key.this
  override_during = plan
  values          = { arn = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab" }
}

run "defaults" {
  command = plan

  assert {
    condition     = output.bucket_arn == "arn:aws:s3:::baseline-guardduty-123456789012-eu-central-1" && aws_kms_key.this.enable_key_rotation
    error_message = "The bucket's name must be derived from account and region, and its key must rotate."
  }

  assert {
    condition = alltrue([
      for s in concat(jsondecode(data.aws_iam_policy_document.bucket.json).Statement, jsondecode(data.aws_iam_policy_document.key.json).Statement) :
      s.Condition.StringEquals == { "aws:SourceAccount" = "123456789012" }
      && s.Condition.ArnLike == { "aws:SourceArn" = "arn:aws:guardduty:*:123456789012:detector/*" }
      if can(s.Principal.Service)
    ])
    error_message = "GuardDuty may use bucket and key only for this account's detectors."
  }

  assert {
    condition = [
      for s in concat(jsondecode(data.aws_iam_policy_document.bucket.json).Statement, jsondecode(data.aws_iam_policy_document.key.json).Statement) :
      s.Principal.Service if can(s.Principal.Service)
    ] == ["guardduty.amazonaws.com", "guardduty.amazonaws.com", "guardduty.amazonaws.com"]
    error_message = "Where no region had to be enabled, GuardDuty is one principal."
  }
}

run "named" {
  command = plan

  variables {
    findings_bucket = { name = "example-findings", expiration_days = 365, force_destroy = true }
  }

  assert {
    condition     = output.bucket_name == "example-findings" && aws_kms_alias.this.name == "alias/example-findings"
    error_message = "Names must follow the variable."
  }
}

run "opt_in_regions" {
  command = plan

  variables {
    opt_in_regions = ["me-south-1", "af-south-1"]
  }

  assert {
    condition = alltrue([
      for s in concat(jsondecode(data.aws_iam_policy_document.bucket.json).Statement, jsondecode(data.aws_iam_policy_document.key.json).Statement) :
      toset(s.Principal.Service) == toset(["guardduty.amazonaws.com", "guardduty.af-south-1.amazonaws.com", "guardduty.me-south-1.amazonaws.com"])
      && s.Condition.StringEquals == { "aws:SourceAccount" = "123456789012" }
      && s.Condition.ArnLike == { "aws:SourceArn" = "arn:aws:guardduty:*:123456789012:detector/*" }
      if can(s.Principal.Service)
    ])
    error_message = "GuardDuty of regions that had to be enabled must be let in under their names, for this account's detectors."
  }
}

run "refused" {
  command = plan

  variables {
    opt_in_regions = ["*"]
  }

  expect_failures = [var.opt_in_regions]
}
