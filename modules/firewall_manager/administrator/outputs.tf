output "account_id" {
  description = "Account number of the administrator, once Firewall Manager knows it."
  value       = aws_fms_admin_account.this.account_id
}
