"""New archive rules, which hide findings."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.components.registry import REGISTRY
from toolkit.plan.guards import judge
from toolkit.plan.model import Attribution, parse_plan

ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1", "us-east-1"), "eu-central-1")


def made(kind: str, region: str = "eu_central_1", **after: Any) -> dict[str, Any]:
    return {
        "address": f'module.access_analyzer_{region}.{kind}.this["x"]',
        "mode": "managed",
        "type": kind,
        "name": "this",
        "change": {"actions": ["create"], "before": None, "after": {"analyzer_name": "baseline", **after}},
    }


def rule(*filters: dict[str, Any]) -> dict[str, Any]:
    return made("aws_accessanalyzer_archive_rule", rule_name="x", filter=list(filters))


def found(*entries: dict[str, Any]) -> list[Any]:
    plan = parse_plan({"format_version": "1.2", "resource_changes": list(entries)}, ATTRIBUTION)
    return list(judge(plan, REGISTRY, {}))


def one(criteria: str, **how: Any) -> dict[str, Any]:
    return {"criteria": criteria, "contains": None, "eq": None, "exists": "", "neq": None, **how}


@pytest.mark.parametrize(
    "filters",
    [
        [],
        [one("status", eq=["ACTIVE"])],
        [one("isPublic", eq=["true"])],
        [one("resourceType", eq=["AWS::S3::Bucket", "AWS::IAM::Role"])],
        [one("resource", contains=["arn:"])],
        [one("resource", neq=["arn:aws:s3:::example"])],
        [one("principal.AWS", eq=["*"])],
        [one("principal.AWS", exists="true"), one("isPublic", eq=["false"])],
        [one("resourceOwnerAccount", eq=["123456789012"])],
    ],
    ids=str,
)
def test_a_new_rule_that_hides_whatever_there_is_is_refused(filters: list[dict[str, Any]]):
    (finding,) = found(rule(*filters))
    assert (finding.attribute, finding.blocks) == ("filter", True)
    assert finding.consent == f"--allow-weaker '{finding.subject}'"


@pytest.mark.parametrize(
    "filters",
    [
        [one("principal.AWS", eq=["111122223333"]), one("resourceType", eq=["AWS::IAM::Role"])],
        [one("resource", eq=["arn:aws:s3:::example"])],
        [one("condition.aws:PrincipalOrgID", eq=["o-example12345"])],
        [one("status", eq=["ACTIVE"]), one("id", eq=["12abc34d"])],
    ],
    ids=str,
)
def test_a_new_rule_that_names_what_it_hides_is_not(filters: list[dict[str, Any]]):
    assert found(rule(*filters)) == []


def test_a_new_analyzer_has_no_findings_yet_another_regions_has():
    hides = rule(one("status", eq=["ACTIVE"]))
    assert found(hides, made("aws_accessanalyzer_analyzer")) == []
    assert len(found(hides, made("aws_accessanalyzer_analyzer", region="us_east_1"))) == 1
