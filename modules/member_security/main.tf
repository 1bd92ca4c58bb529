# Called in each region of the account that administers GuardDuty and Security Hub for the organization.

locals {
  features = {
    EBS_MALWARE_PROTECTION = var.guardduty.protection.ebs_malware_protection
    EKS_AUDIT_LOGS         = var.guardduty.protection.eks_audit_logs
    LAMBDA_NETWORK_LOGS    = var.guardduty.protection.lambda_network_logs
    RDS_LOGIN_EVENTS       = var.guardduty.protection.rds_login_events
    RUNTIME_MONITORING     = var.guardduty.protection.runtime_monitoring
    S3_DATA_EVENTS         = var.guardduty.protection.s3_data_events
  }

  # Central configuration is one for all regions, set in the home region; local configuration is one for each.
  central = var.security_hub.configuration == "CENTRAL"
  hubs    = toset(var.security_hub.enabled && (var.is_home_region || !local.central) ? [var.security_hub.configuration] : [])
}

resource "aws_guardduty_organization_configuration" "this" {
  for_each = toset(var.guardduty.enabled ? ["members"] : [])

  detector_id                      = var.detector_id
  auto_enable_organization_members = var.guardduty.auto_enable
}

resource "aws_guardduty_organization_configuration_feature" "this" {
  for_each = { for name, members in local.features : name => members if var.guardduty.enabled && !contains(var.unsupported_plans, lower(name)) }

  detector_id = var.detector_id
  name        = each.key
  auto_enable = each.value

  # AWS always returns all three: without them, each later plan would replace the feature. They are in the order of the
  # API's enumeration, because the provider compares them as a list; that GuardDuty returns them so is unconfirmed.
  # https://docs.aws.amazon.com/guardduty/latest/APIReference/API_OrganizationAdditionalConfiguration.html
  dynamic "additional_configuration" {
    for_each = each.key == "RUNTIME_MONITORING" ? [
      { name = "EKS_ADDON_MANAGEMENT", auto_enable = var.guardduty.runtime_monitoring_agents.eks_addon },
      { name = "ECS_FARGATE_AGENT_MANAGEMENT", auto_enable = var.guardduty.runtime_monitoring_agents.ecs_fargate },
      { name = "EC2_AGENT_MANAGEMENT", auto_enable = var.guardduty.runtime_monitoring_agents.ec2 },
    ] : []

    content {
      name        = additional_configuration.value.name
      auto_enable = additional_configuration.value.auto_enable
    }
  }

  # A feature has no effect in accounts without GuardDuty.
  depends_on = [aws_guardduty_organization_configuration.this]
}

resource "aws_securityhub_organization_configuration" "this" {
  for_each = local.hubs

  # Central configuration requires both off: its policies define what accounts get.
  auto_enable           = !local.central
  auto_enable_standards = local.central || !var.security_hub.default_standards ? "NONE" : "DEFAULT"

  organization_configuration {
    configuration_type = each.key
  }
}

resource "aws_securityhub_configuration_policy" "this" {
  for_each = { for name, policy in var.security_hub.policies : name => policy if local.central && length(local.hubs) > 0 }

  name        = each.key
  description = each.value.description

  configuration_policy {
    service_enabled       = true
    enabled_standard_arns = values(var.standards_arns)

    security_controls_configuration {
      disabled_control_identifiers = each.value.disabled_controls
    }
  }

  depends_on = [aws_securityhub_organization_configuration.this]
}

resource "aws_securityhub_configuration_policy_association" "this" {
  for_each = merge([
    for name, policy in aws_securityhub_configuration_policy.this : {
      for target in var.security_hub.policies[name].targets : "${name}/${target}" => { policy_id = policy.id, target_id = target }
    }
  ]...)

  policy_id = each.value.policy_id
  target_id = each.value.target_id
}
