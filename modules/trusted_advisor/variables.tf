variable "name" {
  description = "Name of rule, topic, schedule group and key alias, and prefix of the role's name."
  type        = string
  default     = "baseline-trusted-advisor"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,55}$", var.name))
    error_message = "name must be 1 to 56 letters, digits, underscores and hyphens, a letter or digit first."
  }
}

variable "subscribers" {
  description = "Recipients, through an encrypted topic that the module creates: email_addresses and https_endpoints, at least one of them, each of which confirms its subscription once; null creates no topic, and the rule publishes to topic_arn."
  type = object({
    email_addresses = optional(set(string), [])
    https_endpoints = optional(set(string), [])
  })
  default = null

  validation {
    condition     = (var.subscribers == null) != (var.topic_arn == null)
    error_message = "subscribers or topic_arn must be set, but not both."
  }

  validation {
    condition     = var.subscribers == null || try(length(var.subscribers.email_addresses) + length(var.subscribers.https_endpoints), 0) > 0
    error_message = "subscribers must name at least one of email_addresses and https_endpoints."
  }

  validation {
    condition     = var.subscribers == null || alltrue([for address in try(var.subscribers.email_addresses, []) : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "subscribers.email_addresses must be e-mail addresses of the form name@example.com."
  }

  validation {
    condition     = var.subscribers == null || alltrue([for endpoint in try(var.subscribers.https_endpoints, []) : can(regex("^https://[A-Za-z0-9.-]+(:[0-9]+)?(/[^\\s@]*)?$", endpoint))])
    error_message = "subscribers.https_endpoints must be addresses that start with https:// and hold no user name or password."
  }
}

variable "topic_arn" {
  description = "ARN of an existing topic in us-east-1 (us-gov-west-1, cn-north-1), whose policy (and key) allow events.amazonaws.com and cloudwatch.amazonaws.com to publish; null: the module creates a topic for subscribers."
  type        = string
  default     = null

  validation {
    condition     = var.topic_arn == null || can(regex("^arn:aws(?:-cn|-eusc|-iso|-iso-b|-iso-e|-iso-f|-us-gov)?:sns:(us-east-1|us-gov-west-1|cn-north-1):[0-9]{12}:[A-Za-z0-9_-]{1,256}$", var.topic_arn))
    error_message = "topic_arn must be the ARN of a topic in us-east-1 (GovCloud: us-gov-west-1, China: cn-north-1)."
  }
}

variable "statuses" {
  description = "Status to which a check, or one of its resources, must change: OK, WARN and ERROR."
  type        = set(string)
  default     = ["ERROR", "WARN"]
  nullable    = false

  validation {
    condition     = length(var.statuses) > 0 && length(setsubtract(var.statuses, ["OK", "WARN", "ERROR"])) == 0
    error_message = "statuses must name at least one of OK, WARN and ERROR, and nothing else."
  }
}

variable "check_names" {
  description = "Checks that cause notifications, by their English names, such as Security Groups - Specific Ports Unrestricted; empty: every check."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.check_names : length(trimspace(name)) > 0])
    error_message = "check_names must not be empty."
  }
}

variable "support_plan" {
  description = "The account's AWS Support plan: basic, developer, business, business_plus, enterprise_on_ramp, enterprise or unified_operations. Plans from business up have the API that refresh needs."
  type        = string
  default     = "basic"
  nullable    = false

  validation {
    condition     = contains(["basic", "developer", "business", "business_plus", "enterprise_on_ramp", "enterprise", "unified_operations"], var.support_plan)
    error_message = "support_plan must be basic, developer, business, business_plus, enterprise_on_ramp, enterprise or unified_operations."
  }
}

variable "refresh" {
  description = "Checks to refresh once a week: check_ids, weekday (MON to SUN) and hour_utc (0 to 23); null refreshes none."
  type = object({
    check_ids = set(string)
    weekday   = optional(string, "MON")
    hour_utc  = optional(number, 6)
  })
  default = null

  validation {
    condition     = var.refresh == null || !contains(["basic", "developer"], var.support_plan)
    error_message = "refresh needs a support_plan of business or higher: others have no API for it."
  }

  validation {
    condition     = var.refresh == null || try(length(var.refresh.check_ids) > 0 && alltrue([for id in var.refresh.check_ids : can(regex("^[A-Za-z0-9_.-]{1,64}$", id))]), false)
    error_message = "refresh.check_ids must name at least one check by its id, such as HCP4007jGY."
  }

  validation {
    condition     = var.refresh == null || try(contains(["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"], var.refresh.weekday), false)
    error_message = "refresh.weekday must be MON, TUE, WED, THU, FRI, SAT or SUN."
  }

  validation {
    condition     = var.refresh == null || try(contains(range(24), var.refresh.hour_utc), false)
    error_message = "refresh.hour_utc must be a whole number from 0 to 23."
  }
}
