output "account_id" {
  description = "Id under which Macie is enabled: the account's number."
  value       = aws_macie2_account.this.id
}
