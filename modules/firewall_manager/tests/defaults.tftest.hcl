mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
}

run "nothing" {
  command = plan

  assert {
    condition     = length(aws_fms_policy.this) == 0
    error_message = "No policy must be made unasked."
  }
}

run "one_of_each" {
  command = plan

  variables {
    administrator_account_id = "111122223333"
    policies = {
      "open groups" = {
        regions       = ["eu-central-1"]
        content_audit = { security_group_ids = ["sg-0123456789abcdef0"] }
      }
      "unused groups" = {
        regions     = ["eu-central-1", "us-east-1"]
        usage_audit = {}
        scope       = { excluded_organizational_units = ["ou-abcd-12345678"], resource_tags = { keep = "" }, resource_tags_are = "excluded" }
      }
      "web" = {
        regions             = ["eu-central-1"]
        remediation_enabled = true
        scope               = { accounts = ["123456789012"], organizational_units = ["ou-abcd-12345678"] }
        waf = {
          resource_types    = ["AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ApiGateway::Stage"]
          first_rule_groups = [{ managed_name = "AWSManagedRulesCommonRuleSet", count_only = true }]
          last_rule_groups  = [{ arn = "arn:aws:wafv2:eu-central-1:111122223333:regional/rulegroup/own/1234abcd" }]
        }
      }
      "names" = {
        regions      = ["eu-central-1"]
        dns_firewall = { first_rule_group_ids = ["rslvr-frg-1234"], last_rule_group_ids = ["rslvr-frg-5678", "rslvr-frg-9abc"] }
      }
    }
  }

  assert {
    condition = { for name, policy in aws_fms_policy.this : name => jsondecode(policy.security_service_policy_data[0].managed_service_data) } == {
      "open groups" = {
        type                = "SECURITY_GROUPS_CONTENT_AUDIT"
        securityGroups      = [{ id = "sg-0123456789abcdef0" }]
        securityGroupAction = { type = "ALLOW" }
        preManagedOptions   = [{ denyProtocolAllValue = true }, { auditSgDirection = { type = "ALL" } }]
      }
      "unused groups" = {
        type                            = "SECURITY_GROUPS_USAGE_AUDIT"
        deleteUnusedSecurityGroups      = true
        coalesceRedundantSecurityGroups = false
        optionalDelayForUnusedInMinutes = 1440
      }
      "web" = {
        type = "WAFV2"
        preProcessRuleGroups = [{
          ruleGroupArn               = null
          ruleGroupType              = "ManagedRuleGroup"
          overrideAction             = { type = "COUNT" }
          managedRuleGroupIdentifier = { vendorName = "AWS", managedRuleGroupName = "AWSManagedRulesCommonRuleSet", version = null }
          excludeRules               = []
          sampledRequestsEnabled     = true
        }]
        postProcessRuleGroups = [{
          ruleGroupArn               = "arn:aws:wafv2:eu-central-1:111122223333:regional/rulegroup/own/1234abcd"
          ruleGroupType              = "RuleGroup"
          overrideAction             = { type = "NONE" }
          managedRuleGroupIdentifier = null
          excludeRules               = []
          sampledRequestsEnabled     = true
        }]
        defaultAction                           = { type = "ALLOW" }
        overrideCustomerWebACLAssociation       = false
        sampledRequestsEnabledForDefaultActions = true
        loggingConfiguration                    = null
      }
      "names" = {
        type                  = "DNS_FIREWALL"
        preProcessRuleGroups  = [{ ruleGroupId = "rslvr-frg-1234", priority = 10 }]
        postProcessRuleGroups = [{ ruleGroupId = "rslvr-frg-5678", priority = 9910 }, { ruleGroupId = "rslvr-frg-9abc", priority = 9911 }]
      }
    }
    error_message = "Each policy must say what AWS documents for its type."
  }

  assert {
    condition = { for name, policy in aws_fms_policy.this : name => policy.security_service_policy_data[0].type } == {
      "open groups" = "SECURITY_GROUPS_CONTENT_AUDIT", "unused groups" = "SECURITY_GROUPS_USAGE_AUDIT", "web" = "WAFV2", "names" = "DNS_FIREWALL"
    }
    error_message = "Each policy must be of its type."
  }

  assert {
    condition     = { for name, policy in aws_fms_policy.this : name => policy.remediation_enabled if policy.remediation_enabled } == { "web" = true }
    error_message = "Nothing is remediated unless asked for."
  }

  assert {
    condition     = alltrue([for policy in aws_fms_policy.this : !policy.delete_all_policy_resources])
    error_message = "What protects resources must outlive the policy, unless asked for."
  }

  assert {
    condition = (
      aws_fms_policy.this["open groups"].resource_type == "AWS::EC2::SecurityGroup" && aws_fms_policy.this["names"].resource_type == "AWS::EC2::VPC"
      && aws_fms_policy.this["web"].resource_type_list == toset(["AWS::ApiGateway::Stage", "AWS::ElasticLoadBalancingV2::LoadBalancer"])
    )
    error_message = "Each policy must be for its types of resources."
  }

  assert {
    condition = (
      length(aws_fms_policy.this["open groups"].include_map) + length(aws_fms_policy.this["open groups"].exclude_map) == 0
      && aws_fms_policy.this["web"].include_map[0].account == toset(["123456789012"])
      && aws_fms_policy.this["unused groups"].exclude_map[0].orgunit == toset(["ou-abcd-12345678"])
      && aws_fms_policy.this["unused groups"].exclude_resource_tags && aws_fms_policy.this["unused groups"].resource_tags == tomap({ keep = "" })
    )
    error_message = "Each policy must be for its accounts, units and tags."
  }
}

