output "protection_arns" {
  description = "Name => ARN of the protections."
  value       = { for name, protection in aws_shield_protection.this : name => protection.arn }
}

output "response_team_role_arn" {
  description = "ARN of the role that the Shield Response Team assumes; null without response_team."
  value       = one([for role in aws_iam_role.response_team : role.arn])
}
