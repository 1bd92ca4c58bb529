output "role_arn" {
  description = "ARN of the role that delivers flow logs to CloudWatch Logs; null when they are delivered to S3."
  value       = one([for role in aws_iam_role.delivery : role.arn])
}

output "bucket_arn" {
  description = "ARN of the bucket that receives flow logs, created here or given; null when they are delivered to CloudWatch Logs."
  # The new bucket's ARN is an output of its module: flow logs are created after the bucket and its policy.
  value = local.makes ? module.bucket["flow_logs"].arn : var.default_vpc_flow_logs.bucket_arn
}
