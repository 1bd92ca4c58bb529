variable "administrator_account_id" {
  description = "Account id of Firewall Manager's administrator, if the same environment designates it; null: it was designated before."
  type        = string
  default     = null
}

variable "policies" {
  description = "Name => policy: exactly one of content_audit, usage_audit, waf and dns_firewall; the regions it is for (the caller passes only policies of this region); remediation_enabled; scope (accounts and organizational_units that are included, or excluded; resource_tags that are included, or excluded); delete_resources_with_policy."
  type = map(object({
    description                  = optional(string, "")
    regions                      = set(string)
    remediation_enabled          = optional(bool, false)
    delete_resources_with_policy = optional(bool, false)
    scope = optional(object({
      accounts                      = optional(set(string), [])
      organizational_units          = optional(set(string), [])
      excluded_accounts             = optional(set(string), [])
      excluded_organizational_units = optional(set(string), [])
      resource_tags                 = optional(map(string), {})
      resource_tags_are             = optional(string, "included")
    }), {})
    content_audit = optional(object({
      security_group_ids = set(string)
      rules_are          = optional(string, "allowed")
      deny_all_protocols = optional(bool, true)
      direction          = optional(string, "all")
      resource_types     = optional(set(string), ["AWS::EC2::SecurityGroup"])
    }))
    usage_audit = optional(object({
      unused               = optional(bool, true)
      redundant            = optional(bool, false)
      unused_after_minutes = optional(number, 1440)
    }))
    waf = optional(object({
      resource_types = set(string)
      first_rule_groups = optional(list(object({
        managed_name = optional(string)
        arn          = optional(string)
        count_only   = optional(bool, false)
      })), [])
      last_rule_groups = optional(list(object({
        managed_name = optional(string)
        arn          = optional(string)
        count_only   = optional(bool, false)
      })), [])
      default_action       = optional(string, "allow")
      replace_own_web_acls = optional(bool, false)
      log_destination_arn  = optional(string)
    }))
    dns_firewall = optional(object({
      first_rule_group_ids = optional(list(string), [])
      last_rule_group_ids  = optional(list(string), [])
    }))
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.policies) : can(regex("^[A-Za-z0-9_.:/=+@ -]{1,128}$", name))])
    error_message = "policies must be named with 1 to 128 letters, digits, blanks and the characters _ . : / = + @ -."
  }

  validation {
    condition     = alltrue([for policy in values(var.policies) : length([for kind in [policy.content_audit, policy.usage_audit, policy.waf, policy.dns_firewall] : 1 if kind != null]) == 1])
    error_message = "policies must have exactly one of content_audit, usage_audit, waf and dns_firewall."
  }

  validation {
    condition     = alltrue([for policy in values(var.policies) : length(policy.regions) > 0 && (length(policy.regions) == 1 || policy.content_audit == null && policy.dns_firewall == null)])
    error_message = "policies must have regions; exactly one with content_audit and dns_firewall, whose groups belong to a region."
  }

  validation {
    condition = alltrue([
      for scope in values(var.policies)[*].scope :
      length(scope.accounts) + length(scope.organizational_units) == 0 || length(scope.excluded_accounts) + length(scope.excluded_organizational_units) == 0
    ])
    error_message = "policies must have a scope that either includes or excludes accounts and organizational units: Firewall Manager ignores exclusions if there are inclusions."
  }

  validation {
    condition = alltrue([
      for scope in values(var.policies)[*].scope : alltrue(concat(
        [for id in setunion(scope.accounts, scope.excluded_accounts) : can(regex("^[0-9]{12}$", id))],
        [for id in setunion(scope.organizational_units, scope.excluded_organizational_units) : can(regex("^ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}$", id))],
      ))
    ])
    error_message = "policies must have a scope of account ids (12 digits) and ids of organizational units (such as ou-abcd-12345678)."
  }

  validation {
    condition     = alltrue([for scope in values(var.policies)[*].scope : contains(["included", "excluded"], scope.resource_tags_are) && length(scope.resource_tags) <= 8])
    error_message = "policies must have at most eight resource_tags, and resource_tags_are included or excluded."
  }

  validation {
    condition = alltrue([
      for audit in values(var.policies)[*].content_audit : audit == null || try(
        length(audit.security_group_ids) > 0 && alltrue([for id in audit.security_group_ids : can(regex("^sg-[0-9a-f]{8,17}$", id))])
        && contains(["allowed", "denied"], audit.rules_are) && contains(["all", "ingress", "egress"], audit.direction)
        && length(audit.resource_types) > 0 && length(setsubtract(audit.resource_types, ["AWS::EC2::SecurityGroup", "AWS::EC2::NetworkInterface", "AWS::EC2::Instance"])) == 0,
      false)
    ])
    error_message = "policies must have content_audit with ids of security groups (sg-…), rules_are allowed or denied, direction all, ingress or egress, and resource_types of AWS::EC2::SecurityGroup, AWS::EC2::NetworkInterface and AWS::EC2::Instance."
  }

  validation {
    condition = alltrue([
      for audit in values(var.policies)[*].usage_audit : audit == null || try(
        (audit.unused || audit.redundant) && audit.unused_after_minutes >= 0 && audit.unused_after_minutes <= 525600 && floor(audit.unused_after_minutes) == audit.unused_after_minutes,
      false)
    ])
    error_message = "policies must have usage_audit that looks for unused or redundant groups (or both), and unused_after_minutes a whole number from 0 to 525600."
  }

  validation {
    condition = alltrue([
      for waf in values(var.policies)[*].waf : waf == null || try(
        length(waf.resource_types) > 0 && contains(["allow", "block"], waf.default_action)
        && length(concat(waf.first_rule_groups, waf.last_rule_groups)) > 0
        && alltrue([for group in concat(waf.first_rule_groups, waf.last_rule_groups) : (group.managed_name == null) != (group.arn == null)]),
      false)
    ])
    error_message = "policies must have waf with resource_types, at least one rule group, each with either managed_name or arn, and default_action allow or block."
  }

  validation {
    condition = alltrue([
      for policy in values(var.policies) : policy.waf == null || try(
        length(setsubtract(policy.waf.resource_types, ["AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ApiGateway::Stage", "AWS::Cognito::UserPool", "AWS::AppSync::GraphQLApi"])) == 0
        || tolist(policy.waf.resource_types) == ["AWS::CloudFront::Distribution"] && tolist(policy.regions) == ["us-east-1"],
      false)
    ])
    error_message = "policies must have waf for AWS::ElasticLoadBalancingV2::LoadBalancer, AWS::ApiGateway::Stage, AWS::Cognito::UserPool and AWS::AppSync::GraphQLApi, or for AWS::CloudFront::Distribution alone, in us-east-1."
  }

  validation {
    condition = alltrue([
      for dns in values(var.policies)[*].dns_firewall : dns == null || try(
        length(concat(dns.first_rule_group_ids, dns.last_rule_group_ids)) > 0 && length(dns.first_rule_group_ids) <= 2 && length(dns.last_rule_group_ids) <= 2
        && alltrue([for id in concat(dns.first_rule_group_ids, dns.last_rule_group_ids) : can(regex("^rslvr-frg-[0-9a-z]{1,40}$", id))]),
      false)
    ])
    error_message = "policies must have dns_firewall with one or two first_rule_group_ids or last_rule_group_ids (rslvr-frg-…)."
  }
}
