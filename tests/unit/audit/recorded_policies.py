"""Policies of resources, public and not, as each service has them."""

from __future__ import annotations

from typing import Any

from toolkit.audit.checks.buckets import bucket_policies
from toolkit.audit.checks.policies import ResourcePolicies
from toolkit.findings import Status
from toolkit.plan.facts import Wanted

from .conftest import HOME, Case, Flip, live
from .recorded_keys import LIMITED, OWN, PUBLIC, policy

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
BUCKETS, FUNCTIONS = "s3_bucket_policy_not_public", "awslambda_function_not_publicly_accessible"
QUESTIONS: dict[str, Wanted[Any]] = {
    BUCKETS: bucket_policies(HOME),
    "sns_topics_not_publicly_accessible": ResourcePolicies("topics", HOME),
    "sqs_queues_not_publicly_accessible": ResourcePolicies("queues", HOME),
    FUNCTIONS: ResourcePolicies("functions", HOME),
    "secretsmanager_not_publicly_accessible": ResourcePolicies("secrets", HOME),
    "eventbridge_bus_exposed": ResourcePolicies("event buses", HOME),
    "glacier_vaults_policy_public_access": ResourcePolicies("vaults", HOME),
}


def _of(check: str, wanted: Wanted[Any]) -> tuple[Case, ...]:
    def case(expected: Status, *policies: str | None, flips: tuple[Flip, ...] = ()) -> Case:
        return Case(check, expected, {wanted: tuple(live({"policy": one}) for one in policies)}, flips)

    return (
        case(PASS, OWN, LIMITED, flips=(Flip("policy", PUBLIC, FAIL), Flip("policy", "{", UNKNOWN, at=1))),
        case(FAIL, OWN, PUBLIC, flips=(Flip("policy", LIMITED, PASS, at=1),)),
        case(FAIL, PUBLIC, "{"),
        case(UNKNOWN, OWN, "{", flips=(Flip("policy", OWN, PASS, at=1),)),
        case(PASS, OWN, None, flips=(Flip("policy", PUBLIC, FAIL, at=1),)),
        case(NOT_APPLICABLE),
    )


OF_S3 = {"Service": "s3.amazonaws.com"}
BUCKET = {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::example-logs"}}
ACCOUNT = {"StringEquals": {"AWS:SourceAccount": "123456789012"}}


def _by_s3(expected: Status, condition: Any, *flips: Flip, principal: Any = OF_S3) -> Case:
    """A function that Amazon S3 may invoke."""
    text = policy(principal, Condition=condition) if condition else policy(principal)
    return Case(FUNCTIONS, expected, {QUESTIONS[FUNCTIONS]: (live({"policy": text}, "the function 'f'"),)}, flips)


CASES = (
    *(case for check, wanted in QUESTIONS.items() for case in _of(check, wanted)),
    # Security Hub's Lambda.1: a bucket's name may become another account's.
    _by_s3(FAIL, None, Flip("policy", policy(OF_S3, Condition=ACCOUNT), PASS)),
    _by_s3(FAIL, BUCKET, Flip("policy", policy(OF_S3, Condition={**BUCKET, **ACCOUNT}), PASS)),
    _by_s3(FAIL, {"StringLike": {"aws:SourceAccount": "*"}}),
    _by_s3(FAIL, {"StringEqualsIfExists": {"aws:SourceAccount": "123456789012"}}),
    _by_s3(FAIL, {"ArnLike": {"aws:SourceArn": "arn:aws:s3"}}),
    _by_s3(FAIL, None, principal={"Service": ["sns.amazonaws.com", "s3.amazonaws.com"]}),
    _by_s3(PASS, ACCOUNT, Flip("policy", policy(OF_S3), FAIL)),
    _by_s3(PASS, {"StringEquals": {"aws:SourceOrgID": "o-a1b2c3d4e5"}}),
    _by_s3(PASS, {"ArnLike": {"aws:SourceArn": "arn:aws:s3:eu-central-1:123456789012:job/*"}}),
    _by_s3(PASS, None, Flip("policy", PUBLIC, FAIL), principal={"Service": "sns.amazonaws.com"}),
    Case(FUNCTIONS, PASS, {QUESTIONS[FUNCTIONS]: (live({"policy": policy(OF_S3, Effect="Deny")}),)}),
)
