"""Findings as JUnit XML, which every CI system shows: a test case per rule and subject.

What fails is a failure, what is unknown an error. What somebody consented to is skipped with the consent as reason, and
so is what does not apply. A note passes, as does what was found to be right or is attested. A rule that found nothing
is one passing case, so that a harmless plan does not look as if nothing had been judged.
There is no standard for the format; this is what Jenkins and GitLab read of it ("JUnit XML" of Apache Ant).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from toolkit.findings import Finding, Rule, Source, Status, rules
from toolkit.reports.view import PlanView
from toolkit.visible import joined_lines

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAME = "aws-baseline-toolkit"
# XML 1.0 (section 2.2) has no way to write these, not even as a reference.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(view: PlanView) -> str:
    """The findings as JUnit XML text."""
    name = f"plan of {view.manifest.environment}"
    cases = [_case(f, view) for f in view.findings]
    found = {f.rule for f in view.findings}
    cases += [_passed(rule, view) for rule in rules(Source.PLAN) if rule not in found]
    counts = {
        "tests": str(len(cases)),
        "failures": str(_having(cases, "failure")),
        "errors": str(_having(cases, "error")),
        "skipped": str(_having(cases, "skipped")),
        "time": "0",
    }
    root = ET.Element("testsuites", {"name": _NAME, **counts})
    timestamp = view.manifest.created.removesuffix("+00:00")
    suite = ET.SubElement(root, "testsuite", {"name": _xml(name), **counts, "timestamp": timestamp})
    suite.extend(cases)
    ET.indent(root)
    return _HEAD + ET.tostring(root, encoding="unicode") + "\n"


def recognises(text: str) -> bool:
    """Whether a text is such XML."""
    return text.startswith(_HEAD + f'<testsuites name="{_NAME}"')


def _element(rule: Rule, name: str, view: PlanView) -> ET.Element:
    return ET.Element(
        "testcase",
        {
            "classname": _xml(f"{view.manifest.environment}.{rule.id}"),
            "name": _xml(name),
            "file": _xml(view.file),
            "time": "0",
        },
    )


def _passed(rule: Rule, view: PlanView) -> ET.Element:
    return _element(rule, f"not found: {rule.explanation}", view)


def _case(finding: Finding, view: PlanView) -> ET.Element:
    case = _element(finding.rule, finding.subject, view)
    case.set("line", str(view.line(finding.component)))
    told = [f"{finding.subject}: {finding.evidence}", f"remediation: {finding.remedy}"]
    if finding.consented_by is not None:
        ET.SubElement(case, "skipped", {"message": _xml(f"consented by {finding.consented_by}: {finding.summary}")})
    elif finding.status is Status.NOT_APPLICABLE:
        ET.SubElement(case, "skipped", {"message": _xml(f"does not apply: {finding.summary}")})
    elif finding.blocks:
        attributes = {"type": finding.severity.value, "message": _xml(finding.summary)}
        failure = ET.SubElement(case, "error" if finding.status is Status.UNKNOWN else "failure", attributes)
        failure.text = _xml(*told, f"consent: {finding.consent or 'none is possible'}")
    else:
        ET.SubElement(case, "system-out").text = _xml(finding.summary, *told)
    return case


def _having(cases: Iterable[ET.Element], tag: str) -> int:
    return sum(case.find(tag) is not None for case in cases)


def _xml(*lines: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", joined_lines(lines))
