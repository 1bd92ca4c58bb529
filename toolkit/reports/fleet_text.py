"""A summary of many environments for the terminal: what is refused or failed, what is odd, then what is alike.

The last line says the counts again, since that is what a screen still shows. Verbose names every environment, and
shows every value.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from toolkit.fleet.entries import LOSSES
from toolkit.fleet.summary import Danger, Difference, Entry, Group, Item, Kind, Member, Summary
from toolkit.reports import fleet_words as words
from toolkit.reports.text import Line, many, plain
from toolkit.visible import one_line, wrapped

_FEW = 6
"""Environments that are named; with -v, all are."""
_SCREENFUL = 40
"""Changes that are listed one by one; of more than these, those alike are counted."""
_TYPES = 6
_FINDINGS = 10
"""Of one environment that are told one by one, the worst first."""
_CONSENTS = 3
_DETAIL = 6
"""Lines of other people's words."""
_LONGEST_VALUE = 100
_STYLES = {
    **dict.fromkeys(("delete", "replace", "gone", "critical"), "bold red"),
    **dict.fromkeys(("update", "differs", "medium", "uncovered", "unknown"), "yellow"),
    **dict.fromkeys(("import", "move", "note"), "cyan"),
    "gains": "bold red",
    "create": "green",
    "forget": "magenta",
    "high": "red",
    "consented": "dim",
}


def render(summary: Summary) -> str:
    """The summary as plain text, with every environment and value."""
    return plain(summary_lines(summary, verbose=True))


_FIRST = re.compile(r"[A-Z][a-z]+ of [\d,]+ environments?: [^\n]*\.\n")


def recognises(text: str) -> bool:
    """Whether a text is such a summary."""
    return _FIRST.match(text) is not None


def summary_lines(summary: Summary, *, verbose: bool = False) -> Iterator[Line]:
    """The lines of a summary.

    Args:
        summary: What to show.
        verbose: Name every environment, and show the values of what is created and deleted, too.
    """
    show = _Lines(summary, verbose=verbose)
    yield f"{words.title(summary)}: {words.verdict(summary)}", "bold"
    dangers, odd, _, not_run = words.HEADINGS
    if title := words.access_title(summary):
        yield from _heading(title, "bold yellow")
        yield from show.listed(words.access(summary), "  ")
    if summary.dangers:
        yield from _heading(dangers, "bold red")
        for danger in summary.dangers:
            yield from show.danger(danger)
    if summary.outliers:
        yield from _heading(odd, "bold yellow")
        for outlier in summary.outliers:
            yield f"  {words.called(outlier.members)}: {words.actions(outlier.items)}", "bold"
            yield from show.names(outlier.members)
            yield from show.difference(outlier.difference, outlier.items)
    for group in summary.groups:
        yield from show.group(group)
    if words.has_placeholders(summary):
        yield "", ""
        yield words.PLACEHOLDERS, "dim"
    if summary.unchanged:
        yield from _heading(words.unchanged_title(summary), "bold")
        yield from show.listed([m.environment for m in summary.unchanged], "  ")
    if summary.not_run:
        yield from _heading(not_run, "bold")
        yield from show.not_run()
    if summary.costs:
        yield from _heading("Starts to bill, all environments together (US dollars a month, list prices):", "bold")
        for cost in summary.costs:
            driver = f" ({cost.driver})" if cost.driver else ""
            yield f"  {cost.count:,} x {cost.what}: {words.cost_words(cost)}{driver}", ""
    yield "", ""
    yield words.verdict(summary), "bold red" if summary.dangers else "bold"


def _heading(text: str, style: str) -> Iterator[Line]:
    yield "", ""
    yield text, style


