"""Which known name a misspelt one probably is. Pure.

A suggestion that is not meant sends people the wrong way, so that the limit is narrow, and decided here alone.
"""

from __future__ import annotations

from collections.abc import Sequence

_LETTERS_AN_EDIT = 4
"""Letters of a name for each edit: a name of seven has one, one of eight two."""
_MOST_EDITS = 3
_SHORTEST_BEGINNING = 3


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The known name that `name` is a misspelling of, or the only one that it is the beginning of; else None."""
    given = name.lower()
    most = min(max(1, len(given) // _LETTERS_AN_EDIT), _MOST_EDITS)
    counted = ((edits(given, candidate.lower(), most), index) for index, candidate in enumerate(known))
    near = min(((count, index) for count, index in counted if count is not None), default=None)
    if near is not None:
        return known[near[1]]
    begun = [candidate for candidate in known if candidate.lower().startswith(given)]
    return begun[0] if len(begun) == 1 and len(given) >= _SHORTEST_BEGINNING else None


def edits(one: str, other: str, most: int) -> int | None:
    """Letters to insert, delete, replace or swap with their neighbour to make one of the other; None: more than `most`.

    The optimal string alignment distance (L. Boytsov, "Indexing methods for approximate dictionary searching", 2011).
    """
    if abs(len(one) - len(other)) > most:
        return None
    far = most + 1
    before, last = [far], list(range(len(other) + 1))
    for i, here in enumerate(one, 1):
        row = [far] * (len(other) + 1)
        row[0] = i
        # What is further from the diagonal needs more edits by its length alone.
        for j in range(max(1, i - most), min(len(other), i + most) + 1):
            there = other[j - 1]
            count = last[j - 1] if here == there else 1 + min(last[j], row[j - 1], last[j - 1])
            if i > 1 and j > 1 and here == other[j - 2] and one[i - 2] == there:
                count = min(count, before[j - 2] + 1)
            row[j] = count
        if min(row) > most:
            return None
        before, last = last, row
    return last[-1] if last[-1] <= most else None
