output "permission_set_arns" {
  description = "Name => ARN of the permission sets."
  value       = { for name, set in aws_ssoadmin_permission_set.this : name => set.arn }
}
