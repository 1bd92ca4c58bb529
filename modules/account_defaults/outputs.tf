output "default_vpc_id" {
  description = "Id of the region's default VPC; null where it has none, or where no setting is about it."
  value       = one(values(local.default_vpcs))
}

output "flow_log_id" {
  description = "Id of the default VPC's flow log; null without one."
  value       = one([for log in aws_flow_log.default_vpc : log.id])
}
