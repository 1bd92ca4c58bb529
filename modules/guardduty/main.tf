resource "aws_guardduty_detector" "this" {
  #checkov:skip=CKV2_AWS_3:The administrator's account enables it for the whole organization (component organization).
  enable                       = true
  finding_publishing_frequency = var.finding_publishing_frequency
}

# AWS enables most plans on a new detector, so each one is explicit, also if it is off: what is billed is written here.
# Taking a resource away would leave its plan as it is, so a plan is switched off by DISABLED, never by absence. A plan
# that the region lacks is left out: GuardDuty refuses to switch it even off, and does not return it.

locals {
  plans = {
    for name in ["s3_data_events", "eks_audit_logs", "ebs_malware_protection", "rds_login_events", "lambda_network_logs", "runtime_monitoring"] :
    name => toset(contains(var.unsupported_plans, name) ? [] : [upper(name)])
  }
}

resource "aws_guardduty_detector_feature" "s3_data_events" {
  for_each = local.plans["s3_data_events"]

  detector_id = aws_guardduty_detector.this.id
  name        = each.key
  status      = var.protection.s3_data_events
}

moved {
  from = aws_guardduty_detector_feature.s3_data_events
  to   = aws_guardduty_detector_feature.s3_data_events["S3_DATA_EVENTS"]
}

resource "aws_guardduty_detector_feature" "eks_audit_logs" {
  for_each = local.plans["eks_audit_logs"]

  detector_id = aws_guardduty_detector.this.id
  name        = each.key
  status      = var.protection.eks_audit_logs
}

moved {
  from = aws_guardduty_detector_feature.eks_audit_logs
  to   = aws_guardduty_detector_feature.eks_audit_logs["EKS_AUDIT_LOGS"]
}

resource "aws_guardduty_detector_feature" "ebs_malware_protection" {
  for_each = local.plans["ebs_malware_protection"]

  detector_id = aws_guardduty_detector.this.id
  name        = each.key
  status      = var.protection.ebs_malware_protection
}

moved {
  from = aws_guardduty_detector_feature.ebs_malware_protection
  to   = aws_guardduty_detector_feature.ebs_malware_protection["EBS_MALWARE_PROTECTION"]
}

resource "aws_guardduty_detector_feature" "rds_login_events" {
  for_each = local.plans["rds_login_events"]

  detector_id = aws_guardduty_detector.this.id
  name        = each.key
  status      = var.protection.rds_login_events
}

moved {
  from = aws_guardduty_detector_feature.rds_login_events
  to   = aws_guardduty_detector_feature.rds_login_events["RDS_LOGIN_EVENTS"]
}

resource "aws_guardduty_detector_feature" "lambda_network_logs" {
  for_each = local.plans["lambda_network_logs"]

  detector_id = aws_guardduty_detector.this.id
  name        = each.key
  status      = var.protection.lambda_network_logs
}

moved {
  from = aws_guardduty_detector_feature.lambda_network_logs
  to   = aws_guardduty_detector_feature.lambda_network_logs["LAMBDA_NETWORK_LOGS"]
}

resource "aws_guardduty_detector_feature" "runtime_monitoring" {
  for_each = local.plans["runtime_monitoring"]

  detector_id = aws_guardduty_detector.this.id
  name        = each.key
  status      = var.protection.runtime_monitoring

  # In the order of the API's enumeration, because provider 5 compares them as a list; that GuardDuty returns them so is
  # unconfirmed.
  additional_configuration {
    name   = "EKS_ADDON_MANAGEMENT"
    status = var.runtime_monitoring_agents.eks_addon
  }

  additional_configuration {
    name   = "ECS_FARGATE_AGENT_MANAGEMENT"
    status = var.runtime_monitoring_agents.ecs_fargate
  }

  additional_configuration {
    name   = "EC2_AGENT_MANAGEMENT"
    status = var.runtime_monitoring_agents.ec2
  }
}

moved {
  from = aws_guardduty_detector_feature.runtime_monitoring
  to   = aws_guardduty_detector_feature.runtime_monitoring["RUNTIME_MONITORING"]
}

resource "aws_guardduty_publishing_destination" "findings" {
  for_each = toset(var.export_findings ? ["S3"] : [])

  detector_id      = aws_guardduty_detector.this.id
  destination_type = each.key
  destination_arn  = var.findings_bucket_arn
  kms_key_arn      = var.findings_kms_key_arn
}

# One topic serves all regions, so that recipients confirm one subscription only: the other regions forward their findings
# to the home region's event bus, where the rule of the notifications module sends them to the topic.
resource "aws_cloudwatch_event_rule" "forward_findings" {
  for_each = toset(!var.is_home_region && length(var.notifications.email_addresses) > 0 ? [var.notifications.name] : [])

  name        = each.key
  description = "Forwards GuardDuty findings of severity ${var.notifications.minimum_severity} and above to the home region."
  event_pattern = jsonencode({
    source      = ["aws.guardduty"]
    detail-type = ["GuardDuty Finding"]
    detail      = { severity = [{ numeric = [">=", var.notifications.minimum_severity] }] }
  })
}

resource "aws_cloudwatch_event_target" "forward_findings" {
  for_each = aws_cloudwatch_event_rule.forward_findings

  rule      = each.value.name
  target_id = "home-region"
  arn       = var.notification_event_bus_arn
  role_arn  = var.notification_role_arn
}
