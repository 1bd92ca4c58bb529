"""Findings of a plan or an audit as SARIF 2.1.0, for code scanning: each leads to a line of environment.yaml.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0"; sections are named where they decide.
What GitHub reads of it: "SARIF support for code scanning" in its documentation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit import __version__
from toolkit.documents import json_at, utc
from toolkit.findings import Finding, Resource, Rule, Severity, Source, Status, rules
from toolkit.findings.registry import rule_of
from toolkit.fleet.summary import consent_of
from toolkit.reports.view import PlanView
from toolkit.visible import joined_lines, json_text

if TYPE_CHECKING:
    from toolkit.audit.model import Check
    from toolkit.audit.report import Audit
    from toolkit.fleet.summary import Summary

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
_MOST_TAGS = 10
"""Tags of a rule that GitHub shows; it refuses a file with more than 20 ("SARIF results exceed limits")."""
_ALERTS = (Status.FAIL, Status.UNKNOWN)
"""What code scanning shall show of an audit: it takes every result for an alert, whatever its kind."""


def render(view: PlanView) -> str:
    """The findings of a plan as SARIF text."""
    manifest = view.manifest
    judged = rules(Source.PLAN)
    return _log(
        # A category of its own per environment: one upload must not close another's alerts.
        f"plan/{manifest.environment}",
        manifest.created.replace("+00:00", "Z"),
        [
            _rule(rule, f"{rule.explanation} Each result gives the remediation and the consent that accepts it.")
            for rule in judged
        ],
        [
            _result(
                finding,
                judged.index(finding.rule),
                (view.file, view.line(finding.component)),
                _consent(finding),
                f"{manifest.environment}\0{finding.rule.id}\0{finding.subject}",
            )
            for finding in view.findings
        ],
    )


def render_audit(audit: Audit) -> str:
    """What an audit found as SARIF text: failures and what is unknown are results, other verdicts are properties."""
    asked = list(audit.by_check)
    numbers = {check.id: number for number, check in enumerate(asked)}
    account = f"account-{audit.account_id}"
    return _log(
        f"audit/{audit.environment or account}",
        utc(audit.taken),
        [_of_check(check) for check in asked],
        [
            _result(
                finding,
                numbers[finding.rule.id],
                # GitHub refuses a result without a file; an account without an environment stands for one itself.
                (audit.file or account, audit.line(finding)),
                (),
                f"{audit.account_id}\0{name}",
            )
            for name, finding in audit.unique
            if finding.status in _ALERTS
        ],
        {
            "account": audit.account_id,
            "regions": list(audit.regions),
            "verdicts": {check.id: status.value for check, status in audit.by_check.items()},
        },
    )


def render_fleet(summary: Summary) -> str:
    """What blocks in many environments as SARIF text, in one category for all: an upload has all that is open.

    Environments that failed are notifications of the run (3.20.21): nothing is known of them.
    """
    from toolkit.reports import fleet_words as words

    judged = rules(Source.DRIFT if summary.command == "drift" else Source.PLAN)
    results, failures = [], []
    for member in (m for danger in summary.dangers for m in danger.members):
        name = member.environment
        for found in member.blocking:
            finding = _reported(found)
            consent = consent_of(name, finding.consent) if finding.consent else "none is possible"
            place = f"environments/{name}/environment.yaml", 1
            fingerprint = f"{name}\0{finding.rule.id}\0{finding.subject}"
            more = (f"Consent: {consent}", f"Environment: {name}")
            results.append(_result(finding, judged.index(finding.rule), place, more, fingerprint))
        if not member.blocking:
            lines = (text for _, text in words.error_lines(member.error, member.exit_code))
            failures.append({"level": "error", "message": {"text": joined_lines((f"{name}:", *lines))}})
    descriptors = [
        _rule(rule, f"{rule.explanation} Each result gives the remediation and the consent.") for rule in judged
    ]
    return _log(f"fleet/{summary.command}", None, descriptors, results, failures=failures)


def _reported(data: Mapping[str, Any]) -> Finding:
    """A finding as a document of this version has it."""
    rule = rule_of(data["rule"])
    assert rule is not None
    return Finding(
        rule,
        Severity(data["severity"]),
        Resource(*(data[name] for name in ("address", "region", "type", "arn", "account_id"))),
        data["attribute"],
        data["summary"],
        data["evidence"],
        data["remedy"],
        data["consent"],
        data["component"],
        data["setting"],
        status=Status(data["status"]),
        controls=tuple(data["controls"]),
    )


def recognises(text: str) -> bool:
    """Whether a text is such a log of a plan, not of an audit, and not another tool's."""
    return _is_log(text, "plan")


