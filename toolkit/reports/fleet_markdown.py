"""A summary of many environments as a comment for a pull request, in GitHub's Markdown.

GitHub takes 65,536 characters: whatever the summary, the comment is shorter. What is given room first: the groups'
titles, then how many gain access, then everything about what is refused, failed or odd, then what the groups change,
then the names of the environments that are alike. What is left out is counted where it would be; blocks stay whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from toolkit.fleet.summary import Danger, Difference, Group, Item, Kind, Member, Outlier, Summary
from toolkit.reports import fleet_words as words
from toolkit.reports.details import clip
from toolkit.reports.markdown import LIMIT, Budget, cell, code, missing, prose, told
from toolkit.reports.text import many

_RESERVE = 1500
"""For headings and the sentences about what was left out."""
_TITLES = LIMIT // 8
"""What the groups' titles may take before anything else, and so may the numbers of those who gain and lose."""
_LONGEST = 300
_LONGEST_VALUE = 200
_DETAIL = 6
"""Lines of other people's words."""
_PIECE = 50
"""Names that are kept or left out together."""


def marker(command: str) -> str:
    """The first line, by which CI finds the comment to update."""
    return f"<!-- aws-baseline-toolkit:fleet:{command} -->"


_MARKER = re.compile(r"<!-- aws-baseline-toolkit:fleet:[^\n>]* -->\n")


def recognises(text: str) -> bool:
    """Whether a text is such a comment."""
    return _MARKER.match(text) is not None


def render(summary: Summary) -> str:
    """The comment; at most LIMIT characters, and as many bytes of UTF-8."""
    budget = Budget(LIMIT - _RESERVE)
    head = _head(summary)
    budget.take(head)
    groups = [_group(group, summary) for group in summary.groups]
    titles = Budget(_TITLES)
    shown = [part for part in groups if titles.take(part.frame) and budget.take(part.frame)]
    dangers, odd, alike, _ = words.HEADINGS
    unchanged = [member.environment for member in summary.unchanged]
    sections = [
        _access(summary, budget),
        _section(dangers, [_danger(danger, summary) for danger in summary.dangers], budget),
        _section(odd, [_outlier(outlier, summary) for outlier in summary.outliers], budget),
        *(_listed(f"Not run: {reason}", names, budget) for reason, names in words.not_run(summary).items()),
        _section(alike, groups, budget, shown),
        _listed(words.unchanged_title(summary), unchanged, budget),
        _costs(summary, budget),
    ]
    return "\n".join([head, *filter(None, sections)])


def _head(summary: Summary) -> str:
    dangers = sum(len(danger.members) for danger in summary.dangers)
    alert = f"> [!CAUTION]\n> **{many(dangers, 'environment')} refused or failed.**\n\n" if dangers else ""
    note = f"\n<sub>{prose(words.PLACEHOLDERS)}</sub>\n" if words.has_placeholders(summary) else ""
    command = re.sub(r"[^a-z-]", "", summary.command)
    return f"{marker(command)}\n## {prose(words.title(summary))}\n\n{alert}{prose(words.verdict(summary))}\n{note}"


@dataclass
class _Part:
    """A block of rows under a title: a danger, an outlier, a group."""

    title: str
    rows: list[str]
    noun: str
    """What a row is, for the count of those that are left out."""
    members: Sequence[Member]
    names: Sequence[str]
    """Environments that the title does not name."""
    before: str = ""
    """The head of a table."""
    after: str = ""
    kept: list[str] = field(default_factory=list)
    named: str = ""

    @property
    def frame(self) -> str:
        """What it costs without any row or name."""
        counted = missing(len(self.rows), self.noun) + (
            f"\n{missing(len(self.names), 'Environments: environment')}" if self.names else ""
        )
        return f"{self.title}\n\n{self.before}{counted}{self.after}"

    def fill(self, budget: Budget) -> None:
        """Take rows up to the first for which there is no room: some belong to the one above."""
        self.kept = list(takewhile(budget.take, self.rows))

    def name(self, budget: Budget) -> None:
        """Name environments, as far as there is room."""
        self.named = _names(self.names, budget)

    @property
    def text(self) -> str:
        """The block."""
        table = f"{self.before}{''.join(self.kept)}" if self.kept else ""
        left_out = missing(len(self.rows) - len(self.kept), self.noun)
        if self.before:
            return f"{self.title}\n{table}{left_out}{self.named}{self.after}"
        return f"{self.title}{self.named}\n{table}{left_out}"


