"""Organization policies by their text: what they deny, and what is refused of them before Terraform starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args

import pytest

from toolkit.components.base import Place
from toolkit.components.organization import Organization, policies
from toolkit.components.organization.resource_guardrails import LOAD_BALANCER_ACCOUNTS, ResourceService
from toolkit.components.registry import REGISTRY
from toolkit.iam import PolicyDocument, PolicyKind, Request, statement_applies
from toolkit.iam.organization import HONOUR_RCPS, Deployment, PolicyProblem, judge_lock_out, judge_texts
from toolkit.policies import Need

ROLE = "arn:aws:iam::111122223333:role/baseline-deployer"
EXEMPTED = "arn:aws:iam::*:role/baseline-deployer"
REGIONS = ("eu-central-1", "us-east-1")
EVERY = [
    "deny_leaving", "deny_root_user", "protect_trail", "protect_config", "protect_guardduty", "protect_security_hub",
    "protect_access_analyzer", "protect_scanners", "protect_account_settings", "deny_public_sharing",
    "deny_other_regions", "require_imdsv2",
]  # fmt: skip
ALL_RESOURCES = [
    "require_tls", "organization_identities_only", "organization_services_only", "trusted_oidc_tenants_only",
]  # fmt: skip
SUBJECTS = {"token.actions.githubusercontent.com": ["repo:octo-org/*", "repo:octo-org@123/*"]}
SOMEONE = "arn:aws:sts::111122223333:assumed-role/developer/session"
DEPLOYER = "arn:aws:sts::111122223333:assumed-role/baseline-deployer/session"
ROOT = "arn:aws:iam::111122223333:root"
HERE = {"aws:RequestedRegion": "eu-central-1"}


def documents(settings: dict[str, Any], files: Mapping[str, str] | None = None) -> dict[str, PolicyDocument]:
    place = Place("123456789012", "aws", REGIONS[0], REGIONS, files or {})
    kinds = {"SERVICE_CONTROL_POLICY": PolicyKind.SCP, "RESOURCE_CONTROL_POLICY": PolicyKind.RCP}
    return {
        p.name: PolicyDocument.parse(p.content, name=p.name, kind=kinds[p.type])
        for p in policies(Organization.model_validate(settings), place)
        if p.type in kinds
    }


GUARDRAILS = documents(
    {
        "exempted_principal_arns": [EXEMPTED],
        "service_control_policies": {"s": {"guardrails": EVERY}},
        "organization_id": "o-a1b2c3d4e5",
        "resource_control_policies": {"r": {"guardrails": ALL_RESOURCES}},
        "trusted_account_ids": ["444455556666"],
        "origin_access_identities": ["E127EXAMPLE51Z"],
        "trusted_oidc_subjects": SUBJECTS,
    }
)


def denying(request: Request, name: str = "s") -> list[str | None]:
    document = GUARDRAILS[name]
    return [s.sid for s in document.statements if statement_applies(s, document, request)]


IMAGE = "arn:aws:ec2:eu-central-1::image/ami-0abcdef1234567890"
INSTANCE = "arn:aws:ec2:eu-central-1:111122223333:instance/*"
BUCKET = "arn:aws:s3:::example/key"

# (who, action, resource, circumstances, the statements that deny it): every statement has one that it alone denies.
SERVICE_CASES: list[tuple[str, str, str, dict[str, Any], list[str]]] = [
    (SOMEONE, "organizations:LeaveOrganization", "*", HERE, ["DenyLeaving"]),
    (DEPLOYER, "organizations:LeaveOrganization", "*", HERE, ["DenyLeaving"]),
    (ROOT, "s3:ListAllMyBuckets", "*", HERE, ["DenyRootUser"]),
    (ROOT, "iam:CreateAccessKey", "*", HERE, ["DenyRootUser"]),
    (ROOT, "iam:EnableMFADevice", "*", HERE, []),
    (ROOT, "iam:DeleteAccessKey", "*", HERE, []),
    # A session of central root access; see IAM User Guide, "Perform a privileged task on a member account".
    (ROOT, "s3:DeleteBucketPolicy", "arn:aws:s3:::example", {**HERE, "aws:AssumedRoot": True}, []),
    (SOMEONE, "cloudtrail:StopLogging", "*", HERE, ["ProtectTrail"]),
    (SOMEONE, "cloudtrail:LookupEvents", "*", HERE, []),
    (DEPLOYER, "cloudtrail:StopLogging", "*", HERE, []),
    (SOMEONE, "config:StopConfigurationRecorder", "*", HERE, ["ProtectConfig"]),
    (SOMEONE, "config:DescribeConfigRules", "*", HERE, []),
    (DEPLOYER, "config:PutConfigurationRecorder", "*", HERE, []),
    (SOMEONE, "guardduty:UpdateDetector", "*", HERE, ["ProtectGuardDuty"]),
    (SOMEONE, "guardduty:DisassociateFromMasterAccount", "*", HERE, ["ProtectGuardDuty"]),
    (SOMEONE, "guardduty:ListFindings", "*", HERE, []),
    (DEPLOYER, "guardduty:UpdateDetector", "*", HERE, []),
    (SOMEONE, "securityhub:DisableSecurityHub", "*", HERE, ["ProtectSecurityHub"]),
    (SOMEONE, "securityhub:GetFindings", "*", HERE, []),
    (DEPLOYER, "securityhub:DisableSecurityHub", "*", HERE, []),
    (SOMEONE, "access-analyzer:DeleteAnalyzer", "*", HERE, ["ProtectAccessAnalyzer"]),
    (SOMEONE, "access-analyzer:ListFindings", "*", HERE, []),
    (DEPLOYER, "access-analyzer:DeleteAnalyzer", "*", HERE, []),
    (SOMEONE, "inspector2:Disable", "*", HERE, ["ProtectScanners"]),
    (SOMEONE, "inspector2:ListFindings", "*", HERE, []),
    (DEPLOYER, "inspector2:Disable", "*", HERE, []),
    (SOMEONE, "signin:PutConsoleAuthorizationConfiguration", "*", HERE, ["ProtectAccountSettings"]),
    (SOMEONE, "signin:GetConsoleAuthorizationConfiguration", "*", HERE, []),
    (DEPLOYER, "ssm:UpdateServiceSetting", "*", HERE, []),
    (SOMEONE, "s3:PutAccountPublicAccessBlock", "*", HERE, ["ProtectPublicAccessBlocks"]),
    (SOMEONE, "s3:GetAccountPublicAccessBlock", "*", HERE, []),
    (DEPLOYER, "s3:PutAccountPublicAccessBlock", "*", HERE, []),
    (SOMEONE, "ec2:ModifyImageAttribute", IMAGE, {**HERE, "ec2:Add/group": "all"}, ["DenyPublicImages"]),
    (SOMEONE, "ec2:ModifyImageAttribute", IMAGE, {**HERE, "ec2:Add/userId": "444455556666"}, []),
    (DEPLOYER, "ec2:ModifySnapshotAttribute", "*", {**HERE, "ec2:Add/group": "all"}, []),
    (SOMEONE, "ec2:CreateVpc", "*", {"aws:RequestedRegion": "ap-south-1"}, ["DenyOtherRegions"]),
    (SOMEONE, "ec2:CreateVpc", "*", {"aws:RequestedRegion": "us-east-1"}, []),
    (SOMEONE, "iam:CreateRole", "*", {"aws:RequestedRegion": "us-east-2"}, []),
    (DEPLOYER, "ec2:CreateVpc", "*", {"aws:RequestedRegion": "ap-south-1"}, []),
    (SOMEONE, "ec2:RunInstances", INSTANCE, {**HERE, "ec2:MetadataHttpTokens": "optional"}, ["RequireImdsV2AtLaunch"]),
    (SOMEONE, "ec2:RunInstances", INSTANCE, {**HERE, "ec2:MetadataHttpTokens": "required"}, []),
    (SOMEONE, "ec2:ModifyInstanceMetadataOptions", INSTANCE, {**HERE, "ec2:Attribute/HttpTokens": "optional"},
     ["KeepImdsV2"]),
    (SOMEONE, "ec2:ModifyInstanceMetadataOptions", INSTANCE, HERE, []),
    (SOMEONE, "s3:ListAllMyBuckets", "*", {**HERE, "ec2:RoleDelivery": "1.0"}, ["RefuseImdsV1Credentials"]),
    (SOMEONE, "s3:ListAllMyBuckets", "*", {**HERE, "ec2:RoleDelivery": "2.0"}, []),
]  # fmt: skip
# Every request carries aws:SecureTransport (IAM User Guide, "AWS global condition context keys").
TLS = {"aws:SecureTransport": True}
OURS = {**TLS, "aws:PrincipalOrgID": "o-a1b2c3d4e5"}
THEIRS = {**TLS, "aws:PrincipalOrgID": "o-zzzzzzzzzz"}
ANONYMOUS = TLS
ORIGIN = "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity"
LOAD_BALANCER = f"arn:aws:iam::{LOAD_BALANCER_ACCOUNTS['aws'][0]}:root"
TABLE = "arn:aws:dynamodb:eu-central-1:111122223333:table/x"
TRUSTING = "arn:aws:iam::111122223333:role/x"
(ISSUER,) = SUBJECTS
RESOURCE_CASES: list[tuple[str | None, str, str, dict[str, Any], list[str]]] = [
    (SOMEONE, "s3:GetObject", BUCKET, OURS, []),
    (SOMEONE, "s3:GetObject", BUCKET, {**OURS, "aws:SecureTransport": False}, ["RequireTls"]),
    (SOMEONE, "s3:GetObject", BUCKET, THEIRS, ["OrganizationIdentitiesOnly"]),
    (SOMEONE, "sts:AssumeRole", "arn:aws:iam::111122223333:role/x", THEIRS, ["OrganizationIdentitiesOnly"]),
    # Whoever signs in through an identity provider belongs to no organization.
    ("accounts.example.com", "sts:AssumeRoleWithWebIdentity", "arn:aws:iam::111122223333:role/x",
     TLS, []),
    ("cloudtrail.amazonaws.com", "s3:PutObject", BUCKET,
     {**TLS, "aws:SourceOrgID": "o-zzzzzzzzzz", "aws:SourceAccount": "999999999999"}, ["OrganizationServicesOnly"]),
    ("cloudtrail.amazonaws.com", "s3:PutObject", BUCKET,
     {**TLS, "aws:SourceOrgID": "o-a1b2c3d4e5", "aws:SourceAccount": "111122223333"}, []),
    ("logging.s3.amazonaws.com", "s3:PutObject", BUCKET, TLS, []),
    # A load balancer of an older region writes its access logs as an account of AWS; others of that account are none.
    (LOAD_BALANCER, "s3:PutObject", BUCKET, THEIRS, []),
    ("arn:aws:iam::555555555555:role/x", "s3:PutObject", BUCKET, THEIRS, ["OrganizationIdentitiesOnly"]),
    ("arn:aws:iam::444455556666:role/vendor", "dynamodb:GetItem", TABLE, THEIRS, []),
    (None, "s3:GetObject", BUCKET, {**ANONYMOUS, "aws:PrincipalArn": f"{ORIGIN} E127EXAMPLE51Z"}, []),
    (None, "s3:GetObject", BUCKET, {**ANONYMOUS, "aws:PrincipalArn": f"{ORIGIN} E2EXAMPLE"},
     ["OrganizationIdentitiesOnly"]),
    (None, "s3:GetObject", BUCKET, ANONYMOUS, ["OrganizationIdentitiesOnly"]),
    *(
        (SOMEONE, action, "*", THEIRS, ["OrganizationIdentitiesOnly"])
        for action in ("ecr:BatchGetImage", "aoss:APIAccessAll", "logs:PutLogEvents", "dynamodb:GetItem", "kms:Decrypt")
    ),
    # Whoever signs up, signs in or is a guest has no credentials yet; whoever has some is held to them.
    (None, "cognito-idp:InitiateAuth", "*", ANONYMOUS, []),
    (None, "cognito-identity:GetCredentialsForIdentity", "*", ANONYMOUS, []),
    (SOMEONE, "cognito-idp:AdminGetUser", "*", THEIRS, ["OrganizationIdentitiesOnlyIfSigned"]),
    (SOMEONE, "cognito-idp:AdminGetUser", "*", OURS, []),
    # Not among AWS's examples: people who sign in have no identity of the organization yet.
    (None, "signin:Authenticate", "*", ANONYMOUS, []),
    *(
        (ISSUER, "sts:AssumeRoleWithWebIdentity", TRUSTING, {**TLS, f"{ISSUER}:sub": subject}, denied)
        for subject, denied in (
            ("repo:octo-org/site:ref:refs/heads/main", []),
            ("repo:octo-org@123/site@456:ref:refs/heads/main", []),
            ("repo:octo-org@999/site@456:ref:refs/heads/main", ["TrustedOidcTenants1"]),
            ("repo:octo-org-evil/site:ref:refs/heads/main", ["TrustedOidcTenants1"]),
            ("repo:somebody/site:ref:refs/heads/main", ["TrustedOidcTenants1"]),
        )
    ),
    ("gitlab.com", "sts:AssumeRoleWithWebIdentity", TRUSTING, {**TLS, "gitlab.com:sub": "project_path:x/y"}, []),
]  # fmt: skip


@pytest.mark.parametrize(("who", "action", "resource", "context", "expected"), SERVICE_CASES)
def test_what_service_control_policies_deny(
    who: str, action: str, resource: str, context: dict[str, Any], expected: list[str]
) -> None:
    assert denying(Request(who, action, resource, context)) == expected


@pytest.mark.parametrize(("who", "action", "resource", "context", "expected"), RESOURCE_CASES)
def test_what_resource_control_policies_deny(
    who: str | None, action: str, resource: str, context: dict[str, Any], expected: list[str]
) -> None:
    assert denying(Request(who, action, resource, context, resource_account="111122223333"), "r") == expected


@pytest.mark.parametrize("name", ["s", "r"])
def test_no_statement_could_go_unnoticed(name: str) -> None:
    cases = SERVICE_CASES if name == "s" else RESOURCE_CASES
    assert {s.sid for s in GUARDRAILS[name].statements} == {case[4][0] for case in cases if len(case[4]) == 1}


def problems(settings: dict[str, Any], files: Mapping[str, str] | None = None) -> list[PolicyProblem]:
    given = Organization.model_validate(settings)
    place = Place("123456789012", "aws", REGIONS[0], REGIONS, files or {})
    return list(judge_texts(policies(given, place), given.limits, files or {}))


def test_every_guardrail_fits_into_one_policy_of_its_type() -> None:
    everything = {
        "service_control_policies": {"s": {"guardrails": EVERY}},
        "organization_id": "o-a1b2c3d4e5",
        "resource_control_policies": {"r": {"guardrails": ALL_RESOURCES}},
        "trusted_oidc_subjects": SUBJECTS,
        "exempted_principal_arns": [EXEMPTED],
    }
    assert problems(everything) == []
    place = Place("123456789012", "aws", REGIONS[0], REGIONS, {})
    sizes = {p.name: len(p.text) for p in policies(Organization.model_validate(everything), place)}
    # Room for more exempted principals, regions and trusted accounts.
    assert sizes["s"] < 9000
    assert sizes["r"] < 3500


def test_resource_guardrails_cover_services_that_honour_them() -> None:
    assert set(get_args(ResourceService)) <= HONOUR_RCPS
    given = {
        "resource_services": ["cognito-idp", "s3", "sts"],
        "organization_id": "o-a1b2c3d4e5",
        "trusted_oidc_subjects": SUBJECTS,
        "resource_control_policies": {"r": {"guardrails": ALL_RESOURCES}},
    }
    found = documents(given)["r"]
    covered = {action.split(":")[0] for statement in found.statements for action in statement.actions}
    assert covered == {"cognito-idp", "s3", "sts"}
    alone = documents({**given, "resource_services": ["cognito-idp"]})["r"]
    assert [s.sid for s in alone.statements] == [
        "RequireTls",
        "OrganizationIdentitiesOnlyIfSigned",
        "OrganizationServicesOnly",
        "TrustedOidcTenants1",
    ]


def padded(size: int) -> str:
    """A service control policy of exactly that size, written with blanks that do not count."""
    document = {"Version": "2012-10-17", "Statement": [{"Sid": "", "Effect": "Deny", "Action": "a:b", "Resource": "*"}]}
    bare = len(json.dumps(document, separators=(",", ":")))
    document["Statement"][0]["Sid"] = "x" * (size - bare)  # type: ignore[index]
    return json.dumps(document, indent=8)


OWN = {"service_control_policies": {"own": {"file": "own.json"}}, "ai_services_opt_out": {"enabled": False}}


def test_a_service_control_policy_may_have_10240_bytes_and_not_one_more() -> None:
    assert problems(OWN, {"own.json": padded(10240)}) == []
    (problem,) = problems(OWN, {"own.json": padded(10241)})
    assert problem.path == ("service_control_policies", "own")
    assert problem.problem == "own has 10241 bytes without blanks, 1 too many"
    assert problem.expected == "at most 10240 (limits.service_control_policy_bytes): make two policies of it"
    lowered = {**OWN, "limits": {"service_control_policy_bytes": 6000}}
    assert len(problems(lowered, {"own.json": padded(6001)})) == 1


@pytest.mark.parametrize(
    ("kind", "most", "setting"),
    [
        ("TAG_POLICY", 10000, "tag_policy_bytes"),
        ("AISERVICES_OPT_OUT_POLICY", 2500, "ai_services_opt_out_policy_bytes"),
        ("BACKUP_POLICY", 10000, "management_policy_bytes"),
        ("DECLARATIVE_POLICY_EC2", 10000, "management_policy_bytes"),
    ],
)
def test_management_policies_have_the_sizes_of_their_types(kind: str, most: int, setting: str) -> None:
    def policy(size: int) -> dict[str, Any]:
        content = {"x": "x" * (size - len('{"x":""}'))}
        return {"management_policies": {"own": {"type": kind, "content": content}}, **types}

    types = {"enabled_policy_types": [kind, "SERVICE_CONTROL_POLICY"], "ai_services_opt_out": {"enabled": False}}
    assert problems(policy(most)) == []
    (problem,) = problems(policy(most + 1))
    assert problem.path == ("management_policies", "own")
    assert problem.expected == f"at most {most} (limits.{setting}): make two policies of it"


def test_bytes_are_counted_and_not_characters() -> None:
    tags = {"tag_policies": {"x": {"tags": {"Owner": {"values": ["ü" * 4990]}}}}}
    (problem,) = problems({**tags, "ai_services_opt_out": {"enabled": False}})
    assert "too many" in problem.problem


def several(count: int, kind: str = "service_control_policies") -> dict[str, Any]:
    guardrail = "deny_leaving" if kind.startswith("service") else "require_tls"
    return {kind: {f"p{n}": {"guardrails": [guardrail]} for n in range(count)}}


@pytest.mark.parametrize(
    ("setting", "kind", "most"),
    [
        ("service_control_policies", "SERVICE_CONTROL_POLICY", 10),
        ("resource_control_policies", "RESOURCE_CONTROL_POLICY", 5),
    ],
)
def test_the_policy_that_aws_attaches_counts_for_each_target(setting: str, kind: str, most: int) -> None:
    assert problems(several(most - 1, setting)) == []
    (problem,) = problems(several(most, setting))
    assert problem.path == (setting,)
    assert problem.problem.startswith(f"{most + 1} policies of the type {kind} on root (p0, p1, ")
    assert problem.problem.endswith(" and 1 besides)")
    assert problem.expected.startswith(f"at most {most} (limits.{setting}_per_target): ")


@pytest.mark.parametrize(
    ("kind", "most", "setting"),
    [
        ("CHATBOT_POLICY", 5, "chatbot_policies_per_target"),
        ("AISERVICES_OPT_OUT_POLICY", 5, "ai_services_opt_out_policies_per_target"),
        ("BACKUP_POLICY", 10, "management_policies_per_target"),
    ],
)
def test_management_policies_have_the_numbers_of_their_types(kind: str, most: int, setting: str) -> None:
    def several_of(count: int) -> dict[str, Any]:
        named = {f"p{n}": {"type": kind, "content": {"x": {}}} for n in range(count)}
        return {"management_policies": named, **types}

    types = {"enabled_policy_types": [kind, "SERVICE_CONTROL_POLICY"], "ai_services_opt_out": {"enabled": False}}
    assert problems(several_of(most)) == []
    (problem,) = problems(several_of(most + 1))
    assert problem.problem.startswith(f"{most + 1} policies of the type {kind} on root (p0, ")
    assert problem.expected.startswith(f"at most {most} (limits.{setting}): make one policy of several, or ")


def test_limits_are_settings() -> None:
    assert problems({**several(10), "limits": {"service_control_policies_per_target": 11}}) == []
    assert problems({**several(10), "limits": {"control_policies_attached_otherwise": 0}}) == []
    assert len(problems({**several(9), "limits": {"control_policies_attached_otherwise": 2}})) == 1


def test_each_target_is_counted_for_itself() -> None:
    given = several(10)
    given["service_control_policies"]["p0"]["targets"] = ["Sandbox"]
    given["organizational_units"] = ["Sandbox"]
    assert problems(given) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"Version": "2012-10-17"}', "own.json: no Statement"),
        (
            '{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*", "Principal": "*"}}',
            "own.json: Statement[0].Principal: a service control policy has no Principal",
        ),
        (
            '{"Statement": {"Effect": "Deny", "Action": "*", "Action": "s3:*", "Resource": "*"}}',
            "own.json: 'Action' is repeated in one object",
        ),
        (
            '{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}',
            "own.json: no Version, or an older one, which AWS does not take here",
        ),
    ],
)
def test_a_file_that_is_no_policy_is_told_with_its_place(text: str, problem: str) -> None:
    (found,) = problems(OWN, {"own.json": text})
    assert found.problem == problem


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"},
        {"Effect": "Deny", "Principal": "*", "NotAction": "s3:*", "Resource": "*"},
        {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"},
    ],
)
def test_what_resource_control_policies_cannot_say(statement: dict[str, Any]) -> None:
    settings = {"resource_control_policies": {"own": {"file": "own.json"}}}
    (found,) = problems(settings, {"own.json": json.dumps({"Version": "2012-10-17", "Statement": statement})})
    assert "is none of a resource control policy" in found.problem


def locked_out(settings: dict[str, Any], files: Mapping[str, str] | None = None, **more: Any) -> list[PolicyProblem]:
    place = Place("123456789012", "aws", REGIONS[0], REGIONS, files or {})
    facts: dict[str, Any] = {
        "deployers": (ROLE,),
        "needs": {c.name: c.needs for c in REGISTRY.values()},
        "regions": REGIONS,
        "account_id": "111122223333",
        "partition": "aws",
        "organization_id": "o-a1b2c3d4e5",
    }
    found = policies(Organization.model_validate(settings), place)
    return list(judge_lock_out(found, Deployment(**facts | more), files or {}))


def test_every_component_that_aws_has_something_to_deny_in_says_what_it_needs() -> None:
    missing = {name for name, component in REGISTRY.items() if not component.needs}
    # Applied in the management account, which service control policies do not concern.
    assert missing <= {"organization", "root_protection"}, "give it `needs`: see CONTRIBUTING.md, Adding a component"


def test_whoever_is_not_exempted_is_locked_out_by_each_protection() -> None:
    found = locked_out({"service_control_policies": {"s": {"guardrails": EVERY}}})
    sids = [f.problem.split()[1] for f in found]
    assert sids == [
        "ProtectTrail",
        "ProtectConfig",
        "ProtectGuardDuty",
        "ProtectSecurityHub",
        "ProtectAccessAnalyzer",
        "ProtectScanners",
        "ProtectAccountSettings",
        "ProtectPublicAccessBlocks",
    ]
    assert found[0] == PolicyProblem(
        ("service_control_policies", "s"),
        f"statement ProtectTrail of s denies {ROLE} cloudtrail:UpdateTrail, cloudtrail:PutEventSelectors; the baseline "
        "needs that for cloudtrail",
        f"{EXEMPTED} under exempted_principal_arns",
    )


def test_whoever_is_exempted_is_not() -> None:
    rcp = {"r": {"guardrails": ALL_RESOURCES}}
    given = {
        "organization_id": "o-a1b2c3d4e5",
        "resource_control_policies": rcp,
        "trusted_oidc_subjects": SUBJECTS,
    }
    scp = {"service_control_policies": {"s": {"guardrails": EVERY}}, "exempted_principal_arns": [EXEMPTED]}
    assert locked_out({**given, **scp}) == []
    # The session shows no path of its role, and needs none here.
    assert locked_out({**given, **scp}, deployers=(DEPLOYER,)) == []


def test_a_region_that_is_closed_is_named() -> None:
    given = {"service_control_policies": {"s": {"guardrails": ["deny_other_regions"]}}, "allowed_regions": [REGIONS[0]]}
    (found,) = locked_out(given, needs={"cloudtrail": (Need("cloudtrail:CreateTrail"),)})
    assert f"denies {ROLE} cloudtrail:CreateTrail in us-east-1; " in found.problem
    assert found.expected == f"all regions of the baseline in it (eu-central-1, us-east-1), or {EXEMPTED} under " \
        "exempted_principal_arns"  # fmt: skip
    # IAM is asked at its one endpoint, which the denial leaves out.
    assert locked_out(given, needs={"iam_groups": (Need("iam:CreateGroup"),)}) == []


def test_the_root_user_is_told_to_become_a_role() -> None:
    (found,) = locked_out({"service_control_policies": {"s": {"guardrails": ["deny_root_user"]}}}, deployers=(ROOT,))
    assert found.expected.startswith("a role that applies the baseline")


def test_what_a_file_denies_is_mended_in_the_file() -> None:
    statement = {"Sid": "NoTrails", "Effect": "Deny", "Action": "cloudtrail:*", "Resource": "arn:aws:cloudtrail:*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    (found,) = locked_out(OWN, {"own.json": text})
    assert "statement NoTrails of own denies" in found.problem
    assert (
        found.expected
        == f'"ArnNotLike": {{"aws:PrincipalArn": "{EXEMPTED}"}} in the Condition of statement NoTrails in own.json'
    )
    statement["Resource"] = "arn:aws:cloudtrail:*:*:trail/other"
    assert locked_out(OWN, {"own.json": json.dumps({"Version": "2012-10-17", "Statement": statement})}) == []


def test_a_condition_on_what_is_not_known_is_shown() -> None:
    statement = {
        "Effect": "Deny",
        "Action": "cloudtrail:UpdateTrail",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:PrincipalTag/team": "platform"}},
    }
    (found,) = locked_out(OWN, {"own.json": json.dumps({"Version": "2012-10-17", "Statement": statement})})
    assert found.problem.startswith("statement 1 of own denies ")
    assert "UpdateTrail (if StringNotEquals aws:PrincipalTag/team 'platform'); the baseline" in found.problem


def test_a_resource_policy_of_ones_own_is_judged_for_the_services_that_honour_it() -> None:
    settings = {"resource_control_policies": {"own": {"file": "own.json"}}, "service_control_policies": {}}

    def found(action: str) -> list[PolicyProblem]:
        statement = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
        return locked_out(settings, {"own.json": json.dumps({"Version": "2012-10-17", "Statement": statement})})

    assert len(found("s3:PutBucketPolicy")) == 1
    assert found("iam:CreateGroup") == []


def test_a_unit_of_closed_accounts_may_lock_everybody_out_with_a_reason() -> None:
    text = json.dumps(
        {"Version": "2012-10-17", "Statement": {"Sid": "Closed", "Effect": "Deny", "Action": "*", "Resource": "*"}}
    )
    policy = {"file": "own.json", "targets": ["Closed"]}
    given = {"organizational_units": ["Closed"], "service_control_policies": {"own": policy}}
    assert len(locked_out(given, {"own.json": text})) == 1
    policy["locks_out_deployers_because"] = "accounts that are being closed"
    assert locked_out(given, {"own.json": text}) == []
    # Its size and number count all the same.
    assert problems({**given, "limits": {"service_control_policy_bytes": 10}}, {"own.json": text}) != []


def test_users_are_exempted_as_users() -> None:
    given = {"service_control_policies": {"s": {"guardrails": ["protect_trail"]}}}
    (found,) = locked_out(given, deployers=("arn:aws:iam::111122223333:user/ops/anna",))
    assert found.expected.startswith("arn:aws:iam::*:user/ops/anna under")
