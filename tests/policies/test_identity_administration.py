"""No default group but the administrators can raise its own rights, with MFA or without.

The groups' managed policies are AWS's documents, the guardrail is what Terraform plans. The actions are the known ways
to more rights within IAM and its neighbours, written down here and not taken from the module's own lists.

Not covered, because no guardrail against identity administration can be: rights that already sit in workloads (changing
the code of a function, sending commands to an instance, updating a stack whose role may do more).
"""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.iam import Decision, Policies, Request, evaluate

ACCOUNT = "123456789012"
IAM = f"arn:aws:iam::{ACCOUNT}"
ME = f"{IAM}:user/staff/me"
OTHER, ROLE, GROUP, POLICY = f"{IAM}:user/other", f"{IAM}:role/admin", f"{IAM}:group/administrators", f"{IAM}:policy/p"
SAML, OIDC, PROFILE = f"{IAM}:saml-provider/x", f"{IAM}:oidc-provider/x", f"{IAM}:instance-profile/x"

GUARDED = ("developers", "auditors", "billing", "support")

# Denied outright, whatever the group's policies say
ESCALATIONS = [
    *[(f"iam:{name}", POLICY) for name in ("CreatePolicy", "CreatePolicyVersion", "SetDefaultPolicyVersion")],
    *[(f"iam:{name}", POLICY) for name in ("DeletePolicy", "DeletePolicyVersion")],
    *[
        (f"iam:{name}", user)
        for user in (ME, OTHER)
        for name in (
            "AttachUserPolicy",
            "DetachUserPolicy",
            "PutUserPolicy",
            "DeleteUserPolicy",
            "PutUserPermissionsBoundary",
            "DeleteUserPermissionsBoundary",
            "CreateLoginProfile",
            "UpdateLoginProfile",
            "DeleteLoginProfile",
            "CreateUser",
            "UpdateUser",
            "DeleteUser",
            "TagUser",
            "UntagUser",
        )
    ],
    *[
        (f"iam:{name}", OTHER)
        for name in (
            "ChangePassword",
            "CreateAccessKey",
            "UpdateAccessKey",
            "DeleteAccessKey",
            "EnableMFADevice",
            "ResyncMFADevice",
            "DeactivateMFADevice",
            "UploadSSHPublicKey",
            "UploadSigningCertificate",
            "CreateServiceSpecificCredential",
            "ResetServiceSpecificCredential",
        )
    ],
    *[
        (f"iam:{name}", GROUP)
        for name in (
            "AddUserToGroup",
            "RemoveUserFromGroup",
            "AttachGroupPolicy",
            "DetachGroupPolicy",
            "PutGroupPolicy",
            "DeleteGroupPolicy",
            "CreateGroup",
            "UpdateGroup",
            "DeleteGroup",
        )
    ],
    *[
        (f"iam:{name}", ROLE)
        for name in (
            "AttachRolePolicy",
            "DetachRolePolicy",
            "PutRolePolicy",
            "DeleteRolePolicy",
            "PutRolePermissionsBoundary",
            "DeleteRolePermissionsBoundary",
            "UpdateAssumeRolePolicy",
            "CreateRole",
            "UpdateRole",
            "UpdateRoleDescription",
            "DeleteRole",
            "TagRole",
            "UntagRole",
            "PassRole",
        )
    ],
    *[(f"iam:{name}", PROFILE) for name in ("CreateInstanceProfile", "AddRoleToInstanceProfile")],
    *[(f"iam:{name}", PROFILE) for name in ("RemoveRoleFromInstanceProfile", "DeleteInstanceProfile")],
    *[(f"iam:{name}", SAML) for name in ("CreateSAMLProvider", "UpdateSAMLProvider", "DeleteSAMLProvider")],
    *[
        (f"iam:{name}", OIDC)
        for name in (
            "CreateOpenIDConnectProvider",
            "AddClientIDToOpenIDConnectProvider",
            "UpdateOpenIDConnectProviderThumbprint",
            "DeleteOpenIDConnectProvider",
        )
    ],
    ("iam:UpdateAccountPasswordPolicy", "*"),
    ("iam:DeleteAccountPasswordPolicy", "*"),
    ("iam:SetSecurityTokenServicePreferences", "*"),
    ("sts:AssumeRole", ROLE),
    ("sts:AssumeRole", "arn:aws:iam::444455556666:role/OrganizationAccountAccessRole"),
    ("sts:AssumeRoot", "arn:aws:iam::444455556666:root"),
    ("organizations:AttachPolicy", "*"),
    ("organizations:DetachPolicy", "*"),
    ("organizations:UpdatePolicy", "*"),
    ("organizations:DeletePolicy", "*"),
    ("organizations:LeaveOrganization", "*"),
    ("organizations:DisablePolicyType", "*"),
    ("organizations:PutResourcePolicy", "*"),
    ("sso:CreateAccountAssignment", "*"),
    ("sso:AttachManagedPolicyToPermissionSet", "*"),
    ("sso:PutInlinePolicyToPermissionSet", "*"),
    ("sso:ProvisionPermissionSet", "*"),
    ("identitystore:CreateGroupMembership", "*"),
    ("identitystore:CreateUser", "*"),
    ("sso-directory:AddMemberToGroup", "*"),
    ("sso-directory:UpdatePassword", "*"),
    ("sso-directory:ImportExternalIdPCertificate", "*"),
    ("sso-directory:CompleteVirtualMfaDeviceRegistration", "*"),
    ("rolesanywhere:CreateTrustAnchor", "*"),
    ("rolesanywhere:CreateProfile", "*"),
    ("rolesanywhere:DisableCrl", "*"),
    ("rolesanywhere:DeleteCrl", "*"),
    ("rolesanywhere:DeleteTrustAnchor", "*"),
    ("rolesanywhere:DisableTrustAnchor", "*"),
    ("rolesanywhere:DisableProfile", "*"),
    ("rolesanywhere:UpdateProfile", "*"),
    ("organizations:MoveAccount", "*"),
    ("organizations:RemoveAccountFromOrganization", "*"),
    ("organizations:RegisterDelegatedAdministrator", "*"),
    ("organizations:EnableAWSServiceAccess", "*"),
    ("organizations:DeleteResourcePolicy", "*"),
    ("account:StartPrimaryEmailUpdate", "*"),
    ("account:AcceptPrimaryEmailUpdate", "*"),
    ("sso:TagResource", "*"),
    ("sso:AddRegion", "*"),
    ("sso:DisassociateProfile", "*"),
    # And what blinds the account, so that the rest goes unseen: a choice, test_blinding.py has all of it.
    ("cloudtrail:StopLogging", "*"),
    ("cloudtrail:DeleteTrail", "*"),
    ("cloudtrail:UpdateTrail", "*"),
    ("cloudtrail:PutEventSelectors", "*"),
    ("config:StopConfigurationRecorder", "*"),
    ("config:DeleteConfigurationRecorder", "*"),
    ("config:PutConfigurationRecorder", "*"),
    ("config:DeleteDeliveryChannel", "*"),
    ("config:DeleteConfigRule", "*"),
    ("guardduty:DeleteDetector", "*"),
    ("guardduty:UpdateDetector", "*"),
    ("guardduty:CreateFilter", "*"),
    ("guardduty:ArchiveFindings", "*"),
    ("guardduty:DeletePublishingDestination", "*"),
    ("securityhub:DisableSecurityHub", "*"),
    ("securityhub:BatchDisableStandards", "*"),
    ("access-analyzer:DeleteAnalyzer", "*"),
    ("s3:PutAccountPublicAccessBlock", "*"),
    ("ec2:DisableEbsEncryptionByDefault", "*"),
    ("ec2:DisableSnapshotBlockPublicAccess", "*"),
    ("ec2:DisableImageBlockPublicAccess", "*"),
]

