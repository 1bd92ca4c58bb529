output "topic_arn" {
  description = "ARN of the topic that receives notifications about checks."
  value       = aws_cloudwatch_event_target.checks.arn
}

output "rule_arn" {
  description = "ARN of the rule that matches events of checks."
  value       = aws_cloudwatch_event_rule.checks.arn
}
