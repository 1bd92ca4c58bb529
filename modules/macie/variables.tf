variable "finding_publishing_frequency" {
  description = "How often Macie publishes policy findings that occur again: FIFTEEN_MINUTES, ONE_HOUR or SIX_HOURS. It publishes new ones, and sensitive data findings, immediately."
  type        = string
  default     = "FIFTEEN_MINUTES"
  nullable    = false

  validation {
    condition     = contains(["FIFTEEN_MINUTES", "ONE_HOUR", "SIX_HOURS"], var.finding_publishing_frequency)
    error_message = "finding_publishing_frequency must be FIFTEEN_MINUTES, ONE_HOUR or SIX_HOURS."
  }
}

variable "results_export" {
  description = "Where Macie stores the results of discovery per object: bucket_name and kms_key_arn (a key in the bucket's region), whose policies allow macie.amazonaws.com to write and encrypt, and key_prefix; null exports none, and AWS keeps them for 90 days."
  type = object({
    bucket_name = string
    kms_key_arn = string
    key_prefix  = optional(string)
  })
  default = null

  validation {
    condition     = var.results_export == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.results_export.bucket_name)) && can(regex("^arn:aws(?:-cn|-eusc|-iso|-iso-b|-iso-e|-iso-f|-us-gov)?:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.results_export.kms_key_arn))
    error_message = "results_export must have the bucket_name of a bucket and the kms_key_arn of a key (not of an alias)."
  }
}
