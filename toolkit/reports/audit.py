"""What an audit found, for the terminal, as Markdown and for scripts.

In: an Audit. Out: lines with their styles, Markdown, or plain data with a versioned schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from toolkit import __version__
from toolkit.audit.access_keys import AccessKeys
from toolkit.audit.baseline import Change, Comparison
from toolkit.audit.fixes import Cost, Fix, Kind
from toolkit.audit.model import Check
from toolkit.audit.report import Audit, Verdict
from toolkit.controls.catalogue import Framework
from toolkit.documents import Document, document, is_document, utc
from toolkit.findings import Finding, Severity, Status
from toolkit.findings.data import reported
from toolkit.reports.markdown import prose
from toolkit.reports.text import Line, plain
from toolkit.typed import dotted
from toolkit.visible import escaped, json_text, shortened

_FEW = 5
"""Resources of one check that are listed; with -v, all are."""
_MANY = 20
"""Findings of the baseline that are listed under one heading; with -v, all are."""
_BAR = 24
_WORDS = {
    Status.PASS: "met",
    Status.ATTESTED: "attested",
    Status.FAIL: "not met",
    Status.UNKNOWN: "unknown",
    Status.NOT_APPLICABLE: "not applicable",
    None: "not checked",
}
"""What a verdict is called, in the order in which they are counted."""
_NO_FIXES = "No fixes are proposed: environment.yaml cannot be rendered."
_ALREADY = "set already; if `toolkit plan` shows no change, do what the finding says"
_STYLES = {Severity.CRITICAL: "bold red", Severity.HIGH: "red", Severity.MEDIUM: "yellow", Severity.NOTE: ""}


def audit_lines(audit: Audit, *, verbose: bool) -> Iterator[Line]:
    """The audit for the terminal, the worst at the end, where people look."""
    yield _title(audit), "bold"
    yield f"Regions: {', '.join(audit.regions)}", ""
    if audit.off:
        yield f"Not enabled for the account, so not audited: {', '.join(audit.off)}", ""
    for framework in audit.frameworks:
        yield _coverage(audit.verdicts(framework), framework), ""
    comparison = audit.comparison
    for heading, shown in (
        ("Passed", _with(audit, Status.PASS) if verbose else ()),
        ("Not applicable", _with(audit, Status.NOT_APPLICABLE) if verbose else ()),
        ("Attested", _with(audit, Status.ATTESTED)),
        ("Waived", tuple(f for f in audit.findings if f.consented_by)),
        ("Unknown: could not be read, so these checks have not passed", _with(audit, Status.UNKNOWN)),
    ):
        yield from _section(heading, shown, verbose=verbose)
    if comparison is None:
        yield from _section("Failed", _failed(audit, None), verbose=verbose)
    else:
        day = f"{comparison.taken:%Y-%m-%d %H:%M} UTC"
        yield from _before(comparison, day, verbose=verbose)
        for heading, change in (
            (f"Failed, and in the baseline of {day}, too", Change.UNCHANGED),
            ("Failed, and not compared: other checks or regions than in the baseline", Change.NOT_COMPARED),
            ("Failed, and unknown in the baseline", Change.UNKNOWN),
            (f"Failed, and new since {day}", Change.NEW),
        ):
            if verbose or change is not Change.UNCHANGED:
                yield from _section(heading, _failed(audit, change), verbose=verbose)
    yield "", ""
    for subject in audit.idle_waivers:
        yield f"The waiver of {subject!r} matches no requirement of the checks that ran.", "yellow"
    for control in audit.idle_attestations:
        yield (
            f"The attestation of {control!r} answers no check that ran: AWS reports it, or the check was left out.",
            ("yellow"),
        )
    yield _summary(audit), "bold"
    if comparison is not None:
        yield _compared(comparison), "bold"
        if not verbose and comparison.count(Change.UNCHANGED):
            yield "-v lists what is unchanged.", ""
    for line in _trend(audit):
        yield line, "bold"
    if audit.no_fixes:
        yield _NO_FIXES, "yellow"
        yield from ((f"  {line}", "") for line in audit.no_fixes)
    edits = sum(fix.kind is Kind.EDIT for fix in audit.fixes)
    if edits and audit.environment:
        checks = "1 failed check" if edits == 1 else f"{edits} failed checks"
        yield f"{checks} can be fixed in environment.yaml: toolkit audit {audit.environment} --fix", ""
    yield f"Calls of AWS: {audit.calls:,} of at most {audit.max_calls:,}.", ""


def audit_text(audit: Audit) -> str:
    """The audit as plain text, with every finding."""
    return plain(audit_lines(audit, verbose=True))


_FIRST = re.compile(r"(?:# )?Audit of [^\n]*\baccount \d{12}[^\n]* UTC\n")


def recognises_text(text: str) -> bool:
    """Whether a text is an audit as plain text."""
    return text.startswith("Audit") and _FIRST.match(text) is not None


def audit_overview(audit: Audit) -> Iterator[Line]:
    """The audit in short: what each framework's requirements come to, and one line per check that has not passed."""
    yield _title(audit), "bold"
    for framework in audit.frameworks:
        yield _coverage(audit.verdicts(framework), framework), ""
    for status, heading in ((Status.UNKNOWN, "Unknown, so not passed"), (Status.FAIL, "Failed")):
        shown = [finding for finding in _with(audit, status) if not finding.consented_by]
        if shown:
            yield "", ""
            yield heading, "bold"
        for rule, group in groupby(sorted(shown, key=lambda f: (-f.severity.rank, f.rule.id)), lambda f: f.rule):
            first, *others = group
            more = f", and {len(others)} more" if others else ""
            yield f"  {first.severity.value:<9} {rule.id}: {first.evidence}{more}", _STYLES[first.severity]
    yield "", ""
    yield _summary(audit), "bold"


