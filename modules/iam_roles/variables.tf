variable "roles" {
  description = "Roles for users and other accounts, by name. Each has the principals that may assume it: users (names of this account's) and principals (ARNs of accounts, users or roles); under which conditions: require_mfa, external_id and organization_id (null for none), at least one of them; what it may do: managed_policies (names of AWS managed policies with their path, or ARNs), bounded (whether the permissions boundary limits it); a path; and max_session_minutes."
  type = map(object({
    description         = optional(string, "Made by the account's baseline.")
    users               = optional(set(string), [])
    principals          = optional(set(string), [])
    require_mfa         = optional(bool, true)
    external_id         = optional(string)
    organization_id     = optional(string)
    managed_policies    = set(string)
    bounded             = optional(bool, false)
    path                = optional(string, "/")
    max_session_minutes = optional(number, 60)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for role in values(var.roles) : !startswith(role.path, var.delegation.path) || role.bounded])
    error_message = "Roles under delegation.path, or a path below it, must have bounded = true: bounded administrators may pass and change every role there."
  }

  validation {
    condition     = alltrue(flatten([for role in values(var.roles) : [for policy in role.managed_policies : role.bounded || !strcontains(policy, ":policy${var.delegation.path}")]]))
    error_message = "A role that is not bounded must not have a policy under delegation.path: bounded administrators may rewrite it."
  }

  validation {
    condition     = alltrue([for role in values(var.roles) : can(regex("^/([!-.0-~]+/)*$", role.path)) && length(role.path) <= 512])
    error_message = "path must be / or /name/, at most 512 printable characters."
  }

  validation {
    condition     = alltrue([for role in values(var.roles) : length(role.managed_policies) >= 1 && length(role.managed_policies) <= 10])
    error_message = "managed_policies must have 1 to 10 entries (IAM's quota)."
  }
}

variable "break_glass" {
  description = "The role for emergencies; every use raises an alarm, and it always requires MFA. Has a name, users and principals, managed_policies and max_session_minutes; null creates none."
  type = object({
    name                = optional(string, "break-glass")
    users               = optional(set(string), [])
    principals          = optional(set(string), [])
    managed_policies    = optional(set(string), ["AdministratorAccess"])
    max_session_minutes = optional(number, 60)
  })
  default = null

  validation {
    condition     = var.break_glass == null || var.alarm != null
    error_message = "break_glass needs alarm: an emergency role whose use is not reported is a back door."
  }

  validation {
    condition     = alltrue([for policy in try(var.break_glass.managed_policies, []) : !strcontains(policy, ":policy${var.delegation.path}")])
    error_message = "break_glass must not have a policy under delegation.path: bounded administrators may rewrite it."
  }
}

variable "audit" {
  description = "A role that reads configuration and cannot change it. Has a name, users and principals, require_mfa, external_id, organization_id, managed_policies (of SecurityAudit, job-function/ViewOnlyAccess and ReadOnlyAccess) and max_session_minutes; null creates none."
  type = object({
    name                = optional(string, "security-audit")
    users               = optional(set(string), [])
    principals          = optional(set(string), [])
    require_mfa         = optional(bool, true)
    external_id         = optional(string)
    organization_id     = optional(string)
    managed_policies    = optional(set(string), ["SecurityAudit", "job-function/ViewOnlyAccess"])
    max_session_minutes = optional(number, 60)
  })
  default = null

  validation {
    condition     = var.audit == null || (try(length(var.audit.managed_policies), 0) > 0 && length(setsubtract(try(var.audit.managed_policies, []), ["SecurityAudit", "job-function/ViewOnlyAccess", "ReadOnlyAccess"])) == 0)
    error_message = "audit.managed_policies must be of SecurityAudit, job-function/ViewOnlyAccess and ReadOnlyAccess."
  }
}

variable "support" {
  description = "A role for cases with AWS Support. Has a name, users and principals, require_mfa, external_id, organization_id, managed_policies (AWSSupportAccess among them) and max_session_minutes; null creates none."
  type = object({
    name                = optional(string, "aws-support")
    users               = optional(set(string), [])
    principals          = optional(set(string), [])
    require_mfa         = optional(bool, true)
    external_id         = optional(string)
    organization_id     = optional(string)
    managed_policies    = optional(set(string), ["AWSSupportAccess"])
    max_session_minutes = optional(number, 60)
  })
  default = null

  validation {
    condition     = var.support == null || contains(try(var.support.managed_policies, []), "AWSSupportAccess")
    error_message = "support.managed_policies must have AWSSupportAccess."
  }

  validation {
    condition     = alltrue([for policy in try(var.support.managed_policies, []) : !strcontains(policy, ":policy${var.delegation.path}")])
    error_message = "support must not have a policy under delegation.path: bounded administrators may rewrite it."
  }
}

