variable "minimum_password_length" {
  description = "Minimum number of characters of a password, 6 to 128; CIS 7.0 2.8 requires at least 14."
  type        = number
  default     = 14
  nullable    = false

  validation {
    condition     = var.minimum_password_length >= 6 && var.minimum_password_length <= 128 && floor(var.minimum_password_length) == var.minimum_password_length
    error_message = "minimum_password_length must be a whole number from 6 to 128."
  }
}

variable "require_lowercase_characters" {
  description = "Whether a password needs a lowercase letter."
  type        = bool
  default     = true
  nullable    = false
}

variable "require_uppercase_characters" {
  description = "Whether a password needs an uppercase letter."
  type        = bool
  default     = true
  nullable    = false
}

variable "require_numbers" {
  description = "Whether a password needs a digit."
  type        = bool
  default     = true
  nullable    = false
}

variable "require_symbols" {
  description = "Whether a password needs a symbol."
  type        = bool
  default     = true
  nullable    = false
}

variable "password_reuse_prevention" {
  description = "How many previous passwords a user cannot choose again, 1 to 24; CIS 7.0 2.9 requires 24."
  type        = number
  default     = 24
  nullable    = false

  validation {
    condition     = var.password_reuse_prevention >= 1 && var.password_reuse_prevention <= 24 && floor(var.password_reuse_prevention) == var.password_reuse_prevention
    error_message = "password_reuse_prevention must be a whole number from 1 to 24."
  }
}

variable "max_password_age" {
  description = "Days after which a password expires, 1 to 1095; null: passwords never expire."
  type        = number
  default     = 90

  validation {
    condition     = var.max_password_age == null ? true : var.max_password_age >= 1 && var.max_password_age <= 1095 && floor(var.max_password_age) == var.max_password_age
    error_message = "max_password_age must be a whole number of days from 1 to 1095, or null for passwords that never expire."
  }
}

variable "hard_expiry" {
  description = "Whether a user whose password has expired needs an administrator to set a new one, instead of choosing one at the next sign-in; true can lock out the last administrator."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.hard_expiry || var.max_password_age != null
    error_message = "hard_expiry = true needs a max_password_age; without one no password ever expires."
  }
}

variable "allow_users_to_change_password" {
  description = "Whether users may change their own password."
  type        = bool
  default     = true
  nullable    = false
}
