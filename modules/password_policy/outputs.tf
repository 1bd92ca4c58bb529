output "expire_passwords" {
  description = "Whether passwords expire, as IAM reports it."
  value       = aws_iam_account_password_policy.this.expire_passwords
}
