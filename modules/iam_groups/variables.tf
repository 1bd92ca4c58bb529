variable "groups" {
  description = "All groups by name; null: the group must not exist. Each has a path, managed policies (names of AWS managed policies with their path, as in job-function/Billing, or ARNs of your own) and typed inline policies; administrator = true marks the groups that may administer identities."
  type = map(object({
    administrator    = optional(bool, false)
    path             = optional(string, "/")
    managed_policies = optional(list(string), [])
    inline_policies = optional(map(list(object({
      sid       = string
      effect    = optional(string, "Allow")
      actions   = list(string)
      resources = list(string)
      conditions = optional(list(object({
        test     = string
        variable = string
        values   = list(string)
      })), [])
    }))), {})
  }))
  nullable = false

  default = {
    administrators = {
      administrator    = true
      path             = "/"
      managed_policies = ["AdministratorAccess"]
      inline_policies  = {}
    }
    developers = {
      administrator    = false
      path             = "/"
      managed_policies = ["PowerUserAccess"]
      inline_policies  = {}
    }
    auditors = {
      administrator    = false
      path             = "/"
      managed_policies = ["SecurityAudit", "job-function/ViewOnlyAccess"]
      inline_policies  = {}
    }
    billing = {
      administrator    = false
      path             = "/"
      managed_policies = ["job-function/Billing"]
      inline_policies  = {}
    }
    support = {
      administrator    = false
      path             = "/"
      managed_policies = ["AWSSupportAccess"]
      inline_policies  = {}
    }
  }

  validation {
    condition     = alltrue([for name in keys(var.groups) : can(regex("^[A-Za-z0-9_+=,.@-]{1,128}$", name))])
    error_message = "Group names must have 1 to 128 of the characters A-Z a-z 0-9 _ + = , . @ -."
  }

  validation {
    condition     = length(distinct([for name, group in var.groups : lower(name) if group != null])) == length([for name, group in var.groups : name if group != null])
    error_message = "Group names must differ by more than case: IAM treats developers and Developers as the same name."
  }

  validation {
    condition     = alltrue([for group in var.groups : can(regex("^/([!-.0-~]+/)*$", group.path)) && length(group.path) <= 512 if group != null])
    error_message = "A group's path must be / or /name/, with at most 512 printable characters."
  }

  validation {
    condition = alltrue(flatten([
      for group in var.groups : [
        for policy in group.managed_policies : can(regex("^(arn:aws(?:-cn|-eusc|-iso|-iso-b|-iso-e|-iso-f|-us-gov)?:iam::([0-9]{12}|aws):policy/)?([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]+$", policy))
      ] if group != null
    ]))
    error_message = "managed_policies must hold names of AWS managed policies, with their path (job-function/Billing), or managed policies' ARNs."
  }

  validation {
    condition     = alltrue([for group in var.groups : length(distinct(group.managed_policies)) == length(group.managed_policies) if group != null])
    error_message = "managed_policies must name each policy once."
  }

  validation {
    condition = alltrue([
      for group in var.groups :
      group.administrator ? length(group.managed_policies) <= 9 :
      length(distinct(concat(group.managed_policies, local.sign_in))) <= (var.self_service.access_keys == "rotate" ? 6 : 7)
      if group != null
    ])
    error_message = "managed_policies must have at most 7 entries, 9 in an administrator group: IAM allows 10 on a group, and the others are kept for the two guardrails and MFA enforcement. In all but administrator groups, self_service takes one for access_keys and one for aws_login."
  }

  validation {
    condition     = alltrue(flatten([for group in var.groups : [for name, statements in group.inline_policies : can(regex("^[A-Za-z0-9_+=,.@-]{1,128}$", name)) && length(statements) > 0] if group != null]))
    error_message = "inline_policies must map names (1 to 128 of A-Z a-z 0-9 _ + = , . @ -) to at least one statement each."
  }

  validation {
    condition = alltrue(flatten([
      for group in var.groups : [
        for statements in group.inline_policies :
        length(distinct(statements[*].sid)) == length(statements) && alltrue([for statement in statements : can(regex("^[A-Za-z0-9]{1,100}$", statement.sid))])
      ] if group != null
    ]))
    error_message = "Statement ids (sid) must be letters and digits, each once in a policy."
  }

  validation {
    condition     = alltrue(flatten([for group in var.groups : [for statement in flatten(values(group.inline_policies)) : contains(["Allow", "Deny"], statement.effect)] if group != null]))
    error_message = "A statement's effect must be Allow or Deny."
  }

  validation {
    condition = alltrue(flatten([
      for group in var.groups : [
        for statement in flatten(values(group.inline_policies)) :
        length(statement.actions) > 0 && alltrue([for action in statement.actions : can(regex("^([*]|[A-Za-z0-9-]+:[A-Za-z0-9*?]+)$", action))])
      ] if group != null
    ]))
    error_message = "A statement needs actions of the form service:Action, wildcards allowed, as in s3:Get*."
  }

  validation {
    condition = alltrue(flatten([
      for group in var.groups : [
        for statement in flatten(values(group.inline_policies)) :
        length(statement.resources) > 0 && alltrue([for resource in statement.resources : can(regex("^([*]|arn:(aws(?:-cn|-eusc|-iso|-iso-b|-iso-e|-iso-f|-us-gov)?|[^:]*[*?][^:]*):([^:]*:){3}.+)$", resource))])
      ] if group != null
    ]))
    error_message = "A statement needs resources: ARNs, wildcards allowed, or *."
  }

  validation {
    condition = alltrue(flatten([
      for group in var.groups : [
        for condition in flatten(flatten(values(group.inline_policies))[*].conditions) :
        length(condition.values) > 0 && can(regex("^((ForAllValues|ForAnyValue):)?((String(Not)?(Equals|EqualsIgnoreCase|Like)|(Numeric|Date)(Not)?Equals|(Numeric|Date)(LessThan|GreaterThan)(Equals)?|Arn(Not)?(Equals|Like)|Bool|BinaryEquals|(Not)?IpAddress)(IfExists)?|Null)$", condition.test))
      ] if group != null
    ]))
    error_message = "A condition needs an IAM operator as test (such as StringEquals, Bool or ForAnyValue:StringLike), a variable and at least one value."
  }

  validation {
    condition = alltrue(flatten([
      for group in var.groups : [
        for policy in group.managed_policies : !contains(local.administrator_policies, replace(policy, "/^arn:[^:]*:iam::aws:policy\\//", ""))
      ] if group != null && !try(group.administrator, false)
    ]))
    error_message = "Only groups with administrator = true may have AdministratorAccess, AdministratorAccess-Amplify or IAMFullAccess: members of others could raise their own rights."
  }

  # Both directions: a plain action against the patterns, and a pattern against concrete actions. The same walk over
  # what inline policies allow is repeated in each rule below, because a rule has to name the variable itself.
  validation {
    condition = !anytrue(flatten([
      for group in var.groups : [
        for statement in flatten(values(group.inline_policies)) : [
          for action in statement.actions :
          anytrue([for guarded in local.identity_administration : can(regex("^${replace(lower(guarded), "*", ".*")}$", lower(action)))]) ||
          anytrue([for witness in local.witnesses : can(regex("^${replace(replace(lower(action), "?", "."), "*", ".*")}$", lower(witness)))])
        ] if statement.effect == "Allow"
      ] if !try(group.administrator, true)
    ]))
    error_message = "Inline policies of groups without administrator = true must not allow identity administration (iam:Put*, iam:Attach*, iam:CreatePolicyVersion, sso:* and the like): members could raise their own rights."
  }

  validation {
    condition = !anytrue(flatten([
      for group in var.groups : [
        for statement in flatten(values(group.inline_policies)) : [
          for action in statement.actions :
          anytrue([for guarded in local.credentials : can(regex("^${replace(replace(lower(action), "?", "."), "*", ".*")}$", lower(guarded)))]) &&
          !alltrue([for resource in statement.resources : can(regex("^arn:aws(?:-cn|-eusc|-iso|-iso-b|-iso-e|-iso-f|-us-gov)?:iam::[^:]*:user/(.*/)?[$][{]aws:username[}]$", resource))])
        ] if statement.effect == "Allow"
      ] if !try(group.administrator, true)
    ]))
    error_message = "Inline policies of groups without administrator = true may allow actions on credentials (iam:CreateAccessKey, iam:EnableMFADevice and the like) only on arn:aws:iam::ACCOUNT:user/$${aws:username}."
  }

  validation {
    condition = !anytrue(flatten([
      for group in var.groups : [
        for statement in flatten(values(group.inline_policies)) : [
          for action in statement.actions :
          can(regex("^${replace(replace(lower(action), "?", "."), "*", ".*")}$", "iam:passrole")) && length(setsubtract(statement.resources, var.passable_roles)) > 0
        ] if statement.effect == "Allow"
      ] if !try(group.administrator, true)
    ]))
    error_message = "Inline policies of groups without administrator = true may allow iam:PassRole only on the roles that passable_roles lists."
  }

  validation {
    condition = !anytrue(flatten([
      for group in var.groups : [
        for statement in flatten(values(group.inline_policies)) : [
          for action in statement.actions :
          can(regex("^${replace(replace(lower(action), "?", "."), "*", ".*")}$", "sts:assumerole")) && length(setsubtract(statement.resources, var.assumable_roles)) > 0
        ] if statement.effect == "Allow"
      ] if !try(group.administrator, true)
    ]))
    error_message = "Inline policies of groups without administrator = true may allow sts:AssumeRole only on the roles that assumable_roles lists."
  }
}

