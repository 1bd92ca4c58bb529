"""Tables for spreadsheets: CSV as RFC 4180 has it, whose cells are text and nothing else."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from toolkit.visible import inert


def as_csv(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Heading and rows as text."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(map(inert, heading))
    writer.writerows(map(inert, row) for row in rows)
    return stream.getvalue()
