mock_provider "aws" {}

variables {
  event_bus_arn = "arn:aws:events:eu-central-1:123456789012:event-bus/default"
  role_arn      = "arn:aws:iam::123456789012:role/baseline-activity-root-sign-in-forward"
}

run "forwards" {
  command = plan

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.root_sign_in.event_pattern) == {
      source        = ["aws.signin"]
      "detail-type" = ["AWS Console Sign In via CloudTrail"]
      detail        = { eventName = [{ "anything-but" = ["CheckMfa"] }], userIdentity = { type = ["Root"] } }
    }
    error_message = "The same sign-ins must be forwarded that the home region tells of."
  }

  assert {
    condition     = aws_cloudwatch_event_rule.root_sign_in.name == "baseline-activity-root-sign-in"
    error_message = "The role admits rules of this name only."
  }

  assert {
    condition     = aws_cloudwatch_event_target.root_sign_in.arn == var.event_bus_arn && aws_cloudwatch_event_target.root_sign_in.role_arn == var.role_arn
    error_message = "Events must go to the home region's bus."
  }
}

run "refused" {
  command = plan

  variables {
    name          = "a name"
    event_bus_arn = "arn:aws:sns:eu-central-1:123456789012:topic"
  }

  expect_failures = [var.name, var.event_bus_arn]
}
