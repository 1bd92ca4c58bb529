variable "name" {
  description = "Name of the trail, and part of the names of the key alias, the delivery role and the log group."
  type        = string
  default     = "baseline"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9]([._-]?[A-Za-z0-9]+)*$", var.name)) && length(var.name) >= 3 && length(var.name) <= 40
    error_message = "name must be 3 to 40 letters, digits, periods, underscores and hyphens, start and end with a letter or digit, and have no two separators in a row."
  }
}

variable "bucket" {
  description = "The log bucket: its name and the name of its access log bucket (null: baseline-cloudtrail-ACCOUNT-REGION, and the log bucket's name with -access-logs), days after which logs are deleted (null: never), default retention by object lock (null: none), transitions to cheaper storage classes (S3 moves no object smaller than 128 KB), and whether destroying the trail deletes the logs."
  type = object({
    name                               = optional(string)
    expiration_days                    = optional(number)
    noncurrent_version_expiration_days = optional(number, 90)
    transitions = optional(list(object({
      days          = number
      storage_class = string
    })), [])
    object_lock = optional(object({
      mode = string
      days = number
    }))
    access_log_bucket_name     = optional(string)
    access_log_expiration_days = optional(number, 365)
    force_destroy              = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = try(length(var.bucket.name) <= 51, var.bucket.name == null) || var.bucket.access_log_bucket_name != null
    error_message = "bucket.name must be at most 51 characters long, so that -access-logs can be appended, unless bucket.access_log_bucket_name is set."
  }

  validation {
    condition     = var.bucket.name == null || var.bucket.name != var.bucket.access_log_bucket_name
    error_message = "bucket.access_log_bucket_name must differ from bucket.name: a bucket that logs access to itself also logs its own log deliveries."
  }
}

variable "key" {
  description = "The KMS key that encrypts the log files and the log group: days between rotations of its material, and days in which its deletion can be canceled."
  type = object({
    rotation_period_days = optional(number, 365)
    deletion_window_days = optional(number, 30)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.key.rotation_period_days >= 90 && var.key.rotation_period_days <= 2560
    error_message = "key.rotation_period_days must be from 90 to 2560."
  }

  validation {
    condition     = var.key.deletion_window_days >= 7 && var.key.deletion_window_days <= 30
    error_message = "key.deletion_window_days must be from 7 to 30."
  }
}

variable "log_group_name" {
  description = "Name of the CloudWatch log group that receives the events; null: /aws/cloudtrail/NAME."
  type        = string
  default     = null

  validation {
    condition     = var.log_group_name == null || can(regex("^[A-Za-z0-9_./#-]{1,512}$", var.log_group_name))
    error_message = "log_group_name must be 1 to 512 letters, digits and the characters _ . / # -, or null."
  }
}

variable "log_retention_days" {
  description = "Days that CloudWatch Logs keeps the events; alarms and queries need them there, the bucket keeps them longer."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be a value that CloudWatch Logs accepts: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "data_events" {
  description = "Data events to record in addition to management events, billed by their number: s3_read, s3_write (objects of every bucket), lambda (calls of every function)."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.data_events, ["s3_read", "s3_write", "lambda"])) == 0
    error_message = "data_events must hold only s3_read, s3_write and lambda."
  }
}

variable "insights" {
  description = "Kinds of unusual activity that CloudTrail Insights looks for, billed by the number of analyzed events: ApiCallRateInsight, ApiErrorRateInsight."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.insights, ["ApiCallRateInsight", "ApiErrorRateInsight"])) == 0
    error_message = "insights must hold only ApiCallRateInsight and ApiErrorRateInsight."
  }
}

variable "organization_id" {
  description = "Id of the organization (o-…) whose accounts this trail records, for the management account only; null records this account only."
  type        = string
  default     = null

  validation {
    condition     = var.organization_id == null || can(regex("^o-[a-z0-9]{10,32}$", var.organization_id))
    error_message = "organization_id must be an id of the form o-exampleorgid (o- and 10 to 32 lowercase letters and digits), or null."
  }
}
