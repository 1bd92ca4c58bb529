locals {
  # "SET/ACCOUNT/group/NAME", "SET/ACCOUNT/group-id/ID" and the same for users.
  assignments = merge(flatten([
    for set_name, set in var.permission_sets : [
      for account_id, who in set.assignments : [
        for kind, names in {
          "group"    = who.groups
          "group-id" = who.group_ids
          "user"     = who.users
          "user-id"  = who.user_ids
          } : {
          for name in names : "${set_name}/${account_id}/${kind}/${name}" => {
            set     = set_name
            account = account_id
            kind    = kind
            name    = name
          }
        }
      ]
    ]
  ])...)

  group_names = toset([for assignment in local.assignments : assignment.name if assignment.kind == "group"])
  user_names  = toset([for assignment in local.assignments : assignment.name if assignment.kind == "user"])

  # An unknown name fails the plan here, before anything changes.
  principal_ids = merge(
    { for name, group in data.aws_identitystore_group.this : "group/${name}" => group.group_id },
    { for name, user in data.aws_identitystore_user.this : "user/${name}" => user.user_id },
  )
}

data "aws_identitystore_group" "this" {
  for_each = local.group_names

  identity_store_id = local.identity_store_id

  alternate_identifier {
    unique_attribute {
      attribute_path  = "DisplayName"
      attribute_value = each.key
    }
  }
}

data "aws_identitystore_user" "this" {
  for_each = local.user_names

  identity_store_id = local.identity_store_id

  alternate_identifier {
    unique_attribute {
      attribute_path  = "UserName"
      attribute_value = each.key
    }
  }
}

resource "aws_ssoadmin_account_assignment" "this" {
  for_each = local.assignments

  instance_arn       = local.instance_arn
  permission_set_arn = aws_ssoadmin_permission_set.this[each.value.set].arn
  principal_type     = startswith(each.value.kind, "group") ? "GROUP" : "USER"
  principal_id       = endswith(each.value.kind, "-id") ? each.value.name : local.principal_ids["${each.value.kind}/${each.value.name}"]
  target_type        = "AWS_ACCOUNT"
  target_id          = each.value.account
}
