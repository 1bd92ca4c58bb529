resource "aws_accessanalyzer_analyzer" "external_access" {
  analyzer_name = var.analyzer_name
  type          = var.zone_of_trust
}

# Archives new findings that match. Existing findings stay active until the rule is applied to them.
resource "aws_accessanalyzer_archive_rule" "external_access" {
  for_each = var.archive_rules

  analyzer_name = aws_accessanalyzer_analyzer.external_access.analyzer_name
  rule_name     = each.key

  dynamic "filter" {
    for_each = each.value.filters

    content {
      criteria = filter.key
      eq       = filter.value.eq
      neq      = filter.value.neq
      contains = filter.value.contains
      exists   = filter.value.exists == null ? null : tostring(filter.value.exists)
    }
  }
}

# Analyzes IAM, which is global: one analyzer in the home region covers everything, and each further one would bill again.
resource "aws_accessanalyzer_analyzer" "unused_access" {
  for_each = toset(var.unused_access.enabled && var.is_home_region ? [var.unused_access.analyzer_name] : [])

  analyzer_name = each.key
  type          = "${var.zone_of_trust}_UNUSED_ACCESS"

  configuration {
    unused_access {
      unused_access_age = var.unused_access.age_days
    }
  }
}
