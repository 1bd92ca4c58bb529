output "topic_arn" {
  description = "ARN of the topic that tells of checks."
  value       = aws_cloudwatch_event_target.checks.arn
}

output "rule_arn" {
  description = "ARN of the rule that hears of checks; a topic's policy of one's own names it."
  value       = aws_cloudwatch_event_rule.checks.arn
}
