mock_provider "aws" {}

run "defaults" {
  command = plan

  assert {
    condition     = length(aws_securityhub_aggregator_v2.this) == 0
    error_message = "Without linked regions there must be no aggregator."
  }
}

run "home_region" {
  command = plan

  variables {
    linked_regions = ["us-east-1", "eu-west-1"]
  }

  assert {
    condition = (
      aws_securityhub_aggregator_v2.this["linked_regions"].region_linking_mode == "SPECIFIED_REGIONS"
      && aws_securityhub_aggregator_v2.this["linked_regions"].linked_regions == toset(["eu-west-1", "us-east-1"])
    )
    error_message = "The aggregator must link exactly the named regions."
  }
}

run "another_account_collects" {
  command = plan

  variables {
    finding_aggregation = false
    linked_regions      = ["us-east-1"]
  }

  assert {
    condition     = length(aws_securityhub_aggregator_v2.this) == 0
    error_message = "finding_aggregation = false must create no aggregator."
  }
}
