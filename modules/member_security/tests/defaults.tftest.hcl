mock_provider "aws" {}

variables {
  detector_id = "12abc34d567e8fa901bc2d34e56789f0"
}

run "defaults" {
  command = plan

  assert {
    condition     = aws_guardduty_organization_configuration.this["members"].auto_enable_organization_members == "ALL"
    error_message = "Every member account must have GuardDuty."
  }

  assert {
    condition     = length(aws_guardduty_organization_configuration_feature.this) == 6 && alltrue([for feature in aws_guardduty_organization_configuration_feature.this : feature.auto_enable == "NONE"])
    error_message = "Every billed plan must be stated and off by default."
  }

  assert {
    condition = {
      for name, feature in aws_guardduty_organization_configuration_feature.this : name => join(",", [for a in feature.additional_configuration : "${a.name}=${a.auto_enable}"])
      } == {
      EBS_MALWARE_PROTECTION = ""
      EKS_AUDIT_LOGS         = ""
      LAMBDA_NETWORK_LOGS    = ""
      RDS_LOGIN_EVENTS       = ""
      RUNTIME_MONITORING     = "EKS_ADDON_MANAGEMENT=NONE,ECS_FARGATE_AGENT_MANAGEMENT=NONE,EC2_AGENT_MANAGEMENT=NONE"
      S3_DATA_EVENTS         = ""
    }
    error_message = "What AWS returns of runtime monitoring must be written out, and of no other plan."
  }

  assert {
    condition = (
      aws_securityhub_organization_configuration.this["LOCAL"].auto_enable
      && aws_securityhub_organization_configuration.this["LOCAL"].auto_enable_standards == "NONE"
      && length(aws_securityhub_configuration_policy.this) == 0
    )
    error_message = "New accounts must have Security Hub, and not the outdated standard that AWS chooses."
  }
}

run "central_in_the_home_region" {
  command = apply

  variables {
    guardduty      = { auto_enable = "NEW", protection = { s3_data_events = "ALL", runtime_monitoring = "NEW" }, runtime_monitoring_agents = { ec2 = "NEW" } }
    standards_arns = { "fsbp-1.0" = "arn:aws:securityhub:eu-central-1::standards/aws-foundational-security-best-practices/v/1.0.0" }
    security_hub = {
      configuration = "CENTRAL"
      policies      = { baseline = { description = "All", disabled_controls = ["IAM.6"], targets = ["r-ab12", "111122223333"] } }
    }
  }

  override_resource {
    target = aws_securityhub_configuration_policy.this
    values = { id = "a1b2c3d4-5678-90ab-cdef-111111111111" }
  }

  assert {
    condition = (
      !aws_securityhub_organization_configuration.this["CENTRAL"].auto_enable
      && aws_securityhub_organization_configuration.this["CENTRAL"].auto_enable_standards == "NONE"
      && aws_securityhub_configuration_policy.this["baseline"].configuration_policy[0].enabled_standard_arns == toset(values(var.standards_arns))
      && aws_securityhub_configuration_policy.this["baseline"].configuration_policy[0].security_controls_configuration[0].disabled_control_identifiers == toset(["IAM.6"])
    )
    error_message = "Policies must say what accounts get."
  }

  assert {
    condition     = { for key, association in aws_securityhub_configuration_policy_association.this : key => association.target_id } == { "baseline/r-ab12" = "r-ab12", "baseline/111122223333" = "111122223333" }
    error_message = "Each policy must be for its targets."
  }

  assert {
    condition     = aws_guardduty_organization_configuration_feature.this["S3_DATA_EVENTS"].auto_enable == "ALL" && aws_guardduty_organization_configuration_feature.this["RUNTIME_MONITORING"].auto_enable == "NEW"
    error_message = "Each plan must follow its switch."
  }

  assert {
    condition     = join(",", aws_guardduty_organization_configuration_feature.this["RUNTIME_MONITORING"].additional_configuration[*].auto_enable) == "NONE,NONE,NEW"
    error_message = "Each agent must follow its switch."
  }
}

run "central_elsewhere" {
  command = plan

  variables {
    is_home_region = false
    security_hub   = { configuration = "CENTRAL", policies = { baseline = { targets = ["r-ab12"] } } }
  }

  assert {
    condition     = length(aws_securityhub_organization_configuration.this) + length(aws_securityhub_configuration_policy.this) + length(aws_securityhub_configuration_policy_association.this) == 0
    error_message = "Central configuration is set in the home region only."
  }
}

run "off" {
  command = plan

  variables {
    detector_id  = null
    guardduty    = { enabled = false }
    security_hub = { enabled = false }
  }

  assert {
    condition     = length(aws_guardduty_organization_configuration.this) + length(aws_guardduty_organization_configuration_feature.this) + length(aws_securityhub_organization_configuration.this) == 0
    error_message = "What is off must not be managed."
  }
}

run "refused" {
  command = plan

  variables {
    detector_id  = null
    guardduty    = { auto_enable = "SOME" }
    security_hub = { configuration = "LOCAL", policies = { x = { targets = ["root"] } } }
  }

  expect_failures = [var.guardduty, var.security_hub]
}

run "refused_without_detector" {
  command = plan

  variables {
    detector_id  = null
    security_hub = { configuration = "BOTH" }
  }

  expect_failures = [var.detector_id, var.security_hub]
}
