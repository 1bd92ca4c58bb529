data "aws_partition" "current" {}

# Its region: data.aws_region fails in one that is newer than the provider ("finding Region by name").
data "aws_service" "current" {
  service_id = "s3"
}

# The organization's instance, in the region where it was enabled; looked up only if it is not set.
data "aws_ssoadmin_instances" "this" {
  for_each = toset(var.instance == null ? ["lookup"] : [])

  lifecycle {
    postcondition {
      condition     = length(self.arns) == 1
      error_message = "IAM Identity Center has no instance in ${data.aws_service.current.region}, or this account does not see it: enable it in the management account's console, name its region, and apply there or in its delegated administrator's account."
    }
  }
}

locals {
  instance_arn      = var.instance == null ? one(data.aws_ssoadmin_instances.this["lookup"].arns) : var.instance.arn
  identity_store_id = var.instance == null ? one(data.aws_ssoadmin_instances.this["lookup"].identity_store_ids) : var.instance.identity_store_id
  managed_prefix    = "arn:${data.aws_partition.current.partition}:iam::aws:policy"

  managed_policies = merge([
    for name, set in var.permission_sets : {
      for policy in set.managed_policies : "${name}/${policy}" => { set = name, policy = policy }
    }
  ]...)

  customer_managed_policies = merge([
    for name, set in var.permission_sets : {
      for policy, path in set.customer_managed_policies : "${name}${path}${policy}" => { set = name, policy = policy, path = path }
    }
  ]...)
}

resource "aws_ssoadmin_permission_set" "this" {
  for_each = var.permission_sets

  instance_arn     = local.instance_arn
  name             = each.key
  description      = each.value.description
  session_duration = "PT${each.value.session_hours}H"
  relay_state      = each.value.relay_state
}

# Everything below depends on the assignments: in the other order, `destroy` would make AWS provision sets without
# assignments, which it refuses. Policies depend on the boundary, so that no user has them without it.
resource "aws_ssoadmin_permissions_boundary_attachment" "this" {
  for_each = { for name, set in var.permission_sets : name => set.permissions_boundary if set.permissions_boundary != null }

  instance_arn       = local.instance_arn
  permission_set_arn = aws_ssoadmin_permission_set.this[each.key].arn

  permissions_boundary {
    managed_policy_arn = each.value.managed_policy == null ? null : "${local.managed_prefix}/${each.value.managed_policy}"

    dynamic "customer_managed_policy_reference" {
      for_each = each.value.customer_managed_policy[*]

      content {
        name = customer_managed_policy_reference.value
        path = each.value.path
      }
    }
  }

  depends_on = [aws_ssoadmin_account_assignment.this]
}

resource "aws_ssoadmin_managed_policy_attachment" "this" {
  for_each = local.managed_policies

  instance_arn       = local.instance_arn
  permission_set_arn = aws_ssoadmin_permission_set.this[each.value.set].arn
  managed_policy_arn = "${local.managed_prefix}/${each.value.policy}"

  depends_on = [aws_ssoadmin_permissions_boundary_attachment.this, aws_ssoadmin_account_assignment.this]
}

resource "aws_ssoadmin_customer_managed_policy_attachment" "this" {
  for_each = local.customer_managed_policies

  instance_arn       = local.instance_arn
  permission_set_arn = aws_ssoadmin_permission_set.this[each.value.set].arn

  customer_managed_policy_reference {
    name = each.value.policy
    path = each.value.path
  }

  depends_on = [aws_ssoadmin_permissions_boundary_attachment.this, aws_ssoadmin_account_assignment.this]
}

resource "aws_ssoadmin_permission_set_inline_policy" "this" {
  for_each = var.inline_policies

  instance_arn       = local.instance_arn
  permission_set_arn = aws_ssoadmin_permission_set.this[each.key].arn
  inline_policy      = each.value

  depends_on = [aws_ssoadmin_permissions_boundary_attachment.this, aws_ssoadmin_account_assignment.this]
}
