data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# Its region: data.aws_region fails in one that is newer than the provider ("finding Region by name").
data "aws_service" "current" {
  service_id = "s3"
}

# Each resource is a setting that a region of an account has exactly once: creating it overwrites the existing value. A
# setting that is off does not change the account's value; see the README for what switching one off again does.

resource "aws_ebs_encryption_by_default" "this" {
  for_each = toset(var.ebs_encryption_by_default ? ["enabled"] : [])

  enabled = true
}

resource "aws_ebs_default_kms_key" "this" {
  for_each = { for region, arn in var.ebs_kms_key_arns : region => arn if region == data.aws_service.current.region }

  key_arn = each.value
}

resource "aws_ebs_snapshot_block_public_access" "this" {
  for_each = { for name, state in { snapshots = var.ebs_snapshot_public_access } : name => state if state != null }

  state = each.value
}

# AWS offers only block-new-sharing for images: public images stay public.
resource "aws_ec2_image_block_public_access" "this" {
  for_each = toset(var.block_public_ami_sharing ? ["block-new-sharing"] : [])

  state = each.key
}

# Applies to new instances that do not set these options themselves; running instances do not change.
resource "aws_ec2_instance_metadata_defaults" "this" {
  for_each = { for name, defaults in { instances = var.instance_metadata_defaults } : name => defaults if defaults != null }

  http_tokens                 = each.value.http_tokens
  http_endpoint               = each.value.http_endpoint
  instance_metadata_tags      = each.value.instance_metadata_tags
  http_put_response_hop_limit = coalesce(each.value.http_put_response_hop_limit, -1) # -1 is the API's "no preference".
}

# Public documents stay public. Deleting the resource calls ResetServiceSetting: AWS's own value is Enable.
resource "aws_ssm_service_setting" "document_public_sharing" {
  for_each = { for name, value in { documents = var.ssm_document_public_sharing } : name => value if value != null }

  # The whole ARN: the provider reads it back, so a shorter id would show as a change in every plan.
  setting_id    = "arn:${data.aws_partition.current.partition}:ssm:${data.aws_service.current.region}:${data.aws_caller_identity.current.account_id}:servicesetting/ssm/documents/console/public-sharing-permission"
  setting_value = each.value
}

# Deleting the resource leaves access off.
resource "aws_ec2_serial_console_access" "this" {
  for_each = toset(var.block_serial_console_access ? ["off"] : [])

  enabled = false
}

# Deleting the resource sets the mode to off.
resource "aws_vpc_block_public_access_options" "this" {
  for_each = { for name, mode in { vpcs = var.vpc_block_public_access } : name => mode if mode != null }

  internet_gateway_block_mode = each.value
}
