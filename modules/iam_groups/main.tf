data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

locals {
  partition  = data.aws_partition.current.partition
  account_id = data.aws_caller_identity.current.account_id

  groups         = { for name, group in var.groups : name => group if group != null }
  guarded_groups = toset([for name, group in local.groups : name if !group.administrator])

  # Users may live under a path, hence two patterns. A name has no slash, so neither matches another user.
  own_user = [
    "arn:${local.partition}:iam::${local.account_id}:user/$${aws:username}",
    "arn:${local.partition}:iam::${local.account_id}:user/*/$${aws:username}",
  ]

  # AWS's policy for `aws login`: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/SignInLocalDevelopmentAccess.html
  sign_in = var.self_service.aws_login ? ["SignInLocalDevelopmentAccess"] : []

  managed_policies = merge([
    for name, group in local.groups : {
      for policy in distinct(concat(group.managed_policies, group.administrator ? [] : local.sign_in)) : "${name}/${policy}" => {
        group = name
        arn   = startswith(policy, "arn:") ? policy : "arn:${local.partition}:iam::aws:policy/${policy}"
      }
    }
  ]...)

  inline_policies = merge([
    for name, group in local.groups : {
      for policy, statements in group.inline_policies : "${name}/${policy}" => {
        group      = name
        name       = policy
        statements = statements
      }
    }
  ]...)
}

resource "aws_iam_group" "this" {
  for_each = local.groups

  name = each.key
  path = each.value.path

  lifecycle {
    precondition {
      condition     = sum(concat([0], [for key, policy in local.inline_policies : length(replace(data.aws_iam_policy_document.inline[key].json, "/\\s/", "")) if policy.group == each.key])) <= 5120
      error_message = "The inline policies of group ${each.key} must have at most 5120 characters together, white space not counted (IAM's quota): move some into a managed policy."
    }
  }
}

# Both guardrails are attached before any permission is granted, and detached after all permissions are removed.
resource "aws_iam_group_policy_attachment" "managed" {
  for_each = local.managed_policies

  group      = aws_iam_group.this[each.value.group].name
  policy_arn = each.value.arn

  depends_on = [aws_iam_group_policy_attachment.guardrail, aws_iam_group_policy_attachment.log_guardrail]
}

data "aws_iam_policy_document" "inline" {
  for_each = local.inline_policies

  dynamic "statement" {
    for_each = each.value.statements

    content {
      sid       = statement.value.sid
      effect    = statement.value.effect
      actions   = statement.value.actions
      resources = statement.value.resources

      dynamic "condition" {
        for_each = statement.value.conditions

        content {
          test     = condition.value.test
          variable = condition.value.variable
          values   = condition.value.values
        }
      }
    }
  }
}

resource "aws_iam_group_policy" "inline" {
  for_each = local.inline_policies

  group  = aws_iam_group.this[each.value.group].name
  name   = each.value.name
  policy = data.aws_iam_policy_document.inline[each.key].json

  depends_on = [aws_iam_group_policy_attachment.guardrail, aws_iam_group_policy_attachment.log_guardrail]
}
