variable "is_home_region" {
  description = "Whether this is the home region: a control setting can apply to the home region only, or to all others."
  type        = bool
  default     = true
  nullable    = false
}

variable "linked_regions" {
  description = "Regions whose findings the account's finding aggregator collects in this region; empty creates no aggregator."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = var.is_home_region || length(var.linked_regions) == 0
    error_message = "linked_regions must be empty outside the home region: an account has one finding aggregator."
  }
}

variable "standards" {
  description = "Standards whose controls are checked, each with its version: cis-5.0, cis-3.0, cis-1.4, cis-1.2, fsbp-1.0, nist-800-53-r5, nist-800-171-r2, pci-dss-4.0.1, pci-dss-3.2.1, resource-tagging-1.0, or the end of another standard's ARN, such as cis-aws-foundations-benchmark/v/9.0.0; an empty set checks nothing and only receives other services' findings."
  type        = set(string)
  default     = ["cis-5.0", "fsbp-1.0"]
  nullable    = false

  validation {
    condition     = alltrue([for standard in var.standards : contains(keys(local.standard_paths), standard) || can(regex("^[a-z0-9-]+/v/[0-9]+(\\.[0-9]+)*$", standard))])
    error_message = "standards must be of cis-5.0, cis-3.0, cis-1.4, cis-1.2, fsbp-1.0, nist-800-53-r5, nist-800-171-r2, pci-dss-4.0.1, pci-dss-3.2.1 and resource-tagging-1.0, or the end of another standard's ARN, such as cis-aws-foundations-benchmark/v/9.0.0."
  }

  validation {
    condition     = alltrue([for short, path in local.standard_paths : !(contains(var.standards, short) && contains(var.standards, join("/", slice(split("/", path), 1, 4))))])
    error_message = "standards must name each standard once, by its short name or by the end of its ARN."
  }
}

variable "auto_enable_controls" {
  description = "Whether AWS enables controls that it adds to a chosen standard later."
  type        = bool
  default     = true
  nullable    = false
}

variable "control_finding_generator" {
  description = "SECURITY_CONTROL generates one finding per control, however many standards contain it; null leaves the value to the organization's administrator, the only account that may set it for members."
  type        = string
  default     = "SECURITY_CONTROL"

  validation {
    condition     = var.control_finding_generator == null || var.control_finding_generator == "SECURITY_CONTROL"
    error_message = "control_finding_generator must be SECURITY_CONTROL or null."
  }
}

variable "finding_aggregation" {
  description = "Whether the home region collects the linked regions' findings; false where an organization's delegated administrator does."
  type        = bool
  default     = true
  nullable    = false
}

variable "controls" {
  description = "Control id, such as IAM.6 => its setting: enabled, reason (required to disable), standards, and regions (all, home, or others for all but the home region). AWS's own setting applies to a control that is not listed."
  type = map(object({
    enabled   = bool
    reason    = optional(string)
    standards = set(string)
    regions   = optional(string, "all")
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for id in keys(var.controls) : can(regex("^[A-Za-z][A-Za-z0-9]*\\.[1-9][0-9]*$", id))])
    error_message = "controls must be named by their ids, such as IAM.6 or CloudTrail.1."
  }

  validation {
    condition     = alltrue([for control in values(var.controls) : control.enabled || try(length(trimspace(control.reason)), 0) > 0])
    error_message = "controls that are not enabled must have a reason."
  }

  validation {
    condition     = alltrue([for control in values(var.controls) : length(control.standards) > 0 && length(setsubtract(control.standards, var.standards)) == 0])
    error_message = "controls must name at least one of the chosen standards, and no other."
  }

  validation {
    condition     = alltrue([for control in values(var.controls) : contains(["all", "home", "others"], control.regions)])
    error_message = "controls must have regions all, home or others."
  }
}
