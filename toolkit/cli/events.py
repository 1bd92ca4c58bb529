"""Progress of a command that runs for a run over many environments: lines of JSON to the pipe that the run reads.

A run that has died, is stopped, or does not read must not stop the command: what the pipe does not take is left out.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
from functools import cache
from typing import Any

from toolkit.workflows.observer import EVENTS_FD

_LONGEST = 1000
"""Characters of a text: a line of JSON must fit into what a pipe takes whole (PIPE_BUF, pipe(7))."""


class Events:
    """The pipe."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)

    def send(self, **event: Any) -> None:
        """Write one event, if that is possible now."""
        short = {key: value[:_LONGEST] if isinstance(value, str) else value for key, value in event.items()}
        with contextlib.suppress(OSError):
            os.write(self._descriptor, json.dumps(short).encode() + b"\n")


@cache
def inherited() -> Events | None:
    """The pipe that a run has started this process with; None where there is none.

    A user may have set the variable: events never go into this process's own input, output or a file.
    """
    named = os.environ.get(EVENTS_FD, "")
    if not (named.isascii() and named.isdigit() and len(named) < 6):
        return None
    descriptor = int(named)
    if descriptor <= 2:
        return None
    try:
        written = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY
        return Events(descriptor) if written and stat.S_ISFIFO(os.fstat(descriptor).st_mode) else None
    except OSError:
        return None
