data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# Its region: data.aws_region fails in one that is newer than the provider ("finding Region by name").
data "aws_service" "current" {
  service_id = "s3"
}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_service.current.region

  # Names and ARNs are composed instead of read from the resources: the policies of trail, key, bucket and role name
  # each other, and CloudTrail checks all of them before it creates the trail.
  trail_arn       = "arn:${local.partition}:cloudtrail:${local.region}:${local.account_id}:trail/${var.name}"
  bucket_name     = coalesce(var.bucket.name, "baseline-cloudtrail-${local.account_id}-${local.region}")
  bucket_arn      = "arn:${local.partition}:s3:::${local.bucket_name}"
  access_log_name = coalesce(var.bucket.access_log_bucket_name, "${local.bucket_name}-access-logs")
  log_group_name  = coalesce(var.log_group_name, "/aws/cloudtrail/${var.name}")
  log_group_arn   = "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${local.log_group_name}"

  data_event_selectors = {
    s3_read  = { resource_type = "AWS::S3::Object", read_only = ["true"], except = [local.own_objects] }
    s3_write = { resource_type = "AWS::S3::Object", read_only = ["false"], except = [local.own_objects] }
    lambda   = { resource_type = "AWS::Lambda::Function", read_only = [], except = [] }
  }

  # Each file that the trail delivers would cause an event in the next file, billed forever. The slash ends the name:
  # without it, other buckets whose names start the same way would be excluded too.
  # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/filtering-data-events.html
  own_objects = ["${local.bucket_arn}/", "arn:${local.partition}:s3:::${local.access_log_name}/"]
}

resource "aws_cloudtrail" "this" {
  #checkov:skip=CKV_AWS_252:A notification per log file is of no use; activity_alarms reports events.
  name                          = var.name
  s3_bucket_name                = module.log_bucket.name
  kms_key_id                    = aws_kms_key.this.arn
  cloud_watch_logs_group_arn    = "${aws_cloudwatch_log_group.this.arn}:*"
  cloud_watch_logs_role_arn     = aws_iam_role.delivery.arn
  enable_log_file_validation    = true
  enable_logging                = true
  include_global_service_events = true
  is_multi_region_trail         = true
  is_organization_trail         = var.organization_id != null

  # Advanced selectors replace CloudTrail's default, so management events are selected as well: all of them, reads and
  # writes, from every service. The name is that of CloudTrail's own selector, by which scanners recognize it:
  # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html
  advanced_event_selector {
    name = "Management events selector"

    field_selector {
      field  = "eventCategory"
      equals = ["Management"]
    }
  }

  dynamic "advanced_event_selector" {
    for_each = { for name, selector in local.data_event_selectors : name => selector if contains(var.data_events, name) }

    content {
      name = advanced_event_selector.key

      field_selector {
        field  = "eventCategory"
        equals = ["Data"]
      }

      field_selector {
        field  = "resources.type"
        equals = [advanced_event_selector.value.resource_type]
      }

      dynamic "field_selector" {
        for_each = advanced_event_selector.value.read_only

        content {
          field  = "readOnly"
          equals = [field_selector.value]
        }
      }

      dynamic "field_selector" {
        for_each = advanced_event_selector.value.except

        content {
          field           = "resources.ARN"
          not_starts_with = field_selector.value
        }
      }
    }
  }

  dynamic "insight_selector" {
    for_each = var.insights

    content {
      insight_type = insight_selector.value
    }
  }

  # CloudTrail tests the role when it creates the trail: the role needs its permissions before that.
  depends_on = [aws_iam_role_policy.delivery]
}
