variable "findings_bucket" {
  description = "The bucket that findings are exported to: its name (null: baseline-guardduty-ACCOUNT-REGION), days after which findings are deleted (null: never), the bucket for access logs (null: none), transitions to cheaper storage classes (S3 moves no object smaller than 128 KB), and whether destroying it also deletes its objects."
  type = object({
    name                               = optional(string)
    expiration_days                    = optional(number)
    noncurrent_version_expiration_days = optional(number, 90)
    transitions = optional(list(object({
      days          = number
      storage_class = string
    })), [])
    access_log_bucket = optional(string)
    force_destroy     = optional(bool, false)
  })
  default  = {}
  nullable = false
}

variable "opt_in_regions" {
  description = "Opt-in regions in use: there GuardDuty writes as the service principal of the region."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for region in var.opt_in_regions : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", region))])
    error_message = "opt_in_regions must be regions such as me-south-1."
  }
}