variable "passable_roles" {
  description = "ARNs of the roles that members of all groups but administrator groups may pass to services, if their policies allow it; a user who may pass a role can use its permissions."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.passable_roles : can(regex("^arn:aws(?:-cn|-eusc|-iso|-iso-b|-iso-e|-iso-f|-us-gov)?:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@-][A-Za-z0-9_+=,.@/*?-]*$", arn))])
    error_message = "passable_roles must hold role ARNs with an account id; wildcards may follow at least one character of a path or name, as in role/app/*."
  }
}

variable "assumable_roles" {
  description = "ARNs of the roles, of this account or others, that members of all groups but administrator groups may assume, if their policies allow it (PowerUserAccess does)."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.assumable_roles : can(regex("^arn:aws(?:-cn|-eusc|-iso|-iso-b|-iso-e|-iso-f|-us-gov)?:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@-][A-Za-z0-9_+=,.@/*?-]*$", arn))])
    error_message = "assumable_roles must hold role ARNs with an account id; wildcards may follow at least one character of a path or name, as in role/app/*."
  }
}

variable "self_service" {
  description = "What members of all groups but administrator groups may do for themselves: access_keys (none, or rotate: in sessions with MFA create, list, deactivate and delete their own access keys), aws_login (get credentials for the command line from their console session; AWS's policy SignInLocalDevelopmentAccess), and policy_name, of the policy that allows rotation."
  type = object({
    access_keys = optional(string, "none")
    aws_login   = optional(bool, false)
    policy_name = optional(string, "rotate-own-access-keys")
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["none", "rotate"], var.self_service.access_keys)
    error_message = "self_service.access_keys must be none or rotate."
  }

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,128}$", var.self_service.policy_name))
    error_message = "self_service.policy_name must have 1 to 128 of the characters A-Z a-z 0-9 _ + = , . @ -."
  }
}

