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
  target = module.log_bucket.data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_data {
  target = module.access_log_bucket.data.aws_caller_identity.current
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
    condition = alltrue([
      aws_cloudtrail.this.is_multi_region_trail,
      aws_cloudtrail.this.include_global_service_events,
      aws_cloudtrail.this.enable_log_file_validation,
      aws_cloudtrail.this.enable_logging,
      aws_kms_key.this.enable_key_rotation,
      aws_cloudtrail.this.is_organization_trail == false,
      aws_cloudtrail.this.kms_key_id == aws_kms_key.this.arn,
      aws_cloudwatch_log_group.this.kms_key_id == aws_kms_key.this.arn,
      aws_cloudwatch_log_group.this.retention_in_days == 365,
    ])
    error_message = "An empty block must give a validated, encrypted trail of all regions and a log group kept for a year."
  }

  assert {
    condition     = join(",", aws_cloudtrail.this.advanced_event_selector[*].name) == "Management events selector" && length(aws_cloudtrail.this.insight_selector) == 0
    error_message = "By default only management events must be recorded: everything else is billed."
  }

  assert {
    condition = (
      output.bucket_name == "baseline-cloudtrail-123456789012-eu-central-1"
      && output.access_log_bucket_name == "baseline-cloudtrail-123456789012-eu-central-1-access-logs"
      && output.log_group_name == "/aws/cloudtrail/baseline"
    )
    error_message = "Names must be derived from account, region and trail."
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.bucket.json).Statement == [
      {
        Sid       = "CloudTrailAclCheck"
        Effect    = "Allow"
        Principal = { Service = "cloudtrail.amazonaws.com" }
        Action    = "s3:GetBucketAcl"
        Resource  = "arn:aws:s3:::baseline-cloudtrail-123456789012-eu-central-1"
        Condition = { StringEquals = { "aws:SourceArn" = "arn:aws:cloudtrail:eu-central-1:123456789012:trail/baseline" } }
      },
      {
        Sid       = "CloudTrailWrite"
        Effect    = "Allow"
        Principal = { Service = "cloudtrail.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "arn:aws:s3:::baseline-cloudtrail-123456789012-eu-central-1/AWSLogs/123456789012/*"
        Condition = {
          StringEquals = {
            "aws:SourceArn" = "arn:aws:cloudtrail:eu-central-1:123456789012:trail/baseline"
            "s3:x-amz-acl"  = "bucket-owner-full-control"
          }
        }
      },
    ]
    error_message = "Only this trail may write to the bucket, and only below this account's prefix."
  }

  assert {
    condition = alltrue([
      for s in jsondecode(data.aws_iam_policy_document.key.json).Statement :
      s.Condition.StringEquals["aws:SourceArn"] == "arn:aws:cloudtrail:eu-central-1:123456789012:trail/baseline"
      if try(s.Principal.Service, "") == "cloudtrail.amazonaws.com"
    ])
    error_message = "CloudTrail may use the key only for this trail."
  }

  assert {
    condition = one([for s in jsondecode(data.aws_iam_policy_document.key.json).Statement : s if s.Sid == "CloudWatchLogsEncrypt"]).Condition == {
      ArnEquals = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/cloudtrail/baseline" }
    }
    error_message = "CloudWatch Logs may use the key only for the trail's log group."
  }

  assert {
    condition = (
      jsondecode(data.aws_iam_policy_document.delivery.json).Statement[0].Resource
      == "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/cloudtrail/baseline:log-stream:123456789012_CloudTrail_eu-central-1*"
    )
    error_message = "The delivery role may write to this trail's stream alone."
  }
}

run "every_switch" {
  command = plan

  variables {
    name               = "org.trail"
    organization_id    = "o-exampleorgid"
    data_events        = ["lambda", "s3_read", "s3_write"]
    insights           = ["ApiCallRateInsight", "ApiErrorRateInsight"]
    log_group_name     = "trail-events"
    log_retention_days = 90
    key                = { rotation_period_days = 90, deletion_window_days = 7 }
    bucket = {
      name                   = "example-logs"
      access_log_bucket_name = "example-accesses"
      expiration_days        = 2557
      object_lock            = { mode = "COMPLIANCE", days = 365 }
      force_destroy          = true
    }
  }

  assert {
    condition     = join(",", aws_cloudtrail.this.advanced_event_selector[*].name) == "Management events selector,lambda,s3_read,s3_write"
    error_message = "Each kind of data events must have its selector."
  }

  assert {
    condition = alltrue([
      for selector in aws_cloudtrail.this.advanced_event_selector :
      join(",", flatten([for f in selector.field_selector : f.not_starts_with if f.field == "resources.ARN"])) ==
      (startswith(selector.name, "s3_") ? "arn:aws:s3:::${local.bucket_name}/,arn:aws:s3:::${local.access_log_name}/" : "")
    ])
    error_message = "Data events of the trail's own buckets, and of no others, must be left out."
  }

  assert {
    condition = jsonencode({
      for selector in aws_cloudtrail.this.advanced_event_selector :
      selector.name => { for f in selector.field_selector : f.field => f.equals if f.field != "resources.ARN" }
      }) == jsonencode({
      "Management events selector" = { eventCategory = ["Management"] }

      lambda   = { eventCategory = ["Data"], "resources.type" = ["AWS::Lambda::Function"] }
      s3_read  = { eventCategory = ["Data"], "resources.type" = ["AWS::S3::Object"], readOnly = ["true"] }
      s3_write = { eventCategory = ["Data"], "resources.type" = ["AWS::S3::Object"], readOnly = ["false"] }
    })
    error_message = "A selector's name must say what it selects: the coverage report reads the names."
  }

  assert {
    condition     = aws_cloudtrail.this.is_organization_trail && length(aws_cloudtrail.this.insight_selector) == 2
    error_message = "The organization trail and both insights must be on."
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.bucket.json).Statement[1].Resource == [
      "arn:aws:s3:::example-logs/AWSLogs/o-exampleorgid/*",
      "arn:aws:s3:::example-logs/AWSLogs/123456789012/*",
    ]
    error_message = "An organization trail must be able to write the member accounts' logs."
  }

  assert {
    condition     = output.access_log_bucket_name == "example-accesses" && aws_kms_alias.this.name == "alias/cloudtrail-org-trail"
    error_message = "Names must follow the variables."
  }
}

run "refused" {
  command = plan

  variables {
    name               = "a..b"
    bucket             = { name = "a-name-of-fifty-two-characters-which-is-one-too-many" }
    key                = { rotation_period_days = 30, deletion_window_days = 1 }
    log_group_name     = "no spaces"
    log_retention_days = 42
    data_events        = ["dynamodb"]
    insights           = ["Everything"]
    organization_id    = "123456789012"
  }

  expect_failures = [
    var.name,
    var.bucket,
    var.key,
    var.log_group_name,
    var.log_retention_days,
    var.data_events,
    var.insights,
    var.organization_id,
  ]
}
