"""How many calls of AWS may be made, and until when, by everything that shares one budget. Calls no AWS."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Budget:
    """Calls and time that one or more inventories may use; several threads may."""

    def __init__(
        self, calls: int | None, *, minutes: float | None = None, on_call: Callable[[int], None] = lambda _: None
    ) -> None:
        """Args:
        calls: How many calls may be made; None: any number.
        minutes: For how long, from now on; None: without end.
        on_call: Told how many calls were made, at each one, possibly from several threads.
        """
        self._calls = calls
        self._minutes = minutes
        self._on_call = on_call
        self._end = None if minutes is None else time.monotonic() + 60 * minutes
        self._made = 0
        self._stopped: str | None = None
        self._refused: str | None = None
        self._lock = threading.Lock()

    @property
    def made(self) -> int:
        """How many calls were made."""
        return self._made

    @property
    def refused(self) -> str | None:
        """Why a call was not made; None: each was, and whoever asked has read everything."""
        return self._refused

    @property
    def spent(self) -> str | None:
        """Why no further call may be made; None: one may."""
        if self._stopped is not None:
            return self._stopped
        if self._calls is not None and self._made >= self._calls:
            return f"{self._calls} calls were made"
        if self._end is not None and time.monotonic() >= self._end:
            return f"{self._minutes:g} minutes are over"
        return None

    def take(self) -> str | None:
        """Take one call; None if it may be made, else why it may not."""
        with self._lock:
            why = self.spent
            if why is None:
                self._made += 1
                self._on_call(self._made)
            else:
                self._refused = why
            return why

    def allow(self, calls: int) -> None:
        """Let so many calls be made in all."""
        self._calls = calls

    def stop(self, why: str) -> None:
        """Let no further call be made."""
        self._stopped = why
