variable "instance" {
  description = "The instance of IAM Identity Center: arn and identity_store_id; null looks it up in this region."
  type = object({
    arn               = string
    identity_store_id = string
  })
  default = null

  validation {
    condition     = var.instance == null || can(regex("^arn:aws(?:-cn|-eusc|-iso|-iso-b|-iso-e|-iso-f|-us-gov)?:sso:::instance/(sso)?ins-[A-Za-z0-9.-]{16}$", var.instance.arn)) && can(regex("^(d-[0-9a-f]{10}|[0-9a-f-]{36})$", var.instance.identity_store_id))
    error_message = "instance must have an arn such as arn:aws:sso:::instance/ssoins-1234567890abcdef and an identity_store_id such as d-1234567890."
  }
}

variable "permission_sets" {
  description = "Name => permission set: description, session_hours (1 to 12), relay_state (address to open after sign-in; null: the console), managed_policies (names of AWS managed policies), customer_managed_policies (name => path of policies that exist in each account), permissions_boundary (managed_policy, or customer_managed_policy with its path; null: none), and assignments (account id => groups, users by name, group_ids, user_ids)."
  type = map(object({
    description               = optional(string)
    session_hours             = optional(number, 1)
    relay_state               = optional(string)
    managed_policies          = optional(set(string), [])
    customer_managed_policies = optional(map(string), {})
    permissions_boundary = optional(object({
      managed_policy          = optional(string)
      customer_managed_policy = optional(string)
      path                    = optional(string, "/")
    }))
    assignments = optional(map(object({
      groups    = optional(set(string), [])
      users     = optional(set(string), [])
      group_ids = optional(set(string), [])
      user_ids  = optional(set(string), [])
    })), {})
  }))
  nullable = false

  validation {
    condition     = length(var.permission_sets) > 0 && alltrue([for name in keys(var.permission_sets) : can(regex("^[A-Za-z0-9_+=,.@-]{1,32}$", name))])
    error_message = "permission_sets must have at least one, named with 1 to 32 letters, digits and the characters _ + = , . @ -."
  }

  validation {
    condition     = alltrue([for set in values(var.permission_sets) : contains(range(1, 13), set.session_hours)])
    error_message = "permission_sets must have session_hours that are a whole number from 1 to 12."
  }

  validation {
    condition     = alltrue([for set in values(var.permission_sets) : set.description == null || try(length(set.description) >= 1 && length(set.description) <= 700, false)])
    error_message = "permission_sets must have a description of 1 to 700 characters, or null."
  }

  validation {
    condition     = alltrue([for set in values(var.permission_sets) : set.relay_state == null || can(regex("^https://[A-Za-z0-9_%&?=/:.#~-]{1,232}$", set.relay_state))])
    error_message = "permission_sets must have a relay_state that starts with https://, or null."
  }

  validation {
    condition     = alltrue([for set in values(var.permission_sets) : alltrue([for policy in set.managed_policies : can(regex("^([A-Za-z0-9-]+/)*[A-Za-z0-9_+=,.@-]{1,128}$", policy))])])
    error_message = "permission_sets must have managed_policies that are names of AWS managed policies, with their path (job-function/Billing)."
  }

  validation {
    condition     = alltrue([for set in values(var.permission_sets) : alltrue([for policy, path in set.customer_managed_policies : can(regex("^[A-Za-z0-9_+=,.@-]{1,128}$", policy)) && can(regex("^/([A-Za-z0-9_+=,.@-]+/)*$", path))])])
    error_message = "permission_sets must have customer_managed_policies of names => paths that start and end with /."
  }

  # https://docs.aws.amazon.com/singlesignon/latest/userguide/limits.html
  validation {
    condition     = alltrue([for set in values(var.permission_sets) : length(set.managed_policies) + length(set.customer_managed_policies) <= 20])
    error_message = "permission_sets must have at most 20 managed_policies and customer_managed_policies together (a quota that AWS does not raise)."
  }

  validation {
    condition     = alltrue([for boundary in values(var.permission_sets)[*].permissions_boundary : boundary == null || try((boundary.managed_policy == null) != (boundary.customer_managed_policy == null), false)])
    error_message = "permission_sets must have a permissions_boundary of either managed_policy or customer_managed_policy."
  }

  validation {
    condition = alltrue(flatten([
      for set in values(var.permission_sets) : [
        for account_id, who in set.assignments : can(regex("^[0-9]{12}$", account_id)) && length(who.groups) + length(who.users) + length(who.group_ids) + length(who.user_ids) > 0
      ]
    ]))
    error_message = "permission_sets must have assignments of account ids (12 digits) => at least one of groups, users, group_ids and user_ids."
  }

  validation {
    condition = alltrue(flatten([
      for set in values(var.permission_sets) : [
        for who in values(set.assignments) : [for id in setunion(who.group_ids, who.user_ids) : can(regex("^([0-9a-f]{10}-)?[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}$", id))]
      ]
    ]))
    error_message = "permission_sets must have group_ids and user_ids such as 1234567890-12345678-1234-1234-1234-123456789012."
  }
}

variable "inline_policies" {
  description = "Name of a permission set => its inline policy, as JSON of at most 32,768 characters."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.inline_policies), keys(var.permission_sets))) == 0
    error_message = "inline_policies must be of permission sets under permission_sets."
  }

  validation {
    condition     = alltrue([for policy in values(var.inline_policies) : can(jsondecode(policy).Statement) && length(policy) <= 32768 && length(replace(policy, "/\\s/", "")) <= 10240])
    error_message = "inline_policies must be IAM policies in JSON, of at most 32,768 characters, and 10,240 without white space."
  }
}