def _section(heading: str, shown: Sequence[Finding], *, verbose: bool) -> Iterator[Line]:
    if shown:
        yield "", ""
        yield heading, "bold"
        yield from _grouped(shown, verbose=verbose)


def _before(comparison: Comparison, day: str, *, verbose: bool) -> Iterator[Line]:
    """What failed in the baseline, and does not stand among the failures of this audit."""
    for heading, change in (
        ("In the baseline, and waived now", Change.WAIVED),
        ("In the baseline, and not compared: this audit did not run the check there", Change.NOT_COMPARED),
        ("In the baseline, and unknown now", Change.UNKNOWN),
        (f"Fixed since {day}", Change.FIXED),
    ):
        shown = [earlier for earlier, one in comparison.before if one is change]
        if not shown:
            continue
        yield "", ""
        yield heading, "bold"
        for earlier in shown[: len(shown) if verbose else _MANY]:
            yield f"  {earlier.severity.value:<9} {earlier.rule} in {earlier.region}: {earlier.evidence}", ""
        if not verbose and len(shown) > _MANY:
            yield f"  and {len(shown) - _MANY:,} more; -v lists them", ""


def _failed(audit: Audit, change: Change | None) -> tuple[Finding, ...]:
    """What failed and is not waived, the mildest first; with a baseline what of it became so."""
    return tuple(
        reversed([f for f, one in audit.changes if f.status is Status.FAIL and not f.consented_by and one is change])
    )


_ALWAYS = (Change.NEW, Change.FIXED, Change.UNCHANGED)
_CHANGES = {
    Change.NEW: "new",
    Change.FIXED: "fixed",
    Change.UNCHANGED: "unchanged",
    Change.UNKNOWN: "neither, since it was unknown then or is now",
    Change.NOT_COMPARED: "not compared, since only one of the audits ran the check there",
    Change.WAIVED: "waived since",
}


def _compared(comparison: Comparison) -> str:
    counts = [f"{n:,} {word}" for one, word in _CHANGES.items() if (n := comparison.count(one)) or one in _ALWAYS]
    return f"Since the baseline of {comparison.taken:%Y-%m-%d %H:%M} UTC: {'; '.join(counts)}."


