"""Tables for spreadsheets: CSV as RFC 4180 has it, whose cells are text and nothing else."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from toolkit.visible import one_line

_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""What a cell begins with that spreadsheets may take for a formula (OWASP, "CSV Injection"), also in East Asia's wide
forms."""


def as_csv(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Heading and rows as text."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(map(inert, heading))
    writer.writerows(map(inert, row) for row in rows)
    return stream.getvalue()


def inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula, in one line: names and reasons are anybody's words."""
    return one_line(f"'{cell}" if cell.startswith(_FORMULA) else cell)
