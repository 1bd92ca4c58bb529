output "status" {
  description = "Feature => its status, as this module sets it; empty if it sets none."
  value       = { for name, feature in aws_guardduty_detector_feature.ai_protection : name => feature.status }
}
