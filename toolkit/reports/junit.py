"""Findings as JUnit XML, which every CI system shows.

Of a plan, a test case per rule and subject: what fails is a failure, what is unknown an error. What somebody consented
to is skipped with the consent as reason, and so is what does not apply. A note passes, as does what was found to be
right or is attested. A rule that found nothing is one passing case, so that a harmless plan does not look as if nothing
had been judged. Of an audit, a suite per service and a test case per check. Of many environments, a test case per
environment.
There is no standard for the format; this is what Jenkins and GitLab read of it ("JUnit XML" of Apache Ant), in the form
that the schema of Jenkins' xUnit plugin asks for. junitparser would replace the thirty lines that make elements, not
what decides on them, and escapes nothing that XML cannot hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from toolkit.findings import Finding, Rule, Source, Status, rules
from toolkit.reports.view import PlanView
from toolkit.visible import joined_lines

if TYPE_CHECKING:
    from toolkit.audit.model import Check
    from toolkit.audit.report import Audit
    from toolkit.fleet.summary import Member, Summary

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAME = "aws-baseline-toolkit"
# XML 1.0 (section 2.2) has no way to write these, not even as a reference.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(view: PlanView) -> str:
    """The findings of a plan as JUnit XML text."""
    cases = [_case(f, view) for f in view.findings]
    found = {f.rule for f in view.findings}
    cases += [_passed(rule, view) for rule in rules(Source.PLAN) if rule not in found]
    suite = _suite(f"plan of {view.manifest.environment}", view.manifest.created, cases)
    return _suites("plan", [suite])


def render_audit(audit: Audit) -> str:
    """What an audit found as JUnit XML text."""
    whose = audit.environment or f"account {audit.account_id}"
    found: dict[str, list[Finding]] = {}
    for finding in audit.findings:
        found.setdefault(finding.rule.id, []).append(finding)
    services: dict[str, list[ET.Element]] = {}
    for check in audit.by_check:
        case = _of_check(check, found[check.id], whose, audit)
        services.setdefault(check.service, []).append(case)
    taken = f"{audit.taken:%Y-%m-%dT%H:%M:%S}"
    suites = [_suite(f"audit of {whose}: {name}", taken, cases) for name, cases in sorted(services.items())]
    return _suites("audit", suites)


def render_fleet(summary: Summary) -> str:
    """What a command came to in many environments as JUnit XML text: a test case for each, as the summary has them."""
    from toolkit.reports import fleet_words as words

    cases = []
    for danger in summary.dangers:
        code = words.CODES.get(danger.code, danger.code)
        for member in danger.members:
            case = _of_member(member, summary)
            if member.blocking:
                told = [f"{f['severity']}: {f['summary']} {f['subject']}: {f['evidence']}" for f in member.blocking]
                consents = member.consents or ("none is possible",)
                _say(case, "failure", code, *told, *(f"consent: {one}" for one in consents), kind=danger.code)
            else:
                told = [text for _, text in words.error_lines(member.error, member.exit_code)]
                _say(case, "error", told[0], *told[1:], kind=danger.code)
            cases.append(case)
    shown = [(outlier.members, words.actions(outlier.items), outlier.items) for outlier in summary.outliers]
    for group in summary.groups:
        # Of what only changes, the other formats list it, once.
        items = group.items if summary.command in _FINDING else ()
        said = f"{words.group_title(group, summary)}: {words.actions(group.items)}"
        shown.append((group.members, said, items))
    for members, said, items in shown:
        lines = [f"{words.mark(item.entry)} {words.subject(item.entry)} {item.where}".strip() for item in items]
        for member in members:
            case = _of_member(member, summary)
            if summary.command in _FINDING:
                _say(case, "failure", said, *lines, kind=summary.command)
            else:
                ET.SubElement(case, "system-out").text = _xml(said, *lines)
            cases.append(case)
    cases += [_of_member(member, summary) for member in summary.unchanged]
    for name, reason in summary.not_run.items():
        case = _element(name, summary.command, name, f"environments/{name}/environment.yaml")
        _say(case, "skipped", reason)
        cases.append(case)
    return _suites("fleet", [_suite(f"fleet of {summary.total} environments: {summary.command}", None, cases)])


_FINDING = ("drift", "audit")
"""Commands whose results are what should not be there."""


def _of_member(member: Member, summary: Summary) -> ET.Element:
    name = member.environment
    case = _element(name, summary.command, name, f"environments/{name}/environment.yaml")
    case.set("time", f"{member.seconds:.3f}")
    return case


def recognises(text: str) -> bool:
    """Whether a text is such XML of a plan."""
    return _is_of("plan", text)


def recognises_audit(text: str) -> bool:
    """Whether a text is such XML of an audit."""
    return _is_of("audit", text)


def recognises_fleet(text: str) -> bool:
    """Whether a text is such XML of many environments."""
    return _is_of("fleet", text)


def _is_of(subject: str, text: str) -> bool:
    return (
        re.match(rf'{re.escape(_HEAD)}<testsuites name="{_NAME}"[^>]*>\s*<testsuite name="{subject} of ', text)
        is not None
    )


def _suites(subject: str, suites: Sequence[ET.Element]) -> str:
    totals = {name: str(sum(int(suite.get(name, "0")) for suite in suites)) for name in ("tests", "failures", "errors")}
    root = ET.Element("testsuites", {"name": _NAME, **totals, "time": "0"})
    root.extend(suites)
    ET.indent(root)
    return _HEAD + ET.tostring(root, encoding="unicode") + "\n"


def _suite(name: str, made: str | None, cases: Sequence[ET.Element]) -> ET.Element:
    counts = {
        "tests": str(len(cases)),
        "failures": str(_having(cases, "failure")),
        "errors": str(_having(cases, "error")),
        "skipped": str(_having(cases, "skipped")),
        "time": "0",
    }
    suite = ET.Element("testsuite", {"name": _xml(name), **counts})
    if made is not None:
        suite.set("timestamp", made.removesuffix("+00:00"))
    suite.extend(cases)
    return suite


def _element(whose: str, rule_id: str, name: str, file: str | None) -> ET.Element:
    case = ET.Element("testcase", {"classname": _xml(f"{whose}.{rule_id}"), "name": _xml(name), "time": "0"})
    if file is not None:
        case.set("file", _xml(file))  # GitLab links to it; the schema of the xUnit plugin lacks it
    return case


def _passed(rule: Rule, view: PlanView) -> ET.Element:
    return _element(view.manifest.environment, rule.id, f"not found: {rule.explanation}", view.file)


def _case(finding: Finding, view: PlanView) -> ET.Element:
    case = _element(view.manifest.environment, finding.rule.id, finding.subject, view.file)
    told = [f"{finding.subject}: {finding.evidence}", f"remediation: {finding.remedy}"]
    if finding.consented_by is not None:
        _say(case, "skipped", f"consented by {finding.consented_by}: {finding.summary}")
    elif finding.status is Status.NOT_APPLICABLE:
        _say(case, "skipped", f"does not apply: {finding.summary}")
    elif finding.blocks:
        place = f"{view.file}:{view.line(finding.component)}"
        told += [f"consent: {finding.consent or 'none is possible'}", place]
        tag = "error" if finding.status is Status.UNKNOWN else "failure"
        _say(case, tag, finding.summary, *told, kind=finding.severity.value)
    else:
        ET.SubElement(case, "system-out").text = _xml(finding.summary, *told)
    return case


def _of_check(check: Check, found: Sequence[Finding], whose: str, audit: Audit) -> ET.Element:
    """One case for all that a check says: the worst decides, and everything is listed."""
    from toolkit.audit.model import VERDICTS, about, verdict

    case = _element(whose, check.id, check.title, audit.file)
    by_verdict: dict[str, list[Finding]] = {}
    for finding in found:
        by_verdict.setdefault(verdict(finding), []).append(finding)
    lines = [
        f"{word}: {finding.resource.region}: {about(finding) or 'the account'}: {finding.evidence}"
        for word in VERDICTS
        for finding in by_verdict.get(word, ())
    ]
    worst = next(word for word in VERDICTS if word in by_verdict)
    first = by_verdict[worst][0]
    if worst in ("fail", "unknown"):
        place = [f"{audit.file}:{audit.line(first)}"] if audit.file else []
        lines += [f"remediation: {check.remedy.text}", *place]
        _say(case, "failure" if worst == "fail" else "error", check.title, *lines, kind=first.severity.value)
    elif worst in ("waived", "not-applicable"):
        _say(case, "skipped", first.consented_by or "does not apply", *lines, kind=worst)
    else:
        ET.SubElement(case, "system-out").text = _xml(*lines)
    return case


def _say(case: ET.Element, tag: str, message: str, *lines: str, kind: str | None = None) -> None:
    attributes = {"message": _xml(message)} if kind is None else {"type": kind, "message": _xml(message)}
    ET.SubElement(case, tag, attributes).text = _xml(*lines) or None


def _having(cases: Iterable[ET.Element], tag: str) -> int:
    return sum(case.find(tag) is not None for case in cases)


def _xml(*lines: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", joined_lines(lines))
