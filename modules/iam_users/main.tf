data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

data "aws_default_tags" "current" {}

locals {
  users     = { for name, user in var.users : name => user if user.status != "removed" }
  active    = { for name, user in local.users : name => user if user.status == "active" }
  suspended = toset([for name, user in local.users : name if user.status == "suspended"])

  # Tag keys of users are case-insensitive in IAM but not in the provider, which would send a default tag `owner` together
  # with the module's Owner, and IAM refuses that. Spelled like the default tag, the module's tag replaces it.
  spellings = { for key in keys(data.aws_default_tags.current.tags) : lower(key) => key... }
}

resource "aws_iam_user" "this" {
  #checkov:skip=CKV_AWS_273:With Identity Center, use the component identity_center; this one is for accounts without it.
  #checkov:skip=CKV2_AWS_22:Only users with console_pgp_key get a first password; mfa_enforcement protects it.
  for_each = local.users

  name = each.key
  path = each.value.path

  # Keys, passwords and devices are created outside of Terraform. Without this AWS refuses to delete a user who has any
  # (DeleteConflict), in the middle of an apply that has already removed the user from its groups.
  force_destroy = true

  tags = {
    for key, value in merge(each.value.tags, { Owner = each.value.owner, ReviewDate = each.value.review_date }) :
    lookup(local.spellings, lower(key), [key])[0] => value
  }
}

# Contains only the groups that it manages: a membership that was added by hand stays, and no plan shows it.
resource "aws_iam_user_group_membership" "active" {
  for_each = { for name, user in local.active : name => user if length(user.groups) > 0 }

  user = aws_iam_user.this[each.key].name
  # Taken from group_names where they are in it, so that memberships wait for the groups.
  groups = concat(
    [for name in var.group_names : name if contains(each.value.groups, name)],
    [for name in each.value.groups : name if !contains(var.group_names, name)],
  )
}

# The state never contains the password: the provider stores only the encrypted one.
resource "aws_iam_user_login_profile" "first" {
  for_each = { for name, user in local.active : name => user if user.console_pgp_key != null }

  user                    = aws_iam_user.this[each.key].name
  pgp_key                 = each.value.console_pgp_key
  password_length         = 32
  password_reset_required = true

  # Once the user has chosen a password, AWS no longer requires a reset. Terraform would see a change, and recreate the
  # profile and with it the password. A different key would have the same effect.
  lifecycle {
    ignore_changes = [password_length, password_reset_required, pgp_key]
  }
}
