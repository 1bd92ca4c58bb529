mock_provider "aws" {}

run "defaults" {
  command = plan

  assert {
    condition     = aws_ecr_registry_scanning_configuration.this.scan_type == "BASIC"
    error_message = "Nothing that bills is on unless somebody asks for it."
  }

  assert {
    condition = toset([for rule in aws_ecr_registry_scanning_configuration.this.rule : "${rule.scan_frequency} ${one(rule.repository_filter).filter} ${one(rule.repository_filter).filter_type}"]) == toset([
      "SCAN_ON_PUSH * WILDCARD",
    ])
    error_message = "Every repository must be scanned on push."
  }

  assert {
    condition = { for name, setting in aws_ecr_account_setting.this : name => setting.value } == {
      BASIC_SCAN_TYPE_VERSION = "AWS_NATIVE"
      REGISTRY_POLICY_SCOPE   = "V2"
    }
    error_message = "Both settings must have AWS's current value."
  }
}

run "enhanced" {
  command = plan

  variables {
    scan_type               = "ENHANCED"
    scan_on_push_filters    = ["*"]
    continuous_scan_filters = ["prod-*", "team/service"]
    basic_scan_type_version = null
    registry_policy_scope   = null
  }

  assert {
    condition     = { for rule in aws_ecr_registry_scanning_configuration.this.rule : rule.scan_frequency => length(rule.repository_filter) } == { CONTINUOUS_SCAN = 2, SCAN_ON_PUSH = 1 }
    error_message = "Each frequency must have one rule, with its filters."
  }

  assert {
    condition     = length(aws_ecr_account_setting.this) == 0
    error_message = "null must leave a setting alone."
  }
}

run "nothing_is_scanned" {
  command = plan

  variables {
    scan_on_push_filters = []
  }

  assert {
    condition     = length(aws_ecr_registry_scanning_configuration.this.rule) == 0
    error_message = "Without filters there must be no rule."
  }
}

run "refused" {
  command = plan

  variables {
    scan_type               = "CLAIR"
    scan_on_push_filters    = ["Prod"]
    basic_scan_type_version = "CLAIR"
    registry_policy_scope   = "V1"
  }

  expect_failures = [var.scan_type, var.scan_on_push_filters, var.basic_scan_type_version, var.registry_policy_scope]
}

run "refused_continuous_without_inspector" {
  command = plan

  variables {
    continuous_scan_filters = ["*"]
  }

  expect_failures = [var.continuous_scan_filters]
}

run "refused_filters" {
  command = plan

  variables {
    scan_type               = "ENHANCED"
    scan_on_push_filters    = [for number in range(101) : "repository${number}"]
    continuous_scan_filters = ["a b"]
  }

  expect_failures = [var.scan_on_push_filters, var.continuous_scan_filters]
}
