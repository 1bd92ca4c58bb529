"""AWS's published example policies must do here what their pages say they do.

Each block names its page in the IAM User Guide. The policies are those of the pages, shortened to the statements that
the page's claims are about, with example account numbers.

Each page was opened on 2026-11-30, as AWS's own repository of its documentation has it (awsdocs/iam-user-guide e2b8637,
of June 2023; some titles are newer), and compared with its block. Not reached: the page of `test_deny_without_mfa_age`.
"""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.iam import Decision, Policies, PolicyDocument, PolicyKind, Request, evaluate

ALLOW, DENY, NONE = Decision.ALLOW, Decision.EXPLICIT_DENY, Decision.IMPLICIT_DENY
ACCOUNT = "123456789012"
JANE = f"arn:aws:iam::{ACCOUNT}:user/jane"
OWN = "arn:aws:iam::*:user/${aws:username}"
NO_MFA = {"aws:MultiFactorAuthPresent": "false"}
MFA = {"aws:MultiFactorAuthPresent": "true"}

Case = tuple[str, str, dict[str, Any], Decision]


def policy(*statements: dict[str, Any]) -> PolicyDocument:
    return PolicyDocument.parse({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: Any = "*", **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def deny(action: str | list[str] = "*", resource: Any = "*", **condition: Any) -> dict[str, Any]:
    return allow(action, resource, **condition) | {"Effect": "Deny"}


ADMINISTRATOR = policy(allow("*"))


def decide(identity: PolicyDocument, case: Case, principal: str = JANE, *also: PolicyDocument) -> Decision:
    action, resource, context, _ = case
    return evaluate(Request(principal, action, resource, context), Policies((identity, *also))).decision


# AWS: Allows MFA-authenticated IAM users to manage their own credentials on the Security credentials page
SELF_MANAGE = policy(
    allow(["iam:GetAccountPasswordPolicy", "iam:ListVirtualMFADevices"]),
    allow(["iam:ChangePassword", "iam:GetUser"], OWN),
    allow(["iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:ListAccessKeys", "iam:UpdateAccessKey"], OWN),
    allow(["iam:CreateVirtualMFADevice"], "arn:aws:iam::*:mfa/*"),
    allow(["iam:DeactivateMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices", "iam:ResyncMFADevice"], OWN),
    {
        "Effect": "Deny",
        "NotAction": [
            "iam:CreateVirtualMFADevice",
            "iam:EnableMFADevice",
            "iam:GetUser",
            "iam:ListMFADevices",
            "iam:ListVirtualMFADevices",
            "iam:ResyncMFADevice",
            "sts:GetSessionToken",
        ],
        "Resource": "*",
        "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
    },
)


@pytest.mark.parametrize(
    "case",
    [
        ("iam:CreateVirtualMFADevice", f"arn:aws:iam::{ACCOUNT}:mfa/any-name", NO_MFA, ALLOW),
        ("iam:EnableMFADevice", JANE, NO_MFA, ALLOW),
        ("iam:EnableMFADevice", f"arn:aws:iam::{ACCOUNT}:user/june", NO_MFA, NONE),
        ("iam:EnableMFADevice", JANE, {}, ALLOW),  # the published policy lets a key enrol: why ours differs
        ("iam:ChangePassword", JANE, NO_MFA, DENY),
        ("iam:ChangePassword", JANE, MFA, ALLOW),
        ("iam:CreateAccessKey", JANE, MFA, ALLOW),
        ("iam:CreateAccessKey", JANE, NO_MFA, DENY),
        (
            "iam:CreateAccessKey",
            JANE,
            {},
            DENY,
        ),  # "long-term credentials … is denied access to the non-IAM API operations"
        ("iam:DeactivateMFADevice", JANE, MFA, ALLOW),
        ("iam:DeactivateMFADevice", JANE, NO_MFA, DENY),
        ("s3:ListAllMyBuckets", "*", {}, DENY),
        ("s3:ListAllMyBuckets", "*", MFA, NONE),
        ("iam:ListUsers", "*", MFA, NONE),  # "does not allow users to view the Users page"
    ],
)
def test_self_managed_credentials(case: Case) -> None:
    assert decide(SELF_MANAGE, case) is case[3]


def test_self_managed_credentials_deny_an_administrator_too() -> None:
    case: Case = ("ec2:RunInstances", "*", NO_MFA, DENY)
    assert decide(SELF_MANAGE, case, JANE, ADMINISTRATOR) is DENY
    assert decide(SELF_MANAGE, (*case[:2], MFA, ALLOW), JANE, ADMINISTRATOR) is ALLOW


# AWS: Denies access to AWS based on the source IP
DENY_IP = policy(
    deny(NotIpAddress={"aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"]}, Bool={"aws:ViaAWSService": "false"})
)


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"aws:SourceIp": "192.0.2.1", "aws:ViaAWSService": "false"}, ALLOW),
        ({"aws:SourceIp": "203.0.113.200", "aws:ViaAWSService": "false"}, ALLOW),
        ({"aws:SourceIp": "198.51.100.1", "aws:ViaAWSService": "false"}, DENY),
        ({"aws:SourceIp": "198.51.100.1", "aws:ViaAWSService": "true"}, ALLOW),  # a service acts for the user
        ({"aws:ViaAWSService": "false"}, DENY),  # no source IP (VPC endpoint): the negated operator matches
        ({"aws:SourceIp": "198.51.100.1"}, ALLOW),  # Bool does not match a missing key
    ],
)
def test_denied_by_source_ip(context: dict[str, Any], expected: Decision) -> None:
    assert decide(DENY_IP, ("ec2:RunInstances", "*", context, expected), JANE, ADMINISTRATOR) is expected


