locals {
  account_settings = {
    BASIC_SCAN_TYPE_VERSION = var.basic_scan_type_version
    REGISTRY_POLICY_SCOPE   = var.registry_policy_scope
  }

  filters = {
    CONTINUOUS_SCAN = var.continuous_scan_filters
    SCAN_ON_PUSH    = var.scan_on_push_filters
  }
}

# A registry has one configuration in each region. By default it is basic scanning, and images are scanned by hand only. A
# create replaces what is there, and a delete sets the default again.
resource "aws_ecr_registry_scanning_configuration" "this" {
  scan_type = var.scan_type

  # AWS takes one rule per frequency. Where both match a repository, it is scanned continuously.
  dynamic "rule" {
    for_each = { for frequency, filters in local.filters : frequency => filters if length(filters) > 0 }

    content {
      scan_frequency = rule.key

      dynamic "repository_filter" {
        for_each = rule.value

        content {
          filter      = repository_filter.value
          filter_type = "WILDCARD"
        }
      }
    }
  }
}

# Settings that AWS always has a value for. A delete leaves it as it is.
resource "aws_ecr_account_setting" "this" {
  for_each = { for name, value in local.account_settings : name => value if value != null }

  name  = each.key
  value = each.value
}
