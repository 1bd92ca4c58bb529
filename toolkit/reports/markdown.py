"""A plan as a comment for a pull request, in GitHub's Markdown.

A marker in the first line lets CI find and update the one comment of an environment. GitHub takes 65,536 characters:
whatever the plan, the comment is shorter. First what each row says is cut, then whole rows are left out and counted;
tables and foldable blocks stay whole. What is given room first: findings that block, who gains access (at most a
quarter of all), costs, other findings, what is deleted or replaced, other changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from toolkit.access.changes import AccessChanges
from toolkit.access.changes import Group as AccessGroup
from toolkit.findings import Finding
from toolkit.plan.cost import CostLine
from toolkit.plan.irreversible import Lasting
from toolkit.plan.model import Change
from toolkit.reports.details import Detail, clip, details
from toolkit.reports.text import ACCESS, fixed
from toolkit.reports.view import DANGER, MARKS, Group, PlanView
from toolkit.visible import one_line

LIMIT = 65_536
"""Characters of a comment that GitHub takes ("Body is too long (maximum is 65536 characters)")."""

RESERVE = 512
"""For the sentences about what was left out."""
_CUTS = (1000, 300, 120)
"""How long what a finding says may be: as long as all that block can be kept."""
_SHARE = 4
"""Of the whole comment, access gets one part of so many at most."""
_LONGEST_VALUE = 200
_LONGEST_CELL = 4000
_LONGEST_FACT = 300


def marker(environment: str) -> str:
    """The first line, by which CI finds the comment to update."""
    return f"<!-- aws-baseline-toolkit:plan:{one_line(environment)} -->"


def render(view: PlanView) -> str:
    """The comment; at most LIMIT characters, and as many bytes of UTF-8."""
    budget = Budget(LIMIT - RESERVE)
    head = f"{marker(view.manifest.environment)}\n{_head(view)}"
    foot = _foot(view)
    budget.take(head + foot)
    blocking = [f for f in view.findings if f.blocks]
    findings = _Table(_FINDINGS, "finding")
    cuts = ([_finding_row(f, cut) for f in blocking] for cut in _CUTS)
    rows = next((rows for rows in cuts if budget.fits(findings.frame + "".join(rows))), None)
    findings.fill([_finding_row(f, _CUTS[-1]) for f in blocking] if rows is None else rows, budget)
    access = _access(view.access, budget)
    costs = _Table(_COSTS, "item")
    costs.fill([_cost_row(line) for line in view.estimate.lines], budget)
    stays = _Table(_STAYS, "change")
    stays.fill([_stays_row(entry) for entry in view.irreversible], budget)
    findings.fill([_finding_row(f, _CUTS[1]) for f in view.findings if not f.blocks], budget)
    blocks, left_out = _blocks(view, budget)
    return "\n".join(
        part
        for part in (
            head,
            findings.text("### Findings\n"),
            access.text(f"### {ACCESS}\n"),
            stays.text("### Cannot be undone once applied\n"),
            _changes(blocks, left_out),
            costs.text(f"### Starts to bill\n\nUS dollars a month, list prices as of {view.estimate.as_of}.\n"),
            foot,
        )
        if part
    )


_MARKER = re.compile(r"<!-- aws-baseline-toolkit:plan:[^\n>]* -->\n")


def recognises(text: str) -> bool:
    """Whether a text is such a comment."""
    return _MARKER.match(text) is not None


def _size(text: str) -> int:
    """What a text counts at most, whoever counts: bytes are never fewer than characters or UTF-16 units are; a line
    end counts twice, since a form sends it as two."""
    return len(text.encode("utf-8", "replace")) + text.count("\n")


@dataclass
class Budget:
    """What is left of the limit."""

    left: int

    def fits(self, text: str) -> bool:
        """Whether there is room for a text."""
        return _size(text) <= self.left

    def take(self, text: str) -> bool:
        """Give a text its room, if there is as much."""
        if not self.fits(text):
            return False
        self.left -= _size(text)
        return True


@dataclass
class _Table:
    """A table that takes whole rows as long as there is room, and counts the others."""

    head: str
    noun: str
    rows: list[str] = field(default_factory=list)
    left_out: int = 0

    @property
    def frame(self) -> str:
        """What the table costs without any row, a heading above and the count below included."""
        return f"{self.head}{'-' * 200}"

    def fill(self, rows: Sequence[str], budget: Budget) -> None:
        if rows and not self.rows and not budget.take(self.frame):
            self.left_out += len(rows)
            return
        for row in rows:
            if budget.take(row):
                self.rows.append(row)
            else:
                self.left_out += 1

    def text(self, heading: str) -> str:
        if not self.rows and not self.left_out:
            return ""
        table = f"{self.head}{''.join(self.rows)}" if self.rows else ""
        return f"{heading}\n{table}{missing(self.left_out, self.noun)}"


def missing(count: int, noun: str) -> str:
    """The line that counts what was left out; empty where nothing was."""
    if not count:
        return ""
    return f"\n_{count} more {noun}{'s' if count != 1 else ''} left out: no room in a comment of GitHub's._\n"


def _head(view: PlanView) -> str:
    m = view.manifest
    plan = view.plan
    alert = f"> [!CAUTION]\n> **{prose(view.verdict)}** Nothing was applied.\n\n" if view.refused else ""
    verdict = "" if view.refused else f"{prose(view.verdict)}\n\n"
    totals = "" if plan.empty else f"**{prose(plan.totals)}**; {plan.unchanged} unchanged.\n\n"
    facts = [
        prose(view.place),
        f"planned {prose(m.created)} by {code(clip(m.caller_arn, _LONGEST_FACT))}",
        f"expires {prose(m.expires)}",
        prose(f"{m.terraform}, toolkit {m.toolkit_version}"),
    ]
    if m.git_commit:
        facts.append(f"commit {code(m.git_commit[:12])}{' with uncommitted changes' if m.git_dirty else ''}")
    return f"## {prose(view.title)}\n\n{alert}{totals}{verdict}<sub>{' · '.join(facts)}</sub>\n"


def _foot(view: PlanView) -> str:
    if view.plan.empty or view.refused:
        return ""
    return f"Apply exactly this plan: {code(f'toolkit apply {view.manifest.environment} --plan BUNDLE')}\n"


_ACCESS = "| | Who | What changes |\n| --- | --- | --- |\n"
_FINDINGS = "| | Finding | Evidence | Remediation | Consent |\n| --- | --- | --- | --- | --- |\n"
_COSTS = "| What | Number | A month | Depends on | Price |\n| --- | ---: | --- | --- | --- |\n"
_STAYS = "| Resource | What stays |\n| --- | --- |\n"
_CHANGES = "| | Resource | Change |\n| --- | --- | --- |\n"


def _finding_row(finding: Finding, longest: int) -> str:
    f = finding
    word = f"**{f.verdict}**" if f.blocks else f.verdict
    if f.consented_by is not None:
        consent = prose(clip(f.consented_by, longest))
    else:
        consent = code(clip(f.consent, longest)) if f.consent else "none is possible" if f.blocks else "not needed"
    what = prose(clip(f.summary, longest))
    if f.subject not in f.summary:
        what += f"<br>{code(clip(f.subject, longest))}"
    if f.controls:
        what += f"<br>{prose(clip(', '.join(f.controls), longest))}"
    evidence, remedy = code(clip(f.evidence, longest)), prose(clip(f.remedy, longest))
    return f"| {word} | {what} | {evidence} | {remedy} | {consent} |\n"


def _access(access: AccessChanges, budget: Budget) -> _Table:
    """Who may do otherwise than before: gains first, then losses, then what is not known."""
    table = _Table(_ACCESS, "access change")
    rows = [_access_row("**gains**", group) for group in access.gains]
    rows += [_access_row("loses", group) for group in access.losses]
    rows += [f"| not known | | {prose(clip(gap, _CUTS[0]))} |\n" for gap in access.gaps]
    room = min(budget.left, LIMIT // _SHARE)
    share = Budget(room)
    table.fill(rows, share)
    budget.left -= room - share.left
    return table


def _access_row(word: str, group: AccessGroup) -> str:
    lines = [prose(clip(line, _CUTS[0])) for line in group.lines]
    return f"| {word} | {prose(clip(group.title, _CUTS[0]))} | {cell(lines)} |\n"


def _stays_row(entry: Lasting) -> str:
    return f"| {code(clip(entry.address, _LONGEST_FACT))} | {prose(entry.summary)} |\n"


def _cost_row(line: CostLine) -> str:
    price = "<br>".join(prose(text) for text in (line.basis, *line.notes))
    cells = (prose(line.what), str(line.count), prose(fixed(line)), prose(line.driver or "nothing"), price)
    return f"| {' | '.join(cells)} |\n"


@dataclass
class _Block:
    """The foldable block of one group."""

    group: Group
    open: bool
    """Whether it is shown unfolded: what is lost should not have to be looked for."""
    rows: dict[int, str] = field(default_factory=dict)
    """Place in the group → row."""

    @property
    def summary(self) -> str:
        return f"<b>{prose(self.group.title)}</b>: {prose(self.group.counts)}"

    @property
    def frame(self) -> str:
        return self._around(_CHANGES, missing(len(self.group.changes), "resource"))

    @property
    def text(self) -> str:
        table = f"{_CHANGES}{''.join(self.rows[i] for i in sorted(self.rows))}" if self.rows else ""
        return self._around(table, missing(len(self.group.changes) - len(self.rows), "resource"))

    def _around(self, table: str, left_out: str) -> str:
        start = "<details open>" if self.open else "<details>"
        return f"{start}<summary>{self.summary}</summary>\n\n{table}{left_out}\n</details>\n"


def _blocks(view: PlanView, budget: Budget) -> tuple[list[_Block], list[Group]]:
    """Blocks as far as there is room, and the groups for which there is not even a block without rows.

    Every group gets its block before any gets rows, so that the first ones do not use up the room of all others.
    """
    blocks, left_out = [], []
    if view.plan.changes:
        budget.take("-" * 400)  # heading, and the sentence about groups left out
    for group in (*view.losses, *view.others):
        block = _Block(group, open=group in view.losses)
        if budget.take(block.frame):
            blocks.append(block)
        else:
            left_out.append(group)
    waiting = [(block, i, change) for block in blocks for i, change in enumerate(block.group.changes)]
    for block, index, change in sorted(waiting, key=lambda w: DANGER.index(w[2].action)):
        row = _change_row(change)
        if budget.take(row):
            block.rows[index] = row
    return blocks, left_out


def _changes(blocks: Iterable[_Block], left_out: Sequence[Group]) -> str:
    text = "".join(block.text for block in blocks)
    if left_out:
        changes = sum(len(group.changes) for group in left_out)
        text += (
            f"\n_{len(left_out)} more groups with {changes} resources left out: no room in a comment of GitHub's._\n"
        )
    return f"### Changes\n\n{text}" if text else ""


def _change_row(change: Change) -> str:
    words = [code(clip(change.address, _LONGEST_FACT))]
    if change.imported:
        words.append("(import)")
    if change.previous_address:
        words.append(f"(moved from {code(clip(change.previous_address, _LONGEST_FACT))})")
    cells = [line for detail in details(change, longest=_LONGEST_VALUE, with_values=False) for line in told(detail)]
    return f"| {code(MARKS[change.action])} | {' '.join(words)} | {cell(cells)} |\n"


def told(detail: Detail) -> Iterator[str]:
    """What changes in one attribute, as pieces of a cell."""
    forces = " **forces replacement**" if detail.forces_replacement else ""
    value = ""
    if detail.before is not None and detail.after is not None:
        value = f" {code(detail.before)} → {code(detail.after)}"
    yield f"{code(detail.path)}:{value}{forces}"
    yield from (code(line) for line in detail.lines)


def cell(lines: Sequence[str]) -> str:
    """As many lines as a cell may hold, the others counted."""
    kept: list[str] = []
    used = 0
    for line in lines:
        used += len(line)
        if used > _LONGEST_CELL:
            return "<br>".join([*kept, f"… {len(lines) - len(kept)} more"])
        kept.append(line)
    return "<br>".join(kept)


# Any of these could begin Markdown, HTML, a mention, a reference to another issue, a formula or a table's next cell.
_SPECIAL = re.compile(r"[&<>|\\`*~\[\]#!@$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|(?<=:)//")


def _entity(match: re.Match[str]) -> str:
    return "".join(f"&#{ord(c)};" for c in match.group())


def code(text: str) -> str:
    """Text in a fixed font, literally. GitHub makes no mentions, references or emoji of what stands in <code>."""
    return f"<code>{_SPECIAL.sub(_entity, one_line(text))}</code>"


_LIVE = re.compile(
    r"&#(?:64|35);(?=\w)"  # @mention, #12
    r"|:(?=&#47;)"  # https://
    r"|\bGH(?=-\d)"  # GH-12
    r"|\bwww(?=\.)"  # www.example.com
    r"|\b(?:mailto|xmpp)(?=:)"
    r"|(?<![\w:]):(?=[a-z0-9_+-]+:)"  # :tada:, but not arn:aws:iam, which people copy
    r"|(?<![0-9a-z])(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,40}(?![0-9a-z])",  # a commit, but no account number
    re.IGNORECASE,
)
"""What GitHub would make a link, mention or emoji of, up to where a zero-width space keeps it from that.

Sources: GitHub Docs, "Autolinked references and URLs", "Basic writing and formatting syntax"; GFM spec 0.29, 6.9
"Autolinks (extension)".
"""


def prose(text: str) -> str:
    """Text as it is, with nothing in it that GitHub would make mentions, references, links or emoji of."""
    # A commit is recognized by seven digits; everything else that is matched is shorter or an entity.
    return _LIVE.sub(
        lambda m: "".join(f"{part}&#8203;" for part in re.findall(r"&#\d+;|.{1,6}", m.group())),
        _SPECIAL.sub(_entity, one_line(text)),
    )
