"""How workflows tell what they are doing. The default says nothing; the CLI supplies one that writes to stderr."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.terraform.events import Event

EVENTS_FD = "TOOLKIT_EVENTS_FD"
"""Names the pipe to which a command writes its progress that runs for a run over many environments."""


class Observer:
    """Receives progress. Every method does nothing here, so that callers who do not care need not."""

    def stage(self, text: str, steps: int | None = None) -> None:
        """A step begins ("Planning sandbox"); `steps`: how many resources it is done with at its end, where known."""

    def progress(self, text: str) -> None:
        """How far the step is by now; replaces what was said of it before."""

    def note(self, text: str) -> None:
        """Something worth knowing happened."""

    def warning(self, text: str) -> None:
        """Something to look at, though the work goes on."""

    def event(self, event: Event) -> None:
        """Terraform reports something."""

    def command(self, argv: Sequence[str]) -> None:
        """A Terraform command line is about to run."""
