output "hub_arn" {
  description = "ARN of the region's hub."
  value       = aws_securityhub_account_v2.this.arn
}
