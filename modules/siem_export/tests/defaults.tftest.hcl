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

run "nothing" {
  command = plan

  assert {
    condition     = length(aws_iam_role.forward) + length(aws_iam_role.log_subscription) + length(aws_iam_role.trail_reader) + length(aws_cloudwatch_log_subscription_filter.this) == 0
    error_message = "What is not asked for must not be handed over."
  }
}

run "everything" {
  command = plan

  variables {
    findings          = { event_bus_arn = "arn:aws:events:eu-west-1:111122223333:event-bus/siem" }
    log_subscription  = { destination_arn = "arn:aws:firehose:eu-central-1:123456789012:deliverystream/siem" }
    log_group_name    = "/aws/cloudtrail/baseline"
    trail_bucket_name = "example-logs"
    trail_key_arn     = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    trail_reader = {
      principal_arns    = ["arn:aws:iam::111122223333:role/siem"]
      external_id       = "example-id"
      max_session_hours = 4
    }
  }

  assert {
    condition = jsondecode(aws_iam_role.forward["baseline-siem-forward"].assume_role_policy).Statement[0].Condition == {
      StringEquals = { "aws:SourceAccount" = "123456789012" }
      ArnLike      = { "aws:SourceArn" = "arn:aws:events:*:123456789012:rule/baseline-siem-*" }
    }
    error_message = "Only this account's rules may use the role."
  }

  assert {
    condition     = jsondecode(data.aws_iam_policy_document.forward.json).Statement[0].Resource == "arn:aws:events:eu-west-1:111122223333:event-bus/siem"
    error_message = "The role may put events on the SIEM's bus alone."
  }

  assert {
    condition = (
      aws_cloudwatch_log_subscription_filter.this["baseline-siem"].log_group_name == "/aws/cloudtrail/baseline"
      && aws_cloudwatch_log_subscription_filter.this["baseline-siem"].filter_pattern == ""
      && aws_cloudwatch_log_subscription_filter.this["baseline-siem"].destination_arn == "arn:aws:firehose:eu-central-1:123456789012:deliverystream/siem"
    )
    error_message = "Every event of the trail's log group must go to the stream."
  }

  assert {
    condition = (
      jsondecode(data.aws_iam_policy_document.log_subscription.json).Statement[0].Action == ["firehose:PutRecordBatch", "firehose:PutRecord"]
      && jsondecode(data.aws_iam_policy_document.log_subscription.json).Statement[0].Resource == "arn:aws:firehose:eu-central-1:123456789012:deliverystream/siem"
      && jsondecode(aws_iam_role.log_subscription["baseline-siem-log-subscription"].assume_role_policy).Statement[0].Condition == {
        StringLike = { "aws:SourceArn" = "arn:aws:logs:eu-central-1:123456789012:*" }
      }
    )
    error_message = "CloudWatch Logs of this account and region may write to the stream, and nobody else."
  }

  assert {
    condition = jsondecode(aws_iam_role.trail_reader["baseline-siem-trail-reader"].assume_role_policy).Statement == [{
      Sid       = "Siem"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = "arn:aws:iam::111122223333:role/siem" }
      Condition = { StringEquals = { "sts:ExternalId" = "example-id" } }
    }]
    error_message = "Only the named principal may read, and only with the external id."
  }

  assert {
    condition     = aws_iam_role.trail_reader["baseline-siem-trail-reader"].max_session_duration == 14400
    error_message = "The session must last as long as the setting says."
  }

  assert {
    condition = { for s in jsondecode(data.aws_iam_policy_document.trail_reader.json).Statement : s.Sid => [s.Action, s.Resource, try(s.Condition, null)] } == {
      LocateBucket    = ["s3:GetBucketLocation", "arn:aws:s3:::example-logs", null]
      ListLogFiles    = ["s3:ListBucket", "arn:aws:s3:::example-logs", { StringLike = { "s3:prefix" = "AWSLogs/*" } }]
      ReadLogFiles    = ["s3:GetObject", "arn:aws:s3:::example-logs/AWSLogs/*", null]
      DecryptLogFiles = ["kms:Decrypt", "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab", { StringEquals = { "kms:ViaService" = "s3.eu-central-1.amazonaws.com" } }]
    }
    error_message = "The role reads log files, and nothing else."
  }
}

run "kinesis" {
  command = plan

  variables {
    log_group_name   = "/aws/cloudtrail/baseline"
    log_subscription = { destination_arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/siem" }
  }

  assert {
    condition     = jsondecode(data.aws_iam_policy_document.log_subscription.json).Statement[0].Action == ["kinesis:PutRecords", "kinesis:PutRecord"]
    error_message = "A Kinesis stream takes other calls than Firehose."
  }
}

run "destination_of_another_account" {
  command = plan

  variables {
    name             = "export"
    log_group_name   = "/aws/cloudtrail/baseline"
    log_subscription = { destination_arn = "arn:aws:logs:eu-west-1:111122223333:destination:siem", filter_pattern = "{ $.errorCode = * }" }
  }

  assert {
    condition     = length(aws_iam_role.log_subscription) == 0 && length(aws_iam_role_policy.log_subscription) == 0
    error_message = "A destination of CloudWatch Logs has a role of its own."
  }

  assert {
    condition     = aws_cloudwatch_log_subscription_filter.this["export"].filter_pattern == "{ $.errorCode = * }"
    error_message = "The filter pattern must follow its setting."
  }
}

run "refused" {
  command = plan

  variables {
    name             = "a name"
    findings         = { event_bus_arn = "arn:aws:sns:eu-west-1:111122223333:siem" }
    log_subscription = { destination_arn = "arn:aws:lambda:eu-central-1:123456789012:function:siem" }
    trail_reader     = { principal_arns = ["*"], external_id = "x", max_session_hours = 13 }
  }

  expect_failures = [var.name, var.findings, var.log_subscription, var.trail_reader]
}

run "refused_without_what_is_handed_over" {
  command = plan

  variables {
    findings         = { event_bus_arn = "arn:aws:events:eu-west-1:111122223333:event-bus/siem", sources = [] }
    log_subscription = { destination_arn = "arn:aws:logs:eu-west-1:111122223333:destination:siem" }
    trail_reader     = { principal_arns = ["arn:aws:iam::111122223333:root"], external_id = "example-id" }
  }

  expect_failures = [var.findings, var.log_subscription, var.trail_reader]
}

run "refused_stream_elsewhere" {
  command = plan

  variables {
    log_group_name   = "/aws/cloudtrail/baseline"
    log_subscription = { destination_arn = "arn:aws:firehose:eu-central-1:111122223333:deliverystream/siem" }
  }

  expect_failures = [aws_cloudwatch_log_subscription_filter.this]
}
