"""The guard of roles for pipelines, on plans as Terraform shows them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from toolkit.components.registry import REGISTRY
from toolkit.iam.organization import Deployment
from toolkit.plan import judging, pipeline_trust
from toolkit.plan.case import Caller, Case
from toolkit.plan.facts import Facts
from toolkit.plan.model import Attribution, parse_plan

HOST = "token.actions.githubusercontent.com"
ADDRESS = 'module.iam_roles.aws_iam_role.deployer["baseline/apply"]'


def trust(operator: str, subject: str) -> str:
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{HOST}"},
        "Condition": {"StringEquals": {f"{HOST}:aud": "sts.amazonaws.com"}},
    }
    statement["Condition"].setdefault(operator, {})[f"{HOST}:sub"] = subject  # type: ignore[attr-defined]
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


CLOSED = trust("StringEquals", "repo:example/site:environment:aws-prod")
OPEN = trust("StringLike", "repo:example/site:*")


def case(before: str | None, after: str | None, **unknown: bool) -> Case:
    actions = ["create"] if before is None else ["delete"] if after is None else ["update"]
    if before is not None and before == after:
        actions = ["no-op"]
    sides = [None if p is None else {"name": "baseline-apply", "assume_role_policy": p} for p in (before, after)]
    if unknown and sides[1] is not None:
        del sides[1]["assume_role_policy"]
    change = {"actions": actions, "before": sides[0], "after": sides[1], "after_unknown": unknown}
    entry: dict[str, Any] = {"address": ADDRESS, "mode": "managed", "type": "aws_iam_role", "change": change}
    attribution = Attribution(tuple(REGISTRY), ("eu-central-1",), "eu-central-1")
    plan = parse_plan({"format_version": "1.2", "resource_changes": [{**entry, "name": "deployer"}]}, attribution)
    deployment = Deployment((), {}, ("eu-central-1",), "123456789012", "aws")
    return Case(plan, Caller("arn:aws:iam::123456789012:user/ann", "ann", False), "123456789012", deployment)


@pytest.mark.parametrize("before", [None, CLOSED])
def test_an_open_trust_policy_is_refused(before: str | None) -> None:
    (finding,) = pipeline_trust.GUARD.judge(case(before, OPEN), Facts({}))
    assert finding.rule.id == "opens-role-to-others"
    assert finding.address == ADDRESS
    assert finding.attribute == "assume_role_policy"
    assert finding.consent is None
    assert finding.blocks
    assert "it accepts " in finding.evidence
    assert "pull requests" in finding.evidence
    assert finding.component == "iam_roles"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, CLOSED),
        (OPEN, CLOSED),
        # Nothing changes, or it is deleted: this plan opens nothing.
        (OPEN, OPEN),
        (OPEN, None),
        # AWS refuses what is no policy.
        (None, "{}"),
        (None, "no JSON"),
    ],
)
def test_what_opens_nothing_passes(before: str | None, after: str | None) -> None:
    assert list(pipeline_trust.GUARD.judge(case(before, after), Facts({}))) == []


def test_what_cannot_be_judged_is_refused_as_that() -> None:
    strange = trust("NumericLessThan", "5").replace(":sub", ":run_number")
    (finding,) = pipeline_trust.GUARD.judge(case(None, strange), Facts({}))
    assert finding.blocks
    assert finding.summary == f"Which runs could assume {ADDRESS} cannot be judged."
    assert "NumericLessThan token.actions.githubusercontent.com:run_number '5'" in finding.evidence


def test_every_plan_is_judged_by_it() -> None:
    assert pipeline_trust.GUARD in judging.GUARDS
    assert list(pipeline_trust.GUARD.needs(case(None, OPEN))) == []
    assert list(pipeline_trust.GUARD.judge(case(None, OPEN, assume_role_policy=True), Facts({}))) == []