class _Lines:
    """Parts of one summary."""

    def __init__(self, summary: Summary, *, verbose: bool) -> None:
        self._summary = summary
        self._verbose = verbose

    def danger(self, danger: Danger) -> Iterator[Line]:
        """Environments that are refused or failed, and why."""
        code = words.CODES.get(danger.code, danger.code)
        yield f"  {code}: {words.called(danger.members)}", "bold red"
        yield from self.names(danger.members)
        shown = danger.findings if self._verbose else danger.findings[:_FINDINGS]
        for item in shown:
            yield from self._finding(item)
        if len(shown) < len(danger.findings):
            yield f"    and {many(len(danger.findings) - len(shown), 'more finding')} (with -v, all are listed)", ""
        if danger.findings:
            yield from self._consents(danger.members)
        else:
            yield from self._error(danger)
        if danger.items:
            yield from self.difference(danger.difference, danger.items)

    def _finding(self, item: Item) -> Iterator[Line]:
        entry = item.entry
        yield f"    {entry.word}: {entry.summary}", _STYLES.get(entry.word, "")
        yield f"      {entry.subject}{_in(item)}: {entry.evidence}", ""
        if entry.remedy:
            yield f"      remediation: {entry.remedy}", ""

    def _consents(self, members: Sequence[Member]) -> Iterator[Line]:
        every = [consent for member in members for consent in member.consents]
        shown = every if self._verbose else every[:_CONSENTS]
        yield f"    consent:{'' if every else ' none is possible'}", ""
        yield from ((f"      {consent}", "") for consent in shown)
        if len(every) > len(shown):
            yield f"      and {len(every) - len(shown):,} more (with -v, all are listed)", ""

    def _error(self, danger: Danger) -> Iterator[Line]:
        if not danger.is_alike:
            yield f"    for example in {danger.members[0].environment}:", "dim"
        left = None if self._verbose else _DETAIL
        lines = list(words.error_lines(danger.error, danger.members[0].exit_code))
        for name, text in lines:
            if name == "detail":
                if left == 0:
                    continue
                left = None if left is None else left - 1
                yield f"      {text}", "dim"
            elif name == "next":
                yield f"    next: {text}", ""
            else:
                yield f"    {text}", "red"
        cut = sum(name == "detail" for name, _ in lines) - _DETAIL
        if not self._verbose and cut > 0:
            yield f"      and {many(cut, 'more line')} (with -v, all are shown)", "dim"

    def difference(self, difference: Difference | None, items: Sequence[Item]) -> Iterator[Line]:
        """How environments differ from the group that they are most like; else all that is changed there."""
        yield f"    {words.apart(difference, self._summary)}:", ""
        if difference is None:
            yield from self._items(items, "      ")
            return
        if difference.more:
            yield "      also:", "bold"
            yield from self._items(difference.more, "        ")
        if difference.less:
            yield "      without:", "bold"
            yield from self._items(difference.less, "        ", values=False)
        if difference.other:
            yield "      differently:", "bold"
            for mine, theirs in difference.other:
                yield from self._otherwise(mine, theirs)

    def _otherwise(self, mine: Item, theirs: Item) -> Iterator[Line]:
        entry = mine.entry
        yield f"        {_marked(mine)}", _STYLES.get(entry.word, "")
        if entry.word != theirs.entry.word:
            yield f"            {entry.word}, not {theirs.entry.word}", ""
        if where := words.place(mine, theirs):
            yield f"            {where}", ""
        for path, here, there in words.differing(entry, theirs.entry, longest=_LONGEST_VALUE):
            yield f"            {path}: {here}, not {there}", ""

    def group(self, group: Group) -> Iterator[Line]:
        """Environments with the same changes."""
        yield from _heading(words.group_title(group, self._summary), "bold")
        if len(group.members) > 1:
            yield from self.listed([m.environment for m in group.members], "  ")
        if group.near:
            yield f"  {many(group.near, 'other environment')} compared with it above", "dim"
        yield f"  {words.actions(group.items)}", ""
        yield from self._items(group.items, "  ")

    def _items(self, items: Sequence[Item], indent: str, *, values: bool = True) -> Iterator[Line]:
        fold = not self._verbose and len(items) > _SCREENFUL
        alike: dict[tuple[str, tuple[str, ...]], list[Item]] = {}
        outputs = [f"{words.mark(i.entry)} {i.entry.subject}" for i in items if i.entry.kind is Kind.OUTPUT]
        for item in items:
            entry = item.entry
            if entry.kind is Kind.OUTPUT:
                continue
            if fold and entry.kind is Kind.CHANGE and entry.word not in LOSSES:
                alike.setdefault((entry.word, tuple(self._values(entry))), []).append(item)
                continue
            yield f"{indent}{_marked(item)}", _STYLES.get(entry.word, "")
            if values:
                yield from ((f"{indent}      {line}", "") for line in self._values(entry))
        for (word, lines), of in alike.items():
            yield f"{indent}{_marked(of[0]) if len(of) == 1 else _counted(of)}", _STYLES.get(word, "")
            if values:
                yield from ((f"{indent}      {line}", "") for line in lines)
        if outputs:
            yield f"{indent}outputs: {', '.join(outputs)}", "dim"
        if any(len(of) > 1 for of in alike.values()):
            yield f"{indent}Similar changes are grouped; -v lists each one with its values.", "dim"

    def _values(self, entry: Entry) -> Iterator[str]:
        if entry.kind is Kind.CHANGE:
            for detail in words.changed(entry, longest=_LONGEST_VALUE, with_values=self._verbose):
                yield from detail.text()
        elif entry.kind in (Kind.CHECK, Kind.IRREVERSIBLE, Kind.ACCESS):
            yield entry.summary
        else:
            yield from filter(None, [f"{entry.summary} {entry.evidence}".strip()])

    def names(self, members: Sequence[Member]) -> Iterator[Line]:
        """Which environments they are, where the line above does not say so."""
        if len(members) > 1:
            yield from self.listed([member.environment for member in members], "    ")

    def listed(self, names: Sequence[str], indent: str) -> Iterator[Line]:
        """Names of environments; those that are not shown are counted."""
        shown = names if self._verbose else names[:_FEW]
        more = f" and {len(names) - len(shown):,} more" if len(shown) < len(names) else ""
        text = one_line(f"{indent}{', '.join(shown)}{more}")
        yield from ((line, "dim") for line in wrapped(text, 110, inset=0))

    def not_run(self) -> Iterator[Line]:
        """Environments whose command was not run, by the reason."""
        for reason, names in words.not_run(self._summary).items():
            yield f"  {reason}: {many(len(names), 'environment')}", ""
            yield from self.listed(names, "    ")


def _marked(item: Item) -> str:
    if item.entry.kind is Kind.IRREVERSIBLE:
        return f"{'!':<3} {words.subject(item.entry)}{_in(item)} cannot be undone"
    return f"{words.mark(item.entry):<3} {words.subject(item.entry)}{_in(item)}"


def _counted(items: Sequence[Item]) -> str:
    """ "~   35 aws_config_config_rule, 2 aws_kms_key"."""
    types: Counter[str] = Counter()
    for item in items:
        types[item.entry.type or item.entry.subject] += item.count
    named = ", ".join(f"{number} {name}" for name, number in types.most_common(_TYPES))
    more = sum(number for _, number in types.most_common()[_TYPES:])
    return f"{words.mark(items[0].entry):<3} {named}{f' and {more} of other types' if more else ''}"


def _in(item: Item) -> str:
    return f" · {item.where}" if item.where else ""
