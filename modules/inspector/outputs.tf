output "resource_types" {
  description = "What Inspector scans."
  value       = aws_inspector2_enabler.this.resource_types
}
