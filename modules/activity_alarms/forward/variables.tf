variable "name" {
  description = "The name given to activity_alarms: the rule's name starts with it, and only such rules may assume the forwarding role."
  type        = string
  default     = "baseline-activity"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,42}$", var.name))
    error_message = "name must be 1 to 43 letters, digits, underscores and hyphens, a letter or digit first."
  }
}

variable "event_bus_arn" {
  description = "ARN of the home region's event bus (activity_alarms' output of the same name)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws(?:-cn|-eusc|-iso|-iso-b|-iso-e|-iso-f|-us-gov)?:events:[a-z0-9-]+:[0-9]{12}:event-bus/", var.event_bus_arn))
    error_message = "event_bus_arn must be the ARN of an event bus."
  }
}

variable "role_arn" {
  description = "ARN of the role that may put events on that bus (activity_alarms' output forward_role_arn)."
  type        = string
  nullable    = false
}