WITHOUT_OPERATION = {
    # Permissions that no operation of botocore's models bears the name of (Service Authorization Reference).
    "account:CloseAccount",
    "iam:PassRole",
    "sso:Di*",
    "sso:I*",
    "sso:StartSSO",
}

DIRECTORY = {
    # What writes to the directory behind IAM Identity Center, which has no public API (Service Authorization
    # Reference). VerifyEmail is left out: it sends a user a link.
    *(f"Complete{kind}DeviceRegistration" for kind in ("VirtualMfa", "WebAuthn")),
    *(f"Start{kind}DeviceRegistration" for kind in ("VirtualMfa", "WebAuthn")),
    *(f"{verb}ExternalIdPConfigurationForDirectory" for verb in ("Create", "Delete", "Disable", "Enable", "Update")),
    *(f"{verb}{thing}" for verb in ("Create", "Delete") for thing in ("BearerToken", "Group", "ProvisioningTenant")),
    *(f"{verb}User" for verb in ("Create", "Delete", "Disable", "Enable", "Update")),
    *("AddMemberToGroup", "CreateAlias", "DeleteExternalIdPCertificate", "DeleteMfaDeviceForUser"),
    *("ImportExternalIdPCertificate", "RemoveMemberFromGroup", "UpdateGroup", "UpdateGroupDisplayName"),
    *("UpdateMfaDeviceForUser", "UpdatePassword", "UpdateUserName"),
}

