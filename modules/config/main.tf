locals {
  rules = {
    for name, rule in merge(var.rules, var.additional_rules) : name => rule
    if var.is_home_region || !rule.home_region_only
  }
}

resource "aws_config_configuration_recorder" "this" {
  name     = var.recorder_name
  role_arn = var.role_arn

  recording_group {
    all_supported = true
    # IAM's types are the same in every region: recording them once is enough, and each copy would be billed.
    include_global_resource_types = var.is_home_region

    # Written out although it is AWS's default: without it, the provider keeps an existing recorder's strategy and
    # exclusions, and PutConfigurationRecorder refuses those together with all_supported ("The recording group provided
    # is not valid"). https://github.com/hashicorp/terraform-provider-aws/issues/38820
    recording_strategy {
      use_only = "ALL_SUPPORTED_RESOURCE_TYPES"
    }

    # For a new recorder the provider refuses even empty exclusions together with all_supported.
    dynamic "exclusion_by_resource_types" {
      for_each = toset(var.taken_over ? ["none"] : [])

      content {
        resource_types = []
      }
    }
  }

  recording_mode {
    recording_frequency = var.recording_frequency

    dynamic "recording_mode_override" {
      for_each = var.recording_override[*]

      content {
        recording_frequency = recording_mode_override.value.frequency
        resource_types      = recording_mode_override.value.resource_types
      }
    }
  }
}

resource "aws_config_delivery_channel" "this" {
  name           = var.delivery_channel_name
  s3_bucket_name = var.bucket_name
  s3_kms_key_arn = var.s3_kms_key_arn

  snapshot_delivery_properties {
    delivery_frequency = var.snapshot_delivery_frequency
  }

  # Config accepts a channel only if a recorder exists ("NoAvailableConfigurationRecorderException").
  depends_on = [aws_config_configuration_recorder.this]
}

resource "aws_config_configuration_recorder_status" "this" {
  name       = aws_config_configuration_recorder.this.name
  is_enabled = true

  # A recorder starts only with a channel ("NoAvailableDeliveryChannelException"), and the channel can be deleted only
  # after the recorder was stopped ("LastDeliveryChannelDeleteFailedException").
  depends_on = [aws_config_delivery_channel.this]
}

resource "aws_config_config_rule" "this" {
  for_each = local.rules

  name                        = each.key
  input_parameters            = length(each.value.input_parameters) == 0 ? null : jsonencode(each.value.input_parameters)
  maximum_execution_frequency = each.value.maximum_execution_frequency

  source {
    owner             = "AWS"
    source_identifier = each.value.identifier
  }

  dynamic "scope" {
    for_each = length(each.value.resource_types) == 0 ? [] : [each.value.resource_types]

    content {
      compliance_resource_types = scope.value
    }
  }

  # Config refuses rules without a running recorder ("NoAvailableConfigurationRecorderException").
  depends_on = [aws_config_configuration_recorder_status.this]
}
