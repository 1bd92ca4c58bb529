"""A summary of many environments as JSON for scripts: docs/output.schema.json, versioned. Nothing is left out.

New keys may be added; the version grows when one changes or goes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from toolkit import __version__
from toolkit.documents import Document, document, is_document
from toolkit.fleet.summary import Danger, Difference, Entry, Group, Item, Kind, Member, Outlier, Summary
from toolkit.visible import json_text


def render(summary: Summary) -> str:
    """The summary as JSON text."""
    return json_text(summary_data(summary)) + "\n"


def recognises(text: str) -> bool:
    """Whether a text is such JSON."""
    return is_document("fleet", text, "command")


def summary_data(summary: Summary) -> Document:
    """The summary as plain data (docs/output.schema.json)."""
    listed = _Entries()
    data = {
        "toolkit": __version__,
        "command": summary.command,
        "exit_code": int(summary.exit_code),
        "counts": {
            "environments": summary.total,
            "dangers": _count(summary.dangers),
            "outliers": _count(summary.outliers),
            "grouped": _count(summary.groups),
            "unchanged": len(summary.unchanged),
            "not_run": len(summary.not_run),
        },
        "dangers": [
            {
                "code": one.code,
                "environments": _names(one.members),
                "findings": listed.items(one.findings),
                "consents": [consent for member in one.members for consent in member.consents],
                "changes": listed.items(one.items),
                "difference": listed.difference(one.difference),
            }
            for one in summary.dangers
        ],
        "outliers": [
            {
                "environments": _names(one.members),
                "changes": listed.items(one.items),
                "difference": listed.difference(one.difference),
            }
            for one in summary.outliers
        ],
        "groups": [
            {
                "number": one.number,
                "environments": _names(one.members),
                "changes": listed.items(one.items),
                "compared": one.near,
            }
            for one in summary.groups
        ],
        "unchanged": _names(summary.unchanged),
        "not_run": [{"environment": name, "reason": reason} for name, reason in summary.not_run.items()],
        "costs": [dataclasses.asdict(one) for one in summary.costs],
        "environments": [
            {
                "environment": one.environment,
                "account_id": one.account_id,
                "region": one.region,
                "exit_code": one.exit_code,
                "seconds": one.seconds,
                "error": None if one.error is None else dict(one.error),
                "gains": one.gains,
                "losses": one.losses,
            }
            for one in summary.members
        ],
    }
    return document("fleet", {**data, "entries": listed.data})


def _count(parts: Iterable[Danger | Outlier | Group]) -> int:
    return sum(len(one.members) for one in parts)


def _names(members: Sequence[Member]) -> list[str]:
    return [one.environment for one in members]


class _Entries:
    """What is told once, whoever has it: `items` tell who does."""

    def __init__(self) -> None:
        self.data: list[dict[str, Any]] = []
        self._numbers: dict[int, int] = {}

    def items(self, items: Iterable[Item]) -> list[dict[str, Any]]:
        """Items, each with the place of its entry in `data`."""
        return [self._item(one) for one in items]

    def difference(self, difference: Difference | None) -> dict[str, Any] | None:
        """How a set of changes differs from a group."""
        if difference is None:
            return None
        return {
            "group": difference.group,
            "more": self.items(difference.more),
            "less": self.items(difference.less),
            "other": [{"here": self._item(mine), "in_group": self._item(theirs)} for mine, theirs in difference.other],
        }

    def _item(self, item: Item) -> dict[str, Any]:
        # A summary has one object for what is the same.
        number = self._numbers.setdefault(id(item.entry), len(self.data))
        if number == len(self.data):
            self.data.append(_entry(item.entry))
        return {
            "entry": number,
            "count": item.count,
            "places": [
                {
                    "regions": list(place.regions),
                    "environments": None if place.environments is None else list(place.environments),
                }
                for place in item.places
            ],
        }


def _entry(entry: Entry) -> dict[str, Any]:
    common = {
        "about": entry.kind.value,
        "action": entry.word,
        "subject": entry.subject,
        "type": entry.type,
        "component": entry.component,
    }
    if entry.kind is not Kind.CHANGE:
        texts = {"summary": entry.summary, "evidence": entry.evidence, "remedy": entry.remedy}
        return {**common, "rule": entry.rule, **texts}
    return {
        **common,
        "imported": entry.imported,
        "previous_address": entry.previous_address,
        "attributes": [
            {"path": a.path, "before": a.before, "after": a.after, "forces_replacement": a.forces_replacement}
            for a in entry.attributes
        ],
    }
