data "aws_partition" "current" {}

# Destroying it ends the renewal; AWS bills until the year is over.
resource "aws_shield_subscription" "this" {
  auto_renew = var.auto_renew ? "ENABLED" : "DISABLED"
}

resource "aws_shield_protection" "this" {
  for_each = var.protections

  name         = each.key
  resource_arn = each.value.resource_arn

  depends_on = [aws_shield_subscription.this]
}

# A health check that is unhealthy now is not taken: the resource must be well when it is associated.
resource "aws_shield_protection_health_check_association" "this" {
  for_each = { for name, protection in var.protections : name => protection if protection.health_check_arn != null }

  shield_protection_id = aws_shield_protection.this[each.key].id
  health_check_arn     = each.value.health_check_arn
}

resource "aws_shield_application_layer_automatic_response" "this" {
  for_each = { for name, protection in var.protections : name => protection if protection.automatic_response != null }

  resource_arn = each.value.resource_arn
  action       = upper(each.value.automatic_response)

  depends_on = [aws_shield_protection.this]
}

resource "aws_shield_protection_group" "this" {
  for_each = var.protection_groups

  protection_group_id = each.key
  aggregation         = each.value.aggregation
  pattern             = each.value.pattern
  resource_type       = each.value.resource_type
  members             = each.value.pattern == "ARBITRARY" ? [for name in sort(each.value.protections) : aws_shield_protection.this[name].resource_arn] : null

  depends_on = [aws_shield_protection.this]
}
