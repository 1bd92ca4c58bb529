output "topic_arn" {
  description = "ARN of the topic that sends findings by e-mail."
  value       = module.alerts.arn
}

output "event_bus_arn" {
  description = "ARN of the event bus to which the other regions forward their findings."
  value       = local.event_bus_arn
}

output "forward_role_arn" {
  description = "ARN of the role with which they forward them, once its policy is attached."
  value       = aws_iam_role.forward.arn

  depends_on = [aws_iam_role_policy.forward]
}
