output "recorder_name" {
  description = "Name of the region's recorder, once it records."
  value       = aws_config_configuration_recorder_status.this.name
}

output "rule_arns" {
  description = "ARNs of the rules that this region evaluates, by name."
  value       = { for name, rule in aws_config_config_rule.this : name => rule.arn }
}