variable "deployers" {
  description = "Roles of pipelines, by name, which authenticate through OpenID Connect without a secret. Each has a provider (github or gitlab), the repository (OWNER/NAME, or GROUP/…/PROJECT), and owner_id and repository_id (numbers of GitHub, or of gitlab.com's namespace and project), so that no other owner can take it over; subject_format (classic, immutable or both; null: immutable where the ids are given). Then either at least one of branches, tags and environments (GitHub's), all exact, with managed_policies; or pipeline, for the workflow that plans and applies the baseline: two roles, NAME-plan and NAME-apply, for runs of branch, of workflows (files in .github/workflows, or OWNER/NAME/.github/workflows/FILE@REF; empty: any; those of nightly_workflows only plan) and in plan_environment and apply_environment (null: plan-ENVIRONMENT_NAME and aws-ENVIRONMENT_NAME); pull_requests (whether runs for them may plan), plan_managed_policies and apply_managed_policies. issuer and audience where they are not the provider's usual ones (null); bounded, path and max_session_minutes."
  type = map(object({
    provider            = string
    repository          = string
    owner_id            = optional(string)
    repository_id       = optional(string)
    subject_format      = optional(string)
    branches            = optional(set(string), [])
    tags                = optional(set(string), [])
    environments        = optional(set(string), [])
    issuer              = optional(string)
    audience            = optional(string)
    managed_policies    = optional(set(string), [])
    bounded             = optional(bool, true)
    path                = optional(string, "/")
    max_session_minutes = optional(number, 60)
    pipeline = optional(object({
      branch                 = optional(string, "main")
      workflows              = optional(set(string), ["baseline.yml"])
      nightly_workflows      = optional(set(string), ["baseline-nightly.yml"])
      pull_requests          = optional(bool, true)
      plan_environment       = optional(string)
      apply_environment      = optional(string)
      plan_managed_policies  = optional(set(string), ["SecurityAudit", "job-function/ViewOnlyAccess"])
      apply_managed_policies = optional(set(string), [])
    }))
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for role in values(var.deployers) : contains(["github", "gitlab"], role.provider)])
    error_message = "provider must be github or gitlab."
  }

  validation {
    condition     = alltrue([for role in values(var.deployers) : can(regex(role.provider == "github" ? "^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$" : "^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$", role.repository))])
    error_message = "repository must be OWNER/NAME (GitHub) or GROUP/PROJECT (GitLab), without wildcards."
  }

  validation {
    condition     = alltrue([for role in values(var.deployers) : (role.owner_id == null) == (role.repository_id == null) && can(regex("^([1-9][0-9]{0,19})?$", role.owner_id == null ? "" : role.owner_id)) && can(regex("^([1-9][0-9]{0,19})?$", role.repository_id == null ? "" : role.repository_id))])
    error_message = "owner_id and repository_id must be numbers of GitHub or GitLab, both or neither."
  }

  validation {
    condition     = alltrue([for role in values(var.deployers) : role.provider == "github" || (role.subject_format == null && (role.owner_id == null || role.issuer == null || role.issuer == "gitlab.com"))])
    error_message = "subject_format is GitHub's, and STS compares ids with tokens of gitlab.com alone: owner_id and repository_id must be null for another issuer of GitLab."
  }

  validation {
    condition     = alltrue([for role in values(var.deployers) : role.subject_format == null ? true : contains(role.owner_id == null ? ["classic"] : ["classic", "immutable", "both"], role.subject_format)])
    error_message = "subject_format must be classic, immutable or both, the last two with owner_id and repository_id."
  }

  validation {
    condition     = alltrue([for role in values(var.deployers) : (length(role.branches) + length(role.tags) + length(role.environments) > 0) == (role.pipeline == null)])
    error_message = "A deployer must have either a pipeline or at least one of branches, tags and environments: any branch would mean any user who may push."
  }

  validation {
    condition     = alltrue(flatten([for role in values(var.deployers) : [for name in setunion(role.branches, role.tags, role.environments) : can(regex("^[A-Za-z0-9_][A-Za-z0-9 _./@#+=-]{0,254}$", name))]]))
    error_message = "branches, tags and environments must be exact names, without wildcards and colons."
  }

  validation {
    condition     = alltrue([for role in values(var.deployers) : role.provider == "github" || length(role.environments) == 0])
    error_message = "environments are GitHub's: GitLab's tokens do not name one in their subject."
  }

  validation {
    condition     = alltrue([for role in values(var.deployers) : role.issuer == null || can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+(/[A-Za-z0-9_.~/-]+)?$", role.issuer))])
    error_message = "issuer must be a host, possibly with a path, without https://, such as gitlab.example.com."
  }

  validation {
    condition     = alltrue([for role in values(var.deployers) : role.audience == null || can(regex("^[A-Za-z0-9_.:/-]{1,255}$", role.audience))])
    error_message = "audience must have 1 to 255 letters, digits and the characters _ . : / -."
  }

  validation {
    condition     = alltrue([for role in values(var.deployers) : !startswith(role.path, var.delegation.path)])
    error_message = "Deployers must not be under delegation.path, or a path below it: bounded administrators may change every role there."
  }

  validation {
    condition     = alltrue(flatten([for role in values(var.deployers) : [for policy in setunion(role.managed_policies, try(role.pipeline.plan_managed_policies, []), try(role.pipeline.apply_managed_policies, [])) : !strcontains(policy, ":policy${var.delegation.path}")]]))
    error_message = "A deployer must not have a policy under delegation.path: bounded administrators may rewrite it."
  }

  validation {
    condition     = alltrue([for role in values(var.deployers) : can(regex("^/([!-.0-~]+/)*$", role.path)) && length(role.path) <= 512])
    error_message = "path must be / or /name/, at most 512 printable characters."
  }

  validation {
    condition     = alltrue([for role in values(var.deployers) : role.pipeline == null ? length(role.managed_policies) >= 1 && length(role.managed_policies) <= 10 : length(role.managed_policies) == 0])
    error_message = "managed_policies must have 1 to 10 entries (IAM's quota), and none with a pipeline, which has plan_managed_policies and apply_managed_policies."
  }

  validation {
    condition     = alltrue([for role in values(var.deployers) : role.pipeline == null || role.owner_id != null || (role.issuer != null && !can(regex(role.provider == "github" ? "^token\\.actions\\.(githubusercontent\\.com(/.+)?|[a-z0-9-]+\\.ghe\\.com)$" : "^gitlab\\.com$", role.issuer)))])
    error_message = "A pipeline must have owner_id and repository_id: names of GitHub and gitlab.com, whether or not issuer names them, can be taken over by another owner once they are given up."
  }

  validation {
    condition     = alltrue(flatten([for role in values(var.deployers) : [for name in compact([try(role.pipeline.branch, ""), try(role.pipeline.plan_environment, ""), try(role.pipeline.apply_environment, "")]) : can(regex("^[A-Za-z0-9_][A-Za-z0-9 _./@#+=-]{0,254}$", name))]]))
    error_message = "branch, plan_environment and apply_environment of a pipeline must be exact names, without wildcards and colons."
  }

  validation {
    condition     = alltrue(flatten([for role in values(var.deployers) : [for workflow in setunion(try(role.pipeline.workflows, []), try(role.pipeline.nightly_workflows, [])) : can(regex("^([A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}/\\.github/workflows/[A-Za-z0-9._-]+\\.ya?ml@[A-Za-z0-9_./-]+|[A-Za-z0-9._-]+\\.ya?ml)$", workflow))]]))
    error_message = "workflows and nightly_workflows must be names of files in .github/workflows, or OWNER/NAME/.github/workflows/FILE@REF, without wildcards."
  }

  validation {
    condition     = alltrue([for role in values(var.deployers) : try(role.pipeline.plan_environment, null) == null || try(role.pipeline.plan_environment, null) != try(role.pipeline.apply_environment, null)])
    error_message = "plan_environment and apply_environment of a pipeline must differ: a run that plans could apply."
  }
}

variable "existing_oidc_providers" {
  description = "Issuers whose identity provider already exists in the account, which the module uses without changing it, such as token.actions.githubusercontent.com."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for issuer in var.existing_oidc_providers : can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+(/[A-Za-z0-9_.~/-]+)?$", issuer))])
    error_message = "existing_oidc_providers must be hosts, possibly with a path, without https://."
  }
}

variable "conflicts" {
  description = "Pairs of roles of which a principal may assume at most one."
  type        = list(list(string))
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for pair in var.conflicts : length(distinct(pair)) == 2])
    error_message = "conflicts must be pairs of two different roles."
  }

  validation {
    condition     = length(setsubtract(flatten(var.conflicts), concat(keys(var.roles), [for role in [var.break_glass, var.audit, var.support] : role.name if role != null]))) == 0
    error_message = "conflicts must name roles of roles, break_glass, audit and support."
  }
}

