"""JUnit XML: what blocks fails, what somebody consented to is skipped, the rest passes."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

from toolkit.findings import Resource, Severity, Source, rules
from toolkit.findings.rules import DESTROYS, WEAKENS
from toolkit.reports.junit import render
from toolkit.reports.view import PlanView


def suite_of(view: PlanView) -> ET.Element:
    root = ET.fromstring(render(view))
    assert root.tag == "testsuites"
    (suite,) = root
    cases = suite.findall("testcase")
    for element in (root, suite):
        assert element.get("tests") == str(len(cases))
        assert element.get("failures") == str(len(suite.findall("testcase/failure")))
    assert suite.get("skipped") == str(len(suite.findall("testcase/skipped")))
    return suite


def test_a_case_per_rule_and_subject(later: PlanView) -> None:
    suite = suite_of(later)
    failed = [c for c in suite if c.find("failure") is not None]
    assert [(c.get("classname"), c.get("name")) for c in failed] == [
        (f"sandbox.{f.rule.id}", f.subject) for f in later.findings
    ]
    failure = failed[-1].find("failure")
    assert failure is not None
    assert failure.get("message") == "minimum_password_length becomes weaker (higher is stronger)."
    assert failure.text == (
        "module.password_policy.aws_iam_account_password_policy.this.minimum_password_length: 14 → 12\n"
        "remediation: set it in environment.yaml to what it was or stronger\n"
        "consent: --allow-weaker "
        "'module.password_policy.aws_iam_account_password_policy.this.minimum_password_length'\n"
        "environments/sandbox/environment.yaml:19"
    )
    passed = {c.get("classname") for c in suite if len(c) == 0}
    assert passed == {f"sandbox.{r.id}" for r in rules(Source.PLAN) if r not in (DESTROYS, WEAKENS)}


def test_consents_are_skipped_and_notes_pass(later: PlanView) -> None:
    consented = replace(later.findings[0], consented_by="--allow-destroy *")
    note = replace(later.findings[1], severity=Severity.NOTE)
    suite = suite_of(replace(later, findings=(consented, note)))
    skipped = suite.find("testcase/skipped")
    assert skipped is not None
    assert skipped.get("message", "").startswith("consented by --allow-destroy *: The plan deletes ")
    assert suite.get("failures") == "0"
    assert note.evidence in (suite.findtext("testcase/system-out") or "")


def test_a_harmless_plan_has_a_passing_case_per_rule(first: PlanView) -> None:
    suite = suite_of(first)
    assert len(suite) == len(rules(Source.PLAN))
    assert suite.get("failures") == suite.get("skipped") == "0"


def test_what_xml_cannot_hold_is_replaced(later: PlanView) -> None:
    hostile = "\x00\x1b]]><failure/>&amp;\ud800\ufffe\"'"
    bad = replace(
        later.findings[0], resource=Resource(hostile, hostile), summary=hostile, evidence=hostile, remedy=hostile
    )
    failure = suite_of(replace(later, findings=(bad,))).find("testcase/failure")
    assert failure is not None
    # What can be written otherwise is seen as an escape, as in every report.
    assert failure.get("message") == "\\x00\\x1b]]><failure/>&amp;\\ud800\ufffd\"'"
