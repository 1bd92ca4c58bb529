variable "accept_one_year_commitment" {
  description = "Whether the commitment is accepted: Shield Advanced bills 3,000 USD a month for at least a year, and nothing ends it earlier. Must be true."
  type        = bool
  nullable    = false

  validation {
    condition     = var.accept_one_year_commitment
    error_message = "accept_one_year_commitment must be true: Shield Advanced bills 3,000 USD a month for at least a year. Without it, leave this module out; Shield Standard protects every account free of charge."
  }
}

variable "name" {
  description = "The name of the response team's role starts with it."
  type        = string
  default     = "baseline-shield"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,49}$", var.name))
    error_message = "name must be 1 to 50 letters, digits, underscores and hyphens, a letter or digit first."
  }
}

variable "auto_renew" {
  description = "Whether the subscription renews itself for another year; false ends protection when the year is over."
  type        = bool
  default     = true
  nullable    = false
}

variable "protections" {
  description = "Name => resource that is protected: resource_arn (of a CloudFront distribution, a hosted zone, an Elastic IP, a load balancer or a Global Accelerator), automatic_response to attacks on the application layer: block, count, or null for none (only distributions and Application Load Balancers with a web ACL have it), and health_check_arn (of a Route 53 health check that says whether the resource works, or null; hosted zones take none)."
  type = map(object({
    resource_arn       = string
    automatic_response = optional(string)
    health_check_arn   = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.protections) : can(regex("^[A-Za-z0-9_. -]{1,128}$", name))])
    error_message = "protections must be named with 1 to 128 letters, digits, blanks and the characters _ . -."
  }

  validation {
    condition     = alltrue([for protection in values(var.protections) : can(regex("^arn:aws(?:-cn|-eusc|-iso|-iso-b|-iso-e|-iso-f|-us-gov)?:(cloudfront|route53|ec2|elasticloadbalancing|globalaccelerator):[a-z0-9-]*:([0-9]{12})?:[A-Za-z0-9/_-]+$", protection.resource_arn))])
    error_message = "protections must have the resource_arn of a CloudFront distribution, a hosted zone, an Elastic IP, a load balancer or a Global Accelerator."
  }

  validation {
    condition     = alltrue([for protection in values(var.protections) : protection.automatic_response == null || try(contains(["block", "count"], protection.automatic_response), false)])
    error_message = "protections must have automatic_response block, count or null."
  }

  validation {
    condition     = alltrue([for protection in values(var.protections) : protection.automatic_response == null || can(regex("^arn:aws(?:-cn|-eusc|-iso|-iso-b|-iso-e|-iso-f|-us-gov)?:(cloudfront:|elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:loadbalancer/app/)", protection.resource_arn))])
    error_message = "protections must have automatic_response only for CloudFront distributions and Application Load Balancers."
  }

  validation {
    condition     = alltrue([for protection in values(var.protections) : protection.health_check_arn == null || can(regex("^arn:aws:route53:::healthcheck/[A-Za-z0-9-]{36}$", protection.health_check_arn))])
    error_message = "protections must have health_check_arn such as arn:aws:route53:::healthcheck/1234abcd-12ab-34cd-56ef-1234567890ab, or null."
  }

  validation {
    condition     = alltrue([for protection in values(var.protections) : protection.health_check_arn == null || !startswith(protection.resource_arn, "arn:aws:route53:")])
    error_message = "protections must have no health_check_arn for hosted zones: Shield Advanced takes none for them."
  }
}

