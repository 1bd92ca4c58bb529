"""What a format of a report is, whatever the report is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Subject = TypeVar("Subject")


@dataclass(frozen=True)
class Format(Generic[Subject]):
    """One format of the reports of one subject: a plan, an audit."""

    render: Callable[[Subject], str]
    """The whole report as text, from the subject alone."""
    recognises: Callable[[str], bool]
    """Whether a text begins as a report of this format and kind of subject: such a file may be replaced by a new one.
    It is a whole file, or its first few million characters."""
    errors: str
    """What becomes of a letter that standard output cannot encode (toolkit.visible)."""
    endings: tuple[str, ...]
    """Of files (".sarif"), by which the format is known where only a file is named."""
