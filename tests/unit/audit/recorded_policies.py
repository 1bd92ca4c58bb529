"""Policies of resources, public and not, as each service has them."""

from __future__ import annotations

from typing import Any

from toolkit.audit.checks.buckets import bucket_policies
from toolkit.audit.checks.policies import ResourcePolicies
from toolkit.findings import Status
from toolkit.plan.facts import Wanted

from .conftest import HOME, Case, Flip, live
from .recorded_keys import LIMITED, OWN, PUBLIC

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
BUCKETS = "s3_bucket_policy_not_public"
QUESTIONS: dict[str, Wanted[Any]] = {
    BUCKETS: bucket_policies(HOME),
    "sns_topics_not_publicly_accessible": ResourcePolicies("topics", HOME),
    "sqs_queues_not_publicly_accessible": ResourcePolicies("queues", HOME),
    "awslambda_function_not_publicly_accessible": ResourcePolicies("functions", HOME),
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


CASES = tuple(case for check, wanted in QUESTIONS.items() for case in _of(check, wanted))
