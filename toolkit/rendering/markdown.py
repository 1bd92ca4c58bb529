"""Settings' values in Markdown pages: any string is data, and reads as itself in a table's cell, a list or a line."""

from __future__ import annotations

import re

_ANYWHERE = re.compile(r"([\\`*_\[\]<>|&~$])")
_AT_THE_START = re.compile(r"\A([-+=#]|[0-9]+(?=[.)]))")


def escape(text: str) -> str:
    """Text on one line in which nothing is markup (CommonMark 0.31, "Backslash escapes"; GFM adds | and ~)."""
    line = _ANYWHERE.sub(r"\\\1", " ".join(text.split()))
    # A list or a heading begins so.
    return _AT_THE_START.sub(lambda m: m[1] + "\\" if m[1].isdigit() else "\\" + m[1], line)
