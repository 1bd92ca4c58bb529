mock_provider "aws" {}

run "defaults" {
  command = plan

  assert {
    condition     = aws_guardduty_detector.this.enable && aws_guardduty_detector.this.finding_publishing_frequency == "FIFTEEN_MINUTES"
    error_message = "The detector must be on and publish every 15 minutes."
  }

  assert {
    condition = {
      for feature in [
        aws_guardduty_detector_feature.s3_data_events["S3_DATA_EVENTS"],
        aws_guardduty_detector_feature.eks_audit_logs["EKS_AUDIT_LOGS"],
        aws_guardduty_detector_feature.ebs_malware_protection["EBS_MALWARE_PROTECTION"],
        aws_guardduty_detector_feature.rds_login_events["RDS_LOGIN_EVENTS"],
        aws_guardduty_detector_feature.lambda_network_logs["LAMBDA_NETWORK_LOGS"],
        aws_guardduty_detector_feature.runtime_monitoring["RUNTIME_MONITORING"],
      ] : feature.name => feature.status
      } == {
      S3_DATA_EVENTS         = "DISABLED"
      EKS_AUDIT_LOGS         = "DISABLED"
      EBS_MALWARE_PROTECTION = "DISABLED"
      RDS_LOGIN_EVENTS       = "DISABLED"
      LAMBDA_NETWORK_LOGS    = "DISABLED"
      RUNTIME_MONITORING     = "DISABLED"
    }
    error_message = "Every billed plan must be stated and off by default."
  }

  assert {
    condition     = length(aws_guardduty_publishing_destination.findings) == 0 && length(aws_cloudwatch_event_rule.forward_findings) == 0
    error_message = "Export and notifications must be off by default."
  }
}

run "every_switch" {
  command = plan

  variables {
    is_home_region               = false
    finding_publishing_frequency = "SIX_HOURS"
    protection = {
      s3_data_events         = "ENABLED"
      eks_audit_logs         = "ENABLED"
      ebs_malware_protection = "ENABLED"
      rds_login_events       = "ENABLED"
      lambda_network_logs    = "ENABLED"
      runtime_monitoring     = "ENABLED"
    }
    runtime_monitoring_agents  = { ec2 = "ENABLED" }
    export_findings            = true
    findings_bucket_arn        = "arn:aws:s3:::example-findings"
    findings_kms_key_arn       = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    notifications              = { email_addresses = ["security@example.com"], minimum_severity = 4 }
    notification_event_bus_arn = "arn:aws:events:eu-central-1:123456789012:event-bus/default"
    notification_role_arn      = "arn:aws:iam::123456789012:role/baseline-guardduty-findings-forward"
  }

  assert {
    condition = alltrue([
      for feature in [
        aws_guardduty_detector_feature.s3_data_events["S3_DATA_EVENTS"],
        aws_guardduty_detector_feature.eks_audit_logs["EKS_AUDIT_LOGS"],
        aws_guardduty_detector_feature.ebs_malware_protection["EBS_MALWARE_PROTECTION"],
        aws_guardduty_detector_feature.rds_login_events["RDS_LOGIN_EVENTS"],
        aws_guardduty_detector_feature.lambda_network_logs["LAMBDA_NETWORK_LOGS"],
        aws_guardduty_detector_feature.runtime_monitoring["RUNTIME_MONITORING"],
      ] : feature.status == "ENABLED"
    ])
    error_message = "Each plan must follow its switch."
  }

  assert {
    condition     = toset([for c in aws_guardduty_detector_feature.runtime_monitoring["RUNTIME_MONITORING"].additional_configuration : "${c.name}=${c.status}"]) == toset(["EKS_ADDON_MANAGEMENT=DISABLED", "ECS_FARGATE_AGENT_MANAGEMENT=DISABLED", "EC2_AGENT_MANAGEMENT=ENABLED"])
    error_message = "Each agent must follow its switch."
  }

  # Version 6 of the provider has a set, which has no order and no index. Version 5 has a list.
  assert {
    condition     = try(join(",", [for i in range(3) : aws_guardduty_detector_feature.runtime_monitoring["RUNTIME_MONITORING"].additional_configuration[i].name]) == "EKS_ADDON_MANAGEMENT,ECS_FARGATE_AGENT_MANAGEMENT,EC2_AGENT_MANAGEMENT", true)
    error_message = "Agents must be in GuardDuty's order."
  }

  assert {
    condition     = aws_guardduty_publishing_destination.findings["S3"].destination_arn == "arn:aws:s3:::example-findings"
    error_message = "Findings must be exported to the named bucket."
  }

  assert {
    condition = (
      jsondecode(aws_cloudwatch_event_rule.forward_findings["baseline-guardduty-findings"].event_pattern).detail.severity == [{ numeric = [">=", 4] }]
      && aws_cloudwatch_event_target.forward_findings["baseline-guardduty-findings"].arn == var.notification_event_bus_arn
    )
    error_message = "Findings of the named severity must be forwarded to the home region."
  }
}

run "a_plan_that_the_region_lacks" {
  command = plan

  variables {
    protection        = { rds_login_events = "ENABLED", s3_data_events = "ENABLED" }
    unsupported_plans = ["rds_login_events"]
  }

  assert {
    condition     = length(aws_guardduty_detector_feature.rds_login_events) == 0 && aws_guardduty_detector_feature.s3_data_events["S3_DATA_EVENTS"].status == "ENABLED"
    error_message = "A plan that the region lacks must be left out, and no other."
  }
}

run "home_region_forwards_nothing" {
  command = plan

  variables {
    notifications = { email_addresses = ["security@example.com"] }
  }

  assert {
    condition     = length(aws_cloudwatch_event_rule.forward_findings) == 0
    error_message = "The home region's findings reach its own rule without being forwarded."
  }
}

run "refused" {
  command = plan

  variables {
    finding_publishing_frequency = "DAILY"
    protection                   = { s3_data_events = "on" }
    notifications                = { email_addresses = ["nobody"], minimum_severity = 11, name = "a name" }
    export_findings              = true
    unsupported_plans            = ["RDS"]
  }

  expect_failures = [
    var.unsupported_plans,
    var.finding_publishing_frequency,
    var.protection,
    var.notifications,
    var.findings_bucket_arn,
    var.findings_kms_key_arn,
  ]
}

run "refused_combinations" {
  command = plan

  variables {
    is_home_region            = false
    notifications             = { email_addresses = ["security@example.com"] }
    runtime_monitoring_agents = { ec2 = "ENABLED" }
  }

  expect_failures = [
    var.notification_event_bus_arn,
    var.notification_role_arn,
    var.runtime_monitoring_agents,
  ]
}
