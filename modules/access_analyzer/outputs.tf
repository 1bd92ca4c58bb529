output "analyzer_arn" {
  description = "ARN of the region's analyzer of external access."
  value       = aws_accessanalyzer_analyzer.external_access.arn
}
