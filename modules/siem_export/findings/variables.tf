variable "name" {
  description = "The name given to siem_export: the rules' names start with it, and only such rules may assume the role."
  type        = string
  default     = "baseline-siem"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,43}$", var.name))
    error_message = "name must be 1 to 44 letters, digits, underscores and hyphens, a letter or digit first."
  }
}

variable "findings" {
  description = "Which findings this region sends, and where: event_bus_arn, and sources, out of guardduty, security_hub, access_analyzer, root_sign_ins, inspector and macie."
  type = object({
    event_bus_arn = string
    sources       = optional(set(string), ["access_analyzer", "guardduty", "root_sign_ins", "security_hub"])
  })
  nullable = false

  validation {
    condition     = can(regex("^arn:aws(?:-cn|-eusc|-iso|-iso-b|-iso-e|-iso-f|-us-gov)?:events:[a-z0-9-]+:[0-9]{12}:event-bus/[A-Za-z0-9/_.-]{1,256}$", var.findings.event_bus_arn))
    error_message = "findings.event_bus_arn must be the ARN of an event bus."
  }

  validation {
    condition     = length(setsubtract(var.findings.sources, ["guardduty", "security_hub", "access_analyzer", "root_sign_ins", "inspector", "macie"])) == 0
    error_message = "findings.sources must be of guardduty, security_hub, access_analyzer, root_sign_ins, inspector and macie."
  }
}

variable "role_arn" {
  description = "ARN of the role that may put events on that bus (siem_export's output forward_role_arn)."
  type        = string
  nullable    = false
}
