# Denies tampering with resources by name, and with keys by alias. Actions and ARNs by kind are in privileges.json; the
# README of iam_groups has AWS's pages about the forms of the ARNs.
locals {
  privileges = jsondecode(file("${path.module}/../privileges.json"))
  resources = flatten([
    for kind, names in var.protected : [
      for name in names : [
        for arn in local.privileges.tampering[kind].resources :
        replace(replace(replace(arn, "PARTITION", var.partition), "ACCOUNT", var.account_id), "NAME", name)
      ]
    ]
  ])
  actions     = flatten([for kind, names in var.protected : local.privileges.tampering[kind].actions if length(names) > 0])
  key_aliases = lookup(var.protected, "key_aliases", [])
}

data "aws_iam_policy_document" "this" {
  dynamic "statement" {
    for_each = length(local.resources) == 0 ? [] : [local.resources]

    content {
      sid       = "DenyTamperingWithLogs"
      effect    = "Deny"
      actions   = local.actions
      resources = statement.value
    }
  }

  # A key's ARN is known only once it exists, and then the policy would be unknown in the first plan. Its alias is known
  # before, and the statement above keeps it. Source: KMS Developer Guide, "Use aliases to control access to KMS keys".
  dynamic "statement" {
    for_each = length(local.key_aliases) == 0 ? [] : [local.key_aliases]

    content {
      sid       = "DenyTamperingWithTheirKeys"
      effect    = "Deny"
      actions   = local.privileges.key_tampering.actions
      resources = ["*"]

      condition {
        test     = "ForAnyValue:StringEquals"
        variable = "kms:ResourceAliases"
        values   = [for name in statement.value : "alias/${name}"]
      }
    }
  }
}
