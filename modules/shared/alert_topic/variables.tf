variable "name" {
  description = "Name of the topic and of the key's alias."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,249}$", var.name))
    error_message = "name must be 1 to 249 letters, digits, underscores and hyphens."
  }
}

variable "display_name" {
  description = "Sender's name in e-mails of the topic; null: AWS shows the topic's name."
  type        = string
  default     = null
}

variable "key_description" {
  description = "Description of the key that encrypts the topic."
  type        = string
  nullable    = false
}

variable "alarm_name" {
  description = "Name of the CloudWatch alarm of this region that may publish; * matches any characters, so that name-* admits several alarms."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]+[*]?$", var.alarm_name))
    error_message = "alarm_name must be letters, digits, underscores and hyphens, with * only at its end."
  }
}

variable "subscribers" {
  description = "Recipients: email_addresses and https_endpoints, each of which confirms its subscription once."
  type = object({
    email_addresses = optional(set(string), [])
    https_endpoints = optional(set(string), [])
  })
  nullable = false

  validation {
    condition     = alltrue([for address in var.subscribers.email_addresses : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "subscribers.email_addresses must be e-mail addresses of the form name@example.com."
  }

  validation {
    condition     = alltrue([for endpoint in var.subscribers.https_endpoints : can(regex("^https://[A-Za-z0-9.-]+(:[0-9]+)?(/[^\\s@]*)?$", endpoint))])
    error_message = "subscribers.https_endpoints must be addresses that start with https:// and hold no user name or password."
  }
}
