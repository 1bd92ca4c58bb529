"""Findings as SARIF 2.1.0, for code scanning: each leads to the component's block in environment.yaml.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0"; sections are named where they decide.
What GitHub reads of it: "SARIF support for code scanning" in its documentation.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from toolkit import __version__
from toolkit.findings import Finding, Rule, Severity, Source, Status, rules
from toolkit.reports.view import PlanView
from toolkit.visible import joined_lines, json_text

_NAME = "aws-baseline-toolkit"
_KINDS = {
    Status.PASS: "pass",
    Status.ATTESTED: "pass",
    Status.NOT_APPLICABLE: "notApplicable",
    Status.UNKNOWN: "open",
}
"""3.27.9: what a result is that is no failure; an open one could not be decided."""
_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.NOTE: "note"}
# GitHub sorts by this number: over 9.0 critical, over 7.0 high, over 4.0 medium.
_SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.0", Severity.NOTE: "1.0"}


def render(view: PlanView) -> str:
    """The findings as SARIF text."""
    manifest = view.manifest
    judged = rules(Source.PLAN)
    log = {
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": _NAME,
                        "version": __version__,
                        "rules": [_rule(rule) for rule in judged],
                    }
                },
                # A category of its own per environment: one upload must not close another's alerts.
                "automationDetails": {"id": f"aws-baseline-toolkit/plan/{manifest.environment}/"},
                "invocations": [{"executionSuccessful": True, "endTimeUtc": manifest.created.replace("+00:00", "Z")}],
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, judged.index(finding.rule), view) for finding in view.findings],
            }
        ],
    }
    return json_text(log) + "\n"


def recognises(text: str) -> bool:
    """Whether a text is such a log: SARIF of this toolkit's, not another tool's."""
    try:
        return bool(json.loads(text)["runs"][0]["tool"]["driver"]["name"] == _NAME)
    except (ValueError, TypeError, LookupError, RecursionError):
        return False


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": "".join(word.title() for word in rule.id.split("-")),
        "shortDescription": {"text": rule.explanation},
        "fullDescription": {"text": rule.explanation},
        "help": {"text": f"{rule.explanation} Each result gives the remediation and the consent that accepts it."},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"security-severity": _SCORES[rule.severity], "tags": ["security"]},
    }


def _result(finding: Finding, index: int, view: PlanView) -> dict[str, Any]:
    kind = _KINDS.get(finding.status)
    place = {
        "artifactLocation": {"uri": view.file, "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": view.line(finding.component)},
    }
    return {
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        # 3.27.10: only a failure has a level.
        **({"kind": kind, "level": "none"} if kind else {"level": _LEVELS[finding.severity]}),
        "message": {"text": _message(finding)},
        "locations": [
            {
                "physicalLocation": place,
                "logicalLocations": [{"fullyQualifiedName": finding.subject, "kind": "resource"}],
            }
        ],
        # The same finding in a later plan is the same alert, wherever its line has moved to.
        "partialFingerprints": {"subject/v1": _fingerprint(finding, view)},
        # 3.27.23: in one run, all results have suppressions (maybe none of them) or none has the property.
        "suppressions": []
        if finding.consented_by is None
        else [{"kind": "external", "status": "accepted", "justification": finding.consented_by}],
        **({"properties": {"controls": list(finding.controls)}} if finding.controls else {}),
    }


def _message(finding: Finding) -> str:
    lines = [finding.summary, f"{finding.subject}: {finding.evidence}", f"Remediation: {finding.remedy}"]
    if finding.blocks:
        lines.append(f"Consent: {finding.consent or 'none is possible'}")
    return joined_lines(lines)


def _fingerprint(finding: Finding, view: PlanView) -> str:
    text = "\0".join((view.manifest.environment, finding.rule.id, finding.subject))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
