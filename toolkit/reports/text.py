"""A plan for the terminal: findings, then what is lost, then the rest by component and region; unchanged left out.

At the end the findings stand once more, one line each, since that is what a screen of 80 x 24 still shows.

A plan that is larger than a screen is folded: what happens alike to several resources of a type is one counted line,
and regions in which all is alike are told together. Verbose shows every resource and value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from textwrap import wrap

from toolkit.access.changes import AccessChanges, Turn
from toolkit.access.changes import Group as AccessGroup
from toolkit.addresses import Address, suffix
from toolkit.findings import Finding, Rule, Severity, Status, options_for
from toolkit.plan.cost import CostLine
from toolkit.plan.model import Action, Change
from toolkit.reports.details import details
from toolkit.reports.view import DANGER, MARKS, Group, PlanView
from toolkit.visible import LOG_WIDTH, USUAL_WIDTH, columns, joined_lines, one_line, wrapped

_STYLES = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.REPLACE: "bold red",
    Action.DELETE: "bold red",
    Action.FORGET: "magenta",
    Action.IMPORT: "cyan",
    Action.MOVE: "cyan",
}
_SEVERITIES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.NOTE: "cyan",
}
_STATUSES = {
    Status.UNKNOWN: "bold yellow",
    Status.NOT_APPLICABLE: "dim",
    Status.ATTESTED: "green",
    Status.PASS: "green",
}
_SCREENFUL = 40
"""Changes that are listed one by one; of more than these, those alike are counted."""
_LONGEST_VALUE = 100
_LONGEST_NAMES = 80
_WIDTH = 96
_FEW = 3
_ALIKE = 3
"""Findings of a kind in one component that are told one by one."""
_LISTED = 10
"""Subjects that findings told together name."""
_PRINCIPALS = 8
"""Groups of principals who gain or lose alike."""
_RIGHTS = 6
"""Lines of one of these, and of what is not known."""
_SUMMARY = 12
"""Lines of the summary at the end: with what follows it, they fit on a screen of 24."""
_WORD = max(len("consented"), *(len(severity.value) for severity in Severity))
ACCESS = "Access: who can do what once this is applied"
"""Heading of what a plan changes in that."""
Line = tuple[str, str]
"""Text and style."""


def render(view: PlanView) -> str:
    """The plan as plain text, with every resource and value."""
    return plain(plan_lines(view, verbose=True))


def plain(lines: Iterable[Line]) -> str:
    """What the terminal shows, as the text of a file."""
    pieces = (piece for text, _ in lines for piece in wrapped(one_line(text), LOG_WIDTH))
    return joined_lines((*pieces, ""))


_FIRST = re.compile(r"(?:Plan for|Destruction of) \S+: account \d{12} on (?:AWS|the embedded AWS), home [a-z0-9-]+\n")


def many(count: int, what: str) -> str:
    """ "1 finding", "2 findings"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def recognises(text: str) -> bool:
    """Whether a text is such a report."""
    return _FIRST.match(text) is not None


