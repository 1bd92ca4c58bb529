output "trail_arn" {
  description = "ARN of the trail."
  value       = aws_cloudtrail.this.arn
}

output "bucket_name" {
  description = "Name of the bucket that stores the log files."
  value       = module.log_bucket.name
}

output "access_log_bucket_name" {
  description = "Name of the bucket that stores the log bucket's access logs."
  value       = module.access_log_bucket.name
}

output "kms_key_arn" {
  description = "ARN of the key that encrypts the log files and the log group; readers of the logs need kms:Decrypt on it."
  value       = aws_kms_key.this.arn
}

output "log_group_name" {
  description = "Name of the CloudWatch log group that receives the events."
  value       = aws_cloudwatch_log_group.this.name
}

output "log_group_arn" {
  description = "ARN of the CloudWatch log group that receives the events."
  value       = aws_cloudwatch_log_group.this.arn
}
