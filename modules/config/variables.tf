variable "is_home_region" {
  description = "Whether this region is the one that records IAM's resource types, which are the same in every region, and evaluates the rules about IAM and the account."
  type        = bool
  default     = true
  nullable    = false
}

variable "bucket_name" {
  description = "Name of the bucket that receives snapshots and history of the configuration."
  type        = string
  nullable    = false
}

variable "s3_kms_key_arn" {
  description = "ARN of the KMS key that encrypts the files delivered to the bucket; null uses the bucket's default encryption."
  type        = string
  default     = null
}

variable "role_arn" {
  description = "ARN of the role with which the recorder reads the account: the service-linked role AWSServiceRoleForConfig."
  type        = string
  nullable    = false
}

variable "recorder_name" {
  description = "Name of the recorder; a region has at most one, and another name replaces it."
  type        = string
  default     = "default"
  nullable    = false

  validation {
    condition     = length(var.recorder_name) >= 1 && length(var.recorder_name) <= 256
    error_message = "recorder_name must be 1 to 256 characters long."
  }
}

variable "delivery_channel_name" {
  description = "Name of the delivery channel; a region has at most one, and another name replaces it."
  type        = string
  default     = "default"
  nullable    = false

  validation {
    condition     = length(var.delivery_channel_name) >= 1 && length(var.delivery_channel_name) <= 256
    error_message = "delivery_channel_name must be 1 to 256 characters long."
  }
}

variable "taken_over" {
  description = "Whether the recorder is imported, such as Control Tower's: the module then removes its exclusions. Must be false for a recorder that Terraform creates."
  type        = bool
  default     = false
  nullable    = false
}

variable "recording_frequency" {
  description = "CONTINUOUS records every change, DAILY the resources that changed, once a day; both are billed per recorded item, a daily item at a higher price."
  type        = string
  default     = "CONTINUOUS"
  nullable    = false

  validation {
    condition     = contains(["CONTINUOUS", "DAILY"], var.recording_frequency)
    error_message = "recording_frequency must be CONTINUOUS or DAILY."
  }
}

variable "recording_override" {
  description = "Resource types that are recorded at another frequency; null: no exception."
  type = object({
    frequency      = string
    resource_types = set(string)
  })
  default = null

  validation {
    condition     = var.recording_override == null || contains(["CONTINUOUS", "DAILY"], try(var.recording_override.frequency, ""))
    error_message = "recording_override.frequency must be CONTINUOUS or DAILY."
  }

  validation {
    condition     = var.recording_override == null || try(length(var.recording_override.resource_types) > 0 && alltrue([for t in var.recording_override.resource_types : can(regex("^AWS::[A-Za-z0-9]+::[A-Za-z0-9:]+$", t))]), false)
    error_message = "recording_override.resource_types must name at least one type of the form AWS::EC2::Instance."
  }
}

variable "snapshot_delivery_frequency" {
  description = "How often Config writes a snapshot of all resources to the bucket."
  type        = string
  default     = "TwentyFour_Hours"
  nullable    = false

  validation {
    condition     = contains(["One_Hour", "Three_Hours", "Six_Hours", "Twelve_Hours", "TwentyFour_Hours"], var.snapshot_delivery_frequency)
    error_message = "snapshot_delivery_frequency must be One_Hour, Three_Hours, Six_Hours, Twelve_Hours or TwentyFour_Hours."
  }
}
