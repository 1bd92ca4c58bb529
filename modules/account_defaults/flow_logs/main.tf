data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# Its region: data.aws_region fails in one that is newer than the provider ("finding Region by name").
data "aws_service" "current" {
  service_id = "s3"
}

locals {
  account_id  = data.aws_caller_identity.current.account_id
  partition   = data.aws_partition.current.partition
  to_s3       = var.default_vpc_flow_logs.destination == "s3"
  makes       = local.to_s3 && var.default_vpc_flow_logs.bucket_arn == null
  bucket_name = coalesce(var.default_vpc_flow_logs.bucket.name, "baseline-flow-logs-${local.account_id}-${data.aws_service.current.region}")
  bucket_arn  = "arn:${local.partition}:s3:::${local.bucket_name}"
}

resource "aws_iam_role" "delivery" {
  for_each = toset(local.to_s3 ? [] : [var.default_vpc_flow_logs.role_name])

  name               = each.key
  description        = "Delivers the default VPC's flow logs to CloudWatch Logs."
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "delivery" {
  for_each = aws_iam_role.delivery

  name   = "deliver-flow-logs"
  role   = each.value.name
  policy = data.aws_iam_policy_document.delivery.json
}

data "aws_iam_policy_document" "trust" {
  statement {
    sid     = "FlowLogs"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["vpc-flow-logs.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }

    # One role serves every region.
    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:ec2:*:${local.account_id}:vpc-flow-log/*"]
    }
  }
}

data "aws_iam_policy_document" "delivery" {
  statement {
    sid       = "Write"
    actions   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = ["arn:${local.partition}:logs:*:${local.account_id}:log-group:${var.default_vpc_flow_logs.log_group_name}:*"]
  }

  statement {
    sid       = "Locate"
    actions   = ["logs:DescribeLogGroups"]
    resources = ["arn:${local.partition}:logs:*:${local.account_id}:log-group:*"]
  }
}

module "bucket" {
  source   = "../../shared/log_bucket"
  for_each = toset(local.makes ? ["flow_logs"] : [])

  name                               = local.bucket_name
  policy_documents                   = [data.aws_iam_policy_document.bucket.json]
  expiration_days                    = var.default_vpc_flow_logs.bucket.expiration_days
  noncurrent_version_expiration_days = var.default_vpc_flow_logs.bucket.noncurrent_version_expiration_days
  transitions                        = var.default_vpc_flow_logs.bucket.transitions
  access_log_bucket                  = var.default_vpc_flow_logs.bucket.access_log_bucket
  force_destroy                      = var.default_vpc_flow_logs.bucket.force_destroy
}

# The statements that EC2 would add to the bucket's policy when a flow log is created: with them in place, EC2 does not
# change the policy, and Terraform has nothing to revert.
data "aws_iam_policy_document" "bucket" {
  statement {
    sid       = "AWSLogDeliveryWrite"
    actions   = ["s3:PutObject"]
    resources = ["${local.bucket_arn}/AWSLogs/${local.account_id}/*"]

    principals {
      type        = "Service"
      identifiers = ["delivery.logs.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }

    condition {
      test     = "StringEquals"
      variable = "s3:x-amz-acl"
      values   = ["bucket-owner-full-control"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:logs:*:${local.account_id}:*"]
    }
  }

  statement {
    sid       = "AWSLogDeliveryAclCheck"
    actions   = ["s3:GetBucketAcl", "s3:ListBucket"]
    resources = [local.bucket_arn]

    principals {
      type        = "Service"
      identifiers = ["delivery.logs.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:logs:*:${local.account_id}:*"]
    }
  }
}
