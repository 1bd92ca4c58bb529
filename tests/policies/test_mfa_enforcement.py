"""Who can do what under the MFA policy, by evaluating the very document that Terraform plans.

Each line of the tables is a case: the user (which names the group), the kind of session, the action, the resource, what
must come of it. `none` is an implicit deny: no policy allows it. Lines hold for the variants named above their table.

A session is known by `aws:MultiFactorAuthPresent` alone: IAM User Guide, "AWS global condition context keys".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from toolkit.iam import Decision, Policies, PolicyDocument, Request, Result, Statement, evaluate

ACCOUNT = "123456789012"

USERS = {
    "admin": ("administrators", "admin"),
    "dev": ("developers", "staff/eu/dev"),  # lives under a path
    "audit": ("auditors", "audit"),
    "bill": ("billing", "bill"),
    "supp": ("support", "supp"),
    "robot": ("billing", "robot"),  # has keys and no password
}
"""User to its group and the resource part of its ARN."""

SESSIONS: Mapping[str, Mapping[str, str]] = {
    "console": {"aws:MultiFactorAuthPresent": "false", "aws:TokenIssueTime": "2026-01-01T00:00:00Z"},
    "mfa": {
        "aws:MultiFactorAuthPresent": "true",
        "aws:MultiFactorAuthAge": "60",
        "aws:TokenIssueTime": "2026-01-01T00:00:00Z",
    },
    "key": {},  # a long-lived access key: the MFA key is absent
    # A session token made by GetSessionToken with a code; one made without looks like a console session.
    "token": {"aws:MultiFactorAuthPresent": "true", "aws:TokenIssueTime": "2026-01-01T00:00:00Z"},
}

IAM = f"arn:aws:iam::{ACCOUNT}"
RESOURCES = {
    "*": "*",
    "other": f"{IAM}:user/other",
    "path-other": f"{IAM}:user/staff/eu/other",
    "lookalike": f"{IAM}:user/not-{{name}}",
    "inside": f"{IAM}:user/{{name}}/other",  # a path that is called like the user
    "device": f"{IAM}:mfa/Phone_of-2026",
    "own-device": f"{IAM}:mfa/{{name}}",
    "role": f"{IAM}:role/deploy",
    "group": f"{IAM}:group/administrators",
    "policy": f"{IAM}:policy/mfa-enforcement",
    "bucket": "arn:aws:s3:::data",
    "object": "arn:aws:s3:::data/secret.txt",
    "instance": f"arn:aws:ec2:eu-central-1:{ACCOUNT}:instance/i-0123456789abcdef0",
    "trail": f"arn:aws:cloudtrail:eu-central-1:{ACCOUNT}:trail/main",
    "zone": "arn:aws:route53:::hostedzone/Z1",
    "cdn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1",
    "kms": f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/k",
}

ALL = ("default", "no_password_change", "robot_enrols_by_key")

TABLES: list[tuple[tuple[str, ...], str]] = [
    (
        ALL,
        """
        # Console without MFA: enrolling one's own device works in every group, with a device of any name
        bill   console  iam:CreateVirtualMFADevice         device      allow
        bill   console  iam:CreateVirtualMFADevice         own-device  allow
        bill   console  iam:EnableMFADevice                own         allow
        bill   console  iam:ResyncMFADevice                own         allow
        bill   console  iam:ListMFADevices                 own         allow
        bill   console  iam:GetMFADevice                   own         allow
        bill   console  iam:GetUser                        own         allow
        bill   console  iam:ListVirtualMFADevices          *           allow
        bill   console  sts:GetSessionToken                *           allow
        bill   console  sts:GetCallerIdentity              *           allow
        dev    console  iam:CreateVirtualMFADevice         device      allow
        dev    console  iam:EnableMFADevice                own         allow
        dev    console  iam:ResyncMFADevice                own         allow
        dev    console  iam:ListMFADevices                 own         allow
        dev    console  iam:GetMFADevice                   own         allow
        dev    console  iam:GetUser                        own         allow
        dev    console  iam:ListVirtualMFADevices          *           allow
        audit  console  iam:CreateVirtualMFADevice         device      allow
        audit  console  iam:EnableMFADevice                own         allow
        supp   console  iam:CreateVirtualMFADevice         device      allow
        supp   console  iam:EnableMFADevice                own         allow
        admin  console  iam:CreateVirtualMFADevice         device      allow
        admin  console  iam:EnableMFADevice                own         allow
        admin  console  iam:ListMFADevices                 own         allow
        admin  console  iam:ListVirtualMFADevices          *           allow

        # … and nothing more: not even for administrators
        admin  console  iam:DeactivateMFADevice            own         deny
        admin  console  iam:DeleteVirtualMFADevice         own-device  deny
        admin  console  iam:DeleteVirtualMFADevice         device      deny
        bill   console  iam:DeactivateMFADevice            own         deny
        dev    console  iam:DeactivateMFADevice            own         deny
        admin  console  iam:CreateAccessKey                own         deny
        admin  console  iam:CreateLoginProfile             own         deny
        admin  console  iam:UpdateLoginProfile             own         deny
        admin  console  iam:DeleteLoginProfile             own         deny
        admin  console  iam:UploadSSHPublicKey             own         deny
        admin  console  iam:ListUsers                      *           deny
        admin  console  iam:CreateUser                     other       deny
        admin  console  iam:AttachUserPolicy               own         deny
        admin  console  iam:DetachGroupPolicy              group       deny
        admin  console  iam:RemoveUserFromGroup            group       deny
        admin  console  iam:CreatePolicyVersion            policy      deny
        admin  console  iam:DeletePolicy                   policy      deny
        admin  console  iam:PassRole                       role        deny
        admin  console  sts:AssumeRole                     role        deny
        admin  console  sts:GetFederationToken             own         deny
        admin  console  sts:DecodeAuthorizationMessage     *           deny
        admin  console  s3:ListAllMyBuckets                *           deny
        admin  console  s3:GetObject                       object      deny
        admin  console  ec2:DescribeInstances              *           deny
        admin  console  ec2:TerminateInstances             instance    deny
        admin  console  cloudtrail:StopLogging             trail       deny
        admin  console  kms:ScheduleKeyDeletion            kms         deny
        admin  console  route53:ChangeResourceRecordSets   zone        deny
        admin  console  cloudfront:UpdateDistribution      cdn         deny
        admin  console  support:CreateCase                 *           deny
        admin  console  organizations:LeaveOrganization    *           deny
        admin  console  account:CloseAccount               *           deny
        admin  console  aws-portal:ModifyBilling           *           deny
        dev    console  ec2:RunInstances                   instance    deny
        dev    console  s3:GetObject                       object      deny
        audit  console  iam:GenerateCredentialReport       *           deny
        audit  console  s3:ListAllMyBuckets                *           deny
        audit  console  iam:ListUsers                      *           deny
        bill   console  ce:GetCostAndUsage                 *           deny
        supp   console  support:DescribeCases              *           deny

        # Without MFA nobody, administrators included, touches another user
        admin  console  iam:EnableMFADevice                other       deny
        admin  console  iam:EnableMFADevice                path-other  deny
        admin  console  iam:EnableMFADevice                lookalike   deny
        admin  console  iam:EnableMFADevice                inside      deny
        admin  console  iam:ResyncMFADevice                other       deny
        admin  console  iam:DeactivateMFADevice            other       deny
        admin  console  iam:ChangePassword                 other       deny
        admin  console  iam:CreateLoginProfile             other       deny
        admin  console  iam:UpdateLoginProfile             other       deny
        admin  console  iam:DeleteLoginProfile             path-other  deny
        admin  console  iam:CreateAccessKey                other       deny
        admin  console  iam:UpdateAccessKey                other       deny
        admin  console  iam:GetUser                        other       deny
        admin  console  iam:ListMFADevices                 other       deny
        admin  console  iam:GetMFADevice                   other       deny
        audit  console  iam:ListMFADevices                 other       deny
        audit  console  iam:GetUser                        path-other  deny
        dev    console  iam:EnableMFADevice                path-other  deny
        dev    console  iam:EnableMFADevice                lookalike   deny
        dev    console  iam:EnableMFADevice                inside      deny
        bill   console  iam:EnableMFADevice                other       deny

        # A long-lived key reads its own settings and gets a session token
        bill   key      sts:GetSessionToken                *           allow
        bill   key      sts:GetCallerIdentity              *           allow
        bill   key      iam:GetUser                        own         allow
        bill   key      iam:ListMFADevices                 own         allow
        bill   key      iam:GetMFADevice                   own         allow
        dev    key      iam:GetUser                        own         allow
        dev    key      iam:ListMFADevices                 own         allow
        admin  key      sts:GetSessionToken                *           allow

        # … and nothing more: above all it enrols no device, in any step
        bill   key      iam:CreateVirtualMFADevice         device      deny
        bill   key      iam:EnableMFADevice                own         deny
        bill   key      iam:ResyncMFADevice                own         deny
        bill   key      iam:ListVirtualMFADevices          *           deny
        admin  key      iam:CreateVirtualMFADevice         device      deny
        admin  key      iam:CreateVirtualMFADevice         own-device  deny
        admin  key      iam:EnableMFADevice                own         deny
        admin  key      iam:EnableMFADevice                other       deny
        admin  key      iam:ResyncMFADevice                own         deny
        admin  key      iam:ListVirtualMFADevices          *           deny
        dev    key      iam:CreateVirtualMFADevice         device      deny
        dev    key      iam:EnableMFADevice                own         deny
        admin  key      iam:DeactivateMFADevice            own         deny
        admin  key      iam:DeleteVirtualMFADevice         device      deny
        admin  key      iam:ChangePassword                 own         deny
        admin  key      iam:ChangePassword                 other       deny
        admin  key      iam:GetAccountPasswordPolicy       *           deny
        admin  key      iam:CreateLoginProfile             own         deny
        admin  key      iam:UpdateLoginProfile             other       deny
        admin  key      iam:CreateAccessKey                own         deny
        admin  key      iam:CreateAccessKey                other       deny
        admin  key      iam:GetUser                        other       deny
        admin  key      iam:ListMFADevices                 other       deny
        admin  key      iam:GetMFADevice                   other       deny
        admin  key      iam:CreateUser                     other       deny
        admin  key      iam:ListUsers                      *           deny
        admin  key      iam:AttachUserPolicy               own         deny
        admin  key      iam:PassRole                       role        deny
        admin  key      sts:AssumeRole                     role        deny
        admin  key      sts:GetFederationToken             own         deny
        admin  key      s3:ListAllMyBuckets                *           deny
        admin  key      s3:PutObject                       object      deny
        admin  key      s3:DeleteBucket                    bucket      deny
        admin  key      ec2:DescribeInstances              *           deny
        admin  key      ec2:TerminateInstances             instance    deny
        admin  key      cloudtrail:DeleteTrail             trail       deny
        admin  key      route53:ChangeResourceRecordSets   zone        deny
        admin  key      organizations:LeaveOrganization    *           deny
        dev    key      ec2:RunInstances                   instance    deny
        dev    key      s3:GetObject                       object      deny
        audit  key      iam:GenerateCredentialReport       *           deny
        supp   key      support:DescribeCases              *           deny

        # With MFA the groups' own policies decide; everybody may replace their own device
        admin  mfa      s3:GetObject                       object      allow
        admin  token    ec2:TerminateInstances             instance    allow
        admin  mfa      iam:CreateUser                     other       allow
        admin  mfa      iam:UpdateLoginProfile             other       allow
        admin  mfa      iam:DeactivateMFADevice            other       allow
        admin  mfa      sts:AssumeRole                     role        allow
        dev    mfa      ec2:RunInstances                   instance    allow
        dev    token    s3:GetObject                       object      allow
        audit  mfa      iam:GenerateCredentialReport       *           allow
        audit  token    s3:ListAllMyBuckets                *           allow
        bill   mfa      ce:GetCostAndUsage                 *           allow
        supp   token    support:DescribeCases              *           allow
        bill   mfa      iam:CreateVirtualMFADevice         device      allow
        bill   mfa      iam:EnableMFADevice                own         allow
        bill   mfa      iam:ResyncMFADevice                own         allow
        bill   mfa      iam:DeactivateMFADevice            own         allow
        bill   token    iam:DeactivateMFADevice            own         allow
        dev    mfa      iam:DeactivateMFADevice            own         allow
        bill   mfa      iam:DeleteVirtualMFADevice         device      allow
        bill   mfa      iam:GetUser                        own         allow
        bill   mfa      iam:GetAccountPasswordPolicy       *           allow
        bill   mfa      iam:EnableMFADevice                other       deny
        bill   mfa      iam:DeactivateMFADevice            other       deny
        bill   mfa      iam:GetUser                        other       none
        bill   mfa      s3:GetObject                       object      none
        bill   mfa      ec2:RunInstances                   instance    none
        bill   mfa      iam:CreateAccessKey                own         none
        audit  mfa      ec2:TerminateInstances             instance    none
        audit  mfa      iam:EnableMFADevice                other       deny
        dev    mfa      iam:DeactivateMFADevice            path-other  deny
        """,
    ),
    (
        ("default", "robot_enrols_by_key"),
        """
        # A forced password change at the first sign-in
        bill   console  iam:ChangePassword                 own         allow
        bill   console  iam:GetAccountPasswordPolicy       *           allow
        dev    console  iam:ChangePassword                 own         allow
        admin  console  iam:ChangePassword                 own         allow
        bill   console  iam:ChangePassword                 other       deny
        dev    console  iam:ChangePassword                 path-other  deny
        bill   key      iam:ChangePassword                 own         deny
        bill   key      iam:GetAccountPasswordPolicy       *           deny
        dev    key      iam:ChangePassword                 own         deny
        bill   mfa      iam:ChangePassword                 own         allow
        """,
    ),
    (
        ("no_password_change",),
        """
        # Passwords wait for MFA
        bill   console  iam:ChangePassword                 own         deny
        bill   console  iam:GetAccountPasswordPolicy       *           deny
        dev    console  iam:ChangePassword                 own         deny
        admin  console  iam:ChangePassword                 own         deny
        admin  mfa      iam:ChangePassword                 own         allow
        bill   key      iam:ChangePassword                 own         deny
        """,
    ),
    (
        ("default", "no_password_change"),
        """
        robot  key      iam:CreateVirtualMFADevice         device      deny
        robot  key      iam:EnableMFADevice                own         deny
        """,
    ),
    (
        ("robot_enrols_by_key",),
        """
        # The named user enrols by key, for itself, and does nothing else by key
        robot  key      iam:CreateVirtualMFADevice         device      allow
        robot  key      iam:EnableMFADevice                own         allow
        robot  key      iam:ResyncMFADevice                own         allow
        robot  key      iam:ListVirtualMFADevices          *           allow
        robot  key      iam:EnableMFADevice                other       deny
        robot  key      iam:ChangePassword                 own         deny
        robot  key      iam:GetAccountPasswordPolicy       *           deny
        robot  key      iam:DeactivateMFADevice            own         deny
        robot  key      iam:DeleteVirtualMFADevice         device      deny
        robot  key      ce:GetCostAndUsage                 *           deny
        robot  key      iam:CreateAccessKey                own         deny
        robot  token    ce:GetCostAndUsage                 *           allow
        """,
    ),
]

EXPECTED = {"allow": Decision.ALLOW, "deny": Decision.EXPLICIT_DENY, "none": Decision.IMPLICIT_DENY}


@dataclass(frozen=True)
class Case:
    """One line of a table under one variant."""

    variant: str
    user: str
    session: str
    action: str
    resource: str
    expected: Decision

    def __str__(self) -> str:
        return f"{self.variant}-{self.user}-{self.session}-{self.action}-{self.resource}"

    @property
    def request(self) -> Request:
        arn = f"{IAM}:user/{USERS[self.user][1]}"
        resource = arn if self.resource == "own" else RESOURCES[self.resource].format(name=self.user)
        return Request(arn, self.action, resource, SESSIONS[self.session])


def cases() -> Iterator[Case]:
    for variants, table in TABLES:
        lines = [line.split() for line in table.splitlines() if line.strip() and not line.strip().startswith("#")]
        for variant in variants:
            for user, session, action, resource, expected in lines:
                yield Case(variant, user, session, action, resource, EXPECTED[expected])


CASES = list(cases())


def decide(case: Case, mfa: PolicyDocument, groups: Mapping[str, tuple[PolicyDocument, ...]]) -> Result:
    return evaluate(case.request, Policies((*groups[USERS[case.user][0]], mfa)))


def test_the_table_is_large_and_has_no_line_twice() -> None:
    assert len({replace(case, variant="", expected=Decision.ALLOW) for case in CASES}) >= 120
    assert len(set(CASES)) == len(CASES)


@pytest.mark.terraform
@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, rendered: Any) -> None:
    result = decide(case, rendered.mfa[case.variant], rendered.groups)
    assert result.decision is case.expected, result.explain()


def mutants(document: PolicyDocument) -> Iterator[tuple[str, PolicyDocument]]:
    """The policy less one thing at a time: a statement, an action, a resource, a condition."""

    def changed(statement: Statement | None, place: int) -> PolicyDocument:
        kept = list(document.statements)
        kept[place : place + 1] = [] if statement is None else [statement]
        return replace(document, statements=tuple(kept))

    for place, statement in enumerate(document.statements):
        yield statement.label, changed(None, place)
        for element in ("actions", "not_actions", "resources", "not_resources", "conditions"):
            values = getattr(statement, element)
            if len(values) == 1 and element != "conditions":
                continue  # an element cannot be empty
            for value in values:
                rest = tuple(other for other in values if other != value)
                yield (
                    f"{statement.label} {element} {value}",
                    changed(replace(statement, **cast("Any", {element: rest})), place),
                )


SECOND_LINE = {
    "AllowUnbindingOwnDevicesWithMfa conditions Bool aws:MultiFactorAuthPresent 'true'",
    "AllowDeletingUnboundDevicesWithMfa conditions Bool aws:MultiFactorAuthPresent 'true'",
}
"""Parts whose absence changes no decision: DenyAllButEnrolmentWithoutMfa denies the same. Kept, should that one go."""

PASSWORD_SECOND_LINE = "DenyOtherUsersWithoutMfa actions iam:ChangePassword"
"""Likewise, where passwords wait for MFA."""


@pytest.mark.terraform
@pytest.mark.parametrize("variant", ALL)
def test_taking_anything_out_of_the_policy_fails_a_case(variant: str, rendered: Any) -> None:
    own = [case for case in CASES if case.variant == variant]
    unnoticed = {
        label
        for label, mutant in mutants(rendered.mfa[variant])
        if all(decide(case, mutant, rendered.groups).decision is case.expected for case in own)
    }
    assert unnoticed == SECOND_LINE | ({PASSWORD_SECOND_LINE} if variant == "no_password_change" else set())


EXEMPTED_ACTIONS = [
    "iam:*",
    "sts:*",
    "iam:DeactivateMFADevice",
    "iam:DeleteVirtualMFADevice",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:UpdateLoginProfile",
    "iam:ListUsers",
    "iam:AttachUserPolicy",
    "iam:PassRole",
    "sts:AssumeRole",
    "sts:GetFederationToken",
    "s3:*",
    "ec2:Describe*",
]


@pytest.mark.terraform
@pytest.mark.parametrize("action", EXEMPTED_ACTIONS)
def test_letting_more_through_without_mfa_fails_a_case(action: str, rendered: Any) -> None:
    document: PolicyDocument = rendered.mfa["default"]
    wider = replace(
        document,
        statements=tuple(
            replace(statement, not_actions=(*statement.not_actions, action)) if statement.not_actions else statement
            for statement in document.statements
        ),
    )
    own = [case for case in CASES if case.variant == "default"]
    assert any(decide(case, wider, rendered.groups).decision is not case.expected for case in own)


@pytest.mark.terraform
@pytest.mark.parametrize(
    "pattern", [f"{IAM}:user/*", f"{IAM}:user/${{aws:username}}/*", f"{IAM}:user/*${{aws:username}}"]
)
def test_a_wider_pattern_of_one_s_own_user_fails_a_case(pattern: str, rendered: Any) -> None:
    document: PolicyDocument = rendered.mfa["default"]
    wider = replace(
        document,
        statements=tuple(
            replace(statement, not_resources=(*statement.not_resources, pattern))
            if statement.not_resources
            else statement
            for statement in document.statements
        ),
    )
    own = [case for case in CASES if case.variant == "default"]
    assert any(decide(case, wider, rendered.groups).decision is not case.expected for case in own)


@pytest.mark.terraform
@pytest.mark.parametrize("session", ["console", "key"])
def test_of_every_iam_action_only_enrolment_is_left_to_an_administrator_without_mfa(
    session: str, rendered: Any
) -> None:
    from botocore.session import get_session

    operations = get_session().get_service_model("iam").operation_names
    assert len(operations) > 150
    policies = Policies((*rendered.groups["administrators"], rendered.mfa["default"]))
    own, other, device = f"{IAM}:user/admin", f"{IAM}:user/other", RESOURCES["device"]
    allowed = {
        (name, resource)
        for name in operations
        for resource in (own, other, device, RESOURCES["role"], RESOURCES["group"], RESOURCES["policy"], "*")
        if evaluate(Request(own, f"iam:{name}", resource, SESSIONS[session]), policies).allowed
    }
    reads = {"GetUser", "ListMFADevices", "GetMFADevice"}
    if session == "key":
        assert allowed == {(name, own) for name in reads}
        return
    assert {name for name, resource in allowed if resource == own} == reads | {
        "EnableMFADevice",
        "ResyncMFADevice",
        "ChangePassword",
        # AWS never asks these about a user: their resources are devices, or none
        "CreateVirtualMFADevice",
        "ListVirtualMFADevices",
        "GetAccountPasswordPolicy",
    }
    assert {name for name, resource in allowed if resource != own} == {
        "CreateVirtualMFADevice",
        "ListVirtualMFADevices",
        "GetAccountPasswordPolicy",
    }
