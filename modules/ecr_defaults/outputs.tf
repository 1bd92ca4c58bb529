output "id" {
  description = "Id of aws_ecr_registry_scanning_configuration."
  value       = aws_ecr_registry_scanning_configuration.this.id
}
