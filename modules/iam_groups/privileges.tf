# Actions that escalate privileges, stop recording and detection, or tamper with logs and alerts: the lists that
# modules/iam_roles and the toolkit's organization policies use, too.
locals {
  privileges              = jsondecode(file("${path.module}/../shared/privileges.json"))
  identity_administration = local.privileges.identity_administration.actions
  credentials             = local.privileges.credentials.actions
  administrator_policies  = local.privileges.administrator_policies.policies
  blinding                = flatten([for kind in values(local.privileges.blinding) : kind.actions])

  # Concrete actions behind the wildcards above: a policy that allows `iam:*Policy` matches none of the patterns as
  # text, but some of these. Only for the check of inline policies; the guardrail denies the patterns.
  witnesses = concat(local.identity_administration, [
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreatePolicyVersion",
    "iam:DeleteGroupPolicy",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteUserPermissionsBoundary",
    "iam:DeleteUserPolicy",
    "iam:DetachGroupPolicy",
    "iam:DetachUserPolicy",
    "iam:PutGroupPolicy",
    "iam:PutRolePolicy",
    "iam:PutUserPermissionsBoundary",
    "iam:PutUserPolicy",
    "iam:RemoveUserFromGroup",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateRole",
    "organizations:AttachPolicy",
    "organizations:CreatePolicy",
    "organizations:DeletePolicy",
    "organizations:DetachPolicy",
    "organizations:DisablePolicyType",
    "organizations:InviteAccountToOrganization",
    "organizations:LeaveOrganization",
    "organizations:MoveAccount",
    "organizations:PutResourcePolicy",
    "organizations:RemoveAccountFromOrganization",
    "organizations:UpdatePolicy",
    "sso:AttachManagedPolicyToPermissionSet",
    "sso:CreateAccountAssignment",
    "sso:CreatePermissionSet",
    "sso:ProvisionPermissionSet",
    "sso:PutInlinePolicyToPermissionSet",
  ])
}
