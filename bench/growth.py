"""How memory grows with the number of users: the numbers that are measured, and what they say together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

COUNTS = (2500, 5000, 10_000)
"""Numbers of users."""


def print_growth(peaks: Sequence[float]) -> None:
    """What a thousand more users take, by the peaks for COUNTS in MiB: the same twice, if it is linear."""
    first, second = (
        1000 * (more - less) / (many - few)
        for (less, more), (few, many) in zip(pairwise(peaks), pairwise(COUNTS), strict=True)
    )
    print(f"  a thousand more users take {first:.1f} MiB up to {COUNTS[1]:,}, and {second:.1f} MiB from there on")