def plan_lines(view: PlanView, *, verbose: bool = False) -> Iterator[Line]:
    """The lines of a plan.

    Args:
        view: What to show.
        verbose: Show every resource, and the values of created and deleted ones, too.
    """
    plan = view.plan
    fold = not verbose and len(plan.changes) > _SCREENFUL
    regions = frozenset(c.region for c in plan.changes)
    yield f"{view.title}: {view.place}", "bold"
    yield from _findings(view.findings, fold=not verbose)
    yield from _access(view.access, verbose=verbose)
    for heading, groups in (("Deleted, replaced or forgotten", view.losses), ("", view.others)):
        if heading and groups:
            yield "", ""
            yield heading, "bold red"
        yield from _folded(groups, regions) if fold else _listed(groups, verbose=verbose)
    if plan.outputs:
        yield "", ""
        yield f"outputs: {', '.join(f'{MARKS[o.action]} {o.name}' for o in plan.outputs)}", "dim"
    yield from _irreversible(view, fold=fold)
    if view.estimate.lines:
        yield "", ""
        yield f"Starts to bill (US dollars a month, list prices as of {view.estimate.as_of}):", "bold"
        for line in view.estimate.lines:
            driver = f" ({line.driver})" if line.driver else ""
            yield f"  {line.count} x {line.what}: {fixed(line)}{driver}", ""
            if not fold:
                yield f"      {line.basis}", "dim"
                yield from ((f"      {note}", "dim") for note in line.notes)
        if fold and view.estimate.unconfirmed:
            names = ", ".join(line.what for line in view.estimate.unconfirmed)
            said = f"Figures not confirmed against AWS's price page: {names}; with -v, which."
            yield from ((line, "") for line in wrap(said, 110, initial_indent="  ", subsequent_indent="    "))
    if fold:
        yield "", ""
        yield "Similar changes are grouped; -v lists each one with its values.", "dim"
    if view.findings or not fold:
        yield "", ""
    yield from _summary(view.findings)
    if view.findings or plan.empty:
        yield view.verdict, "bold red" if view.refused else "bold green"
    if not plan.empty:
        yield view.totals, "bold"


def _access(access: AccessChanges, *, verbose: bool) -> Iterator[Line]:
    """Who may do otherwise than before: gains first, then losses, then what is not known."""
    if not access:
        return
    yield "", ""
    yield ACCESS, "bold"
    for word, groups in (("gains", access.gains), ("loses", access.losses)):
        shown = groups if verbose else groups[:_PRINCIPALS]
        for group in shown:
            yield f"  {word}: {group.title}", _access_style(group)
            lines = group.lines if verbose else group.lines[:_RIGHTS]
            yield from ((f"      {line}", "") for line in lines)
            yield from _more(len(group.lines) - len(lines), "line", "      ")
        rest = groups[len(shown) :]
        yield from _more(
            sum(len(group.names) for group in rest),
            f"principal that {word}",
            "  ",
            f"principals that {word.removesuffix('s')}",
        )
    gaps = access.gaps if verbose else access.gaps[:_RIGHTS]
    yield from ((f"  not known: {gap}", "yellow") for gap in gaps)
    yield from _more(len(access.gaps) - len(gaps), "gap", "  ")


def _access_style(group: AccessGroup) -> str:
    """Red for a gain of those who are there already and administer nothing."""
    if group.turn is Turn.LOSS or group.administrator:
        return ""
    return "yellow" if group.made else "bold red"


def _more(count: int, one: str, indent: str, several: str = "") -> Iterator[Line]:
    if count:
        yield (
            f"{indent}… and {count:,} more {one if count == 1 else several or one + 's'} (with -v, all are listed)",
            "",
        )


def _irreversible(view: PlanView, *, fold: bool) -> Iterator[Line]:
    """What cannot be undone; folded, each reason once with its resources counted."""
    if not view.irreversible:
        return
    yield "", ""
    yield "Cannot be undone once applied:", "bold red"
    for summary, same in groupby(sorted(view.irreversible, key=lambda e: e.summary), lambda e: e.summary):
        addresses = [entry.address for entry in same]
        yield f"  {summary}", "red"
        shown = addresses[:_FEW] if fold else addresses
        yield from ((f"      {address}", "") for address in shown)
        if len(addresses) > len(shown):
            yield f"      and {len(addresses) - len(shown)} more", ""


def fixed(line: CostLine) -> str:
    """The fixed part of what something costs; "depends on usage" where there is none, which is not the same as 0."""
    if line.monthly_usd is None:
        return "depends on usage"
    return f"{line.monthly_usd:.2f}, and usage on top" if line.driver else f"{line.monthly_usd:.2f}"


def _listed(groups: Iterable[Group], *, verbose: bool) -> Iterator[Line]:
    for group in groups:
        yield "", ""
        yield group.title, "bold"
        for change in group.changes:
            yield f"  {MARKS[change.action]:<3} {_address(change)}", _STYLES[change.action]
            for detail in details(change, longest=_LONGEST_VALUE, with_values=verbose):
                yield from ((f"        {line}", "") for line in detail.text())


