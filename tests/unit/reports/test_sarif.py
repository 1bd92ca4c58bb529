"""SARIF 2.1.0 as code scanning reads it.

The structure asserted is what sarif-schema-2.1.0.json requires of what we write, and what GitHub's documentation asks
for beyond it; no maintained package carries the schema itself.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from toolkit.findings import Severity, Source, rules
from toolkit.findings.rules import ADVICE
from toolkit.reports.sarif import render
from toolkit.reports.view import PlanView


def run_of(view: PlanView) -> dict[str, Any]:
    log = json.loads(render(view))
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert set(run) == {"tool", "automationDetails", "invocations", "columnKind", "results"}
    return run


def test_every_rule_is_explained(first: PlanView) -> None:
    driver = run_of(first)["tool"]["driver"]
    assert [r["id"] for r in driver["rules"]] == [r.id for r in rules(Source.PLAN)]
    for rule, entry in zip(rules(Source.PLAN), driver["rules"], strict=True):
        assert entry["shortDescription"] == {"text": rule.explanation}
        assert entry["help"]["text"].startswith(rule.explanation)
        assert entry["defaultConfiguration"]["level"] == ("note" if rule is ADVICE else "error")
        assert 0 < float(entry["properties"]["security-severity"]) <= 10


def test_results_have_what_the_schema_requires(later: PlanView) -> None:
    run = run_of(later)
    assert len(run["results"]) == 12
    for finding, result in zip(later.findings, run["results"], strict=True):
        assert set(result) == {
            "ruleId",
            "ruleIndex",
            "level",
            "message",
            "locations",
            "partialFingerprints",
            "suppressions",
        }
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == finding.rule.id
        assert finding.summary in result["message"]["text"]
        assert finding.consent is not None and finding.consent in result["message"]["text"]
        assert result["suppressions"] == []
        (location,) = result["locations"]
        assert location["logicalLocations"] == [{"fullyQualifiedName": finding.subject, "kind": "resource"}]


def test_places_are_the_components_lines(later: PlanView) -> None:
    places = {}
    for finding, result in zip(later.findings, run_of(later)["results"], strict=True):
        physical = result["locations"][0]["physicalLocation"]
        assert physical["artifactLocation"] == {
            "uri": "environments/sandbox/environment.yaml",
            "uriBaseId": "%SRCROOT%",
        }
        places[finding.component] = physical["region"]["startLine"]
    # GuardDuty has left the file: its findings stand at `components`, which it has left.
    assert places["password_policy"] == 19
    assert places["mfa_enforcement"] == 33
    assert places["guardduty"] == 18


def test_levels_follow_severity(later: PlanView) -> None:
    model = later.findings[0]
    view = replace(later, findings=tuple(replace(model, severity=s) for s in Severity))
    assert [r["level"] for r in run_of(view)["results"]] == ["error", "error", "warning", "note"]


def test_a_consent_is_a_suppression_with_its_reason(later: PlanView) -> None:
    reason = "waiver until 2027-01-31: moved to the organization's detector"
    view = replace(later, findings=(replace(later.findings[0], consented_by=reason), *later.findings[1:]))
    first, *others = run_of(view)["results"]
    assert first["suppressions"] == [{"kind": "external", "status": "accepted", "justification": reason}]
    assert all(r["suppressions"] == [] for r in others)


def test_fingerprints_tell_findings_apart_and_survive_other_evidence(later: PlanView) -> None:
    def prints(view: PlanView) -> list[str]:
        return [r["partialFingerprints"]["subject/v1"] for r in run_of(view)["results"]]

    assert len(set(prints(later))) == 12
    changed = replace(later, findings=tuple(replace(f, evidence="other") for f in later.findings), lines={})
    assert prints(changed) == prints(later)
    elsewhere = replace(later, manifest=replace(later.manifest, environment="production"))
    assert not set(prints(elsewhere)) & set(prints(later))
    assert run_of(elsewhere)["automationDetails"]["id"] == "aws-baseline-toolkit/plan/production/"
