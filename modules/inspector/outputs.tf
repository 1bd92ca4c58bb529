output "resource_types" {
  description = "What is scanned."
  value       = aws_inspector2_enabler.this.resource_types
}
