variable "notifications" {
  description = "Findings by e-mail: the addresses (each confirms its subscription once), the minimum severity to send (1 to 10; 7 and above is high, 9 and above critical), and the name of topic and rules."
  type = object({
    email_addresses  = optional(set(string), [])
    minimum_severity = optional(number, 7)
    name             = optional(string, "baseline-guardduty-findings")
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for address in var.notifications.email_addresses : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "notifications.email_addresses must be e-mail addresses of the form name@example.com."
  }

  validation {
    condition     = var.notifications.minimum_severity >= 1 && var.notifications.minimum_severity <= 10
    error_message = "notifications.minimum_severity must be from 1 to 10."
  }

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,55}$", var.notifications.name))
    error_message = "notifications.name must be 1 to 55 letters, digits, underscores and hyphens."
  }
}
