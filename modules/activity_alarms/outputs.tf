output "topic_arn" {
  description = "ARN of the topic that receives alerts."
  value       = module.alerts.arn
}

output "publisher_name_prefix" {
  description = "Prefix that the names of this region's alarms and EventBridge rules need to publish to the topic."
  value       = "${var.name}-"
}

output "alarm_arns" {
  description = "Monitor => ARN of its alarm."
  value       = { for name, alarm in aws_cloudwatch_metric_alarm.monitor : name => alarm.arn }
}

output "event_bus_arn" {
  description = "ARN of the event bus to which the other regions forward root sign-ins."
  value       = local.event_bus_arn
}

output "forward_role_arn" {
  description = "ARN of the role with which they forward them, once its policy is attached; null where root_sign_in_alerts is false."
  value       = one([for role in aws_iam_role.forward : role.arn])

  depends_on = [aws_iam_role_policy.forward]
}
