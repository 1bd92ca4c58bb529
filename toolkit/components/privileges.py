"""Which actions raise rights: the lists that IAM groups are checked against, and the comparison of action patterns."""

from __future__ import annotations

from functools import lru_cache

IDENTITY_ADMINISTRATION = (
    "account:AcceptPrimaryEmailUpdate",
    "account:StartPrimaryEmailUpdate",
    "iam:Accept*",
    "iam:AcquireRole",
    "iam:Add*",
    "iam:Associate*",
    "iam:Attach*",
    "iam:CreateAccountAlias",
    "iam:CreateDelegation*",
    "iam:CreateGroup",
    "iam:CreateInstanceProfile",
    "iam:CreateLoginProfile",
    "iam:CreateOpenID*",
    "iam:CreatePolicy*",
    "iam:CreateRole",
    "iam:CreateSAML*",
    "iam:CreateUser",
    "iam:DeleteAccount*",
    "iam:DeleteGroup*",
    "iam:DeleteInstanceProfile",
    "iam:DeleteLoginProfile",
    "iam:DeleteOpenID*",
    "iam:DeletePolicy*",
    "iam:DeleteRole*",
    "iam:DeleteSAML*",
    "iam:DeleteUser*",
    "iam:Detach*",
    "iam:Disable*",
    "iam:EnableO*",
    "iam:Put*",
    "iam:Reject*",
    "iam:Remove*",
    "iam:Send*",
    "iam:Set*",
    "iam:TagInstanceProfile",
    "iam:TagOpenID*",
    "iam:TagPolicy",
    "iam:TagRole",
    "iam:TagSAML*",
    "iam:TagUser",
    "iam:UntagInstanceProfile",
    "iam:UntagOpenID*",
    "iam:UntagPolicy",
    "iam:UntagRole",
    "iam:UntagSAML*",
    "iam:UntagUser",
    "iam:UpdateAccountPasswordPolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateDelegation*",
    "iam:UpdateGroup",
    "iam:UpdateLoginProfile",
    "iam:UpdateOpenID*",
    "iam:UpdateRole*",
    "iam:UpdateSAML*",
    "iam:UpdateUser",
    "identitystore:Create*",
    "identitystore:Delete*",
    "identitystore:Update*",
    "organizations:Accept*",
    "organizations:Attach*",
    "organizations:Cancel*",
    "organizations:Close*",
    "organizations:Create*",
    "organizations:Decline*",
    "organizations:Delete*",
    "organizations:Deregister*",
    "organizations:Detach*",
    "organizations:Disable*",
    "organizations:Enable*",
    "organizations:Invite*",
    "organizations:Leave*",
    "organizations:Move*",
    "organizations:Put*",
    "organizations:Register*",
    "organizations:Remove*",
    "organizations:Tag*",
    "organizations:Terminate*",
    "organizations:Untag*",
    "organizations:Update*",
    "rolesanywhere:Create*",
    "rolesanywhere:Delete*",
    "rolesanywhere:Disable*",
    "rolesanywhere:Enable*",
    "rolesanywhere:Import*",
    "rolesanywhere:Put*",
    "rolesanywhere:Update*",
    "sso:Add*",
    "sso:Associate*",
    "sso:Attach*",
    "sso:Create*",
    "sso:Delete*",
    "sso:Detach*",
    "sso:Disassociate*",
    "sso:Import*",
    "sso:Provision*",
    "sso:Put*",
    "sso:Remove*",
    "sso:StartSSO",
    "sso:Tag*",
    "sso:Untag*",
    "sso:Update*",
    "sso-directory:Add*",
    "sso-directory:Complete*",
    "sso-directory:Create*",
    "sso-directory:Delete*",
    "sso-directory:Disable*",
    "sso-directory:Enable*",
    "sso-directory:Import*",
    "sso-directory:Remove*",
    "sso-directory:Start*",
    "sso-directory:Update*",
    "sts:AssumeRoot",
)
"""Actions that give, widen or unbind rights; the module's guardrail denies the same list (a test compares them).

What enrolling an MFA device, changing one's own password and service-linked roles need is not among them.
"""

CREDENTIALS = (
    "iam:ChangePassword",
    "iam:CreateAccessKey",
    "iam:CreateServiceSpecificCredential",
    "iam:DeactivateMFADevice",
    "iam:DeleteAccessKey",
    "iam:DeleteServiceSpecificCredential",
    "iam:DeleteSigningCertificate",
    "iam:DeleteSSHPublicKey",
    "iam:EnableMFADevice",
    "iam:ResetServiceSpecificCredential",
    "iam:ResyncMFADevice",
    "iam:UpdateAccessKey",
    "iam:UpdateServiceSpecificCredential",
    "iam:UpdateSigningCertificate",
    "iam:UpdateSSHPublicKey",
    "iam:UploadSigningCertificate",
    "iam:UploadSSHPublicKey",
)
"""Actions on a user's credentials: harmless on one's own, a way into somebody else's rights on another's."""

ADMINISTRATOR_POLICIES = frozenset({"AdministratorAccess", "AdministratorAccess-Amplify", "IAMFullAccess"})
"""AWS managed policies that allow identity administration on every resource without a condition."""


@lru_cache(maxsize=4096)
def overlap(one: str, other: str) -> bool:
    """Whether some action matches both patterns (`*` any characters, `?` one; IAM ignores case)."""
    a, b = one.lower(), other.lower()
    if not a or not b:
        return set(a + b) <= {"*"}
    if a[0] == "*":
        return overlap(a[1:], b) or overlap(a, b[1:])
    if b[0] == "*":
        return overlap(a, b[1:]) or overlap(a[1:], b)
    return (a[0] == b[0] or "?" in (a[0], b[0])) and overlap(a[1:], b[1:])
