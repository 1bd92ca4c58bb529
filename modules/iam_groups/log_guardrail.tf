# Denied to members of all groups but administrator groups: changes to what holds the account's logs and carries its
# alerts. By name, since members may do the same with resources of their own. A second policy: IAM's 6,144 characters do
# not hold both.
#
# Not in the policies of buckets and keys, which cannot distinguish groups (modules/shared/log_bucket): a principal that
# one of them forgot could be let in again by the root user alone.
#
# Actions and ARNs by kind are in privileges.json; the README has AWS's pages about the forms of the ARNs.
locals {
  log_resources = flatten([
    for kind, names in var.protected : [
      for name in names : [
        for arn in local.privileges.tampering[kind].resources :
        replace(replace(replace(arn, "PARTITION", local.partition), "ACCOUNT", local.account_id), "NAME", name)
      ]
    ]
  ])
  tampering = flatten([for kind, names in var.protected : local.privileges.tampering[kind].actions if length(names) > 0])
}

data "aws_iam_policy_document" "log_guardrail" {
  dynamic "statement" {
    for_each = length(local.log_resources) == 0 ? [] : [local.log_resources]

    content {
      sid       = "DenyTamperingWithLogsAndAlerts"
      effect    = "Deny"
      actions   = local.tampering
      resources = statement.value
    }
  }

  # By action: AWS takes no resource for them.
  dynamic "statement" {
    for_each = length(var.protected.log_groups) == 0 ? [] : [local.privileges.log_settings.actions]

    content {
      sid       = "DenyTamperingWithLogSettings"
      effect    = "Deny"
      actions   = statement.value
      resources = ["*"]
    }
  }

  # A key's ARN is known only once it exists, and then the policy would be unknown in the first plan. Its alias is known
  # before, and the statement above keeps it. Source: KMS Developer Guide, "Use aliases to control access to KMS keys".
  dynamic "statement" {
    for_each = length(var.protected.key_aliases) == 0 ? [] : [var.protected.key_aliases]

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

resource "aws_iam_policy" "log_guardrail" {
  for_each = toset(length(local.log_resources) == 0 ? [] : ["logs"])

  name        = var.log_guardrail_policy_name
  description = "Denies changes to what holds logs and carries alerts to groups that are not administrator groups"
  policy      = data.aws_iam_policy_document.log_guardrail.json

  lifecycle {
    precondition {
      condition     = length(replace(data.aws_iam_policy_document.log_guardrail.json, "/\\s/", "")) <= 6144
      error_message = "The policy ${var.log_guardrail_policy_name} must have at most 6144 characters, white space not counted (IAM's quota): protect fewer resources, or ones with shorter names."
    }
  }
}

resource "aws_iam_group_policy_attachment" "log_guardrail" {
  for_each = length(local.log_resources) == 0 ? toset([]) : local.guarded_groups

  group      = aws_iam_group.this[each.key].name
  policy_arn = aws_iam_policy.log_guardrail["logs"].arn
}
