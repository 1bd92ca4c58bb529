output "detector_id" {
  description = "Id of the region's detector."
  value       = aws_guardduty_detector.this.id
}

output "detector_arn" {
  description = "ARN of the region's detector."
  value       = aws_guardduty_detector.this.arn
}
