output "rule_arns" {
  description = "Source => ARN of the rule that sends its findings."
  value       = { for source, rule in aws_cloudwatch_event_rule.findings : source => rule.arn }
}
