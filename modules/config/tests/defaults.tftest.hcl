mock_provider "aws" {}

variables {
  bucket_name = "example-config"
  role_arn    = "arn:aws:iam::123456789012:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
}

run "home_region" {
  command = plan

  assert {
    condition = (
      aws_config_configuration_recorder.this.recording_group[0].all_supported
      && aws_config_configuration_recorder.this.recording_group[0].include_global_resource_types
      && aws_config_configuration_recorder.this.recording_mode[0].recording_frequency == "CONTINUOUS"
      && aws_config_configuration_recorder_status.this.is_enabled
    )
    error_message = "By default every type, IAM's included, must be recorded continuously."
  }

  assert {
    condition = (
      aws_config_configuration_recorder.this.recording_group[0].recording_strategy[0].use_only == "ALL_SUPPORTED_RESOURCE_TYPES"
    )
    error_message = "The strategy of a recorder that was there must be overwritten."
  }

  assert {
    condition     = length(aws_config_config_rule.this) == length(var.rules)
    error_message = "The home region must evaluate every rule."
  }

  assert {
    condition     = jsondecode(aws_config_config_rule.this["access-keys-rotated"].input_parameters) == { maxAccessKeyAge = "90" }
    error_message = "Access keys must be rotated within 90 days."
  }
}

run "other_region" {
  command = plan

  variables {
    taken_over                  = true
    is_home_region              = false
    recording_frequency         = "DAILY"
    recording_override          = { frequency = "CONTINUOUS", resource_types = ["AWS::EC2::SecurityGroup"] }
    snapshot_delivery_frequency = "Six_Hours"
    additional_rules = {
      encrypted-volumes = { identifier = "ENCRYPTED_VOLUMES", resource_types = ["AWS::EC2::Volume"] }
      account-part-of-organizations = {
        identifier                  = "ACCOUNT_PART_OF_ORGANIZATIONS"
        maximum_execution_frequency = "Six_Hours"
        home_region_only            = true
      }
    }
  }

  assert {
    condition     = !aws_config_configuration_recorder.this.recording_group[0].include_global_resource_types
    error_message = "IAM's types must be recorded in the home region alone."
  }

  assert {
    condition = (
      length(aws_config_configuration_recorder.this.recording_group[0].exclusion_by_resource_types) == 1
      && length(aws_config_configuration_recorder.this.recording_group[0].exclusion_by_resource_types[0].resource_types) == 0
    )
    error_message = "Exclusions of a recorder that is taken over must be overwritten."
  }

  assert {
    condition = (
      aws_config_configuration_recorder.this.recording_mode[0].recording_frequency == "DAILY"
      && one(aws_config_configuration_recorder.this.recording_mode[0].recording_mode_override[0].resource_types) == "AWS::EC2::SecurityGroup"
      && aws_config_delivery_channel.this.snapshot_delivery_properties[0].delivery_frequency == "Six_Hours"
    )
    error_message = "Frequencies must follow the variables."
  }

  assert {
    condition = (
      !contains(keys(aws_config_config_rule.this), "iam-password-policy")
      && !contains(keys(aws_config_config_rule.this), "account-part-of-organizations")
      && contains(keys(aws_config_config_rule.this), "vpc-default-security-group-closed")
      && one(aws_config_config_rule.this["encrypted-volumes"].scope[0].compliance_resource_types) == "AWS::EC2::Volume"
    )
    error_message = "Other regions must evaluate the rules about their own resources and no others."
  }
}

run "refused" {
  command = plan

  variables {
    recorder_name               = ""
    delivery_channel_name       = ""
    recording_frequency         = "HOURLY"
    recording_override          = { frequency = "DAILY", resource_types = ["ec2"] }
    snapshot_delivery_frequency = "Daily"
    rules = {
      "a rule" = { identifier = "iam-password-policy", resource_types = ["user"], maximum_execution_frequency = "Daily" }
    }
  }

  expect_failures = [
    var.recorder_name,
    var.delivery_channel_name,
    var.recording_frequency,
    var.recording_override,
    var.snapshot_delivery_frequency,
    var.rules,
  ]
}

run "refused_addition" {
  command = plan

  variables {
    additional_rules = { "b rule" = { identifier = "IAM_PASSWORD_POLICY" } }
  }

  expect_failures = [var.additional_rules]
}

run "refused_repetition" {
  command = plan

  variables {
    additional_rules = { restricted-ssh = { identifier = "INCOMING_SSH_DISABLED" } }
  }

  expect_failures = [var.additional_rules]
}