variable "delegation" {
  description = "What bounded administrators may do with identities: create and change roles, policies and instance profiles under path, each role with the boundary policy boundary_name, which exists where a role here has it or keep_boundary is true."
  type = object({
    path          = optional(string, "/delegated/")
    boundary_name = optional(string, "delegated-administration-boundary")
    keep_boundary = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^/[A-Za-z0-9_.-]+/$", var.delegation.path))
    error_message = "delegation.path must be /name/ of letters, digits and the characters _ . -."
  }

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,128}$", var.delegation.boundary_name))
    error_message = "delegation.boundary_name must have 1 to 128 of the characters A-Z a-z 0-9 _ + = , . @ -."
  }
}

variable "environment_name" {
  description = "Name of the environment of the toolkit, of which names of GitHub's environments are made: plan-NAME and aws-NAME."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]*$", var.environment_name))
    error_message = "environment_name must have letters, digits and the characters _ . - only."
  }
}

variable "permissions" {
  description = "Deployer with a pipeline => policy documents as JSON of its two roles, plan and apply: each becomes a managed policy (NAME-plan-1, NAME-plan-2 and so on) of that role, in addition to AWS's."
  type = map(object({
    plan  = optional(list(string), [])
    apply = optional(list(string), [])
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.permissions) : try(var.deployers[name].pipeline, null) != null])
    error_message = "permissions must name deployers with a pipeline."
  }

  validation {
    condition     = alltrue([for name, parts in var.permissions : length(parts.plan) + try(length(var.deployers[name].pipeline.plan_managed_policies), 0) <= 10 && length(parts.apply) + try(length(var.deployers[name].pipeline.apply_managed_policies), 0) <= 10])
    error_message = "Each role must have at most 10 policies, of permissions and managed policies together (IAM's quota)."
  }

  validation {
    condition     = alltrue([for document in flatten([for parts in values(var.permissions) : [parts.plan, parts.apply]]) : can(jsondecode(document).Statement)])
    error_message = "permissions must be policy documents in JSON."
  }

  validation {
    condition     = alltrue([for document in flatten([for parts in values(var.permissions) : [parts.plan, parts.apply]]) : try(length(jsonencode(jsondecode(document))), 0) <= 6144])
    error_message = "A document of permissions must have at most 6,144 characters without white space (IAM's quota)."
  }
}

variable "user_arns" {
  description = "Name => ARN of users that another module creates; roles wait for them, and users under a path are found."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "alarm" {
  description = "Where use of the break-glass role raises an alarm: log_group_name, which receives the events of a multi-region trail, topic_arn, and the prefix that alarm names need to publish to the topic; required with break_glass."
  type = object({
    log_group_name = string
    topic_arn      = string
    name_prefix    = string
  })
  default = null
}

variable "protected" {
  description = "Names of what stores this account's logs, which bounded roles may not change: buckets, log_groups and key_aliases (without alias/), of every region; * matches any characters."
  type = object({
    buckets     = optional(list(string), [])
    log_groups  = optional(list(string), [])
    key_aliases = optional(list(string), [])
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in flatten(values(var.protected)) : can(regex("^[A-Za-z0-9_./#-][A-Za-z0-9_./#*-]{0,511}$", name))])
    error_message = "Names in protected must have 1 to 512 letters, digits and the characters _ . / # -; wildcards may follow at least one character, as in baseline-*."
  }

  validation {
    condition     = !anytrue([for name in var.protected.key_aliases : strcontains(name, "*") || startswith(name, "alias/")])
    error_message = "protected.key_aliases must hold whole names without alias/: keys are known by them exactly."
  }
}
