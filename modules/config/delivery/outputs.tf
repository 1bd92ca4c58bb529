output "bucket_name" {
  description = "Name of the bucket, once Config may write to it."
  value       = module.bucket.name
}

output "role_arn" {
  description = "ARN of the service-linked role of Config, once it exists."
  value       = local.role_arn

  depends_on = [aws_iam_service_linked_role.this]
}

output "aggregator_arn" {
  description = "ARN of the aggregator; null without one."
  value       = one(values(aws_config_configuration_aggregator.this)[*].arn)
}
