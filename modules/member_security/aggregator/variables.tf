variable "config_aggregator" {
  description = "The aggregator of what AWS Config records in all accounts and regions: whether to create it, its name, and the name of its role."
  type = object({
    enabled   = optional(bool, true)
    name      = optional(string, "baseline-organization")
    role_name = optional(string, "baseline-config-organization")
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,256}$", var.config_aggregator.name))
    error_message = "config_aggregator.name must be 1 to 256 letters, digits, underscores and hyphens."
  }

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", var.config_aggregator.role_name))
    error_message = "config_aggregator.role_name must be 1 to 64 letters, digits or _+=,.@-."
  }
}
