variable "guardduty" {
  description = "GuardDuty in member accounts: whether it is managed; for which accounts it is enabled (ALL, NEW or NONE); for which accounts each protection plan is enabled; and for which accounts GuardDuty manages the agent of runtime monitoring (EKS clusters, ECS tasks on Fargate, EC2 instances)."
  type = object({
    enabled     = optional(bool, true)
    auto_enable = optional(string, "ALL")
    protection = optional(object({
      s3_data_events         = optional(string, "NONE")
      eks_audit_logs         = optional(string, "NONE")
      ebs_malware_protection = optional(string, "NONE")
      rds_login_events       = optional(string, "NONE")
      lambda_network_logs    = optional(string, "NONE")
      runtime_monitoring     = optional(string, "NONE")
    }), {})
    runtime_monitoring_agents = optional(object({
      eks_addon   = optional(string, "NONE")
      ecs_fargate = optional(string, "NONE")
      ec2         = optional(string, "NONE")
    }), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for members in concat([var.guardduty.auto_enable], values(var.guardduty.protection), values(var.guardduty.runtime_monitoring_agents)) : contains(["ALL", "NEW", "NONE"], members)])
    error_message = "guardduty.auto_enable and each of guardduty.protection and guardduty.runtime_monitoring_agents must be ALL, NEW or NONE."
  }

  validation {
    condition     = var.guardduty.protection.runtime_monitoring != "NONE" || alltrue([for members in values(var.guardduty.runtime_monitoring_agents) : members == "NONE"])
    error_message = "guardduty.runtime_monitoring_agents need guardduty.protection.runtime_monitoring to be ALL or NEW."
  }
}

variable "security_hub" {
  description = "Security Hub in member accounts: whether it is managed; LOCAL configuration (new accounts get it, with AWS's default standards, CIS 1.2 of 2018 and FSBP, or none) or CENTRAL (policies for the root, units and accounts, which requires findings from another region); and those policies by name, with the controls that they disable."
  type = object({
    enabled           = optional(bool, true)
    configuration     = optional(string, "LOCAL")
    default_standards = optional(bool, false)
    policies = optional(map(object({
      description       = optional(string, "")
      disabled_controls = optional(set(string), [])
      targets           = set(string)
    })), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["LOCAL", "CENTRAL"], var.security_hub.configuration)
    error_message = "security_hub.configuration must be LOCAL or CENTRAL."
  }

  validation {
    condition     = (var.security_hub.configuration == "CENTRAL") == (length(var.security_hub.policies) > 0)
    error_message = "security_hub.policies must be given with CENTRAL configuration, and only with it."
  }

  validation {
    condition     = alltrue(flatten([for policy in values(var.security_hub.policies) : [for target in policy.targets : can(regex("^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}|[0-9]{12})$", target))]]))
    error_message = "The targets of security_hub.policies must be the ids of a root (r-…), units (ou-…) or accounts."
  }
}

variable "is_home_region" {
  description = "Whether this is the home region, which holds the central configuration."
  type        = bool
  default     = true
  nullable    = false
}

variable "detector_id" {
  description = "Id of this account's GuardDuty detector in the region; null where guardduty is not managed."
  type        = string
  default     = null

  validation {
    condition     = var.detector_id != null || !var.guardduty.enabled
    error_message = "detector_id must be given where guardduty.enabled is true."
  }
}

variable "unsupported_plans" {
  description = "GuardDuty's protection plans that AWS does not offer in this region, such as rds_login_events: they are left out, even if guardduty.protection enables them."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.unsupported_plans, keys(var.guardduty.protection))) == 0
    error_message = "unsupported_plans must be names of guardduty.protection, such as rds_login_events."
  }
}

variable "standards_arns" {
  description = "Standard => ARN of each standard that central configuration enables."
  type        = map(string)
  default     = {}
  nullable    = false
}
