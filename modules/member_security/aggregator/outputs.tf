output "aggregator_arn" {
  description = "ARN of the aggregator; null without one."
  value       = one(values(aws_config_configuration_aggregator.organization)[*].arn)
}
