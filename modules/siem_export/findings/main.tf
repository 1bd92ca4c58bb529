locals {
  patterns = {
    guardduty = { source = ["aws.guardduty"], detail-type = ["GuardDuty Finding"] }
    # The first type is that of Security Hub CSPM, the second that of the Security Hub of 2025.
    # https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-securityhub.html
    security_hub = {
      source      = ["aws.securityhub"]
      detail-type = ["Security Hub Findings - Imported", "Findings Imported V2"]
    }
    inspector = { source = ["aws.inspector2"], detail-type = ["Inspector2 Finding"] }
    macie     = { source = ["aws.macie"], detail-type = ["Macie Finding"] }
    access_analyzer = {
      source      = ["aws.access-analyzer"]
      detail-type = ["Access Analyzer Finding", "Unused Access Finding for IAM entities", "Internal Access Finding"]
    }
    # Every sign-in also has a CheckMfa event, which would send it twice.
    root_sign_ins = {
      source      = ["aws.signin"]
      detail-type = ["AWS Console Sign In via CloudTrail"]
      detail = {
        eventName    = [{ anything-but = ["CheckMfa"] }]
        userIdentity = { type = ["Root"] }
      }
    }
  }
}

resource "aws_cloudwatch_event_rule" "findings" {
  for_each = var.findings.sources

  name          = "${var.name}-${replace(each.key, "_", "-")}"
  description   = "Hands ${replace(each.key, "_", " ")} to the SIEM's event bus."
  event_pattern = jsonencode(local.patterns[each.key])
}

resource "aws_cloudwatch_event_target" "findings" {
  for_each = aws_cloudwatch_event_rule.findings

  rule      = each.value.name
  target_id = "siem"
  arn       = var.findings.event_bus_arn
  role_arn  = var.role_arn
}