def _trend(audit: Audit) -> Iterator[str]:
    """What became of the account since the first audit of its history, in one line; nothing without an earlier one."""
    if audit.trend is None or audit.history is None:
        return
    points, since = audit.history.points, audit.trend
    counts = [f"{n:,} {_CHANGES[one]}" for one in Change if (n := since.count(one)) and one is not Change.UNCHANGED]
    earlier = "1 earlier audit" if len(points) == 1 else f"{len(points)} earlier audits"
    line = f"Since {since.taken:%Y-%m-%d} ({earlier}): {'; '.join(counts) or 'nothing new, nothing fixed'}."
    if audit.is_trend_comparable:
        line += f" Findings that failed then: {points[0].all_failed:,}; now: {audit.point.all_failed:,}."
    yield line


def _title(audit: Audit) -> str:
    name = f"{audit.environment}, account {audit.account_id}" if audit.environment else f"account {audit.account_id}"
    where = " on the embedded AWS" if audit.simulated else ""
    return f"Audit of {name}{where}, {audit.taken:%Y-%m-%d %H:%M} UTC"


def _coverage(verdicts: Sequence[Verdict], framework: Framework) -> str:
    """A bar of what is met, with the figures it stands for."""
    statuses = [verdict.status for verdict in verdicts]
    good = sum(status in (Status.PASS, Status.ATTESTED) for status in statuses)
    full = _BAR * good // len(statuses)
    counts = ", ".join(f"{n} {word}" for status, word in _WORDS.items() if (n := statuses.count(status)))
    return f"{framework.name:<8} [{'#' * full}{'.' * (_BAR - full)}] {counts}, of {len(statuses)} in the catalogue"


def _with(audit: Audit, status: Status) -> tuple[Finding, ...]:
    """Findings of a status, the mildest first."""
    return tuple(reversed([finding for finding in audit.findings if finding.status is status]))


def _grouped(findings: Sequence[Finding], *, verbose: bool) -> Iterator[Line]:
    ordered = sorted(findings, key=lambda f: (-f.severity.rank, f.rule.id))
    for (severity, rule), group in groupby(ordered, lambda f: (f.severity, f.rule)):
        alike = list(group)
        failed = alike[0].status is Status.FAIL
        style = _STYLES[severity] if failed else ""
        yield f"  {severity.value:<9} {rule.id}", style
        yield f"            {rule.explanation}", ""
        entries = _entries(alike, verbose=verbose)
        for entry in entries[: len(entries) if verbose else _FEW]:
            yield f"            - {entry}", ""
        if not verbose and len(entries) > _FEW:
            yield f"            - and {len(entries) - _FEW} more; -v lists them", ""
        for consent in dict.fromkeys(one.consented_by for one in alike if one.consented_by):
            yield f"              {consent}", ""
        controls = [one for one in alike[0].controls if one.startswith("cis-")]
        if verbose and controls:
            yield f"            {', '.join(controls)}", ""
        if failed and alike[0].remedy:
            yield f"            Next: {alike[0].remedy}", ""


def _entries(alike: Sequence[Finding], *, verbose: bool) -> list[str]:
    """The evidence of each; what is the same in several regions is one entry, unless all are to be listed."""
    several = len({one.resource.region for one in alike}) > 1
    by_evidence: dict[str, list[str]] = {}
    for one in alike:
        region = one.resource.region
        said = one.evidence.replace(f" in {region}", "") if several and not verbose else one.evidence
        by_evidence.setdefault(said, []).append(region)
    if not several:
        return [said for said, regions in by_evidence.items() for _ in regions]
    return [
        entry
        for said, regions in by_evidence.items()
        for entry in ([f"{one}: {said}" for one in regions] if verbose else [f"{_where(regions)}: {said}"])
    ]


def _where(regions: Sequence[str]) -> str:
    """Three regions at most, or how many they are."""
    named = sorted(dict.fromkeys(regions))
    return ", ".join(named) if len(named) <= 3 else f"{len(named)} regions"