def _names(names: Sequence[str], budget: Budget) -> str:
    """Names as a paragraph; those for which there is no room are counted."""
    kept: list[str] = []
    left_out = 0
    for start in range(0, len(names), _PIECE):
        piece = ", ".join(map(prose, names[start : start + _PIECE]))
        if not budget.take(f"{piece}, "):
            left_out = len(names) - start
            break
        kept.append(piece)
    # A name never begins a line, where it could begin a list.
    return (f"\nEnvironments: {', '.join(kept)}\n" if kept else "") + missing(left_out, "environment")


def _section(heading: str, parts: Sequence[_Part], budget: Budget, shown: Sequence[_Part] | None = None) -> str:
    """Blocks under a heading, as far as there is room: first every title, then rows, then names."""
    if not parts:
        return ""
    kept = [part for part in parts if budget.take(part.frame)] if shown is None else shown
    for part in kept:
        part.fill(budget)
    for part in kept:
        part.name(budget)
    cut = [part for part in parts if all(part is not one for one in kept)]
    left_out = ""
    if cut:
        environments = many(sum(len(part.members) for part in cut), "environment")
        left_out = f"\n_{len(cut):,} more with {environments} left out: no room in a comment of GitHub's._\n"
    return f"### {heading}\n\n" + "\n".join(part.text for part in kept) + left_out


def _access(summary: Summary, budget: Budget) -> str:
    """How many gain and lose, in as little of the room as the groups' titles get."""
    room = min(budget.left, _TITLES)
    share = Budget(room)
    text = _listed(words.access_title(summary), words.access(summary), share)
    budget.left -= room - share.left
    return text


def _listed(title: str, names: Sequence[str], budget: Budget) -> str:
    """A foldable list of environments."""
    if not names:
        return ""
    start, end = f"<details><summary><b>{prose(clip(title, _LONGEST))}</b></summary>\n", "\n</details>\n"
    budget.take(start + end)
    return f"{start}{_names(names, budget)}{end}"


def _costs(summary: Summary, budget: Budget) -> str:
    if not summary.costs:
        return ""
    rows = [
        f"| {prose(c.what)} | {c.count:,} | {prose(words.cost_words(c))} | {prose(c.driver or 'nothing')} |\n"
        for c in summary.costs
    ]
    kept = [row for row in rows if budget.take(row)]
    table = f"| What | Number | A month | Depends on |\n| --- | ---: | --- | --- |\n{''.join(kept)}" if kept else ""
    heading = "### Starts to bill\n\nUS dollars a month, list prices, all environments together.\n\n"
    return f"{heading}{table}{missing(len(rows) - len(kept), 'item')}"


def _danger(danger: Danger, summary: Summary) -> _Part:
    code_ = words.CODES.get(danger.code, danger.code)
    title = f"**{prose(code_)}: {prose(words.called(danger.members))}**"
    rows = [row for item in danger.findings for row in _finding(item)]
    if danger.findings:
        rows += [f"- Consent: {code(clip(one, _LONGEST))}\n" for one in danger.members[0].consents]
        if len(danger.members) > 1:
            rows.append(
                f"- This is for {prose(danger.members[0].environment)}; the other formats list every consent.\n"
            )
    else:
        (_, message), *others = words.error_lines(danger.error, danger.members[0].exit_code)
        example = "" if danger.is_alike else f" For example in {prose(danger.members[0].environment)}:"
        title += f".{example} {code(clip(message, _LONGEST))}"
        texts = [text for name, text in others if name == "detail" and text.strip()]
        rows += [f"- Next: {code(clip(text, _LONGEST))}\n" for name, text in others if name == "next"]
        rows += [f"- {code(clip(text, _LONGEST))}\n" for text in texts[:_DETAIL]]
        if len(texts) > _DETAIL:
            rows.append(f"- and {many(len(texts) - _DETAIL, 'more line')}\n")
    if danger.items:
        rows += _apart(danger.difference, danger.items, summary)
    return _Part(f"{title}\n", rows, "line", danger.members, _unnamed(danger.members))


