variable "is_home_region" {
  description = "Whether this is the region of the analyzer of unused access, of which an account needs one."
  type        = bool
  default     = true
  nullable    = false
}

variable "analyzer_name" {
  description = "Name of the analyzer of external access."
  type        = string
  default     = "baseline-external-access"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z_][A-Za-z0-9_.-]{0,254}$", var.analyzer_name))
    error_message = "analyzer_name must be 1 to 255 letters, digits, underscores, periods and hyphens, a letter or underscore first."
  }
}

variable "zone_of_trust" {
  description = "Whose access does not cause findings: that of the ACCOUNT itself, or that of the whole ORGANIZATION, which only its management account or its delegated administrator can choose."
  type        = string
  default     = "ACCOUNT"
  nullable    = false

  validation {
    condition     = contains(["ACCOUNT", "ORGANIZATION"], var.zone_of_trust)
    error_message = "zone_of_trust must be ACCOUNT or ORGANIZATION."
  }
}

variable "archive_rules" {
  description = "Name => rule that archives findings of intended access: filters (criterion, such as resource, isPublic or principal.AWS => one or more of eq, neq, contains (lists) and exists); a finding must match all filters of a rule."
  type = map(object({
    filters = map(object({
      eq       = optional(list(string))
      neq      = optional(list(string))
      contains = optional(list(string))
      exists   = optional(bool)
    }))
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.archive_rules) : can(regex("^[A-Za-z][A-Za-z0-9_.-]{0,254}$", name))])
    error_message = "archive_rules must have names of 1 to 255 letters, digits, underscores, periods and hyphens, a letter first."
  }

  validation {
    condition     = alltrue([for rule in values(var.archive_rules) : length(rule.filters) > 0])
    error_message = "archive_rules must each have at least one filter: without one, every finding would be archived."
  }

  validation {
    condition     = alltrue(flatten([for rule in values(var.archive_rules) : [for name in keys(rule.filters) : can(regex("^(id|error|findingType|isPublic|resource|resourceType|resourceOwnerAccount|status|principal\\.[A-Za-z]+|condition\\.[A-Za-z0-9:/_-]+)$", name))]]))
    error_message = "archive_rules must filter by id, error, findingType, isPublic, resource, resourceType, resourceOwnerAccount, status, principal.… or condition.…."
  }

  validation {
    condition     = alltrue(flatten([for rule in values(var.archive_rules) : [for f in values(rule.filters) : f.exists != null || length(concat(coalesce(f.eq, []), coalesce(f.neq, []), coalesce(f.contains, []))) > 0]]))
    error_message = "archive_rules must give each filter a value of eq, neq, contains or exists."
  }

  validation {
    condition     = alltrue(flatten([for rule in values(var.archive_rules) : [for f in values(rule.filters) : [for texts in [f.eq, f.neq, f.contains] : texts == null ? true : length(texts) <= 20]]]))
    error_message = "archive_rules must have at most 20 values in each eq, neq and contains."
  }
}

variable "unused_access" {
  description = "The analyzer of unused roles, keys, passwords and permissions, billed by the number of IAM users and roles: whether it runs, its name, and the days without use after which it reports a finding (1 to 365)."
  type = object({
    enabled       = optional(bool, false)
    analyzer_name = optional(string, "baseline-unused-access")
    age_days      = optional(number, 90)
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^[A-Za-z_][A-Za-z0-9_.-]{0,254}$", var.unused_access.analyzer_name)) && var.unused_access.analyzer_name != var.analyzer_name
    error_message = "unused_access.analyzer_name must be 1 to 255 letters, digits, underscores, periods and hyphens, a letter or underscore first, and differ from analyzer_name."
  }

  validation {
    condition     = var.unused_access.age_days >= 1 && var.unused_access.age_days <= 365 && floor(var.unused_access.age_days) == var.unused_access.age_days
    error_message = "unused_access.age_days must be a whole number from 1 to 365."
  }
}
