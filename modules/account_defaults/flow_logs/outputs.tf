output "role_arn" {
  description = "ARN of the role that delivers flow logs to CloudWatch Logs; null when they go to S3."
  value       = one([for role in aws_iam_role.delivery : role.arn])
}

output "bucket_arn" {
  description = "ARN of the bucket that receives flow logs, made here or given; null when they go to CloudWatch Logs."
  # The made bucket's ARN comes from its module, so that no flow log is made before the bucket and its policy stand.
  value = local.makes ? module.bucket["flow_logs"].arn : var.default_vpc_flow_logs.bucket_arn
}
