"""What a correction of moto is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

Method = Callable[..., Any]


@dataclass(frozen=True)
class Patch:
    """One corrected method.

    Attributes:
        name: Short name, also the id of its test.
        owner: The class of moto that is corrected.
        method: Name of its method.
        reason: What moto does and what AWS does, with AWS's documentation as the source.
        correct: Takes moto's method and returns the one that replaces it.
    """

    name: str
    owner: type
    method: str
    reason: str
    correct: Callable[[Method], Method]


class Route(NamedTuple):
    """A path that moto does not route yet, for a call that a patch adds.

    Attributes:
        paths: The table of a service of moto: pattern → what answers.
        pattern: The path to add, as a regular expression.
        dispatch: What answers.
    """

    paths: dict[str, Any]
    pattern: str
    dispatch: Method
