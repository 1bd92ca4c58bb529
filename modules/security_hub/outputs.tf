output "hub_arn" {
  description = "ARN of the region's hub."
  value       = aws_securityhub_account.this.arn
}

output "standards_arns" {
  description = "Standard => ARN of the chosen standards."
  value       = local.standard_arns
}
