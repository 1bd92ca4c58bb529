mock_provider "aws" {}

variables {
  detector_id = "12abc34d567e8fa901bc2d34e56789f0"
}

run "defaults" {
  command = plan

  assert {
    condition     = length(aws_guardduty_detector_feature.ai_protection) == 0
    error_message = "Without a value, the plan must stay as it is."
  }
}

run "on" {
  command = plan

  variables {
    ai_protection = "ENABLED"
  }

  assert {
    condition = (
      aws_guardduty_detector_feature.ai_protection["AI_PROTECTION"].name == "AI_PROTECTION"
      && aws_guardduty_detector_feature.ai_protection["AI_PROTECTION"].status == "ENABLED"
      && aws_guardduty_detector_feature.ai_protection["AI_PROTECTION"].detector_id == var.detector_id
    )
    error_message = "The plan must follow its switch."
  }
}

run "off" {
  command = plan

  variables {
    ai_protection = "DISABLED"
  }

  assert {
    condition     = output.status == { AI_PROTECTION = "DISABLED" }
    error_message = "Off must be stated, since deleting the resource changes nothing."
  }
}

run "refused" {
  command = plan

  variables {
    ai_protection = "on"
  }

  expect_failures = [var.ai_protection]
}
