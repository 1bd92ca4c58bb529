locals {
  closes_security_group = contains(var.closed_default_security_group_regions, data.aws_service.current.region)
  logs_flows            = contains(var.default_vpc_flow_logs.regions, data.aws_service.current.region)
  flow_log_destination  = var.default_vpc_flow_logs.destination

  default_vpcs = { for id in flatten([for found in data.aws_vpcs.default : found.ids]) : "default" => id }
}

# Not aws_vpc: that fails where the default VPC was deleted, which is a secure state.
data "aws_vpcs" "default" {
  for_each = toset(local.closes_security_group || local.logs_flows ? ["default"] : [])

  filter {
    name   = "is-default"
    values = ["true"]
  }
}

check "default_vpc_exists" {
  assert {
    condition     = length(data.aws_vpcs.default) == 0 || length(local.default_vpcs) == 1
    error_message = "${data.aws_service.current.region} has no default VPC: there is no security group to close and no traffic to log. Take the region out of closed_default_security_group_regions and default_vpc_flow_logs.regions."
  }
}

# The empty lists must be explicit: without them, existing rules would stay and the plan would show "no changes".
resource "aws_default_security_group" "default_vpc" {
  for_each = local.closes_security_group ? local.default_vpcs : {}

  vpc_id  = each.value
  ingress = []
  egress  = []
}

resource "aws_cloudwatch_log_group" "flow_logs" {
  #checkov:skip=CKV_AWS_158:Encrypted with CloudWatch's own key; a customer managed key would be billed in every region.
  for_each = local.logs_flows && local.flow_log_destination == "cloud-watch-logs" ? local.default_vpcs : {}

  name              = var.default_vpc_flow_logs.log_group_name
  retention_in_days = var.default_vpc_flow_logs.log_retention_days
}

resource "aws_flow_log" "default_vpc" {
  for_each = local.logs_flows ? local.default_vpcs : {}

  vpc_id                   = each.value
  traffic_type             = var.default_vpc_flow_logs.traffic_type
  max_aggregation_interval = var.default_vpc_flow_logs.aggregation_seconds
  log_destination_type     = local.flow_log_destination
  log_destination          = local.flow_log_destination == "s3" ? var.flow_logs_bucket_arn : aws_cloudwatch_log_group.flow_logs[each.key].arn
  iam_role_arn             = local.flow_log_destination == "s3" ? null : var.flow_logs_role_arn
}
