"""What audits of an organization's accounts found: for the terminal, as Markdown and for scripts.

In: an OrganizationAudit. Out: lines with their styles, Markdown, or plain data with a versioned schema. First what few
accounts have, since there an account differs from the others; then what most have in common.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from toolkit import __version__
from toolkit.audit.baseline import Change
from toolkit.audit.organization import AccountAudit, CheckIn, Group, Member, OrganizationAudit
from toolkit.documents import Document, document, is_document, utc
from toolkit.findings import Severity, Status
from toolkit.reports.format import Format
from toolkit.reports.markdown import prose
from toolkit.reports.text import Line, many, plain
from toolkit.visible import JSON, PLAIN, columns, json_text, one_line, shortened

_FEW = 5
"""Accounts of a group that are named, and checks of a common group that are listed; with -v, all are."""
_STYLES = {Severity.CRITICAL: "bold red", Severity.HIGH: "red", Severity.MEDIUM: "yellow", Severity.NOTE: ""}
_OUTLIERS = "Outliers: fail in fewer than half of the accounts that pass or fail the check"
_COMMON = "In common: fail in at least half of the accounts that pass or fail the check"
_CENTRAL = "Of the organization: fail in the management account, which decides for all"
_UNDECIDED = "Unknown: could not be read, so these checks have not passed"
_UNREAD = "Accounts that could not be read: every check is unknown there"
_LEFT_OUT = "Not active, so not audited"


def organization_lines(audit: OrganizationAudit, *, verbose: bool) -> Iterator[Line]:
    """The report for the terminal."""
    yield _title(audit), "bold"
    yield f"Role {audit.role}, assumed by {audit.caller}", ""
    if audit.left_out:
        named = ", ".join(f"{_called(one)} ({one.state})" for one in audit.left_out)
        yield f"{_LEFT_OUT}: {named}", ""
    if audit.excluded:
        yield f"Left out by the options: {_accounts(audit, [one.id for one in audit.excluded], verbose=verbose)}", ""
    if audit.unread:
        yield "", ""
        yield _UNREAD, "bold"
        yield from ((f"  {_called(one.member)}: {one.reason}", "red") for one in audit.unread)
    for heading, groups, with_evidence in (
        (_OUTLIERS, audit.outliers, True),
        (_COMMON, audit.common, verbose),
        (_CENTRAL, audit.central, True),
        (_UNDECIDED, audit.undecided, True),
    ):
        if groups:
            yield "", ""
            yield heading, "bold"
        for group in groups:
            yield from _group_lines(audit, group, with_evidence=with_evidence, verbose=verbose)
    yield "", ""
    for number, row in enumerate(_columns(_rows(audit))):
        yield row, "" if number else "bold"
    yield "", ""
    yield from ((line, "yellow") for line in audit.problems)
    yield _summary(audit), "bold"
    yield f"Calls of AWS: {audit.calls:,} of at most {audit.max_calls:,}.", ""


def _group_lines(audit: OrganizationAudit, group: Group, *, with_evidence: bool, verbose: bool) -> Iterator[Line]:
    many = len(group.checks)
    checks = "1 check" if many == 1 else f"{'' if len(group.accounts) == 1 else 'the same '}{many} checks"
    yield f"  {_in(audit, group)}, {checks}: {_accounts(audit, group.accounts, verbose=verbose)}", ""
    for one in group.checks:
        style = _STYLES[one.severity] if one.status is Status.FAIL else ""
        yield f"    {one.severity.value:<9} {one.check.id}{_count(one)}", style
        if with_evidence:
            shown = list(_examples(one))
            yield from ((f"              - {text}", "") for text in shown[: len(shown) if verbose else 1])


def _in(audit: OrganizationAudit, group: Group) -> str:
    return f"In {len(group.accounts)} of {len(audit.accounts)} accounts"


def _count(one: CheckIn) -> str:
    return "" if one.findings == len(one.results) else f" ({one.findings:,} findings)"


def _examples(one: CheckIn) -> Iterator[str]:
    """What was found, and in which account; what several accounts have alike is one entry."""
    found: dict[str, list[str]] = {}
    for account, result in one.results.items():
        for example in result.examples:
            found.setdefault(f"{example.region}: {example.evidence}", []).append(account)
    for text, accounts in found.items():
        several = dict.fromkeys(accounts)
        place = "" if len(one.results) == 1 else f"{accounts[0] if len(several) == 1 else f'{len(several)} accounts'}, "
        yield f"{place}{text}"


def _accounts(audit: OrganizationAudit, ids: Sequence[str], *, verbose: bool) -> str:
    """Names of accounts, a few at most unless all are wanted."""
    if len(ids) == len(audit.accounts) > 1 and {one.member.id for one in audit.accounts} == set(ids):
        return "all"
    members = {one.id: one for one in (*(each.member for each in audit.accounts), *audit.excluded)}
    return shortened([_called(members[one]) for one in ids], len(ids) if verbose else _FEW)


def _called(member: Member) -> str:
    return f"{member.id} {member.name}".rstrip()


def _title(audit: OrganizationAudit) -> str:
    where = " on the embedded AWS" if audit.simulated else ""
    return f"Audit of the organization {audit.organization}{where}, {audit.taken:%Y-%m-%d %H:%M} UTC"


def _rows(audit: OrganizationAudit) -> Iterator[list[str]]:
    """The table of accounts: what failed, what is unknown, what changed, how much of each framework is met."""
    compared = any(one.changes is not None for one in audit.accounts)
    yield [
        "Account", "Name", "Environment", *(one.value.capitalize() for one in Severity), "Unknown",
        *(["New", "Fixed"] if compared else []), *audit.frameworks,
    ]  # fmt: skip
    for one in audit.accounts:
        changes: list[str] = []
        if compared:
            changes = ["-", "-"] if one.changes is None else [f"{one.changes[c]:,}" for c in (Change.NEW, Change.FIXED)]
        yield [
            one.member.id,
            one.member.name or "-",
            one.environment or "-",
            *(f"{one.point.failed[severity]:,}" for severity in Severity),
            f"{sum(one.unknown.values()):,}",
            *changes,
            *(_coverage(one, name) for name in audit.frameworks),
        ]
    width = len(Severity) + 1 + (2 if compared else 0) + len(audit.frameworks)
    for unread in audit.unread:
        yield [unread.member.id, unread.member.name or "-", *["unknown"] * (width + 1)]


def _coverage(one: AccountAudit, framework: str) -> str:
    found = one.point.coverage.get(framework)
    return "-" if found is None else f"{found.met} of {found.of}"


def _columns(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(columns(row[n]) for row in cells) for n in range(len(cells[0]))]
    for row in cells:
        yield "  ".join(
            f"{cell}{' ' * (width - columns(cell))}" for cell, width in zip(row, widths, strict=True)
        ).rstrip()


def _summary(audit: OrganizationAudit) -> str:
    totals = {severity: sum(one.point.failed[severity] for one in audit.accounts) for severity in Severity}
    failed = ", ".join(f"{n:,} {severity.value}" for severity, n in totals.items() if n)
    accounts = f"{many(len(audit.accounts), 'account')} audited"
    checks = many(len(audit.checks), "check")
    if audit.unread:
        accounts += f", {len(audit.unread):,} unknown"
    if audit.left_out:
        accounts += f", {len(audit.left_out):,} not active"
    stopped = " Interrupted: what was not read by then is unknown." if audit.interrupted else ""
    return f"{accounts}; {checks}. Findings: {failed or 'none'}.{stopped}"


def organization_text(audit: OrganizationAudit) -> str:
    """The report as plain text, with every account and check."""
    return plain(organization_lines(audit, verbose=True))


_FIRST = re.compile(r"(?:# )?Audit of the organization [^\n]* UTC\n")


def recognises_text(text: str) -> bool:
    """Whether a text is such a report as plain text."""
    return text.startswith("Audit") and _FIRST.match(text) is not None


def organization_markdown(audit: OrganizationAudit) -> str:
    """The report for a wiki or a ticket."""
    parts = [
        f"# {prose(_title(audit))}\n\n{prose(_summary(audit))}",
        f"Role {prose(audit.role)}, assumed by {prose(audit.caller)}.",
        "## Accounts\n\n" + _table(_rows(audit)),
    ]
    if audit.unread:
        rows = [["Account", "Reason"], *([_called(one.member), one.reason] for one in audit.unread)]
        parts.append(f"## {_UNREAD}\n\n" + _table(rows))
    if audit.left_out:
        rows = [["Account", "State"], *([_called(one), one.state or "-"] for one in audit.left_out)]
        parts.append(f"## {_LEFT_OUT}\n\n" + _table(rows))
    for heading, groups in (
        (_OUTLIERS, audit.outliers),
        (_COMMON, audit.common),
        (_CENTRAL, audit.central),
        (_UNDECIDED, audit.undecided),
    ):
        if not groups:
            continue
        parts.append(f"## {heading}")
        for group in groups:
            rows = [["Severity", "Check", "Findings", "Examples"]]
            rows += [
                [one.severity.value, one.check.id, f"{one.findings:,}", "; ".join(list(_examples(one))[:_FEW])]
                for one in group.checks
            ]
            parts.append(
                f"{_in(audit, group)}: {prose(_accounts(audit, group.accounts, verbose=True))}\n\n{_table(rows)}"
            )
    if audit.problems:
        parts.append("## Files that cannot be used\n\n" + "\n".join(f"- {prose(line)}" for line in audit.problems))
    return "\n\n".join(parts) + "\n"


def _table(rows: Iterable[Sequence[str]]) -> str:
    heading, *others = (f"| {' | '.join(map(prose, row))} |" for row in rows)
    return "\n".join([heading, f"|{' --- |' * (heading.count(' | ') + 1)}", *others])


def recognises_markdown(text: str) -> bool:
    """Whether a text is such a report as Markdown."""
    return text.startswith("# ") and _FIRST.match(text) is not None


def organization_data(audit: OrganizationAudit) -> Document:
    """The report as plain data (docs/output.schema.json)."""
    return document(
        "audit-organization",
        {
            "toolkit": __version__,
            "organization_id": audit.organization,
            "management_account_id": audit.management,
            "caller": audit.caller,
            "role": audit.role,
            "simulator": "moto" if audit.simulated else None,
            "taken": utc(audit.taken),
            "interrupted": audit.interrupted,
            "calls": audit.calls,
            "max_calls": audit.max_calls,
            "outliers": [_group_data(one) for one in audit.outliers],
            "common": [_group_data(one) for one in audit.common],
            "central": [_group_data(one) for one in audit.central],
            "unknown": [_group_data(one) for one in audit.undecided],
            "accounts": [_account_data(one) for one in audit.accounts],
            "unread": [{**_member_data(one.member), "reason": one.reason} for one in audit.unread],
            "not_active": [{**_member_data(one), "state": one.state} for one in audit.left_out],
            "excluded": [_member_data(one) for one in audit.excluded],
            "problems": list(audit.problems),
        },
    )


def _member_data(member: Member) -> dict[str, Any]:
    return {"account_id": member.id, "name": member.name}


def _group_data(group: Group) -> dict[str, Any]:
    return {
        "accounts": list(group.accounts),
        "checks": [
            {
                "id": one.check.id,
                "title": one.check.title,
                "severity": one.severity.value,
                "findings": one.findings,
                "remedy": one.check.remedy.text,
                "examples": [
                    {"account_id": account, "region": example.region, "evidence": example.evidence}
                    for account, result in one.results.items()
                    for example in result.examples
                ],
            }
            for one in group.checks
        ],
    }


def _account_data(one: AccountAudit) -> dict[str, Any]:
    return {
        **_member_data(one.member),
        "environment": one.environment,
        "taken": utc(one.point.taken),
        "regions": list(one.regions),
        "regions_off": list(one.regions_off),
        "calls": one.calls,
        "checks": {status.value: n for status, n in one.point.checks.items()},
        "failed": {severity.value: n for severity, n in one.point.failed.items()},
        "unknown": {severity.value: n for severity, n in one.unknown.items()},
        "waived": sum(result.waived for result in one.checks.values()),
        "coverage": {name: {"met": found.met, "of": found.of} for name, found in one.point.coverage.items()},
        "changes": None if one.changes is None else {change.value: n for change, n in one.changes.items()},
        "report": None if one.report is None else str(one.report),
    }


def organization_json(audit: OrganizationAudit) -> str:
    """The report as JSON text."""
    return json_text(organization_data(audit)) + "\n"


def recognises_json(text: str) -> bool:
    """Whether a text is such a report as JSON."""
    return is_document("audit-organization", text, "organization_id")


FORMATS: Mapping[str, Format[OrganizationAudit]] = MappingProxyType(
    {
        "markdown": Format(organization_markdown, recognises_markdown, PLAIN, (".md",)),
        "json": Format(organization_json, recognises_json, JSON, (".json",)),
        "text": Format(organization_text, recognises_text, PLAIN, (".txt",)),
    }
)
"""Name in `--report NAME=FILE` → format."""
