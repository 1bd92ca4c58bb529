mock_provider "aws" {}

variables {
  findings = { event_bus_arn = "arn:aws:events:eu-west-1:111122223333:event-bus/siem" }
  role_arn = "arn:aws:iam::123456789012:role/baseline-siem-forward"
}

run "defaults" {
  command = plan

  assert {
    condition = { for source, rule in aws_cloudwatch_event_rule.findings : source => "${rule.name} ${jsondecode(rule.event_pattern).source[0]}" } == {
      guardduty       = "baseline-siem-guardduty aws.guardduty"
      security_hub    = "baseline-siem-security-hub aws.securityhub"
      access_analyzer = "baseline-siem-access-analyzer aws.access-analyzer"
      root_sign_ins   = "baseline-siem-root-sign-ins aws.signin"
    }
    error_message = "Each source must have its rule, named as the role admits."
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.findings["security_hub"].event_pattern)["detail-type"] == ["Security Hub Findings - Imported", "Findings Imported V2"]
    error_message = "Findings of Security Hub CSPM and of Security Hub must be handed over."
  }

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.findings["root_sign_ins"].event_pattern) == {
      source        = ["aws.signin"]
      "detail-type" = ["AWS Console Sign In via CloudTrail"]
      detail        = { eventName = [{ "anything-but" = ["CheckMfa"] }], userIdentity = { type = ["Root"] } }
    }
    error_message = "Of sign-ins, only root's are handed over."
  }

  assert {
    condition = alltrue([
      for target in aws_cloudwatch_event_target.findings : target.arn == var.findings.event_bus_arn && target.role_arn == var.role_arn
    ]) && length(aws_cloudwatch_event_target.findings) == 4
    error_message = "Everything must go to the SIEM's bus."
  }
}

run "other_sources" {
  command = plan

  variables {
    name     = "export"
    findings = { event_bus_arn = "arn:aws:events:eu-west-1:111122223333:event-bus/siem", sources = ["inspector", "macie"] }
  }

  assert {
    condition = { for rule in aws_cloudwatch_event_rule.findings : rule.name => jsondecode(rule.event_pattern) } == {
      export-inspector = { source = ["aws.inspector2"], "detail-type" = ["Inspector2 Finding"] }
      export-macie     = { source = ["aws.macie"], "detail-type" = ["Macie Finding"] }
    }
    error_message = "Only what is named must be handed over."
  }
}

run "refused" {
  command = plan

  variables {
    name     = "a name"
    findings = { event_bus_arn = "arn:aws:sns:eu-west-1:111122223333:siem" }
  }

  expect_failures = [var.name, var.findings]
}

run "refused_source" {
  command = plan

  variables {
    findings = { event_bus_arn = "arn:aws:events:eu-west-1:111122223333:event-bus/siem", sources = ["everything"] }
  }

  expect_failures = [var.findings]
}