run "refused_elsewhere" {
  command = plan

  variables {
    administrator_account_id = "123456789012"
    policies                 = { unused = { regions = ["eu-central-1"], usage_audit = {} } }
  }

  expect_failures = [aws_fms_policy.this]
}

run "refused_names" {
  command = plan

  variables {
    policies = { "a*" = { regions = ["eu-central-1"], usage_audit = {} } }
  }

  expect_failures = [var.policies]
}

run "refused_without_kind" {
  command = plan

  variables {
    policies = { unused = { regions = ["eu-central-1"] } }
  }

  expect_failures = [var.policies]
}

run "refused_scope" {
  command = plan

  variables {
    policies = { unused = { regions = ["eu-central-1"], usage_audit = {}, scope = { accounts = ["123456789012"], excluded_accounts = ["111122223333"] } } }
  }

  expect_failures = [var.policies]
}

run "refused_audited_group" {
  command = plan

  variables {
    policies = { a = { regions = ["eu-central-1"], content_audit = { security_group_ids = ["group"] } } }
  }

  expect_failures = [var.policies]
}

run "refused_audited_regions" {
  command = plan

  variables {
    policies = { a = { regions = ["eu-central-1", "us-east-1"], content_audit = { security_group_ids = ["sg-0123456789abcdef0"] } } }
  }

  expect_failures = [var.policies]
}

run "refused_idle_usage_audit" {
  command = plan

  variables {
    policies = { a = { regions = ["eu-central-1"], usage_audit = { unused = false } } }
  }

  expect_failures = [var.policies]
}

run "refused_tags" {
  command = plan

  variables {
    policies = { a = { regions = ["eu-central-1"], usage_audit = {}, scope = { resource_tags_are = "some" } } }
  }

  expect_failures = [var.policies]
}

run "refused_account" {
  command = plan

  variables {
    policies = { a = { regions = ["eu-central-1"], usage_audit = {}, scope = { accounts = ["1"] } } }
  }

  expect_failures = [var.policies]
}

run "refused_distributions_elsewhere" {
  command = plan

  variables {
    policies = { a = { regions = ["eu-central-1"], waf = { resource_types = ["AWS::CloudFront::Distribution"], first_rule_groups = [{ managed_name = "AWSManagedRulesCommonRuleSet" }] } } }
  }

  expect_failures = [var.policies]
}

run "refused_empty_web_acl" {
  command = plan

  variables {
    policies = { a = { regions = ["eu-central-1"], waf = { resource_types = ["AWS::ApiGateway::Stage"] } } }
  }

  expect_failures = [var.policies]
}

run "refused_rule_group" {
  command = plan

  variables {
    policies = { a = { regions = ["eu-central-1"], dns_firewall = { first_rule_group_ids = ["group"] } } }
  }

  expect_failures = [var.policies]
}