def _summary(audit: Audit) -> str:
    by_status = list(audit.by_check.values())
    counts = {status: by_status.count(status) for status in Status}
    failed = [f for f in audit.findings if f.status is Status.FAIL and not f.consented_by]
    worst = ", ".join(
        f"{n} {severity.value}" for severity in Severity if (n := sum(f.severity is severity for f in failed))
    )
    passed = counts[Status.PASS] + counts[Status.ATTESTED]
    return (
        f"{len(by_status)} checks: {passed} passed, {counts[Status.FAIL]} failed, "
        f"{counts[Status.UNKNOWN]} unknown, {counts[Status.NOT_APPLICABLE]} not applicable."
        + (f" Findings: {worst}." if worst else "")
    )


def audit_markdown(audit: Audit) -> str:
    """The audit for a wiki or a pull request, the worst first."""
    parts = [f"# {prose(_title(audit))}\n\nRegions: {prose(', '.join(audit.regions))}. {prose(_summary(audit))}"]
    parts += [prose(line) for line in _trend(audit)]
    rows = ["| Severity | Check | Evidence | Next |", "| --- | --- | --- | --- |"]
    shown = [f for f in audit.findings if f.status in (Status.FAIL, Status.UNKNOWN, Status.ATTESTED)]
    for one in shown:
        word = "waived" if one.consented_by else one.severity.value if one.status is Status.FAIL else one.status.value
        evidence = f"{one.resource.region}: {one.evidence}"
        rows.append(f"| {word} | {prose(one.rule.id)} | {prose(evidence)} | {prose(one.consented_by or one.remedy)} |")
    if audit.comparison is not None:
        parts.append(_comparison_markdown(audit, audit.comparison))
    parts.append("## Findings\n\n" + ("\n".join(rows) if shown else "None."))
    if audit.fixes:
        parts.append(_fixes_markdown(audit.fixes))
    if audit.no_fixes:
        parts.append(f"## Fixes\n\n{_NO_FIXES}\n\n" + "\n".join(f"- {prose(line)}" for line in audit.no_fixes))
    for framework in audit.frameworks:
        verdicts = audit.verdicts(framework)
        rows = ["| Requirement | Verdict | Checks |", "| --- | --- | --- |"]
        rows += [f"| {prose(v.requirement)} | {_WORDS[v.status]} | {prose(_asked(v))} |" for v in verdicts]
        parts.append(f"## {prose(framework.title)}\n\n" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


def recognises_markdown(text: str) -> bool:
    """Whether a text is an audit as Markdown."""
    return text.startswith("# ") and _FIRST.match(text) is not None


def _comparison_markdown(audit: Audit, comparison: Comparison) -> str:
    """What is new first; what is unchanged stands among the findings below."""
    rows: list[tuple[Change, Severity, str, str, str]] = [
        (change, one.severity, one.rule.id, one.resource.region, one.evidence)
        for one, change in audit.changes
        if change is not None and change is not Change.UNCHANGED
    ]
    rows += [(change, one.severity, one.rule, one.region, one.evidence) for one, change in comparison.before]
    rows.sort(key=lambda row: (list(_CHANGES).index(row[0]), row[1].rank))
    table = ["| Change | Severity | Check | Evidence |", "| --- | --- | --- | --- |"]
    table += [
        f"| {change.value.replace('-', ' ')} | {severity.value} | {prose(rule)} | {prose(f'{region}: {evidence}')} |"
        for change, severity, rule, region, evidence in rows
    ]
    return "## Compared with the baseline\n\n" + "\n\n".join(
        [prose(_compared(comparison)), *(["\n".join(table)] if rows else [])]
    )


def _fixes_markdown(fixes: Sequence[Fix]) -> str:
    """What to set in environment.yaml, what that costs, and what it renders."""
    rows = ["| Check | environment.yaml | Cost per month |", "| --- | --- | --- |"]
    rows += [
        f"| {prose(one.check)} | {'<br>'.join(map(prose, edit_words(one)))} | "
        f"{'<br>'.join(map(prose, cost_words(one.costs))) if one.settings else ''} |"
        for one in fixes
    ]
    diffs: dict[str, list[str]] = {}
    for one in fixes:
        if one.diff:
            diffs.setdefault(one.diff, []).append(one.check)
    blocks = [f"{prose(', '.join(checks))}:\n\n{_fenced(diff)}" for diff, checks in diffs.items()]
    return "## Fixes\n\n" + "\n\n".join(["\n".join(rows), *blocks])


def _fenced(diff: str) -> str:
    longest = max(map(len, re.findall("`+", diff)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}diff\n{escaped(diff).rstrip()}\n{fence}"


def edit_words(fix: Fix) -> list[str]:
    """What to do in environment.yaml, a line each."""
    if fix.kind is Kind.ALREADY_SET:
        said = [f"nothing: it is {_ALREADY}"]
    else:
        said = [f"`{dotted(one.path)}: {json.dumps(one.value, ensure_ascii=False)}`" for one in fix.settings]
    return [*said, *([fix.note] if fix.note else [])]


def cost_words(costs: Sequence[Cost]) -> list[str]:
    """What edits make AWS bill, a line each; what depends on usage is unknown, and never 0."""
    words = []
    for cost in costs:
        basis = f" ({cost.basis})" if cost.basis else ""
        fixed = "unknown" if cost.monthly_usd is None else f"{cost.monthly_usd:.2f} USD"
        usage = f", depends on {cost.driver}" if cost.monthly_usd is None else f", and usage on top: {cost.driver}"
        words.append(f"{cost.what}: {fixed}{usage if cost.driver else ''}{basis}")
    return words or ["nothing"]


def fix_lines(fix: Fix | None) -> Iterator[Line]:
    """What an edit of environment.yaml does about a check, with what it renders."""
    if fix is None:
        yield "  Fix:       no component of the toolkit has a setting for it", ""
        return
    for number, words in enumerate(edit_words(fix)):
        yield f"  {'' if number else 'Fix:':<11}{words}", ""
    if fix.settings:
        for number, words in enumerate(cost_words(fix.costs)):
            yield f"  {'' if number else 'Cost:':<11}{words}", ""
        yield "  Renders:", ""
        yield from ((f"    {line}", "") for line in fix.diff.splitlines())


def fixed_lines(fixes: Sequence[Fix], others: Sequence[Fix]) -> Iterator[Line]:
    """What `--fix` writes, what it makes AWS bill, and what it cannot decide."""
    by_hand = [one for one in others if one.kind is Kind.BY_HAND]
    if by_hand:
        yield "", ""
        yield "By hand", "bold"
        alike: dict[tuple[str, ...], list[str]] = {}
        for one in by_hand:
            alike.setdefault(tuple(edit_words(one)), []).append(one.check)
        for words, checks in alike.items():
            yield f"  {shortened(checks, _FEW)}", ""
            yield from ((f"    {line}", "") for line in words)
    if already := [one.check for one in others if one.kind is Kind.ALREADY_SET]:
        yield "", ""
        yield f"In environment.yaml {_ALREADY}", "bold"
        yield f"  {', '.join(already)}", ""
    if fixes:
        yield "", ""
        yield "Edits of environment.yaml", "bold"
        for fix in fixes:
            for setting in fix.settings:
                value = json.dumps(setting.value, ensure_ascii=False)
                yield f"  {dotted(setting.path)}: {value}    for {fix.check}", ""
            if fix.note:
                yield f"    {fix.note}", ""
        yield "", ""
        yield "Cost per month; `toolkit plan` lists every resource that it bills", "bold"
        costs = dict.fromkeys(cost for fix in fixes for cost in fix.costs)
        yield from ((f"  {words}", "") for words in cost_words(tuple(costs)))


def _asked(verdict: Verdict) -> str:
    return "; ".join([*verdict.checks, *(f"no check for {topic}" for topic in verdict.unasked)])


def audit_data(audit: Audit) -> Document:
    """The audit as plain data (docs/output.schema.json)."""
    fixes = {fix.check: _fix_data(fix) for fix in audit.fixes}
    return document(
        "audit",
        {
            "toolkit": __version__,
            "account_id": audit.account_id,
            "caller": audit.caller,
            "environment": audit.environment,
            "simulator": "moto" if audit.simulated else None,
            "taken": utc(audit.taken),
            "regions": list(audit.regions),
            "regions_off": list(audit.off),
            "calls": audit.calls,
            "max_calls": audit.max_calls,
            "idle_waivers": list(audit.idle_waivers),
            "idle_attestations": list(audit.idle_attestations),
            "no_fixes": list(audit.no_fixes),
            "checks": [
                {**check_data(check), "status": status.value, "fix": fixes.get(check.id)}
                for check, status in audit.by_check.items()
            ],
            "frameworks": [
                {
                    "name": framework.name,
                    "title": framework.title,
                    "requirements": [
                        {
                            "id": one.requirement,
                            "status": one.status.value if one.status else "not-checked",
                            "checks": list(one.checks),
                            "unasked": list(one.unasked),
                        }
                        for one in audit.verdicts(framework)
                    ],
                }
                for framework in audit.frameworks
            ],
            "findings": [
                {**reported(finding), "id": finding.id, "facts": finding.facts, "change": change and change.value}
                for finding, change in audit.changes
            ],
            "baseline": _baseline_data(audit.comparison) if audit.comparison else None,
            "access_keys": _keys_data(audit.access_keys) if audit.access_keys else None,
        },
    )


def audit_json(audit: Audit) -> str:
    """The audit as JSON text."""
    return json_text(audit_data(audit)) + "\n"


def recognises_json(text: str) -> bool:
    """Whether a text is an audit as JSON."""
    return is_document("audit", text, "account_id")


def _fix_data(fix: Fix) -> dict[str, Any]:
    return {
        "kind": fix.kind.value,
        "component": fix.component,
        "settings": [{"path": list(one.path), "value": one.value} for one in fix.settings],
        "note": fix.note,
        "costs": [
            {"what": one.what, "monthly_usd": one.monthly_usd, "driver": one.driver, "basis": one.basis or None}
            for one in fix.costs
        ],
        "diff": fix.diff,
    }


def _keys_data(found: AccessKeys) -> dict[str, Any]:
    return {
        "generated": utc(found.generated),
        "keys": [
            {
                "user": key.user,
                "number": key.number,
                "since": utc(key.since),
                "last_used": utc(key.last_used) if key.last_used else None,
            }
            for key in found.keys
        ],
    }


def _baseline_data(comparison: Comparison) -> dict[str, Any]:
    return {
        "taken": utc(comparison.taken),
        "changes": {change.value: comparison.count(change) for change in Change},
        "findings": [
            {
                "id": one.id,
                "rule": one.rule,
                "region": one.region,
                "severity": one.severity.value,
                "evidence": one.evidence,
                "change": change.value,
            }
            for one, change in comparison.before
        ],
    }


def check_data(check: Check) -> dict[str, Any]:
    """A check as plain data."""
    return {
        "id": check.id,
        "title": check.title,
        "severity": check.severity.value,
        "service": check.service,
        "regional": check.regional,
        "controls": list(check.requirements),
    }


def check_lines(check: Check, actions: Sequence[str]) -> Iterator[Line]:
    """All that there is to know of a check."""
    yield f"{check.id}: {check.title}", "bold"
    yield f"  Severity:  {check.severity.value}", ""
    yield f"  Why:       {check.why}", ""
    yield f"  Runs:      {'in each region' if check.regional else 'once per account'}", ""
    yield f"  Needs:     {', '.join(actions)}", ""
    yield f"  Next:      {check.remedy.text}", ""
    if check.requirements:
        yield f"  Controls:  {', '.join(check.requirements)}", ""
    if check.source:
        yield f"  Source:    {check.source}", ""
