# A group, not a policy on each user: users get policies through groups only (CIS 7.0 2.13), and a suspended one would
# otherwise be a finding of every audit.
resource "aws_iam_group" "suspended" {
  name = var.suspended_group_name
}

data "aws_iam_policy_document" "deny_everything" {
  # A deny overrides every allow: of other groups, policies on the user, boundaries, and policies of resources that name
  # the user. IAM evaluates it at each call, so it also applies to sessions of the user.
  statement {
    sid       = "DenyEverything"
    effect    = "Deny"
    actions   = ["*"]
    resources = ["*"]
  }
}

resource "aws_iam_policy" "suspended" {
  name        = var.suspended_group_name
  description = "Denies everything to users who are suspended"
  policy      = data.aws_iam_policy_document.deny_everything.json
}

resource "aws_iam_group_policy_attachment" "suspended" {
  group      = aws_iam_group.suspended.name
  policy_arn = aws_iam_policy.suspended.arn
}

resource "aws_iam_user_group_membership" "suspended" {
  for_each = local.suspended

  user   = aws_iam_user.this[each.key].name
  groups = [aws_iam_group.suspended.name]

  # The deny is in place before a user joins the group.
  depends_on = [aws_iam_group_policy_attachment.suspended]
}