@dataclass(frozen=True)
class _Item:
    """What happens alike to resources of one type."""

    action: Action
    type: str
    names: tuple[str, ...]
    lines: tuple[str, ...]


def _folded(groups: tuple[Group, ...], regions: frozenset[str]) -> Iterator[Line]:
    """Groups with what is alike counted; `regions` are all of the plan."""
    for component, of_component in groupby(groups, lambda g: g.component):
        alike: dict[tuple[_Item, ...], list[str]] = {}
        for group in of_component:
            alike.setdefault(tuple(_items(group)), []).append(group.region)
        for items, where in alike.items():
            yield "", ""
            yield f"{component} · {_regions(where, regions)}", "bold"
            yield from _counted(items)


def _regions(where: list[str], regions: frozenset[str]) -> str:
    if len(where) <= _FEW:
        return ", ".join(where)
    others = sorted(regions.difference(where))
    if not others:
        return f"in each of all {len(where)} regions"
    return f"in each of {len(where)} regions " + (
        f"(all but {', '.join(others)})" if len(others) <= _FEW else f"({', '.join(where)})"
    )


def _counted(items: Iterable[_Item]) -> Iterator[Line]:
    created = []
    for item in items:
        count = len(item.names)
        mark, style = MARKS[item.action], _STYLES[item.action]
        if item.action is Action.CREATE and count < _FEW:
            created.append(f"{count} {item.type}" if count > 1 else item.type)
            continue
        yield f"  {mark:<3} {count} {item.type}: {_names(item.names)}", style
        yield from ((f"        {line}", "") for line in item.lines)
    # Creates of which there are few say nothing but their type; a count must not be parted from its type.
    words = wrap(", ".join(c.replace(" ", "\0") for c in created), _WIDTH)
    for index, line in enumerate(words):
        mark = " " if index else MARKS[Action.CREATE]
        yield f"  {mark:<3} {line}".replace("\0", " "), _STYLES[Action.CREATE]


def _items(group: Group) -> list[_Item]:
    found: dict[tuple[Action, str, tuple[str, ...]], list[str]] = {}
    for change in group.changes:
        shown = details(change, longest=_LONGEST_VALUE, with_values=False)
        lines = tuple(line for detail in shown for line in detail.text())
        extra = " (import)" if change.imported else ""
        found.setdefault((change.action, change.type, lines), []).append(_short(change) + extra)
    return sorted(
        (_Item(action, type_, tuple(names), lines) for (action, type_, lines), names in found.items()),
        key=lambda i: (DANGER.index(i.action), i.type),
    )


def _short(change: Change) -> str:
    """What tells a resource from others of its type in one module call: nested modules, name, instance key."""
    address = Address.parse(change.address).inside
    parts = [f"{name}{suffix(key)}" for name, key in address.modules]
    if address.name != "this" or not (parts or address.key is not None):
        parts.append(address.name)
    # A key that only repeats the name says nothing.
    key = "" if str(address.key).lower() == address.name else suffix(address.key)
    return ".".join(parts) + (key if parts else key.removeprefix('["').removesuffix('"]'))


def _names(names: tuple[str, ...]) -> str:
    text = ""
    for index, name in enumerate(names):
        if index and len(text) + len(name) > _LONGEST_NAMES:
            return f"{text}, … {len(names) - index} more"
        text += f", {name}" if index else name
    return text


def _address(change: Change) -> str:
    extra = " (import)" if change.imported else ""
    if change.previous_address:
        extra += f" (moved from {change.previous_address})"
    return f"{change.address}{extra}"


