"""Words on the terminal: results on stdout, everything else on stderr.

Colour and the live line only where a terminal reads them. With NO_COLOR (no-color.org) or --no-color nothing is
coloured or bold, and no escape sequence is written at all; TERM=dumb goes without the live line, too.
rich is imported when something is shown, not before.
"""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from toolkit.errors import ToolkitError
from toolkit.workflows.observer import Observer

if TYPE_CHECKING:
    from rich.console import Console

    from toolkit.terraform.events import Event


class Settings:
    """What the global options say; set once per process by the application's callback."""

    no_color = False
    verbose = False
    chdir: Path | None = None


def colored(stream: Any) -> bool:
    """Whether this stream gets colour."""
    return (
        stream.isatty()
        and not Settings.no_color
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
    )


def out(*, to_stderr: bool = False) -> Console:
    """rich's console for results."""
    from rich.console import Console

    stream = sys.stderr if to_stderr else sys.stdout
    # Without a colour system nothing is bold either; `no_color` alone would leave that.
    system: Literal["auto"] | None = "auto" if colored(stream) else None
    return Console(file=stream, color_system=system, highlight=False, soft_wrap=True)


def error_line(text: str) -> None:
    """ "Error: …" on stderr."""
    mark = "\x1b[1;31mError:\x1b[0m" if colored(sys.stderr) else "Error:"
    sys.stderr.write(f"{mark} {text}\n")


def show_error(error: ToolkitError) -> None:
    """An error with its place, its detail and the next step."""
    error_line(str(error))
    if error.detail:
        sys.stderr.write("".join(f"  {line}\n" for line in error.detail.splitlines()))
    if error.hint:
        sys.stderr.write(f"Next: {error.hint}\n")


class Progress(Observer):
    """Tells progress on stderr: a live line in a terminal, one line per step elsewhere."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._stage = ""
        self._started = time.monotonic()
        self._done = 0
        self._total = 0
        self._shown = 0
        """Columns that the live line takes up; 0 where there is none."""

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def pause(self) -> None:
        """Take the live line away, so that results can be printed."""
        self._clear()

    def stage(self, text: str) -> None:
        """See Observer."""
        self._stage, self._started, self._done, self._total = text, time.monotonic(), 0, 0
        if self._live:
            self._line("")
        else:
            self._say(f"{text} …")

    def note(self, text: str) -> None:
        """See Observer."""
        self._say(f"  {text}")

    def warning(self, text: str) -> None:
        """See Observer."""
        self._say(f"Warning: {text}")

    def command(self, argv: Sequence[str]) -> None:
        """See Observer."""
        if Settings.verbose:
            self._say(f"+ {shlex.join(argv)}")

    def event(self, event: Event) -> None:
        """See Observer."""
        from toolkit.terraform import events as e

        match event:
            case e.PlannedChange():
                self._total += 1
                self._line("")
            case e.RefreshComplete():
                self._done += 1
                self._line(f"{self._done} read")
            case e.ApplyStart(action="read") | e.ApplyProgress(action="read") | e.ApplyComplete(action="read"):
                pass  # data sources: read while planning, of no interest to anybody
            case e.ApplyStart() | e.ApplyProgress():
                self._line(f"{self._done} done · {event.address} {event.action}")
            case e.ApplyComplete():
                self._done += 1
                took = f" ({event.seconds:.0f} s)" if event.seconds >= 1 else ""
                verb = f"{event.action.rstrip('e')}ed"
                if self._live and not Settings.verbose:
                    self._line(f"{self._done} done · {event.address} {verb}{took}")
                else:
                    self._say(f"  [{self._elapsed()}] {verb} {event.address}{took}")
            case e.ApplyErrored():
                self._say(f"  [{self._elapsed()}] FAILED {event.action} {event.address}")
            case e.Notice():
                self._say(f"  {event.text}")
            case _:
                pass

    def _elapsed(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        return f"{minutes}:{seconds:02d}"

    def _line(self, text: str) -> None:
        if not self._live:
            return
        width = os.get_terminal_size(sys.stderr.fileno()).columns
        line = f"{self._stage} … {self._elapsed()}" + (f" · {text}" if text else "")
        line = line[: max(width - 1, 20)]
        sys.stderr.write(f"{self._wipe()}{line}")
        sys.stderr.flush()
        self._shown = len(line)

    def _clear(self) -> None:
        if self._shown:
            sys.stderr.write(self._wipe())
            sys.stderr.flush()
            self._shown = 0

    def _wipe(self) -> str:
        return "\r\x1b[K" if colored(sys.stderr) else f"\r{' ' * self._shown}\r"

    def _say(self, text: str) -> None:
        self._clear()
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def print_json(data: Any) -> None:
    """Data on stdout as JSON, for scripts."""
    import json

    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on stdout: columns by their content, the last one left to run."""
    widths = [max(len(str(row[i])) for row in (headings, *rows)) for i in range(len(headings))]
    bold, plain = ("\x1b[1m", "\x1b[0m") if colored(sys.stdout) else ("", "")

    def line(row: Sequence[str]) -> str:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)]
        return "  ".join(cells).rstrip()

    sys.stdout.write(f"{bold}{line(headings)}{plain}\n")
    for row in rows:
        sys.stdout.write(line(row) + "\n")


def ask(question: str, wanted: str) -> bool:
    """Whether the person at the terminal answers exactly `wanted`."""
    sys.stderr.write(f"{question}\nOnly {wanted!r} is accepted: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() == wanted
