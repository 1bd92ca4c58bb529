"""The words of a summary of many environments, which all its formats share. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.fleet.placeholders import ACCOUNT, ENVIRONMENT, HOME, REGION
from toolkit.fleet.summary import (
    Attribute,
    Cost,
    Danger,
    Difference,
    Entry,
    Group,
    Item,
    Kind,
    Member,
    Outlier,
    Summary,
)
from toolkit.plan.model import Action, AttributeChange, Change, Marker
from toolkit.reports.details import Detail, details
from toolkit.reports.text import many
from toolkit.reports.view import DANGER, MARKS

HEADINGS = ("Refused or failed", "Unlike the others", "Alike", "Not run")
"""Of the sections, in their order; of what has no changes, see `Words.unchanged`."""
CODES = {
    "refused": "refused",
    "weaker": "weakened outside of Terraform",
    "error": "failed",
    "wrong-account": "wrong account or credentials",
    "bad-plan": "unusable plan",
    "locked": "locked",
    "interrupted": "interrupted",
    "out-of-date": "out of date",
    "usage": "wrong command line",
}
"""Code of a danger → what happened to its environments."""
PLACEHOLDERS = f"{ENVIRONMENT}, {ACCOUNT}, {REGION} and {HOME}: each environment's own name, account and region."


@dataclass(frozen=True)
class Words:
    """How the results of one command are called."""

    change: str
    """One thing that environments have alike."""
    unchanged: str
    """What environments without any are."""


_COMMANDS = {
    "plan": Words("change", "without changes"),
    "apply": Words("change", "without changes"),
    "destroy": Words("change", "without changes"),
    "drift": Words("difference", "without drift"),
    "audit": Words("failed check", "without failed checks"),
    "controls": Words("uncovered requirement", "without uncovered requirements"),
    "render": Words("file", "up to date"),
}


def words_of(summary: Summary) -> Words:
    """How the results of its command are called."""
    return _COMMANDS.get(summary.command, Words("result", "done"))


def title(summary: Summary) -> str:
    """ "Plan of 500 environments"."""
    return f"{(summary.command or 'run').capitalize()} of {many(summary.total, 'environment')}"


def counts(summary: Summary) -> list[tuple[str, int, str]]:
    """What became of the environments: a name for it ("danger"), how many, and words ("refused"); they add up."""
    codes: Counter[str] = Counter()
    for danger in summary.dangers:
        codes[danger.code] += len(danger.members)
    found = [("danger", number, CODES.get(code, code)) for code, number in codes.items()]
    odd, grouped = (sum(len(one.members) for one in part) for part in (summary.outliers, summary.groups))
    sizes = sum(bool(group.members) for group in summary.groups)
    found += [
        ("odd", odd, "unlike the others"),
        ("alike", grouped, f"in {many(sizes, 'group')}"),
        ("unchanged", len(summary.unchanged), words_of(summary).unchanged),
        ("not-run", len(summary.not_run), "not run"),
    ]
    return [one for one in found if one[1]]


def verdict(summary: Summary) -> str:
    """ "3 refused, 2 unlike the others, 480 in 2 groups, 15 without changes."."""
    return ", ".join(f"{number:,} {words}" for _, number, words in counts(summary)) + "."


def called(members: Sequence[Member]) -> str:
    """ "prod (account 123456789012)", "12 environments"."""
    if len(members) != 1:
        return many(len(members), "environment")
    account = f" (account {members[0].account_id})" if members[0].account_id else ""
    return f"{members[0].environment}{account}"


def group_title(group: Group, summary: Summary) -> str:
    """ "Group 1: the same 14 changes in 9 environments"."""
    what = amount(group.items, summary)
    if not group.members:
        return f"Group {group.number}: {what} in more than half of the environments that change"
    if len(group.members) > 1:
        what = f"the same {what.removeprefix('1 ')}"
    return f"Group {group.number}: {what} in {called(group.members)}"


def amount(items: Sequence[Item], summary: Summary) -> str:
    """ "14 changes"; outputs count where nothing else is changed, as in Terraform's own totals."""
    number = sum(item.count for item in items if item.entry.counts)
    return many(number, words_of(summary).change) if number else many(len(items), "output")


def unchanged_title(summary: Summary) -> str:
    """ "15 environments without changes"."""
    return f"{many(len(summary.unchanged), 'environment')} {words_of(summary).unchanged}"


def access_title(summary: Summary) -> str:
    """ "Who can do what changes in 2 environments"; empty where it does in none."""
    found = sum(bool(one.gains or one.losses) for one in summary.members)
    return f"Who can do what changes in {many(found, 'environment')}" if found else ""


def access(summary: Summary) -> list[str]:
    """ "prod: 2 principals gain, 1 loses", the environment with the most gains first."""
    found = sorted((m for m in summary.members if m.gains or m.losses), key=lambda m: (-m.gains, m.environment))
    return [f"{m.environment} ({', '.join(_numbers(m))})" for m in found]


def _numbers(member: Member) -> Iterator[str]:
    for number, word in ((member.gains, "gain"), (member.losses, "lose")):
        if number:
            yield f"{many(number, 'principal')} {word}{'s' if number == 1 else ''}"


