output "root_email_address" {
  description = "E-mail address that the root user is to have, as recorded; compare it with what the account's page shows."
  value       = var.root_email_address
}
