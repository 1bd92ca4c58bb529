data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

locals {
  partition  = data.aws_partition.current.partition
  account_id = data.aws_caller_identity.current.account_id
  iam        = "arn:${local.partition}:iam::${local.account_id}"

  # Fields that every role has and the optional roles do not set.
  plain = { description = "", require_mfa = true, external_id = null, organization_id = null, bounded = false, path = "/" }

  people = merge(
    var.roles,
    { for role in [var.break_glass] : role.name => merge(local.plain, role, { description = "For emergencies: every use raises an alarm." }) if role != null },
    { for role in [var.audit] : role.name => merge(local.plain, role, { description = "Reads configuration and changes nothing." }) if role != null },
    { for role in [var.support] : role.name => merge(local.plain, role, { description = "For cases with AWS Support." }) if role != null },
  )

  trusted = {
    for name, role in local.people : name => setunion(
      role.principals,
      [for user in role.users : lookup(var.user_arns, user, "${local.iam}:user/${user}")],
    )
  }

  names = concat(
    keys(var.roles), values(local.deployers)[*].name,
    [for role in [var.break_glass, var.audit, var.support] : role.name if role != null],
  )

  # What attaches to roles without a resource of their own for it.
  managed_policies = merge([
    for name, policies in merge(
      { for name, role in var.roles : name => role.managed_policies },
      { for role in [var.break_glass] : role.name => role.managed_policies if role != null },
      { for name, role in local.deployers : name => role.managed_policies },
    ) : { for policy in policies : "${name}/${policy}" => { role = name, arn = startswith(policy, "arn:") ? policy : "arn:${local.partition}:iam::aws:policy/${policy}" } }
  ]...)
}

data "aws_iam_policy_document" "trust" {
  for_each = local.people

  statement {
    sid     = "NamedPrincipals"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = local.trusted[each.key]
    }

    # Bool, not BoolIfExists: long-lived keys and sessions of roles send no such key, and cannot assume the role.
    dynamic "condition" {
      for_each = each.value.require_mfa ? ["required"] : []

      content {
        test     = "Bool"
        variable = "aws:MultiFactorAuthPresent"
        values   = ["true"]
      }
    }

    # Otherwise a third party that works for many customers could be tricked into using another customer's role (confused deputy).
    dynamic "condition" {
      for_each = each.value.external_id == null ? [] : [each.value.external_id]

      content {
        test     = "StringEquals"
        variable = "sts:ExternalId"
        values   = [condition.value]
      }
    }

    dynamic "condition" {
      for_each = each.value.organization_id == null ? [] : [each.value.organization_id]

      content {
        test     = "StringEquals"
        variable = "aws:PrincipalOrgID"
        values   = [condition.value]
      }
    }
  }
}

resource "aws_iam_role" "this" {
  for_each = local.people

  name                 = each.key
  path                 = each.value.path
  description          = each.value.description
  assume_role_policy   = data.aws_iam_policy_document.trust[each.key].json
  max_session_duration = each.value.max_session_minutes * 60
  permissions_boundary = each.value.bounded ? local.boundary_arn : null

  # Its ARN is composed, so that plans show it.
  depends_on = [aws_iam_policy.boundary]

  lifecycle {
    precondition {
      condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", each.key)) && length(distinct([for name in local.names : lower(name)])) == length(local.names)
      error_message = "Names of roles must have 1 to 64 of the characters A-Z a-z 0-9 _ + = , . @ -, and each stand once, whatever the case."
    }

    precondition {
      condition     = length(local.trusted[each.key]) > 0 && alltrue([for arn in each.value.principals : can(regex("^arn:aws(?:-cn|-eusc|-iso|-iso-b|-iso-e|-iso-f|-us-gov)?:iam::[0-9]{12}:(root|(role|user)/[A-Za-z0-9_+=,.@/-]{1,512})$", arn))])
      error_message = "Role ${each.key} must name at least one of users and principals, and principals must be ARNs of accounts, users or roles, without wildcards."
    }

    precondition {
      condition     = each.value.require_mfa || each.value.external_id != null || each.value.organization_id != null
      error_message = "Role ${each.key} must have at least one of require_mfa, external_id and organization_id."
    }

    precondition {
      condition     = !each.value.require_mfa || !anytrue([for arn in each.value.principals : strcontains(arn, ":role/")])
      error_message = "Role ${each.key} is open to a role and asks for MFA, but sessions of roles never carry MFA: set require_mfa = false with an external_id or organization_id, or name users or accounts."
    }

    precondition {
      condition     = each.value.max_session_minutes >= 60 && each.value.max_session_minutes <= 720 && floor(each.value.max_session_minutes) == each.value.max_session_minutes
      error_message = "max_session_minutes of role ${each.key} must be a whole number from 60 to 720."
    }

    precondition {
      condition     = !contains(keys(local.clashes), each.key)
      error_message = "Roles ${join(" and ", sort(concat([each.key], lookup(local.clashes, each.key, []))))} are declared in conflict, but the same principals may assume them."
    }
  }
}

resource "aws_iam_role_policy_attachment" "managed" {
  for_each = local.managed_policies

  role       = contains(keys(local.deployers), each.value.role) ? aws_iam_role.deployer[each.value.role].name : aws_iam_role.this[each.value.role].name
  policy_arn = each.value.arn
}

resource "aws_iam_role_policy_attachment" "audit" {
  for_each = toset(flatten([for role in [var.audit] : tolist(role.managed_policies) if role != null]))

  role       = aws_iam_role.this[var.audit.name].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/${each.key}"
}

resource "aws_iam_role_policy_attachment" "support" {
  for_each = toset(flatten([for role in [var.support] : tolist(role.managed_policies) if role != null]))

  role       = aws_iam_role.this[var.support.name].name
  policy_arn = startswith(each.key, "arn:") ? each.key : "arn:${local.partition}:iam::aws:policy/${each.key}"
}
