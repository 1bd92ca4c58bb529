"""The permissions boundary: whoever has AdministratorAccess under it administers roles within it, and nothing else."""

from __future__ import annotations

import botocore.session
import pytest

from toolkit.iam import Policies, Request, evaluate

IAM = "arn:aws:iam::123456789012"
ME = "arn:aws:sts::123456789012:assumed-role/site/run"
BOUNDARY = f"{IAM}:policy/delegated-administration-boundary"
ROLE, POLICY, PROFILE = (
    f"{IAM}:role/delegated/app",
    f"{IAM}:policy/delegated/app",
    f"{IAM}:instance-profile/delegated/app",
)
ADMIN = f"{IAM}:role/administration"
WITHIN = {"iam:PermissionsBoundary": BOUNDARY}
BESIDE = {"iam:PermissionsBoundary": f"{IAM}:policy/another"}
RIGHTS = (
    "AttachRolePolicy",
    "CreateRole",
    "DeleteRolePolicy",
    "DetachRolePolicy",
    "PutRolePermissionsBoundary",
    "PutRolePolicy",
)
USING = (
    "DeleteRole",
    "PassRole",
    "TagRole",
    "UntagRole",
    "UpdateAssumeRolePolicy",
    "UpdateRole",
    "UpdateRoleDescription",
)
POLICIES = ("CreatePolicy", "CreatePolicyVersion", "DeletePolicy", "DeletePolicyVersion", "SetDefaultPolicyVersion")

ALLOWED = [
    *((f"iam:{name}", ROLE, WITHIN) for name in RIGHTS),
    *((f"iam:{name}", ROLE, {}) for name in USING),
    *((f"iam:{name}", POLICY, {}) for name in POLICIES),
    ("sts:AssumeRole", ROLE, {}),
    ("iam:AddRoleToInstanceProfile", PROFILE, {}),
    ("iam:CreateServiceLinkedRole", f"{IAM}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS", {}),
    ("iam:GetRole", ADMIN, {}),
    ("organizations:DescribeOrganization", "*", {}),
    ("s3:PutObject", "arn:aws:s3:::app/x", {}),
    ("ec2:RunInstances", "*", {}),
    ("sts:GetCallerIdentity", "*", {}),
    ("kms:CreateKey", "*", {}),
]
DENIED = [
    # Rights to a role that is not bounded, or bounded otherwise, or elsewhere.
    *((f"iam:{name}", ROLE, context) for name in RIGHTS for context in ({}, BESIDE)),
    *((f"iam:{name}", ADMIN, WITHIN) for name in RIGHTS),
    *((f"iam:{name}", ADMIN, {}) for name in USING),
    ("sts:AssumeRole", ADMIN, {}),
    ("sts:AssumeRole", "arn:aws:iam::111122223333:role/delegated/app", {}),
    ("iam:DeleteRolePermissionsBoundary", ROLE, WITHIN),
    # The boundary itself, and the baseline's other policies.
    *((f"iam:{name}", policy, {}) for name in POLICIES for policy in (BOUNDARY, f"{IAM}:policy/mfa-enforcement")),
    # Users, and whatever lets somebody in.
    *(
        (f"iam:{name}", f"{IAM}:user/delegated/x", WITHIN)
        for name in (
            "CreateUser",
            "AttachUserPolicy",
            "PutUserPolicy",
            "CreateAccessKey",
            "CreateLoginProfile",
            "AddUserToGroup",
        )
    ),
    ("iam:CreateOpenIDConnectProvider", f"{IAM}:oidc-provider/x", {}),
    ("iam:CreateSAMLProvider", f"{IAM}:saml-provider/x", {}),
    ("iam:UpdateAccountPasswordPolicy", "*", {}),
    ("iam:AddRoleToInstanceProfile", f"{IAM}:instance-profile/admin", {}),
    ("sts:AssumeRoot", "*", {}),
    ("rolesanywhere:CreateProfile", "*", {}),
    ("sso:CreatePermissionSet", "*", {}),
    ("organizations:LeaveOrganization", "*", {}),
    ("account:PutAlternateContact", "*", {}),
    # What records and watches.
    ("cloudtrail:StopLogging", "*", {}),
    ("guardduty:DeleteDetector", "*", {}),
    ("config:StopConfigurationRecorder", "*", {}),
    ("s3:PutAccountPublicAccessBlock", "*", {}),
]


def allowed(rendered, aws_managed, action: str, resource: str, context: dict[str, str]) -> bool:
    policies = Policies(identity=(aws_managed["AdministratorAccess"],), boundary=rendered.boundary)
    return evaluate(Request(ME, action, resource, context=context), policies).allowed


@pytest.mark.parametrize(("action", "resource", "context"), ALLOWED)
def test_what_delegated_administrators_may_do(action, resource, context, rendered, aws_managed):
    assert allowed(rendered, aws_managed, action, resource, context)


@pytest.mark.parametrize(("action", "resource", "context"), DENIED)
def test_what_they_may_not(action, resource, context, rendered, aws_managed):
    assert not allowed(rendered, aws_managed, action, resource, context)


def test_of_all_that_iam_can_do_nothing_else_is_open(rendered, aws_managed):
    """Every operation of IAM that botocore knows, on what is delegated and beside it."""
    operations = botocore.session.get_session().get_service_model("iam").operation_names
    assert len(operations) > 150
    reading = ("Get", "List", "Generate", "Simulate")
    writing = [name for name in operations if not name.startswith(reading)]
    beside = [
        f"{IAM}:{kind}" for kind in ("user/x", "group/x", "role/x", "policy/x", "instance-profile/x", "oidc-provider/x")
    ]
    for name in writing:
        for resource in beside:
            assert not allowed(rendered, aws_managed, f"iam:{name}", resource, WITHIN), f"{name} on {resource}"
    profiles = {"AddRoleToInstanceProfile", "CreateInstanceProfile", "DeleteInstanceProfile"}
    profiles |= {"RemoveRoleFromInstanceProfile", "TagInstanceProfile", "UntagInstanceProfile"}
    known = {*RIGHTS, *USING, *POLICIES, "TagPolicy", "UntagPolicy", *profiles}
    open_ = {
        n for n in writing for r in (ROLE, POLICY, PROFILE) if allowed(rendered, aws_managed, f"iam:{n}", r, WITHIN)
    }
    assert open_ == known - {"PassRole"}  # which is no operation, but asked for by others
