variable "log_group_name" {
  description = "Name of the CloudWatch log group that receives the events of a multi-region trail."
  type        = string
  nullable    = false
}

variable "name" {
  description = "Name of the topic, the key alias and the metric namespace, and prefix of the names of alarms, filters and rules."
  type        = string
  default     = "baseline-activity"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,42}$", var.name))
    error_message = "name must be 1 to 43 letters, digits, underscores and hyphens, a letter or digit first."
  }
}

variable "subscribers" {
  description = "Recipients: email_addresses (each confirms its subscription once) and https_endpoints (each confirms by answering SNS's first message); at least one of them, because an alarm without recipients has no effect."
  type = object({
    email_addresses = optional(set(string), [])
    https_endpoints = optional(set(string), [])
  })
  nullable = false

  validation {
    condition     = length(var.subscribers.email_addresses) + length(var.subscribers.https_endpoints) > 0
    error_message = "subscribers must name at least one of email_addresses and https_endpoints."
  }

  validation {
    condition     = alltrue([for address in var.subscribers.email_addresses : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "subscribers.email_addresses must be e-mail addresses of the form name@example.com."
  }

  validation {
    condition     = alltrue([for endpoint in var.subscribers.https_endpoints : can(regex("^https://[A-Za-z0-9.-]+(:[0-9]+)?(/[^\\s@]*)?$", endpoint))])
    error_message = "subscribers.https_endpoints must be addresses that start with https:// and hold no user name or password."
  }
}

variable "monitors" {
  description = "The monitors of CIS 7.0, section 5, each with enabled, threshold (how many matching events raise the alarm) and period_minutes (within how many minutes, 1 to 1440)."
  type = object({
    unauthorized_api_calls = optional(object({
      enabled        = optional(bool, true)
      threshold      = optional(number, 10)
      period_minutes = optional(number, 5)
    }), {})
    console_sign_in_without_mfa = optional(object({
      enabled        = optional(bool, true)
      threshold      = optional(number, 1)
      period_minutes = optional(number, 5)
    }), {})
    root_use = optional(object({
      enabled        = optional(bool, true)
      threshold      = optional(number, 1)
      period_minutes = optional(number, 5)
    }), {})
    iam_policy_changes = optional(object({
      enabled        = optional(bool, true)
      threshold      = optional(number, 1)
      period_minutes = optional(number, 5)
    }), {})
    cloudtrail_changes = optional(object({
      enabled        = optional(bool, true)
      threshold      = optional(number, 1)
      period_minutes = optional(number, 5)
    }), {})
    console_sign_in_failures = optional(object({
      enabled        = optional(bool, true)
      threshold      = optional(number, 5)
      period_minutes = optional(number, 15)
    }), {})
    kms_key_deletions = optional(object({
      enabled        = optional(bool, true)
      threshold      = optional(number, 1)
      period_minutes = optional(number, 5)
    }), {})
    s3_bucket_policy_changes = optional(object({
      enabled        = optional(bool, true)
      threshold      = optional(number, 1)
      period_minutes = optional(number, 5)
    }), {})
    config_changes = optional(object({
      enabled        = optional(bool, true)
      threshold      = optional(number, 1)
      period_minutes = optional(number, 5)
    }), {})
    security_group_changes = optional(object({
      enabled        = optional(bool, true)
      threshold      = optional(number, 1)
      period_minutes = optional(number, 5)
    }), {})
    network_acl_changes = optional(object({
      enabled        = optional(bool, true)
      threshold      = optional(number, 1)
      period_minutes = optional(number, 5)
    }), {})
    network_gateway_changes = optional(object({
      enabled        = optional(bool, true)
      threshold      = optional(number, 1)
      period_minutes = optional(number, 5)
    }), {})
    route_table_changes = optional(object({
      enabled        = optional(bool, true)
      threshold      = optional(number, 1)
      period_minutes = optional(number, 5)
    }), {})
    vpc_changes = optional(object({
      enabled        = optional(bool, true)
      threshold      = optional(number, 1)
      period_minutes = optional(number, 5)
    }), {})
    organizations_changes = optional(object({
      enabled        = optional(bool, true)
      threshold      = optional(number, 1)
      period_minutes = optional(number, 5)
    }), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for monitor in values(var.monitors) : monitor.threshold >= 1 && floor(monitor.threshold) == monitor.threshold])
    error_message = "monitors must have a threshold that is a whole number of at least 1."
  }

  validation {
    condition     = alltrue([for monitor in values(var.monitors) : monitor.period_minutes >= 1 && monitor.period_minutes <= 1440 && floor(monitor.period_minutes) == monitor.period_minutes])
    error_message = "monitors must have a period_minutes that is a whole number from 1 to 1440."
  }
}

variable "patterns" {
  description = "What the monitors match: refined adds calls that the benchmark does not list, and excludes calls of service-linked roles, central root sessions and denied reads in the console; benchmark matches exactly the benchmark's events."
  type        = string
  default     = "refined"
  nullable    = false

  validation {
    condition     = contains(["refined", "benchmark"], var.patterns)
    error_message = "patterns must be refined or benchmark."
  }
}

variable "root_sign_in_alerts" {
  description = "Whether EventBridge rules report root sign-ins immediately, in addition to the alarm of root_use within minutes."
  type        = bool
  default     = true
  nullable    = false
}
