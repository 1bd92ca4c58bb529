variable "administrator_account_id" {
  description = "Account id of the organization's administrator of Firewall Manager; only the management account can designate it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.administrator_account_id))
    error_message = "administrator_account_id must be 12 digits."
  }
}