def apart(difference: Difference | None, summary: Summary) -> str:
    """How a set of changes relates to the groups: a sentence for what follows it."""
    if difference is None:
        return f"Has no {words_of(summary).change} in common with a group"
    if difference.group is None:
        return f"Most environments are {words_of(summary).unchanged}"
    same = not (difference.more or difference.less or difference.other)
    return f"{'The same as' if same else 'As'} group {difference.group}{'' if same else ', but'}"


def actions(items: Iterable[Item]) -> str:
    """ "1 to delete, 3 to create"; of other commands than a plan ("3 high, 2 unknown")."""
    found: Counter[str] = Counter()
    for item in items:
        if item.entry.counts:
            found[item.entry.word] += item.count
    order = [action.value for action in DANGER]
    ranked = sorted(found, key=lambda word: order.index(word) if word in order else -1)
    return ", ".join(f"{found[word]} to {word}" if word in order else f"{found[word]} {word}" for word in ranked)


def mark(entry: Entry) -> str:
    """What stands before it: Terraform's mark of an action, or a word."""
    return MARKS[Action(entry.word)] if entry.word in _ACTIONS else entry.word


def subject(entry: Entry) -> str:
    """What it is about, with what else is to be known of the subject."""
    text = f"output {entry.subject}" if entry.kind is Kind.OUTPUT else entry.subject
    if entry.imported:
        text += " (import)"
    if entry.previous_address:
        text += f" (moved from {entry.previous_address})"
    return text


def changed(entry: Entry, *, longest: int, with_values: bool) -> tuple[Detail, ...]:
    """What changes in a resource, in the words of every report."""
    return details(_change(entry), longest=longest, with_values=with_values) if entry.attributes else ()


def differing(mine: Entry, theirs: Entry, *, longest: int) -> Iterator[tuple[str, str, str]]:
    """Attributes that two changes of the same resource give other values: path, value here, value in the group."""
    sides = [
        {detail.path: "; ".join((*filter(None, [detail.values]), *detail.lines)) for detail in found}
        for found in (changed(one, longest=longest, with_values=True) for one in (mine, theirs))
    ]
    for path in dict.fromkeys((*sides[0], *sides[1])):
        here, there = (side.get(path, "(unchanged)") for side in sides)
        if here != there:
            yield path, here, there


def not_run(summary: Summary) -> dict[str, list[str]]:
    """Reason → environments whose command was not run."""
    reasons: dict[str, list[str]] = {}
    for name, reason in summary.not_run.items():
        reasons.setdefault(reason, []).append(name)
    return reasons


def place(mine: Item, theirs: Item) -> str | None:
    """How often a change is there and in the group, where that differs."""
    if (mine.home, mine.others) == (theirs.home, theirs.others):
        return None
    return f"in {mine.where or many(mine.count, 'place')}, not in {theirs.where or many(theirs.count, 'place')}"


def cost_words(cost: Cost) -> str:
    """What something costs each month; "depends on usage" where there is no fixed part."""
    if cost.monthly_usd is None:
        return "depends on usage"
    return f"{cost.monthly_usd:,.2f}" + (", and usage on top" if cost.driver else "")


def has_placeholders(summary: Summary) -> bool:
    """Whether any text has a placeholder, which is to be explained."""
    parts: list[Danger | Outlier | Group] = [*summary.dangers, *summary.outliers, *summary.groups]
    shown = [item.entry for part in parts for item in part.items]
    shown += [item.entry for danger in summary.dangers for item in danger.findings]
    return any(
        "«" in text
        for entry in shown
        for text in (entry.subject, entry.summary, entry.evidence, entry.remedy, *map(str, entry.attributes))
    )


def error_lines(error: Mapping[str, Any] | None, exit_code: int) -> Iterator[tuple[str, str]]:
    """What an error says: "message", "detail" or "next", and a line of it; the message first."""
    if not error:
        ended = f"was stopped by signal {-exit_code}" if exit_code < 0 else f"ended with exit code {exit_code}"
        yield "message", f"{ended} without an error message"
        return
    where = f"{error['where']}: " if error.get("where") else ""
    yield "message", f"{where}{error.get('message') or ''}"
    for line in str(error.get("detail") or "").splitlines():
        yield "detail", line
    if error.get("next"):
        yield "next", str(error["next"])


_ACTIONS = frozenset(action.value for action in Action)
_MARKERS = {marker.value: marker for marker in Marker}


def _change(entry: Entry) -> Change:
    action = {"differs": Action.UPDATE, "gone": Action.DELETE}.get(entry.word) or Action(entry.word)
    return Change(
        entry.subject,
        entry.type or "",
        "",
        action,
        entry.component,
        "",
        tuple(map(_attribute, entry.attributes)),
        imported=entry.imported,
        previous_address=entry.previous_address,
    )


def _attribute(one: Attribute) -> AttributeChange:
    return AttributeChange(one.path, _marked(one.before), _marked(one.after), one.forces_replacement)


def _marked(value: Any) -> Any:
    if isinstance(value, str):
        return _MARKERS.get(value, value)
    if isinstance(value, list):
        return [_marked(one) for one in value]
    return {key: _marked(one) for key, one in value.items()} if isinstance(value, dict) else value