variable "guardrail_policy_name" {
  description = "Name of the managed policy that denies identity administration to every group that is not an administrator group."
  type        = string
  default     = "deny-identity-administration"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,128}$", var.guardrail_policy_name))
    error_message = "guardrail_policy_name must have 1 to 128 of the characters A-Z a-z 0-9 _ + = , . @ -."
  }
}

variable "log_guardrail_policy_name" {
  description = "Name of the managed policy that denies changes to what holds logs and carries alerts to every group that is not an administrator group."
  type        = string
  default     = "deny-changes-to-logs-and-alerts"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,128}$", var.log_guardrail_policy_name)) && lower(var.log_guardrail_policy_name) != lower(var.guardrail_policy_name)
    error_message = "log_guardrail_policy_name must have 1 to 128 of the characters A-Z a-z 0-9 _ + = , . @ -, and differ from guardrail_policy_name."
  }
}

variable "protected" {
  description = "Names of what holds this account's logs and carries its alerts, which only members of administrator groups may change: buckets, log_groups, key_aliases (without alias/), topics, event_rules, alarms and schedule_groups, of every region; * matches any characters."
  type = object({
    buckets         = optional(list(string), [])
    log_groups      = optional(list(string), [])
    key_aliases     = optional(list(string), [])
    topics          = optional(list(string), [])
    event_rules     = optional(list(string), [])
    alarms          = optional(list(string), [])
    schedule_groups = optional(list(string), [])
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in flatten(values(var.protected)) : can(regex("^[A-Za-z0-9_./#+=,@-][A-Za-z0-9_./#+=,@*-]{0,511}$", name))])
    error_message = "Names in protected must have 1 to 512 letters, digits and the characters _ . / # + = , @ -; wildcards may follow at least one character, as in baseline-*."
  }

  validation {
    condition     = !anytrue([for name in var.protected.key_aliases : strcontains(name, "*") || startswith(name, "alias/")])
    error_message = "protected.key_aliases must hold whole names without alias/: keys are known by them exactly."
  }
}
