"""Rules about values of any kind: a pattern, a list without repetition, a place that must be filled in."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import AfterValidator

TO_FILL_IN = "…"
"""What `toolkit new` writes where somebody has to fill something in."""


def filled_in(value: str) -> str:
    """Refuse the mark that `toolkit new` wrote."""
    if value == TO_FILL_IN:
        raise ValueError("expected words in place of the mark that `toolkit new` wrote")
    return value


def checked(pattern: str | re.Pattern[str], expected: str) -> AfterValidator:
    """Validator of a string that must match a whole pattern.

    Args:
        pattern: Where it is text, `\\w` and its like mean ASCII.
        expected: The end of the sentence "expected …".
    """
    compiled = re.compile(pattern, re.ASCII) if isinstance(pattern, str) else pattern

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(f"expected {expected}")
        return value

    return AfterValidator(check)


def _day(value: str) -> str:
    try:
        # fromisoformat alone also takes 20270131 and 2027-W04-7: the modules do not, and as texts they sort wrongly.
        if date.fromisoformat(value).isoformat() == value:
            return value
    except ValueError:
        pass
    raise ValueError("expected a day, like 2027-03-31")


Day = Annotated[str, AfterValidator(_day)]
"""A day of the calendar as YYYY-MM-DD; two of them compare as texts as they do as days."""


def no_repetition(values: tuple[str, ...]) -> tuple[str, ...]:
    """A list that stands for a set: naming a thing twice is a slip of the pen."""
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        raise ValueError(f"expected each value once, but {', '.join(repeated)} is repeated")
    return values


def at_least_one(values: tuple[str, ...]) -> tuple[str, ...]:
    """A list that must not be empty: with no value it would do nothing, or everything.

    Not `min_length`: pydantic would say "too short" also of a list whose one entry is wrong.
    """
    if not values:
        raise ValueError("expected at least one value")
    return values
