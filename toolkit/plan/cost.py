"""What a plan starts to bill: an estimate with its price basis, or an honest "unknown" with what it depends on.

In: a Plan. Out: CostLines. A price is part of the type's record (toolkit/resources/price.py): it names AWS's price
page, the day on which it was compared with it, and what could not be confirmed. Every type that the modules make has a
price or the reason why it is free, so nothing that bills is ever shown as zero, or left out, because its usage is
unknown.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from toolkit.plan.model import Action, Change, Plan
from toolkit.resources.price import Price, Step
from toolkit.resources.registry import RESOURCES


@dataclass(frozen=True)
class CostLine:
    """One kind of thing that the plan starts to bill."""

    what: str
    count: int
    """How many of it start to bill."""
    monthly_usd: float | None
    """Fixed part per month for all of them, in US dollars; None where all depends on usage."""
    basis: str
    driver: str | None
    """What the part that depends on usage depends on; None where the fixed part is all."""
    source: str
    """URL of AWS's price page."""
    checked: str
    """Date, as YYYY-MM-DD, on which the figures were compared with it."""
    regions: str | None = None
    """Differences in other regions that are known; None where none is."""
    unconfirmed: str | None = None
    """Which of the figures the comparison could not confirm; None where it confirmed all."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What has to be read with the basis, one sentence each, for every report to show."""
        return tuple(
            f"{label}: {text}"
            for label, text in (
                ("other regions", self.regions),
                ("not confirmed against AWS's price page", self.unconfirmed),
            )
            if text
        )


@dataclass(frozen=True)
class Estimate:
    """Everything a plan starts to bill."""

    lines: tuple[CostLine, ...]
    as_of: str
    """The oldest date, as YYYY-MM-DD, on which an item of the price table was checked."""

    @property
    def fixed_usd(self) -> float:
        """Sum of the fixed parts, US dollars per month; what depends on usage comes on top."""
        return sum(line.monthly_usd or 0 for line in self.lines)

    @property
    def unconfirmed(self) -> tuple[CostLine, ...]:
        """Lines with figures that were not confirmed against AWS's price page."""
        return tuple(line for line in self.lines if line.unconfirmed)


def estimate(plan: Plan) -> Estimate:
    """What the plan's creates and switched-on features start to bill, the highest fixed parts first."""
    prices = {name: record.price for name, record in RESOURCES.items() if isinstance(record.price, Price)}
    counts = Counter(c.type for c in plan.changes if c.type in prices and prices[c.type].starts(_step(c)))
    lines = (
        CostLine(
            what=price.what,
            count=counts[kind],
            monthly_usd=None if price.fixed is None else price.fixed * counts[kind],
            basis=price.basis,
            driver=price.driver,
            source=price.source,
            checked=price.checked,
            regions=price.regions,
            unconfirmed=price.unconfirmed,
        )
        for kind, price in prices.items()
        if kind in counts
    )
    ordered = sorted(lines, key=lambda line: (-(line.monthly_usd or 0), line.what))
    return Estimate(tuple(ordered), min(price.checked for price in prices.values()))


def _step(change: Change) -> Step:
    return Step(
        created=change.action is Action.CREATE and not change.imported,
        changed=change.action in (Action.UPDATE, Action.REPLACE),
        before=change.before,
        after=change.after,
        keys=RESOURCES[change.type].keys,
    )
