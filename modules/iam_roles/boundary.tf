# The maximum permissions of bounded roles, regardless of their policies. It grants nothing by itself. A list of allowed
# actions: actions that AWS adds to IAM later are denied.
locals {
  bounded = var.delegation.keep_boundary || anytrue(concat(values(var.roles)[*].bounded, values(local.deployers)[*].bounded))

  boundary_arn = "${local.iam}:policy/${var.delegation.boundary_name}"
  delegated    = { for kind in ["role", "policy", "instance-profile"] : kind => "${local.iam}:${kind}${var.delegation.path}*" }

  # Actions that stop recording and detection, and that tamper with logs: the lists of iam_groups' guardrails. Without
  # those on the account, all of which the boundary leaves out.
  privileges = jsondecode(file("${path.module}/../shared/privileges.json"))
  blinding   = flatten([for kind, listed in local.privileges.blinding : listed.actions if kind != "account"])
}

# As in modules/iam_groups/log_guardrail.tf. Only what stores logs: IAM's 6,144 characters have no room for topics,
# rules and alarms as well.
module "log_protection" {
  source = "../shared/log_protection"

  protected  = var.protected
  account_id = local.account_id
  partition  = local.partition
}

data "aws_iam_policy_document" "boundary" {
  #checkov:skip=CKV_AWS_107:A permissions boundary grants nothing: other policies must still allow each action.
  #checkov:skip=CKV_AWS_108:As above.
  #checkov:skip=CKV_AWS_109:As above.
  #checkov:skip=CKV_AWS_110:As above. What it leaves of IAM is bounded again; tests/policies/test_delegation.py tries every call.
  #checkov:skip=CKV_AWS_111:As above.
  #checkov:skip=CKV_AWS_356:As above.
  source_policy_documents = [module.log_protection.policy_json]

  # Workloads are allowed. Identities, the account, the organization, assuming roles, and stopping detection are not.
  statement {
    sid    = "AllowWorkloads"
    effect = "Allow"
    not_actions = concat(
      ["account:*", "iam:*", "identitystore:*", "organizations:*", "rolesanywhere:*", "sso:*", "sso-directory:*", "sts:AssumeRole", "sts:AssumeRoot"],
      local.blinding,
      local.privileges.log_settings.actions,
    )
    resources = ["*"]
  }

  statement {
    sid       = "AllowReadingIdentities"
    effect    = "Allow"
    actions   = ["account:Get*", "account:List*", "iam:Generate*", "iam:Get*", "iam:List*", "iam:Simulate*", "organizations:Describe*", "organizations:List*"]
    resources = ["*"]
  }

  # A role may be created, and get policies, only with this boundary.
  statement {
    sid       = "AllowRightsWithinThisBoundary"
    effect    = "Allow"
    actions   = ["iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
    resources = [local.delegated["role"]]

    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = [local.boundary_arn]
    }
  }

  # The path selects the roles: all roles under it are bounded. IAM has no condition on the boundary for passing,
  # assuming and tagging a role; for the others it may have one by now, which no page of AWS confirmed so far (README).
  statement {
    sid       = "AllowUsingDelegatedRoles"
    effect    = "Allow"
    actions   = ["iam:DeleteRole", "iam:PassRole", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription", "sts:AssumeRole"]
    resources = [local.delegated["role"]]
  }

  # Neither this policy nor any other policy of the baseline is under the path.
  statement {
    sid       = "AllowDelegatedPolicies"
    effect    = "Allow"
    actions   = ["iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:TagPolicy", "iam:UntagPolicy"]
    resources = [local.delegated["policy"]]
  }

  # Adding a role to a profile needs iam:PassRole.
  statement {
    sid       = "AllowDelegatedInstanceProfiles"
    effect    = "Allow"
    actions   = ["iam:AddRoleToInstanceProfile", "iam:CreateInstanceProfile", "iam:DeleteInstanceProfile", "iam:RemoveRoleFromInstanceProfile", "iam:TagInstanceProfile", "iam:UntagInstanceProfile"]
    resources = [local.delegated["instance-profile"]]
  }

  # Service-linked roles: AWS defines their permissions, the caller cannot choose them.
  statement {
    sid       = "AllowServiceLinkedRoles"
    effect    = "Allow"
    actions   = ["iam:CreateServiceLinkedRole"]
    resources = ["${local.iam}:role/aws-service-role/*"]
  }
}

# Only where a role has it: scanners report an unused policy that would allow much.
resource "aws_iam_policy" "boundary" {
  for_each = toset(local.bounded ? ["delegation"] : [])

  name        = var.delegation.boundary_name
  description = "Permissions boundary: roles that have it administer identities only within it"
  policy      = data.aws_iam_policy_document.boundary.json

  # The last role loses it before it is deleted; otherwise Terraform deletes it first.
  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = length(replace(data.aws_iam_policy_document.boundary.json, "/\\s/", "")) <= 6144
      error_message = "The boundary ${var.delegation.boundary_name} must have at most 6144 characters, white space not counted (IAM's quota): protect fewer buckets, log groups and keys, or ones with shorter names."
    }
  }
}

moved {
  from = aws_iam_policy.boundary
  to   = aws_iam_policy.boundary["delegation"]
}
