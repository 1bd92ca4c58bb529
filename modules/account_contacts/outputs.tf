output "root_email_address" {
  description = "Intended e-mail address of the root user; compare it with the address on the account's page."
  value       = var.root_email_address
}
