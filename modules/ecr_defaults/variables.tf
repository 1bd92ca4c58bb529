variable "scan_type" {
  description = "Who scans images: BASIC (Amazon ECR, operating system packages, free) or ENHANCED (Amazon Inspector, which bills, also packages of programming languages, and again when new vulnerabilities become known)."
  type        = string
  default     = "BASIC"
  nullable    = false

  validation {
    condition     = contains(["BASIC", "ENHANCED"], var.scan_type)
    error_message = "scan_type must be BASIC or ENHANCED."
  }
}

variable "scan_on_push_filters" {
  description = "Which repositories are scanned when an image is pushed: their names, or parts of them, with * for any characters; [\"*\"] is every repository, [] none."
  type        = set(string)
  default     = ["*"]
  nullable    = false

  validation {
    condition     = alltrue([for filter in var.scan_on_push_filters : can(regex("^[0-9a-z*]+(?:[_./-][0-9a-z*]+)*$", filter)) && length(filter) <= 255])
    error_message = "scan_on_push_filters must be names of repositories, at most 255 characters: lowercase letters, digits, * and, between these, single . _ - or /."
  }

  validation {
    condition     = length(var.scan_on_push_filters) <= 100
    error_message = "scan_on_push_filters must have at most 100 filters."
  }
}

variable "continuous_scan_filters" {
  description = "Which repositories Amazon Inspector scans continuously, in the same form; needs scan_type ENHANCED."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for filter in var.continuous_scan_filters : can(regex("^[0-9a-z*]+(?:[_./-][0-9a-z*]+)*$", filter)) && length(filter) <= 255])
    error_message = "continuous_scan_filters must be names of repositories, at most 255 characters: lowercase letters, digits, * and, between these, single . _ - or /."
  }

  validation {
    condition     = length(var.continuous_scan_filters) <= 100
    error_message = "continuous_scan_filters must have at most 100 filters."
  }

  validation {
    condition     = length(var.continuous_scan_filters) == 0 || var.scan_type == "ENHANCED"
    error_message = "continuous_scan_filters needs scan_type ENHANCED: Amazon ECR itself scans on push only."
  }
}

variable "basic_scan_type_version" {
  description = "What basic scanning uses: AWS_NATIVE (AWS's own technology, the only one that AWS still lets accounts choose); null leaves the value that the account has."
  type        = string
  default     = "AWS_NATIVE"

  validation {
    condition     = var.basic_scan_type_version == null || var.basic_scan_type_version == "AWS_NATIVE"
    error_message = "basic_scan_type_version must be AWS_NATIVE, or null."
  }
}

variable "registry_policy_scope" {
  description = "Which requests the registry's policy decides: V2 (every request to Amazon ECR, AWS's default for new accounts); null leaves the value that the account has."
  type        = string
  default     = "V2"

  validation {
    condition     = var.registry_policy_scope == null || var.registry_policy_scope == "V2"
    error_message = "registry_policy_scope must be V2, or null."
  }
}