def _findings(findings: Iterable[Finding], *, fold: bool) -> Iterator[Line]:
    """Findings, those of one kind in one component together where there are many."""

    def kind(finding: Finding) -> tuple[object, ...]:
        f = finding
        # Keys of settings differ; what to do with them does not.
        return f.blocks, f.severity, f.rule, f.component, f.resource.region, _KEY.sub("", f.remedy), f.consented_by

    every = tuple(findings)
    for _, same in groupby(every, kind):
        alike = list(same)
        if fold and len(alike) > _ALIKE:
            yield from _together(alike, every)
        else:
            for finding in alike:
                yield from _finding(finding)


def _summary(findings: tuple[Finding, ...]) -> Iterator[Line]:
    """One line for each finding, the worst first; several of a kind in one component are one line."""
    if not findings:
        return

    def kind(finding: Finding) -> tuple[Line, Rule, str | None]:
        return _word(finding), finding.rule, finding.component

    lines: list[Line] = []
    for ((word, style), rule, component), same in groupby(findings, kind):
        alike = list(same)
        told = [f"{_ASIDE.sub('', f.summary)} {f.evidence}" for f in alike]
        if len(alike) > _ALIKE:
            told = [f"{len(alike)} findings: {rule.explanation}"]
        lines += ((_cut(f"  {word:<{_WORD}} {component or 'other'}: {text}"), style) for text in told)
    yield "Findings, with remediation and consent above:", "bold"
    yield from lines[:_SUMMARY]
    if len(lines) > _SUMMARY:
        yield f"  … and {len(lines) - _SUMMARY} more lines, none more severe", ""
    yield "", ""


def _cut(text: str) -> str:
    """As much of a line as a terminal of the usual width shows in one."""
    line = one_line(text)
    if columns(line) < USUAL_WIDTH:
        return line
    line = line[: USUAL_WIDTH - 2]
    while columns(line) > USUAL_WIDTH - 2:
        line = line[:-1]
    return f"{line.rstrip()}…"


_ASIDE = re.compile(r" \([^()]*\)")
_KEY = re.compile(r"`components\.[^`]*`(?:(?:, | or )`components\.[^`]*`)*")


def _together(findings: list[Finding], every: Iterable[Finding]) -> Iterator[Line]:
    first = findings[0]
    differ = len({f.remedy for f in findings}) > 1
    word, style = _word(first)
    yield "", ""
    where = f"{first.component} · {first.resource.region}"
    yield f"{word}: {len(findings)} times in {where}: {first.rule.explanation}", style
    for finding in findings[:_LISTED]:
        yield f"  {finding.subject}: {finding.evidence}", ""
        if differ and finding.setting:
            yield f"    {finding.setting}", ""
    if len(findings) > _LISTED:
        yield f"  … and {len(findings) - _LISTED} more (with -v, all are listed)", ""
    shown = replace(first, remedy=_KEY.sub("the key below each", first.remedy)) if differ else first
    yield from _advice(shown, options_for(findings, every))


def _finding(finding: Finding) -> Iterator[Line]:
    word, style = _word(finding)
    yield "", ""
    yield f"{word}: {finding.summary}", style
    yield f"  {finding.subject}: {finding.evidence}", ""
    if finding.controls:
        yield f"  controls: {', '.join(finding.controls)}", ""
    yield from _advice(finding, (finding.consent,) if finding.consent else ())


def _word(finding: Finding) -> Line:
    if finding.consented_by is not None:
        return finding.verdict, "dim"
    if finding.status is not Status.FAIL:
        return finding.verdict.upper(), _STATUSES[finding.status]
    return finding.verdict.upper(), _SEVERITIES[finding.severity]


def _advice(finding: Finding, consents: tuple[str, ...]) -> Iterator[Line]:
    if finding.consented_by is not None:
        yield f"  by {finding.consented_by}", "dim"
    elif not finding.blocks:
        if finding.remedy:
            yield f"  {finding.remedy}", "dim"
    else:
        yield f"  remediation: {finding.remedy}", ""
        yield f"  consent:{'' if consents else ' none is possible'}", ""
        # "=" makes one word of an option and its value: it is never wrapped, and so can be copied.
        yield from ((f"    {consent.replace(' ', '=', 1)}", "") for consent in consents)