# AWS: Denies access to AWS based on the requested Region
DENY_REGION = policy(
    {
        "Effect": "Deny",
        "NotAction": ["cloudfront:*", "iam:*", "route53:*", "support:*"],
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}},
    }
)


@pytest.mark.parametrize(
    ("action", "region", "expected"),
    [
        ("ec2:RunInstances", "eu-west-1", ALLOW),
        ("ec2:RunInstances", "us-east-1", DENY),
        ("iam:CreateUser", "us-east-1", ALLOW),
        ("cloudfront:CreateDistribution", "us-east-1", ALLOW),
        ("sts:GetCallerIdentity", "us-east-1", DENY),
    ],
)
def test_denied_by_requested_region(action: str, region: str, expected: Decision) -> None:
    case: Case = (action, "*", {"aws:RequestedRegion": region}, expected)
    assert decide(DENY_REGION, case, JANE, ADMINISTRATOR) is expected


# AWS: Allows specific access using MFA within specific dates / AWS: Allows access based on date and time
MFA_DATES = policy(
    allow(
        ["service1:*", "service2:action-a", "service2:action-b"],
        Bool={"aws:MultiFactorAuthPresent": True},
        DateGreaterThan={"aws:CurrentTime": "2017-07-01T00:00:00Z"},
        DateLessThan={"aws:CurrentTime": "2017-12-31T23:59:59Z"},
    )
)


@pytest.mark.parametrize(
    ("action", "context", "expected"),
    [
        ("service1:any", MFA | {"aws:CurrentTime": "2017-07-01T00:00:01Z"}, ALLOW),
        ("service2:action-a", MFA | {"aws:CurrentTime": "2017-12-31T23:59:58Z"}, ALLOW),
        ("service2:action-b", MFA | {"aws:CurrentTime": "2017-09-01"}, ALLOW),
        ("service2:action-c", MFA | {"aws:CurrentTime": "2017-09-01"}, NONE),
        ("service1:any", MFA | {"aws:CurrentTime": "2017-07-01T00:00:00Z"}, NONE),
        ("service1:any", MFA | {"aws:CurrentTime": "2018-01-01"}, NONE),
        ("service1:any", NO_MFA | {"aws:CurrentTime": "2017-09-01"}, NONE),
        ("service1:any", {"aws:CurrentTime": "2017-09-01"}, NONE),
        ("service1:any", MFA, NONE),
    ],
)
def test_mfa_within_dates(action: str, context: dict[str, Any], expected: Decision) -> None:
    assert decide(MFA_DATES, (action, "*", context, expected)) is expected


# Amazon EC2: Requires MFA (GetSessionToken) for specific EC2 operations
EC2_MFA = policy(
    allow("ec2:*"),
    deny(["ec2:StopInstances", "ec2:TerminateInstances"], BoolIfExists={"aws:MultiFactorAuthPresent": False}),
)


