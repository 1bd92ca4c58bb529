# Denied to members of all groups but administrator groups, regardless of other policies. It grants nothing.
data "aws_iam_policy_document" "guardrail" {
  # No granting, extending or unbounding of permissions.
  statement {
    sid       = "DenyIdentityAdministration"
    effect    = "Deny"
    actions   = local.identity_administration
    resources = ["*"]
  }

  # No use of another user's permissions through that user's credentials; changes of the caller's own stay possible.
  statement {
    sid     = "DenyCredentialsOfOthers"
    effect  = "Deny"
    actions = local.credentials

    not_resources = local.own_user
  }

  # No use of a role's permissions by passing it to a service that the caller controls.
  statement {
    sid           = "DenyPassingOtherRoles"
    effect        = "Deny"
    actions       = ["iam:PassRole"]
    resources     = length(var.passable_roles) == 0 ? ["*"] : null
    not_resources = length(var.passable_roles) == 0 ? null : var.passable_roles
  }

  # No direct use of a role's permissions: PowerUserAccess allows sts:AssumeRole on every role that trusts the account.
  statement {
    sid           = "DenyAssumingOtherRoles"
    effect        = "Deny"
    actions       = ["sts:AssumeRole"]
    resources     = length(var.assumable_roles) == 0 ? ["*"] : null
    not_resources = length(var.assumable_roles) == 0 ? null : var.assumable_roles
  }

  # No stopping of recording and detection: PowerUserAccess would allow it.
  statement {
    sid       = "DenyBlindingTheAccount"
    effect    = "Deny"
    actions   = local.blinding
    resources = ["*"]
  }
}

resource "aws_iam_policy" "guardrail" {
  name        = var.guardrail_policy_name
  description = "Denies identity administration, and stopping what records and watches, to groups that are not administrator groups"
  policy      = data.aws_iam_policy_document.guardrail.json

  lifecycle {
    precondition {
      condition     = length(replace(data.aws_iam_policy_document.guardrail.json, "/\\s/", "")) <= 6144
      error_message = "The guardrail policy must have at most 6144 characters, white space not counted (IAM's quota): list fewer passable_roles and assumable_roles, or join some by a wildcard."
    }
  }
}

resource "aws_iam_group_policy_attachment" "guardrail" {
  for_each = local.guarded_groups

  group      = aws_iam_group.this[each.key].name
  policy_arn = aws_iam_policy.guardrail.arn
}
