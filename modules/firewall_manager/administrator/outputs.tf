output "account_id" {
  description = "Account id of the administrator, once Firewall Manager has it."
  value       = aws_fms_admin_account.this.account_id
}
