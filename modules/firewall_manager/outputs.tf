output "policy_arns" {
  description = "Name => ARN of the policies of this region."
  value       = { for name, policy in aws_fms_policy.this : name => policy.arn }
}
