output "configuration_policy_ids" {
  description = "Name of each policy of central configuration => its id."
  value       = { for name, policy in aws_securityhub_configuration_policy.this : name => policy.id }
}
