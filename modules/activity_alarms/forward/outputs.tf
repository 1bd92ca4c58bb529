output "rule_arn" {
  description = "ARN of the rule that forwards."
  value       = aws_cloudwatch_event_rule.root_sign_in.arn
}
