# What members of guarded groups may do with their own access keys, where it is switched on: rotate them, and nothing else.
locals {
  rotating_groups = var.self_service.access_keys == "rotate" ? local.guarded_groups : toset([])
}

data "aws_iam_policy_document" "self_service" {
  # The list of https://docs.aws.amazon.com/IAM/latest/UserGuide/access-keys_required-permissions.html without
  # iam:TagUser, which is for descriptions of keys and would change any tag of the user.
  statement {
    sid    = "AllowRotatingOwnAccessKeysWithMfa"
    effect = "Allow"
    actions = [
      "iam:CreateAccessKey",
      "iam:DeleteAccessKey",
      "iam:GetAccessKeyLastUsed",
      "iam:GetUser",
      "iam:ListAccessKeys",
      "iam:UpdateAccessKey",
    ]
    resources = local.own_user

    # Bool, not BoolIfExists: a long-lived key sends no such key at all, and must not make a second one for a thief.
    condition {
      test     = "Bool"
      variable = "aws:MultiFactorAuthPresent"
      values   = ["true"]
    }
  }
}

resource "aws_iam_policy" "self_service" {
  for_each = toset(length(local.rotating_groups) == 0 ? [] : ["access-keys"])

  name        = var.self_service.policy_name
  description = "Allows users to rotate their own access keys in sessions with MFA"
  policy      = data.aws_iam_policy_document.self_service.json
}

resource "aws_iam_group_policy_attachment" "self_service" {
  for_each = local.rotating_groups

  group      = aws_iam_group.this[each.key].name
  policy_arn = aws_iam_policy.self_service["access-keys"].arn

  depends_on = [aws_iam_group_policy_attachment.guardrail, aws_iam_group_policy_attachment.log_guardrail]
}
