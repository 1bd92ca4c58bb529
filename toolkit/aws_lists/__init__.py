"""Lists copied from AWS: each a JSON file that says where it is from, when it was taken, and how it is renewed.

AWS adds names every week, so a list is never the last word: a name that is not in it is a misspelling of one that is,
or newer than the list. `AwsList.nearest` tells the two apart; `toolkit.settings.listed` refuses the one and reports
the other. `scripts/renew_lists.py` renews the lists. Pure data: never asks AWS.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from toolkit.spelling import edits

FOLDER = Path(__file__).parent
_WORD = re.compile(r"[A-Z]{2,}(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
_DIGITS = re.compile(r"[0-9]+")
_MOST_EDITS = 2


@dataclass(frozen=True)
class AwsList:
    """One list.

    Attributes:
        name: Of its file.
        title: What it lists, in words that follow "not in the list of".
        source: Whom it was taken from, with the version ("moto 5.2.5").
        url: AWS's page, or the file of the source, that has the same facts.
        date: Day on which it was taken, YYYY-MM-DD.
        renew: How it is renewed.
        items: Names, or name → facts.
        unconfirmed: What of it no source confirmed.
    """

    name: str
    title: str
    source: str
    url: str
    date: str
    renew: str
    items: Any
    unconfirmed: str = ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every name, in the file's order."""
        return tuple(self.items)

    def __contains__(self, name: object) -> bool:
        return name in self.items

    @property
    def taken(self) -> str:
        """Its origin, for messages."""
        return f"taken on {self.date} from {self.source}"

    def nearest(self, name: str) -> str | None:
        """The listed name that `name` is a misspelling of; None where it is listed, or looks like a newer one.

        Names of AWS differ in few letters (`EBS_…`, `EFS_…`), so that nearness alone says little. A near name is a
        misspelling where it has a word that no listed name has, or one letter too many or too few. Another number is
        another version.
        """
        if name in self.items:
            return None
        lower = name.lower()
        near = [(n, listed) for listed in self.names if (n := edits(lower, listed.lower(), _MOST_EDITS)) is not None]
        without = _DIGITS.sub("", name)
        near = [(count, listed) for count, listed in near if _DIGITS.sub("", listed) != without]
        if near and self._words.issuperset(_WORD.findall(name)):
            near = [(n, listed) for n, listed in near if n == 0 or (n == 1 and len(name) != len(listed))]
        return min(near, key=lambda one: one[0])[1] if near else None

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(word for listed in self.names for word in _WORD.findall(listed))


@cache
def aws_list(name: str) -> AwsList:
    """The list of that name."""
    facts: Mapping[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return AwsList(name=name, **facts)
