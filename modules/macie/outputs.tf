output "account_id" {
  description = "Id of Macie in this region: the account id."
  value       = aws_macie2_account.this.id
}