@pytest.mark.parametrize(
    ("action", "context", "expected"),
    [
        ("ec2:StopInstances", MFA, ALLOW),
        ("ec2:StopInstances", NO_MFA, DENY),
        ("ec2:StopInstances", {}, DENY),  # BoolIfExists: the key is absent with long-lived access keys
        ("ec2:RunInstances", {}, ALLOW),
    ],
)
def test_mfa_for_specific_operations(action: str, context: dict[str, Any], expected: Decision) -> None:
    assert decide(EC2_MFA, (action, "*", context, expected)) is expected


# Amazon S3: S3 Bucket access, but production bucket denied without recent MFA
PRODUCTION = "arn:aws:s3:::Production"
RECENT_MFA = policy(
    allow(["s3:ListBucket"], "arn:aws:s3:::*"),
    allow(["s3:PutObject", "s3:GetObject", "s3:DeleteObject"], "arn:aws:s3:::*/*"),
    deny("s3:*", [f"{PRODUCTION}/*", PRODUCTION], NumericGreaterThanIfExists={"aws:MultiFactorAuthAge": "1800"}),
)


@pytest.mark.parametrize(
    "case",
    [
        ("s3:GetObject", f"{PRODUCTION}/a", {"aws:MultiFactorAuthAge": "60"}, ALLOW),
        ("s3:GetObject", f"{PRODUCTION}/a", {"aws:MultiFactorAuthAge": "1800"}, ALLOW),
        ("s3:GetObject", f"{PRODUCTION}/a", {"aws:MultiFactorAuthAge": "1801"}, DENY),
        ("s3:GetObject", f"{PRODUCTION}/a", {}, DENY),  # "never allows … using long-term user access keys"
        ("s3:GetObject", "arn:aws:s3:::Test/a", {}, ALLOW),
        ("s3:ListBucket", PRODUCTION, {"aws:MultiFactorAuthAge": "7200"}, DENY),
        ("s3:DeleteObject", "arn:aws:s3:::Test/a", {}, ALLOW),  # "updating, adding, and deleting objects"
        ("s3:DeleteBucket", "arn:aws:s3:::Test", {}, NONE),
    ],
)
def test_recent_mfa(case: Case) -> None:
    assert decide(RECENT_MFA, case) is case[3]


# IAM JSON policy elements: Condition (removing a device only with a recent MFA sign-in)
def test_removing_a_device_needs_recent_mfa() -> None:
    document = policy(allow("iam:DeactivateMFADevice", OWN, NumericLessThanEquals={"aws:MultiFactorAuthAge": "3600"}))
    for context, expected in (
        ({"aws:MultiFactorAuthAge": 3600}, ALLOW),
        ({"aws:MultiFactorAuthAge": 3601}, NONE),
        ({}, NONE),
    ):
        assert decide(document, ("iam:DeactivateMFADevice", JANE, context, expected)) is expected


# IAM JSON policy elements: Condition operators (existence of condition keys)
@pytest.mark.parametrize(
    ("value", "context", "expected"),
    [
        ("true", {}, ALLOW),
        ("true", {"aws:TokenIssueTime": "2020-01-01T00:00:00Z"}, NONE),
        ("false", {}, NONE),
        ("false", {"aws:TokenIssueTime": "2020-01-01T00:00:00Z"}, ALLOW),
    ],
)
def test_null_tells_long_lived_from_temporary_credentials(
    value: str, context: dict[str, Any], expected: Decision
) -> None:
    document = policy(allow("ec2:*", Null={"aws:TokenIssueTime": value}))
    assert decide(document, ("ec2:RunInstances", "*", context, expected)) is expected


# Null on aws:MultiFactorAuthAge: of no page that was reached; Amazon S3's has it in a bucket's policy (published.yaml)
def test_deny_without_mfa_age() -> None:
    document = policy(allow("ec2:*"), deny("ec2:*", Null={"aws:MultiFactorAuthAge": "true"}))
    assert decide(document, ("ec2:RunInstances", "*", {}, DENY)) is DENY
    assert decide(document, ("ec2:RunInstances", "*", {"aws:MultiFactorAuthAge": "5"}, ALLOW)) is ALLOW


