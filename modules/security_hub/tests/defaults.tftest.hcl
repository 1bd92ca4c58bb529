mock_provider "aws" {
  mock_data "aws_service" {
    defaults = { region = "eu-central-1" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

run "defaults" {
  command = plan

  assert {
    condition = (
      !aws_securityhub_account.this.enable_default_standards
      && aws_securityhub_account.this.auto_enable_controls
      && aws_securityhub_account.this.control_finding_generator == "SECURITY_CONTROL"
    )
    error_message = "Standards must be chosen by name, new controls switched on, findings consolidated."
  }

  assert {
    condition = { for name, standard in aws_securityhub_standards_subscription.this : name => standard.standards_arn } == {
      "cis-5.0"  = "arn:aws:securityhub:eu-central-1::standards/cis-aws-foundations-benchmark/v/5.0.0"
      "fsbp-1.0" = "arn:aws:securityhub:eu-central-1::standards/aws-foundational-security-best-practices/v/1.0.0"
    }
    error_message = "CIS 5.0 and FSBP must be the default."
  }

  assert {
    condition     = length(aws_securityhub_standards_control_association.this) == 0 && length(aws_securityhub_finding_aggregator.this) == 0
    error_message = "No control is switched, and nothing aggregated, by default."
  }
}

run "every_switch" {
  command = plan

  variables {
    standards = [
      "cis-1.2", "cis-1.4", "cis-3.0", "fsbp-1.0", "nist-800-171-r2", "nist-800-53-r5", "pci-dss-3.2.1", "pci-dss-4.0.1",
      "resource-tagging-1.0",
    ]
    auto_enable_controls = false
    linked_regions       = ["us-east-1", "eu-west-1"]
    controls = {
      "IAM.6" = { enabled = false, reason = "Central root management.", standards = ["cis-3.0", "fsbp-1.0"] }
      "EC2.8" = { enabled = true, standards = ["fsbp-1.0"], regions = "home" }
      "KMS.1" = { enabled = false, reason = "Seen at home.", standards = ["fsbp-1.0"], regions = "others" }
    }
  }

  assert {
    condition = toset([for standard in aws_securityhub_standards_subscription.this : standard.standards_arn]) == toset([
      "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0",
      "arn:aws:securityhub:eu-central-1::standards/cis-aws-foundations-benchmark/v/1.4.0",
      "arn:aws:securityhub:eu-central-1::standards/cis-aws-foundations-benchmark/v/3.0.0",
      "arn:aws:securityhub:eu-central-1::standards/aws-foundational-security-best-practices/v/1.0.0",
      "arn:aws:securityhub:eu-central-1::standards/nist-800-171/v/2.0.0",
      "arn:aws:securityhub:eu-central-1::standards/nist-800-53/v/5.0.0",
      "arn:aws:securityhub:eu-central-1::standards/pci-dss/v/3.2.1",
      "arn:aws:securityhub:eu-central-1::standards/pci-dss/v/4.0.1",
      "arn:aws:securityhub:eu-central-1::standards/aws-resource-tagging-standard/v/1.0.0",
    ])
    error_message = "Each standard must have the ARN of its version."
  }

  assert {
    condition     = !aws_securityhub_account.this.auto_enable_controls
    error_message = "New controls must follow their switch."
  }

  assert {
    condition = { for name, switch in aws_securityhub_standards_control_association.this : name => "${switch.association_status} ${coalesce(switch.updated_reason, "-")}" } == {
      "IAM.6/cis-3.0"  = "DISABLED Central root management."
      "IAM.6/fsbp-1.0" = "DISABLED Central root management."
      "EC2.8/fsbp-1.0" = "ENABLED -"
    }
    error_message = "In the home region: what is for all and for the home region."
  }

  assert {
    condition     = aws_securityhub_finding_aggregator.this["linked_regions"].linking_mode == "SPECIFIED_REGIONS" && toset(aws_securityhub_finding_aggregator.this["linked_regions"].specified_regions) == toset(["eu-west-1", "us-east-1"])
    error_message = "Only the named regions must be linked."
  }
}

run "another_region" {
  command = plan

  variables {
    is_home_region = false
    controls = {
      "EC2.8" = { enabled = true, standards = ["fsbp-1.0"], regions = "home" }
      "KMS.1" = { enabled = false, reason = "Seen at home.", standards = ["fsbp-1.0"], regions = "others" }
    }
  }

  assert {
    condition     = keys(aws_securityhub_standards_control_association.this) == ["KMS.1/fsbp-1.0"]
    error_message = "Elsewhere: what is for the other regions, and not what is for the home region."
  }
}

run "refused" {
  command = plan

  variables {
    is_home_region = false
    linked_regions = ["us-east-1"]
    standards      = ["cis-6.0"]
  }

  expect_failures = [var.linked_regions, var.standards]
}

run "refused_twice" {
  command = plan

  variables {
    standards = ["cis-5.0", "cis-aws-foundations-benchmark/v/5.0.0"]
  }

  expect_failures = [var.standards]
}

run "newer_standard" {
  command = plan

  variables {
    standards = ["cis-1.2", "cis-aws-foundations-benchmark/v/9.0.0"]
    controls = {
      "IAM.6" = { enabled = false, reason = "Central root management.", standards = ["cis-aws-foundations-benchmark/v/9.0.0"] }
    }
  }

  assert {
    condition = alltrue([
      endswith(aws_securityhub_standards_subscription.this["cis-1.2"].standards_arn, ":securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0"),
      endswith(aws_securityhub_standards_subscription.this["cis-aws-foundations-benchmark/v/9.0.0"].standards_arn, "::standards/cis-aws-foundations-benchmark/v/9.0.0"),
      endswith(aws_securityhub_standards_control_association.this["IAM.6/cis-aws-foundations-benchmark/v/9.0.0"].standards_arn, "::standards/cis-aws-foundations-benchmark/v/9.0.0"),
    ])
    error_message = "A standard without a short name must be taken by the end of its ARN."
  }
}

run "refused_misspelt" {
  command = plan

  variables {
    controls = { "IAM6" = { enabled = true, standards = ["fsbp-1.0"] } }
  }

  expect_failures = [var.controls]
}

run "refused_without_reason" {
  command = plan

  variables {
    controls = { "IAM.6" = { enabled = false, standards = ["fsbp-1.0"], reason = " " } }
  }

  expect_failures = [var.controls]
}

run "refused_of_no_chosen_standard" {
  command = plan

  variables {
    controls = { "IAM.6" = { enabled = true, standards = ["fsbp-1.0", "cis-3.0"] } }
  }

  expect_failures = [var.controls]
}

run "refused_somewhere" {
  command = plan

  variables {
    controls = { "IAM.6" = { enabled = true, standards = ["fsbp-1.0"], regions = "some" } }
  }

  expect_failures = [var.controls]
}

run "member" {
  command = plan

  variables {
    control_finding_generator = null
  }

  # What the administrator has set, as AWS tells it.
  override_resource {
    target          = aws_securityhub_account.this
    override_during = plan
    values          = { control_finding_generator = "STANDARD_CONTROL" }
  }

  assert {
    condition     = aws_securityhub_account.this.control_finding_generator == "STANDARD_CONTROL"
    error_message = "A member account must not set what its administrator alone may set."
  }
}

run "refused_generator" {
  command = plan

  variables {
    control_finding_generator = "STANDARD_CONTROL"
  }

  expect_failures = [var.control_finding_generator]
}
