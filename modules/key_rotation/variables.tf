variable "rules" {
  description = "Names of the Config rules whose findings cause notifications."
  type        = set(string)
  default     = ["access-keys-rotated", "iam-user-unused-credentials-check"]
  nullable    = false

  validation {
    condition     = length(var.rules) > 0 && alltrue([for name in var.rules : can(regex("^[A-Za-z0-9_-]{1,128}$", name))])
    error_message = "rules must be at least one name of 1 to 128 letters, digits, underscores and hyphens."
  }
}

variable "topic" {
  description = "The topic for notifications: its arn, and name_prefix, with which the names of EventBridge rules must start to publish to it."
  type = object({
    arn         = string
    name_prefix = string
  })
  nullable = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{1,52}$", var.topic.name_prefix))
    error_message = "topic.name_prefix must have 1 to 52 letters, digits and the characters _ . -, which leaves room for key-rotation in the rule's name."
  }
}
