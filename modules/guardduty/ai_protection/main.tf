# Of a newer provider than the other modules need, and so by itself: 5.100 refuses this name of a feature.
# Deleting the resource does not change the plan: to switch it off, apply DISABLED.
resource "aws_guardduty_detector_feature" "ai_protection" {
  for_each = { for name, status in { AI_PROTECTION = var.ai_protection } : name => status if status != null }

  detector_id = var.detector_id
  name        = each.key
  status      = each.value
}
