"""Every status that a finding can have, in every format of reports."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from toolkit.findings import Finding, Status
from toolkit.findings.rules import WEAKENS
from toolkit.reports import junit, sarif
from toolkit.reports.registry import FORMATS
from toolkit.reports.view import PlanView


def found(view: PlanView, status: Status) -> Finding:
    """A finding of a real plan, as if it had another status and decided requirements."""
    finding = next(f for f in view.findings if f.rule is WEAKENS)
    return replace(finding, status=status, controls=("cis-5.0:1.8", "fsbp:IAM.7"))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("status", Status)
def test_every_format_tells_every_status(later: PlanView, name: str, status: Status):
    finding = found(later, status)
    text = FORMATS[name].render(replace(later, findings=(finding,)))
    assert "becomes weaker" in text
    if name in ("text", "markdown", "html", "json"):
        assert (finding.verdict if name != "text" else finding.verdict.upper()) in text or status.value in text
        assert "cis-5.0:1.8" in text


@pytest.mark.parametrize(
    ("status", "kind", "level"),
    [
        (Status.FAIL, None, "error"),
        (Status.UNKNOWN, "open", "none"),
        (Status.NOT_APPLICABLE, "notApplicable", "none"),
        (Status.ATTESTED, "pass", "none"),
        (Status.PASS, "pass", "none"),
    ],
)
def test_sarif_has_kinds_for_statuses(later: PlanView, status: Status, kind: str | None, level: str):
    log = json.loads(sarif.render(replace(later, findings=(found(later, status),))))
    (result,) = log["runs"][0]["results"]
    assert (result.get("kind"), result["level"]) == (kind, level)
    assert result["properties"] == {"controls": ["cis-5.0:1.8", "fsbp:IAM.7"]}


@pytest.mark.parametrize(
    ("status", "tag"),
    [
        (Status.FAIL, "failure"),
        (Status.UNKNOWN, "error"),
        (Status.NOT_APPLICABLE, "skipped"),
        (Status.ATTESTED, "system-out"),
        (Status.PASS, "system-out"),
    ],
)
def test_junit_has_elements_for_statuses(later: PlanView, status: Status, tag: str):
    root = ET.fromstring(junit.render(replace(later, findings=(found(later, status),))))
    (case,) = [c for c in root.iter("testcase") if c.get("name") == found(later, status).subject]
    assert [child.tag for child in case] == [tag]
    counted = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    (suite,) = root
    assert {count: suite.get(count) for count in counted} == {
        count: str(int(tag == element)) for count, element in counted.items()
    }
