output "forward_role_arn" {
  description = "ARN of the role with which rules put events on the SIEM's event bus, once its policy is attached; null without findings."
  value       = one([for role in aws_iam_role.forward : role.arn])

  depends_on = [aws_iam_role_policy.forward]
}

output "trail_reader_role_arn" {
  description = "ARN of the role that the SIEM assumes to read log files; null without trail_reader."
  value       = one([for role in aws_iam_role.trail_reader : role.arn])
}

output "log_files" {
  description = "Location of the log files for the SIEM; null without trail_reader."
  value       = var.trail_reader == null ? null : "s3://${var.trail_bucket_name}/AWSLogs/"
}