# IAM JSON policy elements: Condition operators (DateGreaterThan on aws:TokenIssueTime)
def test_fresh_credentials_only() -> None:
    document = policy(allow("iam:*AccessKey*", DateGreaterThan={"aws:TokenIssueTime": "2020-01-01T00:00:01Z"}))
    fresh = {"aws:TokenIssueTime": "2020-06-01T00:00:00Z"}
    assert decide(document, ("iam:CreateAccessKey", JANE, fresh, ALLOW)) is ALLOW
    assert decide(document, ("iam:CreateAccessKey", JANE, {"aws:TokenIssueTime": "2019-06-01"}, NONE)) is NONE
    assert decide(document, ("iam:CreateAccessKey", JANE, {}, NONE)) is NONE


# Amazon S3: Allows IAM users access to their S3 home directory, programmatically and in the console
HOME = policy(
    allow("s3:ListBucket", "arn:aws:s3:::b", StringLike={"s3:prefix": ["", "home/", "home/${aws:username}/*"]}),
    allow("s3:*", ["arn:aws:s3:::b/home/${aws:username}", "arn:aws:s3:::b/home/${aws:username}/*"]),
)


@pytest.mark.parametrize(
    "case",
    [
        ("s3:ListBucket", "arn:aws:s3:::b", {"s3:prefix": ""}, ALLOW),
        ("s3:ListBucket", "arn:aws:s3:::b", {"s3:prefix": "home/"}, ALLOW),
        ("s3:ListBucket", "arn:aws:s3:::b", {"s3:prefix": "home/jane/letters"}, ALLOW),
        ("s3:ListBucket", "arn:aws:s3:::b", {"s3:prefix": "home/june/"}, NONE),
        ("s3:ListBucket", "arn:aws:s3:::b", {}, NONE),
        ("s3:PutObject", "arn:aws:s3:::b/home/jane/a/b.txt", {}, ALLOW),
        ("s3:PutObject", "arn:aws:s3:::b/home/janet/a", {}, NONE),
        ("s3:PutObject", "arn:aws:s3:::b/home/${aws:username}/a", {}, NONE),
    ],
)
def test_home_directories(case: Case) -> None:
    assert decide(HOME, case) is case[3]


def test_a_home_directory_is_nobodys_for_a_principal_without_user_name() -> None:
    role = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/session"
    assert decide(HOME, ("s3:PutObject", "arn:aws:s3:::b/home/jane/a", {}, NONE), role) is NONE


def test_language_version_2008_takes_variables_literally() -> None:
    old = PolicyDocument.parse(
        {"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/home/${aws:username}/*"}}
    )
    assert decide(old, ("s3:PutObject", "arn:aws:s3:::b/home/jane/a", {}, NONE)) is NONE
    assert decide(old, ("s3:PutObject", "arn:aws:s3:::b/home/${aws:username}/a", {}, ALLOW)) is ALLOW


# Amazon S3: Restrict management to a specific S3 bucket (NotAction with NotResource)
ONE_BUCKET = policy(
    allow("s3:*", ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]),
    {"Effect": "Deny", "NotAction": "s3:*", "NotResource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]},
)


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("s3:GetObject", "arn:aws:s3:::b/k", ALLOW),
        ("s3:GetObject", "arn:aws:s3:::other/k", NONE),
        ("ec2:DescribeInstances", "*", DENY),  # "denies access to every AWS service except Amazon S3"
    ],
)
def test_not_action_and_not_resource(action: str, resource: str, expected: Decision) -> None:
    assert decide(ONE_BUCKET, (action, resource, {}, expected)) is expected


# IAM JSON policy elements: NotResource
def test_deny_with_not_resource() -> None:
    folder = "arn:aws:s3:::HRBucket/Payroll"
    document = policy({"Effect": "Deny", "Action": "s3:*", "NotResource": [folder, f"{folder}/*"]})
    assert decide(document, ("s3:GetObject", f"{folder}/may", {}, ALLOW), JANE, ADMINISTRATOR) is ALLOW
    assert decide(document, ("s3:GetObject", "arn:aws:s3:::HRBucket/x", {}, DENY), JANE, ADMINISTRATOR) is DENY
    # IAM policy elements: Variables and tags: an entry without value "will not match any resource", here too
    unresolved = policy({"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::b/${aws:PrincipalTag/x}"})
    assert decide(unresolved, ("s3:GetObject", "arn:aws:s3:::b/1", {}, DENY), JANE, ADMINISTRATOR) is DENY


