resource "aws_guardduty_detector" "this" {
  #checkov:skip=CKV2_AWS_3:The whole organization is switched on by its administrator's account (component organization).
  enable                       = true
  finding_publishing_frequency = var.finding_publishing_frequency
}

# AWS enables most plans on a new detector, so each is stated, off ones too: what is billed is what is written here.
# Taking a resource away would leave its plan as it is, so a plan is switched off by DISABLED, never by absence.

resource "aws_guardduty_detector_feature" "s3_data_events" {
  detector_id = aws_guardduty_detector.this.id
  name        = "S3_DATA_EVENTS"
  status      = var.protection.s3_data_events
}

resource "aws_guardduty_detector_feature" "eks_audit_logs" {
  detector_id = aws_guardduty_detector.this.id
  name        = "EKS_AUDIT_LOGS"
  status      = var.protection.eks_audit_logs
}

resource "aws_guardduty_detector_feature" "ebs_malware_protection" {
  detector_id = aws_guardduty_detector.this.id
  name        = "EBS_MALWARE_PROTECTION"
  status      = var.protection.ebs_malware_protection
}

resource "aws_guardduty_detector_feature" "rds_login_events" {
  detector_id = aws_guardduty_detector.this.id
  name        = "RDS_LOGIN_EVENTS"
  status      = var.protection.rds_login_events
}

resource "aws_guardduty_detector_feature" "lambda_network_logs" {
  detector_id = aws_guardduty_detector.this.id
  name        = "LAMBDA_NETWORK_LOGS"
  status      = var.protection.lambda_network_logs
}

resource "aws_guardduty_detector_feature" "runtime_monitoring" {
  detector_id = aws_guardduty_detector.this.id
  name        = "RUNTIME_MONITORING"
  status      = var.protection.runtime_monitoring

  # In the order in which GuardDuty returns them: the provider compares them as a list.
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

resource "aws_guardduty_publishing_destination" "findings" {
  for_each = toset(var.export_findings ? ["S3"] : [])

  detector_id      = aws_guardduty_detector.this.id
  destination_type = each.key
  destination_arn  = var.findings_bucket_arn
  kms_key_arn      = var.findings_kms_key_arn
}

# One topic serves all regions, so that nobody confirms a subscription per region: regions other than the home region
# forward their findings to its event bus, where the rule of the notifications module mails them.
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
