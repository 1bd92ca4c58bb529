variable "name" {
  description = "Name of the bucket; bucket names are unique across all AWS accounts."
  type        = string
  nullable    = false

  validation {
    # A dot is legal in S3, but a bucket with one in its name cannot be reached over TLS by its host name.
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 63 lowercase letters, digits and hyphens, and start and end with a letter or digit."
  }
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts new objects by default; null encrypts them with S3's own keys (AES256)."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws(?:-cn|-eusc|-iso|-iso-b|-iso-e|-iso-f|-us-gov)?:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID) or null."
  }

  validation {
    condition     = var.kms_key_arn == null || length(var.access_log_sources) == 0
    error_message = "kms_key_arn must be null for a bucket that receives access logs: S3 delivers them only to buckets encrypted with AES256."
  }
}

variable "policy_documents" {
  description = "Policy documents (JSON) whose statements are added to the bucket policy; each statement has a unique sid."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "expiration_days" {
  description = "Days after which objects are deleted; null keeps them forever."
  type        = number
  default     = null

  validation {
    condition     = var.expiration_days == null || try(var.expiration_days >= 1 && floor(var.expiration_days) == var.expiration_days, false)
    error_message = "expiration_days must be a whole number of at least 1, or null to keep objects forever."
  }

  validation {
    condition     = var.expiration_days == null || alltrue([for t in var.transitions : try(t.days < var.expiration_days, false)])
    error_message = "expiration_days must be greater than the days of every transition."
  }
}

variable "noncurrent_version_expiration_days" {
  description = "Days after which overwritten or deleted versions of objects are removed permanently."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.noncurrent_version_expiration_days >= 1 && floor(var.noncurrent_version_expiration_days) == var.noncurrent_version_expiration_days
    error_message = "noncurrent_version_expiration_days must be a whole number of at least 1."
  }
}

variable "abort_multipart_upload_days" {
  description = "Days after which an unfinished multipart upload is removed."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.abort_multipart_upload_days >= 1 && floor(var.abort_multipart_upload_days) == var.abort_multipart_upload_days
    error_message = "abort_multipart_upload_days must be a whole number of at least 1."
  }
}

variable "transitions" {
  description = "Transitions of objects to cheaper storage classes: age in days and storage class. S3 moves no object smaller than 128 KB."
  type = list(object({
    days          = number
    storage_class = string
  }))
  default  = []
  nullable = false

  validation {
    condition     = alltrue([for t in var.transitions : contains(["STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"], t.storage_class)])
    error_message = "transitions[].storage_class must be STANDARD_IA, INTELLIGENT_TIERING, GLACIER_IR, GLACIER or DEEP_ARCHIVE."
  }

  validation {
    condition     = alltrue([for t in var.transitions : t.days >= (t.storage_class == "STANDARD_IA" ? 30 : 1) && floor(t.days) == t.days])
    error_message = "transitions[].days must be a whole number of at least 1, and at least 30 for STANDARD_IA."
  }

  validation {
    condition     = length(distinct(var.transitions[*].storage_class)) == length(var.transitions)
    error_message = "transitions must name each storage class at most once."
  }
}

variable "access_log_bucket" {
  description = "Name of the bucket that receives this bucket's access logs; null writes none."
  type        = string
  default     = null
}

variable "access_log_sources" {
  description = "Names of the buckets whose access logs this bucket receives."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "object_lock" {
  description = "Default retention of new objects (object lock): mode GOVERNANCE or COMPLIANCE, and days; null sets none. In COMPLIANCE mode no user, not even the root user, can delete an object before its retention ends."
  type = object({
    mode = string
    days = number
  })
  default = null

  validation {
    condition     = var.object_lock == null || contains(["GOVERNANCE", "COMPLIANCE"], try(var.object_lock.mode, ""))
    error_message = "object_lock.mode must be GOVERNANCE or COMPLIANCE."
  }

  validation {
    condition     = var.object_lock == null || try(var.object_lock.days >= 1 && var.object_lock.days <= 36500 && floor(var.object_lock.days) == var.object_lock.days, false)
    error_message = "object_lock.days must be a whole number from 1 to 36500."
  }

  validation {
    condition     = var.object_lock == null || length(var.access_log_sources) == 0
    error_message = "object_lock must be null for a bucket that receives access logs: S3 does not deliver them to buckets with a default retention."
  }
}

variable "force_destroy" {
  description = "Whether destroying the bucket also deletes its objects; false: destroying a bucket with objects fails."
  type        = bool
  default     = false
  nullable    = false
}