# EC2: Start or stop instances based on matching principal and resource tags; Amazon EC2: … instances a user has tagged
@pytest.mark.parametrize(
    ("tags", "context", "expected"),
    [
        ({"CostCenter": "7"}, {"aws:ResourceTag/CostCenter": "7"}, ALLOW),
        ({"costcenter": "7"}, {"aws:resourcetag/COSTCENTER": "7"}, ALLOW),  # key names ignore case
        ({"CostCenter": "7"}, {"aws:ResourceTag/CostCenter": "8"}, NONE),
        ({}, {"aws:ResourceTag/CostCenter": "7"}, NONE),
        ({"CostCenter": "7"}, {}, NONE),
        ({}, {}, NONE),
    ],
)
def test_matching_tags(tags: dict[str, str], context: dict[str, str], expected: Decision) -> None:
    document = policy(
        allow(
            ["ec2:startInstances", "ec2:stopInstances"],
            StringEquals={"aws:ResourceTag/CostCenter": "${aws:PrincipalTag/CostCenter}"},
        )
    )
    instance = f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-1"
    request = Request(JANE, "ec2:StartInstances", instance, context, tags)
    assert evaluate(request, Policies((document,))).decision is expected


# IAM: Create new users only with specific tags
NEW_USER = policy(
    allow(
        ["iam:CreateUser", "iam:TagUser"],
        StringEqualsIfExists={
            "aws:RequestTag/Department": ["Development", "QualityAssurance"],
            "aws:RequestTag/JobFunction": "Employee",
        },
        **{"ForAllValues:StringEquals": {"aws:TagKeys": ["Department", "JobFunction"]}},
    )
)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"Department": "QualityAssurance"}, ALLOW),  # "you can create an IAM user with only" that tag
        ({"JobFunction": "employee", "Project": "core"}, NONE),  # "you cannot"
        ({"JobFunction": "Employee", "Project": "core"}, NONE),  # … since Project is not in the list
        ({"Department": "Development", "JobFunction": "Employee"}, ALLOW),
        ({"Department": "Sales"}, NONE),
        ({}, ALLOW),
    ],
)
def test_new_users_with_tags(tags: dict[str, str], expected: Decision) -> None:
    context: dict[str, Any] = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    context["aws:TagKeys"] = list(tags)
    assert decide(NEW_USER, ("iam:CreateUser", JANE, context, expected)) is expected


# IAM: Add a specific tag to a user with a specific tag
def test_adding_a_tag_to_a_tagged_user() -> None:
    document = policy(
        allow(
            "iam:TagUser",
            StringEquals={
                "iam:ResourceTag/JobFunction": "Manager",
                "aws:RequestTag/Department": ["Marketing", "Development"],
            },
            **{"ForAllValues:StringEquals": {"aws:TagKeys": "Department"}},
        )
    )
    good: dict[str, Any] = {
        "iam:ResourceTag/JobFunction": "Manager",
        "aws:RequestTag/Department": "Marketing",
        "aws:TagKeys": ["Department"],
    }
    assert decide(document, ("iam:TagUser", JANE, good, ALLOW)) is ALLOW
    for change in (
        {"iam:ResourceTag/JobFunction": "Clerk"},
        {"aws:RequestTag/Department": "Sales"},
        {"aws:TagKeys": ["Department", "Other"]},
    ):
        assert decide(document, ("iam:TagUser", JANE, good | change, NONE)) is NONE


# IAM: Limits managed policies that can be applied to an IAM user, group, or role (ArnEquals takes wildcards)
def test_limited_managed_policies() -> None:
    document = policy(
        allow(
            ["iam:AttachUserPolicy"],
            ArnEquals={"iam:PolicyARN": ["arn:aws:iam::*:policy/a", "arn:aws:iam::*:policy/b"]},
        )
    )
    attached = {"iam:PolicyARN": f"arn:aws:iam::{ACCOUNT}:policy/b"}
    assert decide(document, ("iam:AttachUserPolicy", JANE, attached, ALLOW)) is ALLOW
    full = {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}
    assert decide(document, ("iam:AttachUserPolicy", JANE, full, NONE)) is NONE


