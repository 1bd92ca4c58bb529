mock_provider "aws" {}

override_data {
  target = data.aws_service.current
  values = { region = "eu-central-1" }
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_data {
  target = data.aws_partition.current
  values = { partition = "aws" }
}

override_data {
  target = data.aws_vpcs.default
  values = { ids = ["vpc-0123456789abcdef0"] }
}

run "defaults" {
  command = plan

  assert {
    condition     = aws_ebs_encryption_by_default.this["enabled"].enabled
    error_message = "New volumes must be encrypted by default (FSBP EC2.7)."
  }

  assert {
    condition     = aws_ebs_snapshot_block_public_access.this["snapshots"].state == "block-all-sharing"
    error_message = "No snapshot may be public."
  }

  assert {
    condition     = aws_ec2_image_block_public_access.this["block-new-sharing"].state == "block-new-sharing"
    error_message = "No image may become public."
  }

  assert {
    condition     = aws_ec2_instance_metadata_defaults.this["instances"].http_tokens == "required" && aws_ec2_instance_metadata_defaults.this["instances"].http_put_response_hop_limit == -1
    error_message = "Instances must start with IMDSv2, with the hop limit that their image prefers."
  }

  assert {
    condition     = aws_ssm_service_setting.document_public_sharing["documents"].setting_id == "arn:aws:ssm:eu-central-1:123456789012:servicesetting/ssm/documents/console/public-sharing-permission" && aws_ssm_service_setting.document_public_sharing["documents"].setting_value == "Disable"
    error_message = "No SSM document may become public (FSBP SSM.7)."
  }

  assert {
    condition     = !aws_ec2_serial_console_access.this["off"].enabled
    error_message = "The EC2 serial console must be off."
  }

  assert {
    condition     = length(aws_vpc_block_public_access_options.this) == 0
    error_message = "Traffic of VPCs may be blocked only when asked for."
  }

  assert {
    condition     = length(aws_default_security_group.default_vpc) + length(aws_flow_log.default_vpc) + length(aws_ebs_default_kms_key.this) + length(data.aws_vpcs.default) == 0
    error_message = "Nothing may happen to the default VPC, nor to the key, unless asked for."
  }
}

run "asked_for_here" {
  command = plan

  variables {
    ebs_kms_key_arns = {
      eu-central-1 = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
      us-east-1    = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    }
    closed_default_security_group_regions = ["eu-central-1", "us-east-1"]
    instance_metadata_defaults            = { http_put_response_hop_limit = 2 }
    vpc_block_public_access               = "block-ingress"
    default_vpc_flow_logs                 = { regions = ["eu-central-1"] }
    flow_logs_role_arn                    = "arn:aws:iam::123456789012:role/baseline-default-vpc-flow-logs"
  }

  assert {
    condition     = keys(aws_ebs_default_kms_key.this) == ["eu-central-1"] && startswith(aws_ebs_default_kms_key.this["eu-central-1"].key_arn, "arn:aws:kms:eu-central-1:")
    error_message = "Only this region's key may be set."
  }

  assert {
    condition     = aws_vpc_block_public_access_options.this["vpcs"].internet_gateway_block_mode == "block-ingress"
    error_message = "VPCs must be blocked in the mode that is asked for."
  }

  assert {
    condition     = aws_default_security_group.default_vpc["default"].vpc_id == "vpc-0123456789abcdef0" && length(aws_default_security_group.default_vpc["default"].ingress) == 0 && length(aws_default_security_group.default_vpc["default"].egress) == 0
    error_message = "The default VPC's group must be left without rules."
  }

  assert {
    condition     = aws_flow_log.default_vpc["default"].traffic_type == "ALL" && aws_flow_log.default_vpc["default"].log_destination_type == "cloud-watch-logs" && aws_flow_log.default_vpc["default"].iam_role_arn == var.flow_logs_role_arn
    error_message = "All traffic must be logged, through the role."
  }

  assert {
    condition     = aws_cloudwatch_log_group.flow_logs["default"].retention_in_days == 365
    error_message = "Flow logs must be kept for a year."
  }

  assert {
    condition     = aws_ec2_instance_metadata_defaults.this["instances"].http_put_response_hop_limit == 2
    error_message = "The hop limit must be the one asked for."
  }
}

run "asked_for_elsewhere" {
  command = plan

  variables {
    closed_default_security_group_regions = ["us-east-1"]
    default_vpc_flow_logs                 = { regions = ["us-east-1"] }
    flow_logs_role_arn                    = "arn:aws:iam::123456789012:role/baseline-default-vpc-flow-logs"
  }

  assert {
    condition     = length(aws_default_security_group.default_vpc) + length(aws_flow_log.default_vpc) + length(aws_cloudwatch_log_group.flow_logs) == 0
    error_message = "What is asked for in another region may not happen in this one."
  }
}

run "flow_logs_in_s3" {
  command = plan

  variables {
    default_vpc_flow_logs = { regions = ["eu-central-1"], destination = "s3", traffic_type = "REJECT", aggregation_seconds = 60 }
    flow_logs_bucket_arn  = "arn:aws:s3:::example-flow-logs"
  }

  assert {
    condition     = aws_flow_log.default_vpc["default"].log_destination == "arn:aws:s3:::example-flow-logs" && aws_flow_log.default_vpc["default"].iam_role_arn == null && length(aws_cloudwatch_log_group.flow_logs) == 0
    error_message = "Flow logs must go to the bucket alone."
  }

  assert {
    condition     = aws_flow_log.default_vpc["default"].traffic_type == "REJECT" && aws_flow_log.default_vpc["default"].max_aggregation_interval == 60
    error_message = "Traffic and aggregation must be those asked for."
  }
}

run "everything_left_alone" {
  command = plan

  variables {
    ebs_encryption_by_default  = false
    ebs_snapshot_public_access = null
    block_public_ami_sharing   = false
    instance_metadata_defaults = null

    ssm_document_public_sharing = null
    block_serial_console_access = false
  }

  assert {
    condition     = length(aws_ebs_encryption_by_default.this) + length(aws_ebs_snapshot_block_public_access.this) + length(aws_ec2_image_block_public_access.this) + length(aws_ec2_instance_metadata_defaults.this) + length(aws_ssm_service_setting.document_public_sharing) + length(aws_ec2_serial_console_access.this) == 0
    error_message = "What is switched off must be left as it is."
  }
}

run "a_region_without_a_default_vpc_is_told" {
  command = plan

  override_data {
    target = data.aws_vpcs.default
    values = { ids = [] }
  }

  variables {
    closed_default_security_group_regions = ["eu-central-1"]
  }

  expect_failures = [check.default_vpc_exists]
}

run "refused" {
  command = plan

  variables {
    ebs_kms_key_arns           = { eu-west-1 = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab" }
    ebs_snapshot_public_access = "blocked"
    vpc_block_public_access    = "off"

    ssm_document_public_sharing = "block"
    instance_metadata_defaults  = { http_tokens = "always", http_put_response_hop_limit = 65, http_endpoint = "on" }
    default_vpc_flow_logs = {
      regions             = ["eu-central-1"]
      destination         = "kinesis"
      traffic_type        = "SOME"
      aggregation_seconds = 30
      log_group_name      = "a group"
      log_retention_days  = 42
      role_name           = "a role"
      bucket_arn          = "example"
    }
  }

  expect_failures = [
    var.ebs_kms_key_arns,
    var.ebs_snapshot_public_access,
    var.instance_metadata_defaults,
    var.ssm_document_public_sharing,
    var.vpc_block_public_access,
    var.default_vpc_flow_logs,
  ]
}

run "flow_logs_without_a_role" {
  command = plan

  variables {
    default_vpc_flow_logs = { regions = ["eu-central-1"] }
  }

  expect_failures = [var.flow_logs_role_arn]
}

run "flow_logs_without_a_bucket" {
  command = plan

  variables {
    default_vpc_flow_logs = { regions = ["eu-central-1"], destination = "s3" }
  }

  expect_failures = [var.flow_logs_bucket_arn]
}
