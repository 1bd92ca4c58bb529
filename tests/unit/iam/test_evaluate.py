"""Layers of policies, from "Policy evaluation for requests within a single account" and its neighbours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from toolkit.iam import (
    Decision,
    Layer,
    Policies,
    PolicyDocument,
    PolicyKind,
    Principal,
    Request,
    RequestError,
    evaluate,
)

ALLOW, DENY, NONE = Decision.ALLOW, Decision.EXPLICIT_DENY, Decision.IMPLICIT_DENY
ACCOUNT = "123456789012"
OTHER = "444455556666"
USER = f"arn:aws:iam::{ACCOUNT}:user/team/jane"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app/reader"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/run-7"
FEDERATED = f"arn:aws:sts::{ACCOUNT}:federated-user/jane"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
BUCKET = "arn:aws:s3:::b/k"

FULL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def policy(effect: str = "Allow", action: str = "s3:*", name: str = "p", **more: Any) -> PolicyDocument:
    statement = {"Effect": effect, "Action": action, "Resource": "*"} | more
    return PolicyDocument.parse({"Version": "2012-10-17", "Statement": statement}, name=name)


def bucket(principal: Any, effect: str = "Allow", element: str = "Principal", **more: Any) -> PolicyDocument:
    statement = {"Effect": effect, "Action": "s3:*", "Resource": "*", element: principal} | more
    return PolicyDocument.parse(
        {"Version": "2012-10-17", "Statement": statement}, name="bucket", kind=PolicyKind.RESOURCE
    )


S3 = policy()
SQS = policy(action="sqs:*")
NO_S3 = policy("Deny")
FULL_ACCESS = policy(action="*")


def decide(principal: str | None, policies: Policies, **more: Any) -> Decision:
    return evaluate(Request(principal, "s3:GetObject", BUCKET, **more), policies).decision


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        (Policies(), NONE),
        (Policies((S3,)), ALLOW),
        (Policies((SQS, S3)), ALLOW),
        (Policies((S3, NO_S3)), DENY),
        # Permissions boundary: the intersection
        (Policies((S3,), boundary=S3), ALLOW),
        (Policies((S3,), boundary=SQS), NONE),
        (Policies((SQS,), boundary=S3), NONE),
        (Policies((), boundary=S3), NONE),
        (Policies((S3,), boundary=NO_S3), DENY),
        # Session policies limit, they never grant
        (Policies((S3,), session=(S3,)), ALLOW),
        (Policies((S3,), session=(SQS,)), NONE),
        (Policies((S3,), session=()), NONE),
        (Policies((SQS,), session=(S3,)), NONE),
        (Policies((S3,), session=(S3, NO_S3)), DENY),
        (Policies((S3,), boundary=S3, session=(S3,)), ALLOW),
        (Policies((S3,), boundary=SQS, session=(S3,)), NONE),
        # SCPs: every level has to allow
        (Policies((S3,), scps=((FULL_ACCESS,), (FULL_ACCESS,), (FULL_ACCESS,))), ALLOW),
        (Policies((S3,), scps=((FULL_ACCESS,), (SQS,), (FULL_ACCESS,))), NONE),
        (Policies((S3,), scps=((FULL_ACCESS,), (SQS, S3), (FULL_ACCESS,))), ALLOW),
        (Policies((S3,), scps=((FULL_ACCESS,), ())), NONE),
        (Policies((S3,), scps=((FULL_ACCESS, NO_S3), (FULL_ACCESS,))), DENY),
        (Policies((SQS,), scps=((FULL_ACCESS,),)), NONE),
        (Policies((S3,), boundary=S3, scps=((SQS,),)), NONE),
        # RCPs likewise
        (Policies((S3,), rcps=((FULL_ACCESS,),)), ALLOW),
        (Policies((S3,), rcps=((SQS,),)), NONE),
        (Policies((S3,), rcps=((FULL_ACCESS, NO_S3),)), DENY),
    ],
)
def test_an_identity_and_its_limits(policies: Policies, expected: Decision) -> None:
    assert decide(SESSION, policies) is expected


LIMITS = {"boundary": SQS, "session": (SQS,)}


@pytest.mark.parametrize(
    ("principal", "grantee", "limits", "expected"),
    [
        # "Resource-based policies that grant permissions to an IAM user ARN … are not limited by an implicit deny"
        (USER, USER, {}, ALLOW),
        (USER, USER, {"boundary": SQS}, ALLOW),
        (USER, f"arn:aws:iam::{ACCOUNT}:user/team/june", {}, NONE),
        # "… to an IAM role ARN are limited by an implicit deny in a permissions boundary or session policy"
        (SESSION, ROLE, {}, ALLOW),
        (SESSION, ROLE, {"boundary": SQS}, NONE),
        (SESSION, ROLE, {"session": (SQS,)}, NONE),
        (SESSION, ROLE, {"boundary": S3, "session": (S3,)}, ALLOW),
        (ROLE, ROLE, {"boundary": SQS}, NONE),
        (SESSION, f"arn:aws:iam::{ACCOUNT}:role/other", {}, NONE),
        (SESSION, f"arn:aws:iam::{OTHER}:role/app/reader", {}, NONE),
        # "Permissions granted directly to a session are not limited"
        (SESSION, SESSION, LIMITS, ALLOW),
        (SESSION, SESSION.replace("run-7", "run-8"), {}, NONE),
        (FEDERATED, FEDERATED, {"boundary": SQS}, ALLOW),
        # Naming the account delegates to it
        (USER, ACCOUNT, {}, NONE),
        (USER, ROOT, {}, NONE),
        (USER, ROOT, {"identity": (S3,)}, ALLOW),
        (USER, "*", LIMITS, ALLOW),
        (ROOT, ROOT, {}, ALLOW),
    ],
)
def test_grants_of_a_resource_in_the_same_account(
    principal: str, grantee: str, limits: dict[str, Any], expected: Decision
) -> None:
    assert decide(principal, Policies(resource=bucket({"AWS": grantee}), **limits)) is expected


def test_a_deny_anywhere_beats_a_direct_grant() -> None:
    granted = bucket({"AWS": USER})
    for policies in (
        Policies((NO_S3,), resource=granted),
        Policies(boundary=NO_S3, resource=granted),
        Policies(scps=((FULL_ACCESS, NO_S3),), resource=granted),
        Policies(rcps=((FULL_ACCESS, NO_S3),), resource=granted),
    ):
        assert decide(USER, policies) is DENY
    assert decide(USER, Policies((S3,), resource=bucket({"AWS": ACCOUNT}, "Deny"))) is DENY
    assert decide(USER, Policies(scps=((SQS,),), resource=granted)) is NONE  # an SCP limits a direct grant too


@pytest.mark.parametrize(
    ("grantee", "policies", "expected"),
    [
        (USER, {"identity": (S3,)}, ALLOW),
        (ROOT, {"identity": (S3,)}, ALLOW),
        (ACCOUNT, {"identity": (S3,)}, ALLOW),
        ("*", {"identity": (S3,)}, ALLOW),
        (USER, {}, NONE),  # "The request is allowed only if both evaluations return a decision of Allow"
        ("*", {}, NONE),
        (OTHER, {"identity": (S3,)}, NONE),
        (USER, {"identity": (S3,), "boundary": SQS}, NONE),
        (USER, {"identity": (S3,), "scps": ((SQS,),)}, NONE),
        (USER, {"identity": (S3, NO_S3)}, DENY),
    ],
)
def test_across_accounts_both_sides_allow(grantee: str, policies: dict[str, Any], expected: Decision) -> None:
    resource = bucket({"AWS": grantee})
    assert decide(USER, Policies(resource=resource, **policies), resource_account=OTHER) is expected


def test_across_accounts_without_a_resource_policy() -> None:
    assert decide(USER, Policies((S3,)), resource_account=OTHER) is NONE
    key = f"arn:aws:kms:us-east-1:{OTHER}:key/k"  # the ARN tells the account
    assert evaluate(Request(USER, "kms:Decrypt", key), Policies((FULL_ACCESS,))).decision is NONE
    managed = "arn:aws:iam::aws:policy/ReadOnlyAccess"  # AWS's own resources are nobody else's account
    assert evaluate(Request(USER, "iam:GetPolicy", managed), Policies((FULL_ACCESS,))).decision is ALLOW


def test_the_root_user_needs_no_allow_but_obeys_scps_and_denies() -> None:
    assert decide(ROOT, Policies()) is ALLOW
    assert evaluate(Request(ROOT, "s3:GetObject", BUCKET), Policies()).reasons == ("the root user has full access",)
    assert decide(ROOT, Policies(scps=((SQS,),))) is NONE
    assert decide(ROOT, Policies(scps=((FULL_ACCESS, NO_S3),))) is DENY
    assert decide(ROOT, Policies(resource=bucket("*", "Deny"))) is DENY


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([USER, ROOT], ALLOW),
        ([USER], DENY),  # "you must also specify the account ARN of the not-denied principal"
        ([ROOT], DENY),
        ([f"arn:aws:iam::{ACCOUNT}:user/x", ROOT], DENY),
    ],
)
def test_not_principal_with_deny(names: list[str], expected: Decision) -> None:
    resource = bucket({"AWS": names}, "Deny", "NotPrincipal")
    assert decide(USER, Policies((S3,), resource=resource)) is expected


def test_not_principal_of_a_session_names_account_role_and_session() -> None:
    for names, expected in (([SESSION, ROLE, ROOT], ALLOW), ([SESSION, ROOT], DENY), ([ROLE, ROOT], DENY)):
        resource = bucket({"AWS": names}, "Deny", "NotPrincipal")
        assert decide(SESSION, Policies((S3,), resource=resource)) is expected
    assert decide(ROOT, Policies(resource=bucket({"AWS": ROOT}, "Deny", "NotPrincipal"))) is ALLOW


def test_not_principal_of_a_service() -> None:
    resource = bucket({"Service": "cloudtrail.amazonaws.com"}, "Deny", "NotPrincipal")
    open_bucket = replace(resource, statements=(*resource.statements, *bucket("*").statements))
    assert decide("cloudtrail.amazonaws.com", Policies(resource=open_bucket)) is ALLOW
    assert decide("config.amazonaws.com", Policies(resource=open_bucket)) is DENY
    assert decide(None, Policies(resource=open_bucket)) is DENY


def test_services_need_the_resource_s_policy_and_its_confused_deputy_conditions() -> None:
    trail = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main"
    log_bucket = bucket({"Service": "cloudtrail.amazonaws.com"}, Condition={"StringEquals": {"aws:SourceArn": trail}})
    ours, theirs = {"aws:SourceArn": trail}, {"aws:SourceArn": trail.replace(ACCOUNT, OTHER)}
    service = "cloudtrail.amazonaws.com"
    assert decide(service, Policies(resource=log_bucket), context=ours) is ALLOW
    assert decide(service, Policies(resource=log_bucket), context=theirs) is NONE
    assert decide(service, Policies(resource=log_bucket)) is NONE
    assert decide("config.amazonaws.com", Policies(resource=log_bucket), context=ours) is NONE
    assert decide(service, Policies((S3,), resource=None)) is NONE
    assert decide(service, Policies(resource=log_bucket, scps=((SQS,),)), context=ours) is ALLOW
    assert decide(service, Policies(resource=log_bucket, rcps=((SQS,),)), context=ours) is NONE


def test_anonymous_callers() -> None:
    assert decide(None, Policies(resource=bucket("*"))) is ALLOW
    assert decide(None, Policies(resource=bucket({"AWS": ACCOUNT}))) is NONE
    assert decide(None, Policies((S3,))) is NONE


def test_role_trust_policies_have_to_allow_by_themselves() -> None:
    def trust(principal: Any, action: str = "sts:AssumeRole") -> PolicyDocument:
        statement = {"Effect": "Allow", "Action": action, "Principal": principal}
        return PolicyDocument.parse({"Version": "2012-10-17", "Statement": statement}, kind=PolicyKind.TRUST)

    def assume(principal: str, policies: Policies, action: str = "sts:AssumeRole") -> Decision:
        return evaluate(Request(principal, action, ROLE), policies).decision

    assert assume(USER, Policies((FULL_ACCESS,), resource=trust({"AWS": f"arn:aws:iam::{ACCOUNT}:user/x"}))) is NONE
    assert assume(USER, Policies((FULL_ACCESS,), resource=trust({"AWS": ROOT}))) is ALLOW
    assert assume(USER, Policies((), resource=trust({"AWS": ROOT}))) is NONE
    assert assume(USER, Policies((), resource=trust({"AWS": USER}))) is ALLOW
    assert assume(USER, Policies((FULL_ACCESS,))) is ALLOW  # not known: left out
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
    web = "sts:AssumeRoleWithWebIdentity"
    assert assume(provider, Policies(resource=trust({"Federated": provider}, web)), web) is ALLOW
    assert assume(provider, Policies(resource=trust({"Federated": "accounts.google.com"}, web)), web) is NONE


def test_key_policies_have_to_allow_by_themselves() -> None:
    key = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k"

    def key_policy(principal: Any) -> PolicyDocument:
        statement = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": principal}
        return PolicyDocument.parse({"Version": "2012-10-17", "Statement": statement}, kind=PolicyKind.RESOURCE)

    request = Request(USER, "kms:Decrypt", key)
    nobody = key_policy({"Service": "cloudtrail.amazonaws.com"})
    assert evaluate(request, Policies((FULL_ACCESS,), resource=nobody)).decision is NONE
    assert evaluate(request, Policies((FULL_ACCESS,), resource=key_policy({"AWS": ROOT}))).decision is ALLOW


def test_a_federated_user_without_session_policy_has_nothing() -> None:
    assert decide(FEDERATED, Policies((S3,))) is NONE
    assert decide(FEDERATED, Policies((S3,), session=(S3,))) is ALLOW


def test_organization_policies_do_not_concern_service_linked_roles() -> None:
    linked = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSServiceRoleForConfig/run"
    closed = Policies((S3,), scps=((SQS,),), rcps=((SQS,),))
    assert decide(linked, closed) is ALLOW
    assert decide(session, closed, context={"aws:PrincipalArn": linked}) is ALLOW
    assert decide(ROLE, closed) is NONE


def test_the_deciding_statements_and_reasons() -> None:
    mfa = policy(name="needs-mfa", Sid="WithMfa", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    refused = evaluate(Request(USER, "s3:GetObject", BUCKET), Policies((mfa,)))
    assert refused.explain() == (
        "implicitly denied\n"
        "  no identity-based policy allows it\n"
        "  identity-based policy needs-mfa, WithMfa would allow it, but Bool aws:MultiFactorAuthPresent 'true' does"
        " not hold"
    )
    denied = evaluate(Request(USER, "s3:GetObject", BUCKET), Policies((S3, policy("Deny", name="stop"))))
    assert denied.reasons == ("denied by identity-based policy stop, statement 1",)
    assert [match.layer for match in denied.deciding] == [Layer.IDENTITY]
    allowed = evaluate(
        Request(USER, "s3:GetObject", BUCKET), Policies((S3,), boundary=FULL_ACCESS, scps=((FULL_ACCESS,),))
    )
    assert [match.layer for match in allowed.deciding] == [Layer.SCP, Layer.IDENTITY, Layer.BOUNDARY]
    assert (
        "no service control policy of level 2"
        in evaluate(Request(USER, "s3:GetObject", BUCKET), Policies((S3,), scps=((FULL_ACCESS,), (SQS,)))).explain()
    )
    foreign = evaluate(Request(USER, "s3:GetObject", BUCKET, resource_account=OTHER), Policies((S3,)))
    assert foreign.reasons == (f"the resource belongs to account {OTHER}, whose policy does not allow",)


@pytest.mark.parametrize(
    ("principal", "key", "value"),
    [
        (USER, "aws:username", "jane"),
        (USER, "aws:PrincipalArn", USER),
        (USER, "aws:PrincipalType", "User"),
        (USER, "aws:PrincipalAccount", ACCOUNT),
        (USER, "aws:ResourceAccount", ACCOUNT),
        (SESSION, "aws:username", None),
        (SESSION, "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:role/reader"),
        (SESSION, "aws:PrincipalType", "AssumedRole"),
        (ROOT, "aws:username", None),
        (ROOT, "aws:PrincipalType", "Account"),
        (FEDERATED, "aws:PrincipalType", "FederatedUser"),
        ("s3.amazonaws.com", "aws:PrincipalServiceName", "s3.amazonaws.com"),
        ("s3.amazonaws.com", "aws:PrincipalIsAWSService", "true"),
        (USER, "aws:PrincipalIsAWSService", "false"),
        (USER, "aws:MultiFactorAuthPresent", None),
    ],
)
def test_derived_keys(principal: str, key: str, value: str | None) -> None:
    assert Request(principal, "s3:GetObject", BUCKET).keys.variable(key) == value


@pytest.mark.parametrize(
    "arguments",
    [
        ("jane", "s3:GetObject", BUCKET),
        ("arn:aws:iam::123:user/jane", "s3:GetObject", BUCKET),
        (f"arn:aws:iam::{ACCOUNT}:group/admins", "s3:GetObject", BUCKET),
        (f"arn:aws:iam::{ACCOUNT}:user/", "s3:GetObject", BUCKET),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/r", "s3:GetObject", BUCKET),
        (USER, "s3:Get*", BUCKET),
        (USER, "GetObject", BUCKET),
        (USER, "s3:GetObject", "bucket"),
    ],
)
def test_requests_nobody_can_make(arguments: tuple[str, str, str]) -> None:
    with pytest.raises(RequestError):
        Request(*arguments)


def test_principals_are_read() -> None:
    assert Principal.parse(USER).name == "jane"
    assert Principal.parse(SESSION).role_arn == f"arn:aws:iam::{ACCOUNT}:role/reader"
    assert Principal.parse("arn:aws-us-gov:iam::123456789012:root").account == ACCOUNT
