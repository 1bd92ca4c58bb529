variable "findings_bucket" {
  description = "The bucket that findings are exported to: its name (null: baseline-guardduty-ACCOUNT-REGION), days after which findings are deleted (null: never), the bucket for access logs (null: none), and whether destroying it deletes what is in it."
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