def _finding(item: Item) -> Iterator[str]:
    entry = item.entry
    where = f" · {prose(item.where)}" if item.where else ""
    yield f"- **{prose(entry.word)}** {prose(clip(entry.summary, _LONGEST))}\n"
    yield f"  - {code(clip(entry.subject, _LONGEST))}{where}: {code(clip(entry.evidence, _LONGEST))}\n"
    if entry.remedy:
        yield f"  - Remediation: {prose(clip(entry.remedy, _LONGEST))}\n"


def _outlier(outlier: Outlier, summary: Summary) -> _Part:
    title = f"**{prose(words.called(outlier.members))}**: {prose(words.actions(outlier.items))}\n"
    rows = _apart(outlier.difference, outlier.items, summary)
    return _Part(title, rows, "line", outlier.members, _unnamed(outlier.members))


def _unnamed(members: Sequence[Member]) -> list[str]:
    return [member.environment for member in members] if len(members) > 1 else []


def _apart(difference: Difference | None, items: Sequence[Item], summary: Summary) -> list[str]:
    rows = [f"- {prose(words.apart(difference, summary))}\n"]
    if difference is None:
        return rows + [f"  - {_row(item)}\n" for item in items]
    for said, found in (("also", difference.more), ("without", difference.less)):
        rows += [f"  - {said} {_row(item, values=said == 'also')}\n" for item in found]
    for mine, theirs in difference.other:
        facts = [f"{mine.entry.word}, not {theirs.entry.word}"] if mine.entry.word != theirs.entry.word else []
        facts += filter(None, [words.place(mine, theirs)])
        lines = [prose(fact) for fact in facts]
        values = words.differing(mine.entry, theirs.entry, longest=_LONGEST_VALUE)
        lines += [f"{code(path)}: {code(here)}, not {code(there)}" for path, here, there in values]
        rows.append(f"  - differently {_what(mine)}<br>{cell(lines)}\n")
    return rows


def _group(group: Group, summary: Summary) -> _Part:
    title = f"<details><summary><b>{prose(words.group_title(group, summary))}</b>: {prose(words.actions(group.items))}"
    rows = [f"| {code(words.mark(i.entry))} | {_what(i, mark=False)} | {cell(_values(i))} |\n" for i in group.items]
    return _Part(
        f"{title}</summary>\n",
        rows,
        "change",
        group.members,
        _unnamed(group.members),
        "| | Resource | Change |\n| --- | --- | --- |\n",
        "\n</details>\n",
    )


def _row(item: Item, *, values: bool = True) -> str:
    said = _values(item) if values else []
    return f"{_what(item)}{'<br>' if said else ''}{cell(said)}"


def _what(item: Item, *, mark: bool = True) -> str:
    where = f" · {prose(item.where)}" if item.where else ""
    sign = f"{code(words.mark(item.entry))} " if mark and words.mark(item.entry) else ""
    return f"{sign}{code(clip(words.subject(item.entry), _LONGEST))}{where}"


def _values(item: Item) -> list[str]:
    entry = item.entry
    if entry.kind is Kind.CHANGE:
        found = words.changed(entry, longest=_LONGEST_VALUE, with_values=False)
        return [line for detail in found for line in told(detail)]
    return [prose(clip(text, _LONGEST)) for text in (entry.summary, entry.evidence) if text]
