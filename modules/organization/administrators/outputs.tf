output "security_administrator_account_id" {
  description = "Account that administers GuardDuty and Security Hub here, once it does; null for none."
  value       = one(keys(aws_securityhub_organization_admin_account.this))

  depends_on = [aws_guardduty_organization_admin_account.this, aws_securityhub_organization_admin_account.this]
}