# AWS: Deny access to Amazon S3 resources outside your account except AWS Data Exchange
def test_resources_of_other_accounts_except_through_data_exchange() -> None:
    document = policy(
        deny(
            ["s3:GetObject"],
            StringNotEquals={"aws:ResourceAccount": ["111122223333"]},
            **{"ForAllValues:StringNotEquals": {"aws:CalledVia": ["dataexchange.amazonaws.com"]}},
        )
    )
    jane = "arn:aws:iam::111122223333:user/jane"
    get: tuple[str, str] = ("s3:GetObject", "arn:aws:s3:::b/k")
    for context, expected in (
        ({"aws:ResourceAccount": "111122223333"}, ALLOW),
        ({"aws:ResourceAccount": "444455556666"}, DENY),
        ({"aws:ResourceAccount": "444455556666", "aws:CalledVia": ["dataexchange.amazonaws.com"]}, ALLOW),
        ({"aws:ResourceAccount": "444455556666", "aws:CalledVia": ["athena.amazonaws.com"]}, DENY),
    ):
        assert decide(document, (*get, context, expected), jane, ADMINISTRATOR) is expected


# IAM JSON policy elements: Condition operators (IfExists, the instance type example)
@pytest.mark.parametrize(
    ("operator", "context", "expected"),
    [
        ("StringLike", {"ec2:InstanceType": "t2.micro"}, ALLOW),
        ("StringLike", {}, NONE),  # "the user is not granted the ability to launch any instance type"
        ("StringLikeIfExists", {}, ALLOW),
        ("StringLikeIfExists", {"ec2:InstanceType": "t2.micro"}, ALLOW),
        ("StringLikeIfExists", {"ec2:InstanceType": "c5.large"}, NONE),
    ],
)
def test_instance_types(operator: str, context: dict[str, str], expected: Decision) -> None:
    document = policy(allow("ec2:RunInstances", **{operator: {"ec2:InstanceType": ["t1.*", "t2.*", "m3.*"]}}))
    assert decide(document, ("ec2:RunInstances", "*", context, expected)) is expected


# Policy evaluation logic: the difference between explicit and implicit denies
@pytest.mark.parametrize(
    ("action", "expected"),
    [("iam:GetUser", ALLOW), ("iam:CreatePolicy", NONE), ("iam:GetOrganizationsAccessReport", DENY)],
)
def test_explicit_and_implicit_denies(action: str, expected: Decision) -> None:
    document = policy(allow(["iam:Get*", "iam:List*"]), deny("iam:*Report"))
    assert decide(document, (action, "*", {}, expected)) is expected


# Policy evaluation logic / Cross-account policy evaluation logic: Carlos and his buckets
CARLOS = "arn:aws:iam::111122223333:user/carlossalazar"
CARLOS_POLICY = policy(
    allow("s3:ListAllMyBuckets"),
    allow("s3:*Object*", "arn:aws:s3:::Production/*"),
    deny("s3:*", ["arn:aws:s3:::*log*", "arn:aws:s3:::*log*/*"]),
)
PRODUCTION_BUCKET = PolicyDocument.parse(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": ["s3:GetObject*", "s3:PutObject*"],
            "Principal": {"AWS": CARLOS},
            "Resource": "arn:aws:s3:::Production/*",
        },
    },
    kind=PolicyKind.RESOURCE,
)


@pytest.mark.parametrize(
    ("action", "resource", "bucket_policy", "expected"),
    [
        ("s3:PutObject", "arn:aws:s3:::Production-logs/a", None, DENY),
        ("s3:PutObject", "arn:aws:s3:::Production/a", PRODUCTION_BUCKET, ALLOW),
        ("s3:DeleteObject", "arn:aws:s3:::Production/a", PRODUCTION_BUCKET, NONE),  # his side alone is not enough
        ("s3:PutObject", "arn:aws:s3:::Production/a", None, NONE),
    ],
)
def test_carlos_across_accounts(
    action: str, resource: str, bucket_policy: PolicyDocument | None, expected: Decision
) -> None:
    request = Request(CARLOS, action, resource, resource_account="444455556666")
    assert evaluate(request, Policies((CARLOS_POLICY,), resource=bucket_policy)).decision is expected
