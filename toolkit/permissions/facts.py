"""Calls that the toolkit itself makes, apart from the readings of types: their IAM actions.

Pure data; tests/unit/permissions compares it with the calls that the code of guards makes.
"""

from __future__ import annotations

OF_SCANS = ("ec2:DescribeRegions",)
"""Which regions the account has enabled."""
OF_GUARDS = (
    "iam:GenerateCredentialReport",
    "iam:GetAccountAuthorizationDetails",
    "iam:GetAccountSummary",
    "iam:GetCredentialReport",
    "iam:GetLoginProfile",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAccessKeys",
    "iam:ListAttachedRolePolicies",
    "iam:ListMFADevices",
    "iam:ListRolePolicies",
    "identitystore:GetUserId",
    "identitystore:ListGroupMembershipsForMember",
    "organizations:ListPoliciesForTarget",
    "servicequotas:ListServiceQuotas",
    "sso:ListAccountAssignments",
    "sso:ListInstances",
)
"""What guards ask of the account: who would be locked out, whether a quota is exceeded."""
