"""A summary of many environments as one HTML file: no script, nothing loaded from anywhere.

The template is templates/reports/fleet.html.j2; `toolkit.reports.page` has what keeps a browser from running anything.
"""

from __future__ import annotations

from toolkit.fleet.summary import Entry, Kind, Summary
from toolkit.reports import fleet_words as words
from toolkit.reports import page
from toolkit.reports.details import ABSENT, Detail
from toolkit.reports.text import many

_LONGEST_VALUE = 4000
_LONGEST_DIFFERENCE = 300
_UNFOLDED = 40
"""Changes up to which those of a group are shown unfolded."""


def render(summary: Summary) -> str:
    """The page."""
    dangers = sum(len(danger.members) for danger in summary.dangers)
    counts, start = [], 0
    for kind, number, text in words.counts(summary):
        counts.append((kind, number, start, text))
        start += number
    return page.render(
        "fleet.html.j2",
        page.FLEET,
        styles=("page.css", "plan.css", "fleet.css"),
        summary=summary,
        words=words,
        headings=words.HEADINGS,
        refused=many(dangers, "environment") if dangers else "",
        counts=counts,
        placeholders=words.has_placeholders(summary),
        unfolded=_UNFOLDED,
        absent=ABSENT,
        details=_details,
        differing=_differing,
        texts=_texts,
        many=many,
    )


def recognises(text: str) -> bool:
    """Whether a text is such a page."""
    return page.recognises(text, page.FLEET)


def _details(entry: Entry) -> tuple[Detail, ...]:
    return words.changed(entry, longest=_LONGEST_VALUE, with_values=True)


def _differing(mine: Entry, theirs: Entry) -> list[tuple[str, str, str]]:
    return list(words.differing(mine, theirs, longest=_LONGEST_DIFFERENCE))


def _texts(entry: Entry) -> list[str]:
    """What is said of an entry that has no attributes."""
    return [] if entry.kind is Kind.CHANGE else [text for text in (entry.summary, entry.evidence) if text]
