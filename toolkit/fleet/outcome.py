"""What a command came to for one environment, and the one exit code of a run over many. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.errors import ExitCode

ORDER = (
    ExitCode.INTERRUPTED,
    ExitCode.ERROR,
    ExitCode.WRONG_ACCOUNT,
    ExitCode.BAD_PLAN,
    ExitCode.LOCKED,
    ExitCode.REFUSED,
    ExitCode.OUT_OF_DATE,
    ExitCode.CHANGES,
    ExitCode.OK,
)
"""Exit codes from the one that must not be missed to the one that says nothing (docs/exit-codes.md)."""

_DONE = (ExitCode.OK, ExitCode.CHANGES)


@dataclass(frozen=True)
class Outcome:
    """How one command ended for one environment."""

    environment: str
    command: str
    """plan, apply, drift, audit, discover, controls."""
    exit_code: int
    """As a command of one environment ends (docs/exit-codes.md)."""
    document: Mapping[str, Any] | None
    """What it printed as JSON where it did its work; None where it printed nothing, or an error."""
    error: Mapping[str, Any] | None
    """The `error` document (message, where, detail, next) where it failed; None where it did not."""
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether it did not do its work. Changes, drift and failed or unknown checks are results, not failures."""
        if self.command == "audit" and self.document is not None and self.exit_code == ExitCode.ERROR:
            return False
        return self.exit_code not in _DONE


def fold(codes: Iterable[int]) -> ExitCode:
    """The exit code of a run over many environments: the first of ORDER that any of them ended with.

    Args:
        codes: One per environment; any other code than those of ORDER is an error.
    """
    ranked = [ORDER.index(ExitCode(code) if code in ORDER else ExitCode.ERROR) for code in codes]
    return ORDER[min(ranked)] if ranked else ExitCode.OK
