"""The catalogue of sensitive actions, each with what it is judged on.

In: sensitive_actions.json, which names its source. Out: questions. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from toolkit.access.judging import Question
from toolkit.access.model import World


@dataclass(frozen=True)
class Sensitive:
    """One action.

    Attributes:
        action: As AWS spells it.
        group: What it is about ("logging").
        reason: What it does, as the rest of a sentence.
        on: What of the environment it is judged on (`World.places`); None: any resource.
    """

    action: str
    group: str
    reason: str
    on: str | None = None

    def questions(self, world: World) -> tuple[Question, ...]:
        """What to ask: on each of the resources that it is about, or on any where the world has none of them."""
        places = world.places.get(self.on, ()) if self.on is not None else ()
        return tuple(Question(self.action, place) for place in places) or (Question(self.action),)


@cache
def catalogue() -> tuple[Sensitive, ...]:
    """Every sensitive action, by group."""
    listed = json.loads((Path(__file__).parent / "sensitive_actions.json").read_text("utf-8"))["actions"]
    return tuple(Sensitive(one["action"], one["group"], one["reason"], one.get("on")) for one in listed)


def questions(world: World) -> Iterator[tuple[Sensitive, Question]]:
    """The whole catalogue as questions about a world."""
    for one in catalogue():
        for question in one.questions(world):
            yield one, question
