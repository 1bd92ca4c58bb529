"""Small worlds for tests: policies of a few statements, made by hand or at random."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from toolkit.access import Guarded, Holding, Kind, Principal, Question, World
from toolkit.access.model import unknown_document
from toolkit.iam import PolicyDocument, PolicyKind
from toolkit.iam.evaluate import Layer

ACCOUNT, OTHER = "123456789012", "444455556666"
BUCKET = "arn:aws:s3:::logs"
TRAIL = f"arn:aws:cloudtrail:eu-central-1:{ACCOUNT}:trail/baseline"
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/deploy"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/carol"
RESERVED = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_operations_fedcba9876543210"
ANNA = f"arn:aws:iam::{ACCOUNT}:user/anna"


def document(
    *statements: dict[str, Any], name: str = "policy", kind: PolicyKind = PolicyKind.IDENTITY
) -> PolicyDocument:
    return PolicyDocument.parse({"Version": "2012-10-17", "Statement": list(statements)}, name=name, kind=kind)


def allow(action: str | Sequence[str], resource: str | Sequence[str] = "*", **more: Any) -> dict[str, Any]:
    actions = action if isinstance(action, str) else list(action)
    resources = resource if isinstance(resource, str) else list(resource)
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def deny(action: str | Sequence[str], resource: str | Sequence[str] = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def held(*statements: dict[str, Any], layer: Layer = Layer.IDENTITY, name: str = "policy") -> Holding:
    return Holding(layer, document(*statements, name=name))


def trust(*statements: dict[str, Any]) -> Holding:
    return Holding(Layer.RESOURCE, document(*statements, name="trust policy", kind=PolicyKind.TRUST))


def user(*holdings: Holding, name: str = "anna", tags: dict[str, str] | None = None) -> Principal:
    return Principal(Kind.USER, name, f"arn:aws:iam::{ACCOUNT}:user/{name}", holdings, tags or {})


def group(*holdings: Holding, name: str = "developers") -> Principal:
    return Principal(Kind.GROUP, name, f"arn:aws:iam::{ACCOUNT}:user/member", holdings)


def role(*holdings: Holding, name: str = "deploy", trusted: Holding | None = None) -> Principal:
    return Principal(Kind.ROLE, name, f"arn:aws:iam::{ACCOUNT}:role/{name}", holdings, trust=trusted)


def permission_set(*holdings: Holding, name: str = "operations") -> Principal:
    reserved = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_{name}_0123456789abcdef"
    return Principal(Kind.PERMISSION_SET, name, reserved, holdings)


def stranger(arn: str = f"arn:aws:iam::{OTHER}:root") -> Principal:
    return Principal(Kind.ACCOUNT, arn.split(":")[4] if arn.endswith(":root") else arn, arn)


def world(*principals: Principal, guarded: Sequence[Guarded] = (), **more: Any) -> World:
    roles = (Guarded(one.arn, one.trust, ACCOUNT) for one in principals if one.trust is not None)
    return World("a test", ACCOUNT, "aws", principals, (*guarded, *roles), **more)


_ACTIONS = (
    *("*", "s3:*", "s3:Delete*", "s3:DeleteBucket", "s3:GetObject", "kms:*", "kms:Decrypt", "*:Delete*"),
    *("iam:CreateUser", "iam:*User", "cloudtrail:StopLogging", "cloudtrail:?top*", "sts:AssumeRole", "S3:deletebucket"),
)
_RESOURCES = (
    *("*", BUCKET, f"{BUCKET}/*", "arn:aws:s3:::*", "arn:aws:s3:::${aws:username}", TRAIL, KEY, ROLE, ANNA),
    *("arn:aws:cloudtrail:*:*:trail/*", "arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:user/*"),
    "arn:aws:s3:::${aws:PrincipalTag/team}",
)
_CONDITIONS: tuple[dict[str, Any], ...] = (
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
    {"Bool": {"aws:SecureTransport": "false"}},
    {"StringEquals": {"aws:PrincipalTag/team": "logs"}},
    {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}},
    {"ArnNotLike": {"aws:PrincipalArn": ROLE}},
    {"StringEquals": {"aws:RequestedRegion": ["eu-central-1", "us-east-1"]}},
    {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}},
    {"Null": {"aws:SourceArn": "true"}},
    {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
)
QUESTIONS = (
    *(Question("s3:DeleteBucket", BUCKET), Question("s3:DeleteBucket"), Question("s3:GetObject", f"{BUCKET}/a/b")),
    *(Question("kms:Decrypt", KEY), Question("kms:Decrypt"), Question("iam:CreateUser", ANNA)),
    *(Question("iam:CreateUser"), Question("cloudtrail:StopLogging", TRAIL), Question("cloudtrail:StopLogging")),
    *(Question("sts:AssumeRole", ROLE), Question("s3:GetObject", "arn:aws:s3:::another/a")),
    *(Question("kms:PutKeyPolicy", KEY), Question("s3:PutBucketPolicy"), Question("kms:DisableKey", f"{KEY}0")),
    Question("s3:DeleteBucket", BUCKET, {"aws:MultiFactorAuthPresent": True, "aws:SourceIp": "192.0.2.7"}),
    Question("cloudtrail:StopLogging", TRAIL, session=(document(allow("cloudtrail:*")),)),
)


def _some(random: Random, values: Sequence[str]) -> list[str]:
    return random.sample(values, random.choice((1, 1, 2)))


def statement(random: Random, *, principals: bool = False, resources: bool = True) -> dict[str, Any]:
    """Some statement."""
    found: dict[str, Any] = {"Effect": random.choice(("Allow", "Allow", "Deny"))}
    found["NotAction" if random.random() < 0.1 else "Action"] = _some(random, _ACTIONS)
    if resources:
        found["NotResource" if random.random() < 0.1 else "Resource"] = _some(random, _RESOURCES)
    if random.random() < 0.4:
        found["Condition"] = random.choice(_CONDITIONS)
    if principals:
        named = [ACCOUNT, ANNA, ROLE, OTHER, f"arn:aws:iam::{OTHER}:role/x", SESSION, RESERVED]
        element = "NotPrincipal" if resources and random.random() < 0.1 else "Principal"
        every: Any = "*" if element == "Principal" and random.random() < 0.3 else {"AWS": _some(random, named)}
        found[element] = every
    return found


def _policy(random: Random, name: str, kind: PolicyKind) -> PolicyDocument:
    if random.random() < 0.05:
        return unknown_document(name, kind)
    of_resource = kind in (PolicyKind.RESOURCE, PolicyKind.TRUST)
    resources = kind is not PolicyKind.TRUST
    count = random.choice((1, 1, 2, 3))
    return document(
        *(statement(random, principals=of_resource, resources=resources) for _ in range(count)), name=name, kind=kind
    )


def some_world(seed: int) -> World:
    """A world of one principal of each kind, made from its number alone."""
    random = Random(seed)

    def holdings() -> tuple[Holding, ...]:
        own = [
            Holding(Layer.IDENTITY, _policy(random, f"p{n}", PolicyKind.IDENTITY)) for n in range(random.randrange(3))
        ]
        if random.random() < 0.3:
            own.append(Holding(Layer.BOUNDARY, _policy(random, "boundary", PolicyKind.IDENTITY)))
        return tuple(own)

    trusted = Holding(Layer.RESOURCE, _policy(random, "trust", PolicyKind.TRUST))
    guarded = [
        Guarded(
            arn, Holding(Layer.RESOURCE, _policy(random, f"on {arn}", PolicyKind.RESOURCE)), ACCOUNT, "eu-central-1"
        )
        for arn in (BUCKET, KEY)
        if random.random() < 0.7
    ]
    full = Holding(Layer.SCP, document(allow("*"), name="FullAWSAccess", kind=PolicyKind.SCP))
    levels = [(full, Holding(Layer.SCP, _policy(random, "scp", PolicyKind.SCP)))] if random.random() < 0.5 else []
    return world(
        user(*holdings(), tags={"team": "logs"} if random.random() < 0.5 else {}),
        group(*holdings()),
        role(*holdings(), trusted=trusted),
        stranger(),
        stranger(f"arn:aws:iam::{OTHER}:role/x"),
        permission_set(*holdings()),
        guarded=guarded,
        scps=tuple(levels),
        organization_id="o-a1b2c3d4e5" if random.random() < 0.5 else None,
    )
