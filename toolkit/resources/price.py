"""What a Terraform type bills: its list price and what starts it, or why it is free.

Prices are in US dollars, of us-east-1, without taxes and free tiers; other regions differ by up to a few tens of
percent, and GovCloud and China have their own. They were compared not with the live page but with what public archives
keep of it and of AWS's price list (for us-east-1, or us-east-2 at the same price), or with quotations of them; how old
those are varies. Nothing here was ever compared with a bill. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.addresses import value_at


@dataclass(frozen=True)
class Step:
    """What a plan does to one resource.

    Attributes:
        created: Whether it is made; one that is imported was there already.
        changed: Whether it was there and is changed or replaced.
        before: Its values before; empty for one that is made.
        after: Its values after; empty for one that is deleted.
        keys: Of the type's record: by which attributes entries of a list are told apart.
    """

    created: bool
    changed: bool
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    keys: Mapping[str, tuple[str, ...]]


Starts = Callable[[Step], bool]
"""Whether a step starts to bill."""


def created(step: Step) -> bool:
    """It bills from its creation on."""
    return step.created


def created_if(attribute: str, part: str) -> Starts:
    """It bills from its creation on, if the attribute's value has the part in it."""
    return lambda step: step.created and part in str(step.after.get(attribute))


def switched(path: str, *on: object) -> Starts:
    """It bills while the attribute has one of these values, whatever the plan does to get there."""
    return lambda step: value_at(step.after, path) in on and value_at(step.before, path) not in on


def grows(*paths: str) -> Starts:
    """What was there bills already; what is switched on in it, or added to a list of it, starts to."""

    def test(step: Step) -> bool:
        sides = (
            tuple(_entries(step.keys.get(path), value_at(side, path)) for side in (step.before, step.after))
            for path in paths
        )
        return step.changed and any(more(before, after) for before, after in sides)

    return test


def either(*tests: Starts) -> Starts:
    """One of the tests is met."""
    return lambda step: any(test(step) for test in tests)


def more(before: Any, after: Any) -> bool:
    """Whether an attribute gets something that it did not have: an entry, or the state of being on."""
    if isinstance(after, list):
        return any(entry not in (before or ()) for entry in after)
    return after in (True, "ENABLED") and after != before


def _entries(keys: tuple[str, ...] | None, value: Any) -> Any:
    """Of the entries of a keyed list only what tells one from another, so that no name counts."""
    if not keys or not isinstance(value, list):
        return value
    return [{name: value_at(entry, name) for name in keys} for entry in value]


@dataclass(frozen=True)
class Price:
    """A type that bills.

    Attributes:
        what: It, for people.
        basis: The prices, for people.
        source: AWS's price page.
        checked: The day, as YYYY-MM-DD, on which the figures were compared.
        fixed: The part per month that does not depend on usage; None where all of it does.
        driver: What the part that depends on usage depends on; None where the fixed part is all.
        regions: Differences in other regions that were seen; there are more. None: none was.
        unconfirmed: Figures that no source gave: they are as the authors knew them. None: all were confirmed.
        starts: What of a change starts to bill.
    """

    what: str
    basis: str
    source: str
    checked: str
    fixed: float | None = None
    driver: str | None = None
    regions: str | None = None
    unconfirmed: str | None = None
    starts: Starts = created


@dataclass(frozen=True)
class Free:
    """A type that has no charge of its own.

    Attributes:
        reason: Why.
        source: AWS's page.
        checked: The day, as YYYY-MM-DD, on which it was read.
    """

    reason: str
    source: str
    checked: str
