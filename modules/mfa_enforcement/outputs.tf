output "policy_arn" {
  description = "ARN of the managed policy."
  value       = aws_iam_policy.this.arn
}

output "policy_json" {
  description = "Document of the managed policy."
  value       = data.aws_iam_policy_document.this.json
}
