variable "users" {
  description = "Users by name. Each has a status (active: member of its groups; suspended: kept for audit, out of its groups, everything denied; removed: deleted), groups (names), an owner who is responsible for it, a review_date (YYYY-MM-DD) for the next review, a path, tags, and console_pgp_key: the base64 public PGP key, or keybase:NAME, with which a first console password is encrypted (null: Terraform makes no password)."
  type = map(object({
    status          = optional(string, "active")
    groups          = optional(set(string), [])
    owner           = string
    review_date     = string
    path            = optional(string, "/")
    console_pgp_key = optional(string)
    tags            = optional(map(string), {})
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.users) : can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", name))])
    error_message = "User names must have 1 to 64 of the characters A-Z a-z 0-9 _ + = , . @ -."
  }

  validation {
    condition     = length(distinct([for name in keys(var.users) : lower(name)])) == length(var.users)
    error_message = "User names must differ by more than case: IAM ignores case."
  }

  validation {
    condition     = alltrue([for user in values(var.users) : contains(["active", "suspended", "removed"], user.status)])
    error_message = "status must be active, suspended or removed."
  }

  validation {
    condition     = alltrue([for user in values(var.users) : user.status != "active" || length(setsubtract(user.groups, setunion(var.group_names, var.existing_groups))) == 0])
    error_message = "groups of active users must be among group_names or existing_groups."
  }

  validation {
    condition     = alltrue([for user in values(var.users) : length(user.groups) <= 10])
    error_message = "groups must have at most 10 entries (IAM's quota)."
  }

  validation {
    condition     = alltrue([for user in values(var.users) : can(regex("^[\\p{L}\\p{N} _.:/=+@-]{1,256}$", user.owner))])
    error_message = "owner must have 1 to 256 letters, digits, spaces and the characters _ . : / = + - @ (it becomes a tag)."
  }

  validation {
    condition     = alltrue([for user in values(var.users) : can(regex("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", user.review_date)) && can(formatdate("YYYY-MM-DD", "${user.review_date}T00:00:00Z"))])
    error_message = "review_date must be a day such as 2027-03-31."
  }

  validation {
    condition     = alltrue([for user in values(var.users) : can(regex("^/([!-.0-~]+/)*$", user.path)) && length(user.path) <= 512])
    error_message = "path must be / or /name/, at most 512 printable characters."
  }

  validation {
    condition     = alltrue([for user in values(var.users) : user.console_pgp_key == null || can(regex("^(keybase:[A-Za-z0-9_]+|[A-Za-z0-9+/]{100,}={0,2})$", user.console_pgp_key))])
    error_message = "console_pgp_key must be keybase:NAME or a public key in base64 without line breaks (gpg --export NAME | base64 -w0)."
  }

  validation {
    condition     = alltrue([for user in values(var.users) : length(setintersection([for key in keys(user.tags) : lower(key)], ["owner", "reviewdate"])) == 0 && length(user.tags) <= 8])
    error_message = "tags must be at most 8, and not Owner or ReviewDate, which come from owner and review_date."
  }
}

variable "group_names" {
  description = "Names of groups that another module creates; memberships wait for them."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "existing_groups" {
  description = "Names of existing groups of the account that users may be members of."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.existing_groups : can(regex("^[A-Za-z0-9_+=,.@-]{1,128}$", name))])
    error_message = "existing_groups must hold names of 1 to 128 of the characters A-Z a-z 0-9 _ + = , . @ -."
  }
}

variable "suspended_group_name" {
  description = "Name of the group that suspended users are moved to, and of the managed policy on it that denies everything."
  type        = string
  default     = "suspended-users"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,128}$", var.suspended_group_name))
    error_message = "suspended_group_name must have 1 to 128 of the characters A-Z a-z 0-9 _ + = , . @ -."
  }

  validation {
    condition     = !contains([for name in setunion(var.group_names, var.existing_groups) : lower(name)], lower(var.suspended_group_name))
    error_message = "suspended_group_name must not be another group's name."
  }
}
