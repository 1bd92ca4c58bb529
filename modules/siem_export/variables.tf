variable "name" {
  description = "The names of roles, rules and subscription filter start with it."
  type        = string
  default     = "baseline-siem"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,43}$", var.name))
    error_message = "name must be 1 to 44 letters, digits, underscores and hyphens, a letter or digit first."
  }
}

variable "findings" {
  description = "Sends findings to another account's event bus: event_bus_arn, and sources, out of guardduty, security_hub, access_analyzer, root_sign_ins, inspector and macie; null sends none. The nested module findings creates the rules, once per region; this module creates their role."
  type = object({
    event_bus_arn = string
    sources       = optional(set(string), ["access_analyzer", "guardduty", "root_sign_ins", "security_hub"])
  })
  default = null

  validation {
    condition     = var.findings == null || can(regex("^arn:aws(?:-cn|-eusc|-iso|-iso-b|-iso-e|-iso-f|-us-gov)?:events:[a-z0-9-]+:[0-9]{12}:event-bus/[A-Za-z0-9/_.-]{1,256}$", var.findings.event_bus_arn))
    error_message = "findings.event_bus_arn must be the ARN of an event bus."
  }

  validation {
    condition     = var.findings == null || try(length(var.findings.sources) > 0 && length(setsubtract(var.findings.sources, ["guardduty", "security_hub", "access_analyzer", "root_sign_ins", "inspector", "macie"])) == 0, false)
    error_message = "findings.sources must name at least one of guardduty, security_hub, access_analyzer, root_sign_ins, inspector and macie, and nothing else."
  }
}

variable "log_subscription" {
  description = "Streams the events of the trail's log group: destination_arn (a Firehose or Kinesis stream of this account and region, or a destination of CloudWatch Logs, in any account) and filter_pattern (empty: every event); null streams none."
  type = object({
    destination_arn = string
    filter_pattern  = optional(string, "")
  })
  default = null

  validation {
    condition     = var.log_subscription == null || can(regex("^arn:aws(?:-cn|-eusc|-iso|-iso-b|-iso-e|-iso-f|-us-gov)?:(firehose:[a-z0-9-]+:[0-9]{12}:deliverystream/|kinesis:[a-z0-9-]+:[0-9]{12}:stream/|logs:[a-z0-9-]+:[0-9]{12}:destination:)[A-Za-z0-9_.-]{1,512}$", var.log_subscription.destination_arn))
    error_message = "log_subscription.destination_arn must be the ARN of a Firehose stream, a Kinesis stream or a destination of CloudWatch Logs."
  }

  validation {
    condition     = var.log_subscription == null || try(length(var.log_subscription.filter_pattern) <= 1024, false)
    error_message = "log_subscription.filter_pattern must be at most 1024 characters long."
  }

  validation {
    condition     = var.log_subscription == null || var.log_group_name != null
    error_message = "log_subscription needs log_group_name."
  }
}

variable "log_group_name" {
  description = "Name of the CloudWatch log group that receives the trail's events; required with log_subscription."
  type        = string
  default     = null
}

variable "trail_reader" {
  description = "A role with which another account reads the trail's log files: principal_arns (the principals that may assume it), external_id (which they must send) and max_session_hours (1 to 12); null creates none."
  type = object({
    principal_arns    = set(string)
    external_id       = string
    max_session_hours = optional(number, 1)
  })
  default = null

  validation {
    condition     = var.trail_reader == null || try(length(var.trail_reader.principal_arns) > 0 && alltrue([for arn in var.trail_reader.principal_arns : can(regex("^arn:aws(?:-cn|-eusc|-iso|-iso-b|-iso-e|-iso-f|-us-gov)?:iam::[0-9]{12}:(root|(role|user)/[A-Za-z0-9_+=,.@/-]{1,512})$", arn))]), false)
    error_message = "trail_reader.principal_arns must name at least one role, user or account (arn:aws:iam::111122223333:root), each by its ARN and without wildcards."
  }

  validation {
    condition     = var.trail_reader == null || try(can(regex("^[A-Za-z0-9_+=,.@:/-]{2,}$", var.trail_reader.external_id)) && length(var.trail_reader.external_id) <= 1224, false)
    error_message = "trail_reader.external_id must be 2 to 1224 letters, digits and the characters _ + = , . @ : / -."
  }

  validation {
    condition     = var.trail_reader == null || try(contains(range(1, 13), var.trail_reader.max_session_hours), false)
    error_message = "trail_reader.max_session_hours must be a whole number from 1 to 12."
  }

  validation {
    condition     = var.trail_reader == null || (var.trail_bucket_name != null && var.trail_key_arn != null)
    error_message = "trail_reader needs trail_bucket_name and trail_key_arn."
  }
}

variable "trail_bucket_name" {
  description = "Name of the bucket that holds the trail's log files; required with trail_reader."
  type        = string
  default     = null
}

variable "trail_key_arn" {
  description = "ARN of the KMS key that encrypts the log files; required with trail_reader."
  type        = string
  default     = null
}
