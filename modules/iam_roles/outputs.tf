output "role_arns" {
  description = "Name => ARN of every role."
  value = merge(
    { for name, role in aws_iam_role.this : name => role.arn },
    { for role in aws_iam_role.deployer : role.name => role.arn },
  )
}

output "trust_policies_json" {
  description = "Name => trust policy of every role."
  value = merge(
    { for name, document in data.aws_iam_policy_document.trust : name => document.json },
    { for key, document in data.aws_iam_policy_document.deployer_trust : local.deployers[key].name => document.json },
  )
}

output "boundary_policy_arn" {
  description = "ARN of the permissions boundary for delegated administration; null where no role has it."
  value       = one(values(aws_iam_policy.boundary)[*].arn)
}

output "boundary_policy_json" {
  description = "Document of the permissions boundary for delegated administration."
  value       = data.aws_iam_policy_document.boundary.json
}