variable "protection_groups" {
  description = "Id => protections that are looked at as one: pattern (ALL, BY_RESOURCE_TYPE with a resource_type, or ARBITRARY with the names of protections) and aggregation of their traffic (SUM, MEAN or MAX)."
  type = map(object({
    pattern       = string
    aggregation   = optional(string, "SUM")
    resource_type = optional(string)
    protections   = optional(set(string), [])
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for id in keys(var.protection_groups) : can(regex("^[A-Za-z0-9-]{1,36}$", id))])
    error_message = "protection_groups must be named with 1 to 36 letters, digits and hyphens."
  }

  validation {
    condition     = alltrue([for group in values(var.protection_groups) : contains(["ALL", "BY_RESOURCE_TYPE", "ARBITRARY"], group.pattern) && contains(["SUM", "MEAN", "MAX"], group.aggregation)])
    error_message = "protection_groups must have pattern ALL, BY_RESOURCE_TYPE or ARBITRARY, and aggregation SUM, MEAN or MAX."
  }

  validation {
    condition = alltrue([
      for group in values(var.protection_groups) : group.pattern == "BY_RESOURCE_TYPE"
      ? try(contains(["CLOUDFRONT_DISTRIBUTION", "ROUTE_53_HOSTED_ZONE", "ELASTIC_IP_ALLOCATION", "CLASSIC_LOAD_BALANCER", "APPLICATION_LOAD_BALANCER", "GLOBAL_ACCELERATOR"], group.resource_type), false)
      : group.resource_type == null
    ])
    error_message = "protection_groups must have a resource_type (CLOUDFRONT_DISTRIBUTION, ROUTE_53_HOSTED_ZONE, ELASTIC_IP_ALLOCATION, CLASSIC_LOAD_BALANCER, APPLICATION_LOAD_BALANCER or GLOBAL_ACCELERATOR) where pattern is BY_RESOURCE_TYPE, and only there."
  }

  validation {
    condition     = alltrue([for group in values(var.protection_groups) : (group.pattern == "ARBITRARY") == (length(group.protections) > 0) && length(setsubtract(group.protections, keys(var.protections))) == 0])
    error_message = "protection_groups must name protections, of those under protections, where pattern is ARBITRARY, and only there."
  }
}

variable "response_team" {
  description = "Access of AWS's Shield Response Team, which needs a support plan of business or higher: a role with AWS's own policy for it, and log_buckets (names of up to ten S3 buckets with flow or access logs) that it may read; null gives it none."
  type = object({
    log_buckets = optional(set(string), [])
  })
  default = null

  validation {
    condition     = var.response_team == null || try(length(var.response_team.log_buckets) <= 10 && alltrue([for name in var.response_team.log_buckets : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", name))]), false)
    error_message = "response_team.log_buckets must be names of at most ten buckets."
  }
}

variable "emergency_contacts" {
  description = "Contacts that the Shield Response Team calls when the health check of a protected resource becomes unhealthy: up to ten, each with email_address, phone_number (such as +4930123456) and notes; empty: none. Needs response_team, and a protection with health_check_arn."
  type = list(object({
    email_address = string
    phone_number  = string
    notes         = optional(string)
  }))
  default  = []
  nullable = false

  validation {
    condition     = length(var.emergency_contacts) == 0 || var.response_team != null
    error_message = "emergency_contacts needs response_team."
  }

  validation {
    condition     = length(var.emergency_contacts) == 0 || anytrue([for protection in values(var.protections) : protection.health_check_arn != null])
    error_message = "emergency_contacts needs a protection with health_check_arn: the Shield Response Team contacts people only where a health check is unhealthy."
  }

  validation {
    condition     = length(var.emergency_contacts) <= 10 && alltrue([for contact in var.emergency_contacts : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", contact.email_address)) && can(regex("^\\+[1-9][0-9]{1,14}$", contact.phone_number))])
    error_message = "emergency_contacts must be at most ten, each with an email_address of the form name@example.com and a phone_number such as +4930123456."
  }

  validation {
    condition     = alltrue([for contact in var.emergency_contacts : contact.notes == null || can(regex("^[A-Za-z0-9_. ,:/()+@-]{1,}$", contact.notes)) && try(length(contact.notes) <= 1024, false)])
    error_message = "emergency_contacts must have notes of 1 to 1024 letters, digits, blanks and the characters _ . , : / ( ) + @ -, or null."
  }
}