NEIGHBOURS = {
    "account": "account",
    "identitystore": "identitystore",
    "organizations": "organizations",
    "rolesanywhere": "rolesanywhere",
    "sso-admin": "sso",
}
"""Name of a service beside IAM in botocore to its prefix in policies."""

HARMLESS = {
    # Reads by another name, a notice about certificates, tags that no rule looks at, and a check of the number that
    # stands already.
    "identitystore:IsMemberInGroups",
    "rolesanywhere:ResetNotificationSettings",
    "rolesanywhere:TagResource",
    "rolesanywhere:UntagResource",
    "account:SendPhoneNumberVerification",
    "account:VerifyPhoneNumber",
}

CONTEXT = {
    "mfa": {"aws:MultiFactorAuthPresent": "true"},
    "console": {"aws:MultiFactorAuthPresent": "false"},
    "key": {},
}


@pytest.mark.terraform
@pytest.mark.parametrize("session", CONTEXT)
@pytest.mark.parametrize("group", GUARDED)
def test_guarded_groups_cannot_raise_their_rights(group: str, session: str, rendered: Any) -> None:
    policies = Policies((*rendered.groups[group], rendered.mfa["default"]))
    open_ways = [
        (action, resource)
        for action, resource in ESCALATIONS
        if evaluate(Request(ME, action, resource, CONTEXT[session]), policies).decision is not Decision.EXPLICIT_DENY
    ]
    assert open_ways == []


@pytest.mark.terraform
def test_the_guardrail_alone_denies_them_all(rendered: Any) -> None:
    """A managed policy that somebody adds to a group later does not open a way either."""
    everything = Policies((*rendered.groups["administrators"], rendered.guardrail))
    open_ways = [
        (action, resource)
        for action, resource in ESCALATIONS
        if evaluate(Request(ME, action, resource, CONTEXT["mfa"]), everything).decision is not Decision.EXPLICIT_DENY
    ]
    assert open_ways == []


@pytest.mark.terraform
def test_of_every_iam_action_developers_have_only_their_own_credentials(rendered: Any) -> None:
    from botocore.session import get_session

    policies = Policies((*rendered.groups["developers"], rendered.mfa["default"]))
    operations = get_session().get_service_model("iam").operation_names
    assert len(operations) > 150
    allowed = {
        (name, resource)
        for name in operations
        for resource in ("*", ME, OTHER, ROLE, GROUP, POLICY, SAML, OIDC, PROFILE)
        if not name.startswith(("Get", "List"))
        and evaluate(Request(ME, f"iam:{name}", resource, CONTEXT["mfa"]), policies).allowed
    }
    # AWS itself allows PowerUserAccess the two on service-linked roles, whose rights each service fixes.
    linked = {name for name, resource in allowed if resource in (OTHER, ROLE, GROUP, POLICY, SAML, OIDC, PROFILE)}
    assert linked == {"CreateServiceLinkedRole", "DeleteServiceLinkedRole"}
    own = {name for name, resource in allowed if resource == ME} - linked
    assert own == {"ChangePassword", "DeactivateMFADevice", "EnableMFADevice", "ResyncMFADevice"}


