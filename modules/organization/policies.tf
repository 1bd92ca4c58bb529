# Policies that limit permissions, and those that only manage: two resources, because the toolkit judges changes of the
# first kind by what they deny.

locals {
  control_types = ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"]
  attachments = merge([
    for name, policy in var.policies : {
      for target in policy.targets : "${name}/${target}" => { policy = name, target = target }
    }
  ]...)
  policy_ids = { for name, policy in merge(
    aws_organizations_policy.control,
    aws_organizations_policy.management,
  ) : name => policy.id }
}

resource "aws_organizations_policy" "control" {
  for_each = { for name, policy in var.policies : name => policy if contains(local.control_types, policy.type) }

  name        = each.key
  type        = each.value.type
  description = each.value.description
  content     = each.value.content

  # The policy type must be enabled first.
  depends_on = [aws_organizations_organization.this, data.aws_organizations_organization.existing]
}

resource "aws_organizations_policy" "management" {
  for_each = { for name, policy in var.policies : name => policy if !contains(local.control_types, policy.type) }

  name        = each.key
  type        = each.value.type
  description = each.value.description
  content     = each.value.content

  depends_on = [aws_organizations_organization.this, data.aws_organizations_organization.existing]
}

resource "aws_organizations_policy_attachment" "this" {
  for_each = local.attachments

  policy_id = local.policy_ids[each.value.policy]
  # The root, a unit by its path, or any other target by its id.
  target_id = each.value.target == "root" ? local.root_id : lookup(local.unit_ids, each.value.target, each.value.target)
}
