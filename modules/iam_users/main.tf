data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

data "aws_default_tags" "current" {}

locals {
  users     = { for name, user in var.users : name => user if user.status != "removed" }
  active    = { for name, user in local.users : name => user if user.status == "active" }
  suspended = toset([for name, user in local.users : name if user.status == "suspended"])

  # IAM does not distinguish tag keys of users by case, the provider does, and would send a default tag `owner` beside the
  # module's own Owner, which IAM refuses. Spelled as the default tag, the module's own takes its place.
  spellings = { for key in keys(data.aws_default_tags.current.tags) : lower(key) => key... }
}

resource "aws_iam_user" "this" {
  #checkov:skip=CKV_AWS_273:Who has Identity Center uses the component identity_center; this one is for who has not.
  #checkov:skip=CKV2_AWS_22:A first password is for who asked for one; mfa_enforcement is what it needs beside it.
  for_each = local.users

  name = each.key
  path = each.value.path

  # Keys, passwords and devices are made outside of Terraform. Without this AWS refuses to delete whoever has any
  # (DeleteConflict), half-way through an apply that has taken the user out of its groups already.
  force_destroy = true

  tags = {
    for key, value in merge(each.value.tags, { Owner = each.value.owner, ReviewDate = each.value.review_date }) :
    lookup(local.spellings, lower(key), [key])[0] => value
  }
}

# Names only the groups that it manages: a membership that somebody made by hand stays, and is told by nobody.
resource "aws_iam_user_group_membership" "active" {
  for_each = { for name, user in local.active : name => user if length(user.groups) > 0 }

  user = aws_iam_user.this[each.key].name
  # Taken from group_names where they are in it, so that memberships wait for the groups.
  groups = concat(
    [for name in var.group_names : name if contains(each.value.groups, name)],
    [for name in each.value.groups : name if !contains(var.group_names, name)],
  )
}

# The password never stands in the state: the provider keeps only what the key encrypted.
resource "aws_iam_user_login_profile" "first" {
  for_each = { for name, user in local.active : name => user if user.console_pgp_key != null }

  user                    = aws_iam_user.this[each.key].name
  pgp_key                 = each.value.console_pgp_key
  password_length         = 32
  password_reset_required = true

  # Once the user has chosen a password, AWS no longer asks for a reset. Terraform would take that for a change and make
  # the profile, and with it the password, anew. So would another key.
  lifecycle {
    ignore_changes = [password_length, password_reset_required, pgp_key]
  }
}
