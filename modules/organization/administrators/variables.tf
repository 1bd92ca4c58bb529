variable "security_administrator_account_id" {
  description = "Account that administers GuardDuty and Security Hub for the organization, in every active region; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.security_administrator_account_id == null ? true : can(regex("^[0-9]{12}$", var.security_administrator_account_id))
    error_message = "security_administrator_account_id must be 12 digits, or null."
  }
}
