variable "is_home_region" {
  description = "Whether this region sends findings by e-mail; other regions forward theirs to the event bus of the home region."
  type        = bool
  default     = true
  nullable    = false
}

variable "finding_publishing_frequency" {
  description = "How often GuardDuty publishes new occurrences of a known finding; it always publishes new findings within five minutes."
  type        = string
  default     = "FIFTEEN_MINUTES"
  nullable    = false

  validation {
    condition     = contains(["FIFTEEN_MINUTES", "ONE_HOUR", "SIX_HOURS"], var.finding_publishing_frequency)
    error_message = "finding_publishing_frequency must be FIFTEEN_MINUTES, ONE_HOUR or SIX_HOURS."
  }
}

variable "protection" {
  description = "The protection plans beyond the foundational detection, each ENABLED or DISABLED and billed by use: S3 object access, EKS audit logs, malware scans of EC2 volumes, RDS logins, Lambda network activity, and runtime monitoring of EKS, ECS and EC2."
  type = object({
    s3_data_events         = optional(string, "DISABLED")
    eks_audit_logs         = optional(string, "DISABLED")
    ebs_malware_protection = optional(string, "DISABLED")
    rds_login_events       = optional(string, "DISABLED")
    lambda_network_logs    = optional(string, "DISABLED")
    runtime_monitoring     = optional(string, "DISABLED")
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for status in values(var.protection) : contains(["ENABLED", "DISABLED"], status)])
    error_message = "protection must be ENABLED or DISABLED for each plan."
  }
}

variable "runtime_monitoring_agents" {
  description = "Where GuardDuty manages the agent of runtime monitoring, each ENABLED or DISABLED: EKS clusters, ECS tasks on Fargate, EC2 instances."
  type = object({
    eks_addon   = optional(string, "DISABLED")
    ecs_fargate = optional(string, "DISABLED")
    ec2         = optional(string, "DISABLED")
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for status in values(var.runtime_monitoring_agents) : contains(["ENABLED", "DISABLED"], status)])
    error_message = "runtime_monitoring_agents must be ENABLED or DISABLED for each platform."
  }

  validation {
    condition     = var.protection.runtime_monitoring == "ENABLED" || !contains(values(var.runtime_monitoring_agents), "ENABLED")
    error_message = "runtime_monitoring_agents need protection.runtime_monitoring to be ENABLED."
  }
}

variable "unsupported_plans" {
  description = "Protection plans that AWS does not offer in this region: they are left out, even if protection enables them."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition = length(setsubtract(var.unsupported_plans, [
      "s3_data_events", "eks_audit_logs", "ebs_malware_protection", "rds_login_events", "lambda_network_logs", "runtime_monitoring",
    ])) == 0
    error_message = "unsupported_plans must be of s3_data_events, eks_audit_logs, ebs_malware_protection, rds_login_events, lambda_network_logs and runtime_monitoring."
  }
}

variable "export_findings" {
  description = "Whether GuardDuty exports findings to a bucket, which keeps them longer than GuardDuty's 90 days."
  type        = bool
  default     = false
  nullable    = false
}

variable "findings_bucket_arn" {
  description = "ARN of the bucket that receives findings; required with export_findings."
  type        = string
  default     = null

  validation {
    condition     = !var.export_findings || var.findings_bucket_arn != null
    error_message = "findings_bucket_arn must be given when export_findings is true."
  }
}

variable "findings_kms_key_arn" {
  description = "ARN of the KMS key that encrypts exported findings; required with export_findings."
  type        = string
  default     = null

  validation {
    condition     = !var.export_findings || var.findings_kms_key_arn != null
    error_message = "findings_kms_key_arn must be given when export_findings is true: GuardDuty does not export without a key."
  }
}

variable "notifications" {
  description = "Findings by e-mail: the addresses (each confirms its subscription once), the minimum severity to send (1 to 10; 7 and above is high, 9 and above critical), and the name of topic and rules."
  type = object({
    email_addresses  = optional(set(string), [])
    minimum_severity = optional(number, 7)
    name             = optional(string, "baseline-guardduty-findings")
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for address in var.notifications.email_addresses : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "notifications.email_addresses must be e-mail addresses of the form name@example.com."
  }

  validation {
    condition     = var.notifications.minimum_severity >= 1 && var.notifications.minimum_severity <= 10
    error_message = "notifications.minimum_severity must be from 1 to 10."
  }

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,55}$", var.notifications.name))
    error_message = "notifications.name must be 1 to 55 letters, digits, underscores and hyphens."
  }
}

variable "notification_event_bus_arn" {
  description = "ARN of the home region's event bus that receives forwarded findings; null only in the home region or without notifications."
  type        = string
  default     = null

  validation {
    condition     = var.is_home_region || length(var.notifications.email_addresses) == 0 || var.notification_event_bus_arn != null
    error_message = "notification_event_bus_arn must be given outside the home region when there are notifications.email_addresses."
  }
}

variable "notification_role_arn" {
  description = "ARN of the role with which EventBridge forwards findings to the home region; null only in the home region or without notifications."
  type        = string
  default     = null

  validation {
    condition     = var.is_home_region || length(var.notifications.email_addresses) == 0 || var.notification_role_arn != null
    error_message = "notification_role_arn must be given outside the home region when there are notifications.email_addresses."
  }
}
