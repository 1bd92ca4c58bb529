"""SIGINT, SIGTERM and SIGHUP at any moment of a command: one graceful stop, decided here for the whole process.

Each becomes a KeyboardInterrupt wherever the command is, so that everything it holds is given back: folders with plans,
locks, what it has started. While Terraform runs, toolkit.terraform.process takes them over and passes them on. What was
changed by then is reported (`report`), and what must not be cut in two is not (`uninterrupted`).

A further signal within GRACE_SECONDS is the same keypress delivered twice, or a terminal that closes, and would only
cut off the cleaning up. A later one is meant: it stops that, too.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_SECONDS = 2.0

Report = Callable[[], "str | None"]


class _Process:
    """What this process knows of signals; they reach its main thread alone."""

    pid = 0
    since: float | None = None
    """When the last one was taken as a request to stop; None: none was."""
    whole = 0
    """How many `uninterrupted` blocks the main thread is in."""
    waiting = False
    """Whether one came in there."""
    reports: tuple[Report, ...] = ()


def begin(*, always: bool = False) -> None:
    """From now on, signals stop this process gracefully; what it ignores (`nohup`) it still ignores.

    Args:
        always: SIGINT even where it is ignored: of a run over many environments, which stops its commands by it.
    """
    _Process.pid = os.getpid()
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN or (always and number is signal.SIGINT):
            signal.signal(number, _stop)


def end() -> None:
    """Everything is said: a signal from now on ends this process at once, without a traceback."""
    for number in SIGNALS:
        if signal.getsignal(number) is _stop:
            signal.signal(number, signal.SIG_DFL)


def _stop(number: int, _frame: FrameType | None) -> None:
    if os.getpid() != _Process.pid:
        os._exit(128 + number)  # a copy of this process, which has begun no work of its own yet
    now = time.monotonic()
    first = _Process.since is None
    if _Process.since is not None and now - _Process.since < GRACE_SECONDS:
        return
    _Process.since = now
    if first and _Process.whole:
        _Process.waiting = True
        return
    _Process.waiting = False
    raise KeyboardInterrupt


def stopping() -> None:
    """This command ends with an error that must be read, of a signal or not: a signal adds nothing for a while."""
    _Process.since, _Process.waiting = time.monotonic(), False


def waits() -> bool:
    """Whether a signal came in this `uninterrupted` block: who starts what takes long in it, stops that."""
    return _Process.waiting


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """A step that is done whole: a signal meanwhile stops the command after it. For steps of moments alone.

    An error on its way ends the command with more to say than that it was interrupted, and is not replaced.

    Raises:
        KeyboardInterrupt: A signal came; everything inside is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _Process.whole += 1
    try:
        yield
    finally:
        _Process.whole -= 1
        if not _Process.whole and _Process.waiting and not isinstance(sys.exc_info()[1], Exception):
            _Process.waiting = False
            raise KeyboardInterrupt


def report(what: str | Report) -> None:
    """Say what this command has changed for good, in case that it is interrupted later.

    Args:
        what: A clause ("the plan is saved as x"); or a function that tells it, called once it is interrupted, with None
            for nothing.
    """
    _Process.reports += (what if callable(what) else lambda: what,)


def reported() -> tuple[str, ...]:
    """What was changed by now, in the order in which it was reported."""
    return tuple(text for one in _Process.reports if (text := one()))


def forget() -> None:
    """Another command begins in this process: nothing was changed, nothing stops it."""
    _Process.since, _Process.waiting, _Process.reports = None, False, ()
