# Denied to members of all groups but administrator groups: changes to what holds the account's logs and carries its
# alerts. By name, since members may do the same with resources of their own. A second policy: IAM's 6,144 characters do
# not hold both.
#
# Not in the policies of buckets and keys, which cannot distinguish groups (modules/shared/log_bucket): a principal that
# one of them forgot could be let in again by the root user alone.
module "log_protection" {
  source = "../shared/log_protection"

  protected  = var.protected
  account_id = local.account_id
  partition  = local.partition
}

data "aws_iam_policy_document" "log_guardrail" {
  source_policy_documents = [module.log_protection.policy_json]

  # By action: AWS takes no resource for them.
  dynamic "statement" {
    for_each = length(var.protected.log_groups) == 0 ? [] : [local.privileges.log_settings.actions]

    content {
      sid       = "DenyTamperingWithLogSettings"
      effect    = "Deny"
      actions   = statement.value
      resources = ["*"]
    }
  }
}

resource "aws_iam_policy" "log_guardrail" {
  for_each = toset(module.log_protection.is_empty ? [] : ["logs"])

  name        = var.log_guardrail_policy_name
  description = "Denies changes to what holds logs and carries alerts to groups that are not administrator groups"
  policy      = data.aws_iam_policy_document.log_guardrail.json

  lifecycle {
    precondition {
      condition     = length(replace(data.aws_iam_policy_document.log_guardrail.json, "/\\s/", "")) <= 6144
      error_message = "The policy ${var.log_guardrail_policy_name} must have at most 6144 characters, white space not counted (IAM's quota): protect fewer resources, or ones with shorter names."
    }
  }
}

resource "aws_iam_group_policy_attachment" "log_guardrail" {
  for_each = module.log_protection.is_empty ? toset([]) : local.guarded_groups

  group      = aws_iam_group.this[each.key].name
  policy_arn = aws_iam_policy.log_guardrail["logs"].arn
}
