output "arn" {
  description = "ARN of the topic, once its policy is in place: messages that are published before it allows them are lost without an error."
  value       = aws_sns_topic.this.arn

  depends_on = [aws_sns_topic_policy.this]
}