@pytest.mark.terraform
def test_every_pattern_of_the_guardrail_names_something_that_exists(rendered: Any) -> None:
    """A misspelt action denies nothing."""
    import fnmatch

    from botocore.session import get_session

    session = get_session()
    services = {"access-analyzer": "accessanalyzer", "sso": "sso-admin"}
    for statement in rendered.guardrail.statements:
        for action in statement.actions:
            prefix, pattern = action.split(":")
            if prefix == "sso-directory":
                assert fnmatch.filter(DIRECTORY, pattern), action
                continue
            # S3's account settings are in its control API.
            name = "s3control" if action == "s3:PutAccountPublicAccessBlock" else services.get(prefix, prefix)
            operations = session.get_service_model(name).operation_names
            pattern = pattern.replace("PutAccountPublicAccessBlock", "PutPublicAccessBlock")
            if not fnmatch.filter(operations, pattern):
                assert action in WITHOUT_OPERATION, action


@pytest.mark.terraform
def test_nothing_beside_iam_writes_past_the_guardrail(rendered: Any) -> None:
    """Organizations, Identity Center, Roles Anywhere, the account's own data: every operation but reading ones."""
    from botocore.session import get_session

    session = get_session()
    actions = {
        f"{prefix}:{name}"
        for service, prefix in NEIGHBOURS.items()
        for name in session.get_service_model(service).operation_names
        if not name.startswith(("Describe", "Get", "List"))
    } | {f"sso-directory:{name}" for name in DIRECTORY}
    everything = Policies((*rendered.groups["administrators"], rendered.guardrail))
    open_ways = {
        action
        for action in actions
        if evaluate(Request(ME, action, "*", CONTEXT["mfa"]), everything).decision is not Decision.EXPLICIT_DENY
    }
    assert open_ways == HARMLESS


@pytest.mark.terraform
def test_only_administrators_are_without_guardrail_and_may(rendered: Any) -> None:
    without = {name for name, policies in rendered.groups.items() if rendered.guardrail not in policies}
    assert without == {"administrators"}
    assert set(rendered.groups) == {*GUARDED, "administrators"}
    policies = Policies((*rendered.groups["administrators"], rendered.mfa["default"]))
    for action, resource in ESCALATIONS:
        request = Request(ME, action, resource, CONTEXT["mfa"], resource_account=ACCOUNT)
        assert evaluate(request, policies).allowed, action


@pytest.mark.terraform
@pytest.mark.parametrize(
    ("group", "action", "resource"),
    [
        ("developers", "ec2:RunInstances", f"arn:aws:ec2:eu-central-1:{ACCOUNT}:instance/*"),
        ("developers", "lambda:CreateFunction", f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:f"),
        ("developers", "s3:CreateBucket", "arn:aws:s3:::b"),
        ("developers", "iam:ListRoles", "*"),
        ("developers", "iam:CreateServiceLinkedRole", f"{IAM}:role/aws-service-role/ecs.amazonaws.com/x"),
        ("developers", "iam:EnableMFADevice", ME),
        ("developers", "iam:ChangePassword", ME),
        ("auditors", "iam:GetPolicyVersion", POLICY),
        ("auditors", "cloudtrail:DescribeTrails", "*"),
        ("billing", "ce:GetCostAndUsage", "*"),
        ("billing", "account:GetAccountInformation", "*"),
        ("billing", "billing:UpdateBillingPreferences", "*"),
        ("billing", "payments:MakePayment", "*"),
        ("billing", "budgets:ModifyBudget", "*"),
        ("support", "support:CreateCase", "*"),
    ],
)
def test_groups_can_still_do_their_work(group: str, action: str, resource: str, rendered: Any) -> None:
    policies = Policies((*rendered.groups[group], rendered.mfa["default"]))
    result = evaluate(Request(ME, action, resource, CONTEXT["mfa"]), policies)
    assert result.allowed, result.explain()


@pytest.mark.terraform
def test_taking_a_statement_out_of_the_guardrail_opens_a_way(rendered: Any) -> None:
    administrator = rendered.groups["administrators"]
    for sid in (statement.sid for statement in rendered.guardrail.statements):
        policies = Policies((*administrator, rendered.guardrail.without(sid)))
        assert any(
            evaluate(Request(ME, action, resource, CONTEXT["mfa"], resource_account=ACCOUNT), policies).allowed
            for action, resource in ESCALATIONS
        ), sid