def recognises_audit(text: str) -> bool:
    """Whether a text is such a log of an audit."""
    return _is_log(text, "audit")


def recognises_fleet(text: str) -> bool:
    """Whether a text is such a log of many environments."""
    return _is_log(text, "fleet")


def _is_log(text: str, subject: str) -> bool:
    try:
        ours = json_at(text, "runs", 0, "tool", "driver", "name") == _NAME
        category = json_at(text, "runs", 0, "automationDetails", "id")
        return bool(ours and category.startswith(f"{_NAME}/{subject}/"))
    except (ValueError, TypeError, LookupError, RecursionError, AttributeError):
        return False


def _log(
    category: str,
    ended: str | None,
    descriptors: Sequence[dict[str, Any]],
    results: Sequence[dict[str, Any]],
    properties: dict[str, Any] | None = None,
    *,
    failures: Sequence[dict[str, Any]] = (),
) -> str:
    invocation: dict[str, Any] = {"executionSuccessful": not failures}
    if ended is not None:
        invocation["endTimeUtc"] = ended
    if failures:
        invocation["toolExecutionNotifications"] = list(failures)
    log = {
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": _NAME, "version": __version__, "rules": descriptors}},
                "automationDetails": {"id": f"{_NAME}/{category}/"},
                "invocations": [invocation],
                "columnKind": "unicodeCodePoints",
                "results": results,
                **({"properties": properties} if properties else {}),
            }
        ],
    }
    return json_text(log) + "\n"


def _rule(rule: Rule, help_text: str) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": "".join(word.title() for word in rule.id.replace("_", "-").split("-")),
        "shortDescription": {"text": rule.explanation},
        "fullDescription": {"text": rule.explanation},
        "help": {"text": help_text},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"security-severity": _SCORES[rule.severity], "tags": ["security"]},
    }


def _of_check(check: Check) -> dict[str, Any]:
    rule = check.rule
    described = _rule(rule, joined_lines((rule.explanation, check.why, f"Remediation: {check.remedy.text}")))
    if check.why:
        described["fullDescription"] = {"text": check.why}
    if check.source and check.source.startswith("https://"):
        described["helpUri"] = check.source
    described["properties"]["tags"] += [check.service, *(one for one in check.requirements if one.startswith("cis-"))]
    described["properties"]["tags"] = described["properties"]["tags"][:_MOST_TAGS]
    if check.requirements:
        described["properties"]["controls"] = list(check.requirements)
    return described


def _result(
    finding: Finding, index: int, place: tuple[str, int], more: Sequence[str], fingerprint: str
) -> dict[str, Any]:
    kind = _KINDS.get(finding.status)
    file, line = place
    lines = [finding.summary, f"{finding.subject}: {finding.evidence}"]
    if finding.remedy:
        lines.append(f"Remediation: {finding.remedy}")
    return {
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        # 3.27.10: only a failure has a level.
        **({"kind": kind, "level": "none"} if kind else {"level": _LEVELS[finding.severity]}),
        "message": {"text": joined_lines([*lines, *more])},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": file, "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": line},
                },
                "logicalLocations": [{"fullyQualifiedName": finding.subject, "kind": "resource"}],
            }
        ],
        # The same finding in a later report is the same alert, wherever its line has moved to.
        "partialFingerprints": {
            "subject/v1": hashlib.sha256(fingerprint.encode("utf-8", "backslashreplace")).hexdigest()
        },
        # 3.27.23: in one run, all results have suppressions (maybe none of them) or none has the property.
        "suppressions": []
        if finding.consented_by is None
        else [{"kind": "external", "status": "accepted", "justification": finding.consented_by}],
        **({"properties": {"controls": list(finding.controls)}} if finding.controls else {}),
    }


def _consent(finding: Finding) -> tuple[str, ...]:
    return (f"Consent: {finding.consent or 'none is possible'}",) if finding.blocks else ()
