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
  target = module.bucket["flow_logs"].data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

run "to_cloudwatch_logs" {
  command = plan

  assert {
    condition     = keys(aws_iam_role.delivery) == ["baseline-default-vpc-flow-logs"] && length(module.bucket) == 0
    error_message = "Logs for CloudWatch need the role and no bucket."
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.trust.json).Statement[0] == {
      Sid       = "FlowLogs"
      Effect    = "Allow"
      Principal = { Service = "vpc-flow-logs.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = "123456789012" }
        ArnLike      = { "aws:SourceArn" = "arn:aws:ec2:*:123456789012:vpc-flow-log/*" }
      }
    }
    error_message = "Only this account's flow logs may use the role."
  }

  assert {
    condition     = jsondecode(data.aws_iam_policy_document.delivery.json).Statement[0].Resource == "arn:aws:logs:*:123456789012:log-group:/aws/vpc/default-vpc-flow-logs:*"
    error_message = "The role may write to the flow logs' groups alone."
  }
}

run "to_a_bucket_of_its_own" {
  command = plan

  variables {
    default_vpc_flow_logs = { destination = "s3" }
  }

  assert {
    condition     = length(aws_iam_role.delivery) == 0 && output.bucket_arn == "arn:aws:s3:::baseline-flow-logs-123456789012-eu-central-1"
    error_message = "Logs for S3 need a bucket and no role."
  }

  assert {
    condition = [for s in jsondecode(data.aws_iam_policy_document.bucket.json).Statement : [s.Sid, s.Resource, s.Condition.StringEquals["aws:SourceAccount"], s.Condition.ArnLike["aws:SourceArn"]]] == [
      ["AWSLogDeliveryWrite", "arn:aws:s3:::baseline-flow-logs-123456789012-eu-central-1/AWSLogs/123456789012/*", "123456789012", "arn:aws:logs:*:123456789012:*"],
      ["AWSLogDeliveryAclCheck", "arn:aws:s3:::baseline-flow-logs-123456789012-eu-central-1", "123456789012", "arn:aws:logs:*:123456789012:*"],
    ]
    error_message = "Only deliveries for this account may be written."
  }
}

run "to_a_bucket_that_is_there" {
  command = plan

  variables {
    default_vpc_flow_logs = { destination = "s3", bucket_arn = "arn:aws:s3:::example-flow-logs/default-vpc" }
  }

  assert {
    condition     = length(module.bucket) + length(aws_iam_role.delivery) == 0 && output.bucket_arn == "arn:aws:s3:::example-flow-logs/default-vpc"
    error_message = "A bucket that is there must be used as it is."
  }
}
