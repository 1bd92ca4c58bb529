variable "bucket" {
  description = "The bucket that receives snapshots and history: its name (null: baseline-config-ACCOUNT-REGION), days after which objects are deleted (null: never), the KMS key of the same region that encrypts them (null: S3's own keys), the bucket for access logs (null: none), transitions to cheaper storage classes (S3 moves no object smaller than 128 KB), and whether destroying it also deletes its objects."
  type = object({
    name                               = optional(string)
    expiration_days                    = optional(number)
    noncurrent_version_expiration_days = optional(number, 90)
    transitions = optional(list(object({
      days          = number
      storage_class = string
    })), [])
    kms_key_arn       = optional(string)
    access_log_bucket = optional(string)
    force_destroy     = optional(bool, false)
  })
  default  = {}
  nullable = false
}

variable "create_service_linked_role" {
  description = "Whether to create the role AWSServiceRoleForConfig; false where the account already has it: an account has one, which the console creates when Config is first set up."
  type        = bool
  default     = true
  nullable    = false
}

variable "aggregator" {
  description = "The aggregator of all regions' configuration and compliance in this region: whether to create it, and its name."
  type = object({
    enabled = optional(bool, false)
    name    = optional(string, "baseline")
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,256}$", var.aggregator.name))
    error_message = "aggregator.name must be 1 to 256 letters, digits, underscores and hyphens."
  }
}
