variable "manage_organization" {
  description = "Whether Terraform manages the organization itself: its trusted services and policy types. false: it only reads the organization, and manages its units and policies."
  type        = bool
  default     = true
  nullable    = false
}

variable "trusted_services" {
  description = "Services that may work in all accounts (trusted access); the whole list: a service that is not in it loses its access, unless keep_trusted_services is true. Used where the organization is managed."
  type        = set(string)
  default = [
    "access-analyzer.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "config-multiaccountsetup.amazonaws.com",
    "config.amazonaws.com",
    "guardduty.amazonaws.com",
    "iam.amazonaws.com",
    "securityhub.amazonaws.com",
  ]
  nullable = false

  validation {
    condition     = alltrue([for service in var.trusted_services : can(regex("^[a-z0-9][a-z0-9.-]*\\.amazonaws\\.com(\\.cn)?$", service))])
    error_message = "trusted_services must be service principals, like config.amazonaws.com."
  }
}

variable "keep_trusted_services" {
  description = "Whether services that the organization trusts already keep their access, without being listed, such as those that a console enabled; true needs an organization that exists. false: a plan reports each as a removal."
  type        = bool
  default     = false
  nullable    = false
}

variable "enabled_policy_types" {
  description = "Enabled policy types, as a complete list: disabling a type ends the effect of all its policies. Used where the organization is managed; elsewhere the types must already be enabled."
  type        = set(string)
  default     = ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY", "TAG_POLICY", "AISERVICES_OPT_OUT_POLICY"]
  nullable    = false

  validation {
    condition = length(setsubtract(var.enabled_policy_types, [
      "SERVICE_CONTROL_POLICY",
      "RESOURCE_CONTROL_POLICY",
      "TAG_POLICY",
      "AISERVICES_OPT_OUT_POLICY",
      "BACKUP_POLICY",
      "CHATBOT_POLICY",
      "DECLARATIVE_POLICY_EC2",
      # From here on, version 6.26 or later of the provider is needed.
      "BEDROCK_POLICY",
      "GUARDDUTY_POLICY",
      "INSPECTOR_POLICY",
      "NETWORK_SECURITY_DIRECTOR_POLICY",
      "S3_POLICY",
      "SECURITYHUB_CSPM_POLICY",
      "SECURITYHUB_POLICY",
      "UPGRADE_ROLLOUT_POLICY",
    ])) == 0
    error_message = "enabled_policy_types must be of SERVICE_CONTROL_POLICY, RESOURCE_CONTROL_POLICY, TAG_POLICY, AISERVICES_OPT_OUT_POLICY, BACKUP_POLICY, CHATBOT_POLICY and DECLARATIVE_POLICY_EC2, and with version 6.26 or later of the AWS provider of BEDROCK_POLICY, GUARDDUTY_POLICY, INSPECTOR_POLICY, NETWORK_SECURITY_DIRECTOR_POLICY, S3_POLICY, SECURITYHUB_CSPM_POLICY, SECURITYHUB_POLICY and UPGRADE_ROLLOUT_POLICY."
  }
}

variable "organizational_units" {
  description = "Paths of organizational units, parents included: Workloads, Workloads/Production."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for path in var.organizational_units : can(regex("^[^\\s/](?:[^/]{0,126}[^\\s/])?(?:/[^\\s/](?:[^/]{0,126}[^\\s/])?){0,4}$", path)) && split("/", path)[0] != "root"])
    error_message = "organizational_units must be names separated by /, at most five levels, and not begin with root."
  }

  validation {
    condition     = alltrue([for path in var.organizational_units : length(split("/", path)) == 1 || contains(var.organizational_units, join("/", slice(split("/", path), 0, length(split("/", path)) - 1)))])
    error_message = "organizational_units must name the parent of each unit, too."
  }
}

variable "policies" {
  description = "Name => policy: its type, description, document (JSON), and where it is attached (root, paths of organizational_units, or ids of units and accounts)."
  type = map(object({
    type        = string
    description = string
    content     = string
    targets     = set(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for policy in values(var.policies) : contains(["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY", "TAG_POLICY", "AISERVICES_OPT_OUT_POLICY", "BACKUP_POLICY", "CHATBOT_POLICY", "DECLARATIVE_POLICY_EC2", "BEDROCK_POLICY", "GUARDDUTY_POLICY", "INSPECTOR_POLICY", "NETWORK_SECURITY_DIRECTOR_POLICY", "S3_POLICY", "SECURITYHUB_CSPM_POLICY", "SECURITYHUB_POLICY", "UPGRADE_ROLLOUT_POLICY"], policy.type)])
    error_message = "The type of each of policies must be one that enabled_policy_types accepts."
  }

  validation {
    condition     = alltrue([for policy in values(var.policies) : can(jsondecode(policy.content))])
    error_message = "The content of each of policies must be a JSON document."
  }

  validation {
    condition = alltrue(flatten([for policy in values(var.policies) : [
      for target in policy.targets : target == "root" || contains(var.organizational_units, target) || can(regex("^(ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}|[0-9]{12})$", target))
    ]]))
    error_message = "The targets of each of policies must be root, paths of organizational_units, ids of units (ou-…) or account ids."
  }

  validation {
    condition     = !var.manage_organization || length(setsubtract([for policy in values(var.policies) : policy.type], var.enabled_policy_types)) == 0
    error_message = "enabled_policy_types must have the type of each of policies."
  }
}

variable "delegated_administrators" {
  description = "Service principal => accounts that administer the service for the organization."
  type        = map(set(string))
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for service in keys(var.delegated_administrators) : can(regex("^[a-z0-9][a-z0-9.-]*\\.amazonaws\\.com(\\.cn)?$", service))])
    error_message = "The keys of delegated_administrators must be service principals, like config.amazonaws.com."
  }

  validation {
    condition     = alltrue([for account in flatten([for accounts in values(var.delegated_administrators) : tolist(accounts)]) : can(regex("^[0-9]{12}$", account))])
    error_message = "delegated_administrators must name accounts by their 12 digits."
  }
}
