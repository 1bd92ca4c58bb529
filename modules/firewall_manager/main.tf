data "aws_caller_identity" "current" {}

locals {
  kinds = {
    content_audit = "SECURITY_GROUPS_CONTENT_AUDIT"
    usage_audit   = "SECURITY_GROUPS_USAGE_AUDIT"
    waf           = "WAFV2"
    dns_firewall  = "DNS_FIREWALL"
  }

  # The type of each policy; the variable's validations ensure that it is exactly one.
  kind_of = {
    for name, policy in var.policies : name => one([for kind in keys(local.kinds) : kind if policy[kind] != null])
  }

  resource_types = {
    for name, policy in var.policies : name => (
      policy.content_audit != null ? policy.content_audit.resource_types
      : policy.waf != null ? policy.waf.resource_types
      : toset([policy.usage_audit != null ? "AWS::EC2::SecurityGroup" : "AWS::EC2::VPC"])
    )
  }

  # What AWS documents as SecurityServicePolicyData.ManagedServiceData (FMS API Reference), as text per policy, since the
  # four have different shapes.
  service_data = {
    for name, policy in var.policies : name => (
      policy.content_audit != null ? jsonencode({
        type                = local.kinds.content_audit
        securityGroups      = [for id in sort(policy.content_audit.security_group_ids) : { id = id }]
        securityGroupAction = { type = policy.content_audit.rules_are == "allowed" ? "ALLOW" : "DENY" }
        preManagedOptions = [
          { denyProtocolAllValue = policy.content_audit.deny_all_protocols },
          { auditSgDirection = { type = upper(policy.content_audit.direction) } },
        ]
      })
      : policy.usage_audit != null ? jsonencode({
        type                            = local.kinds.usage_audit
        deleteUnusedSecurityGroups      = policy.usage_audit.unused
        coalesceRedundantSecurityGroups = policy.usage_audit.redundant
        optionalDelayForUnusedInMinutes = policy.usage_audit.unused_after_minutes
      })
      : policy.waf != null ? jsonencode({
        type                                    = local.kinds.waf
        preProcessRuleGroups                    = [for group in policy.waf.first_rule_groups : local.waf_rule_groups["${name}/${jsonencode(group)}"]]
        postProcessRuleGroups                   = [for group in policy.waf.last_rule_groups : local.waf_rule_groups["${name}/${jsonencode(group)}"]]
        defaultAction                           = { type = upper(policy.waf.default_action) }
        overrideCustomerWebACLAssociation       = policy.waf.replace_own_web_acls
        sampledRequestsEnabledForDefaultActions = true
        loggingConfiguration                    = policy.waf.log_destination_arn == null ? null : { logDestinationConfigs = [policy.waf.log_destination_arn], redactedFields = [] }
      })
      : jsonencode({
        type                  = local.kinds.dns_firewall
        preProcessRuleGroups  = [for index, id in policy.dns_firewall.first_rule_group_ids : { ruleGroupId = id, priority = 10 + index }]
        postProcessRuleGroups = [for index, id in policy.dns_firewall.last_rule_group_ids : { ruleGroupId = id, priority = 9910 + index }]
      })
    )
  }

  waf_rule_groups = merge([
    for name, policy in var.policies : {
      for group in concat(policy.waf.first_rule_groups, policy.waf.last_rule_groups) : "${name}/${jsonencode(group)}" => {
        ruleGroupArn   = group.arn
        ruleGroupType  = group.arn == null ? "ManagedRuleGroup" : "RuleGroup"
        overrideAction = { type = group.count_only ? "COUNT" : "NONE" }
        managedRuleGroupIdentifier = group.arn == null ? {
          vendorName           = "AWS"
          managedRuleGroupName = group.managed_name
          version              = null
        } : null
        excludeRules           = []
        sampledRequestsEnabled = true
      }
    } if policy.waf != null
  ]...)
}

resource "aws_fms_policy" "this" {
  for_each = var.policies

  name                  = each.key
  description           = each.value.description
  remediation_enabled   = each.value.remediation_enabled
  resource_type         = length(local.resource_types[each.key]) == 1 ? one(local.resource_types[each.key]) : null
  resource_type_list    = length(local.resource_types[each.key]) == 1 ? null : local.resource_types[each.key]
  resource_tags         = each.value.scope.resource_tags
  exclude_resource_tags = each.value.scope.resource_tags_are == "excluded"
  # Otherwise deleting a policy deletes the web ACLs and associations that it created, and resources lose their protection.
  delete_all_policy_resources        = each.value.delete_resources_with_policy
  delete_unused_fm_managed_resources = false

  security_service_policy_data {
    type                 = local.kinds[local.kind_of[each.key]]
    managed_service_data = local.service_data[each.key]
  }

  dynamic "include_map" {
    for_each = length(each.value.scope.accounts) + length(each.value.scope.organizational_units) > 0 ? [each.value.scope] : []

    content {
      account = include_map.value.accounts
      orgunit = include_map.value.organizational_units
    }
  }

  dynamic "exclude_map" {
    for_each = length(each.value.scope.excluded_accounts) + length(each.value.scope.excluded_organizational_units) > 0 ? [each.value.scope] : []

    content {
      account = exclude_map.value.excluded_accounts
      orgunit = exclude_map.value.excluded_organizational_units
    }
  }

  lifecycle {
    # It also designates the administrator before the first policy is created.
    precondition {
      condition     = var.administrator_account_id == null || var.administrator_account_id == data.aws_caller_identity.current.account_id
      error_message = "policies belong to the environment of Firewall Manager's administrator, another account than this one."
    }
  }
}
