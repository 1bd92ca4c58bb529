"""Words on the terminal: results on stdout, everything else on stderr.

Colour and the live line only where a terminal reads them. With NO_COLOR (no-color.org) or --no-color nothing is
coloured or bold, and no escape sequence is written at all; TERM=dumb goes without the live line, too.
Every function takes lines, of which each is written as one, whatever it holds (toolkit.cli.stream).
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.cli import events
from toolkit.cli.stream import Stream, stderr, stdout
from toolkit.documents import Document
from toolkit.errors import ToolkitError
from toolkit.visible import JSON, PLAIN, USUAL_WIDTH, columns, json_pieces, one_line, wrapped
from toolkit.workflows.observer import Observer

if TYPE_CHECKING:
    from toolkit.terraform.events import Event


class Settings:
    """What the global options say; set once per process by the application's callback."""

    no_color = False
    verbose = False
    chdir: Path | None = None


def colored(stream: Stream) -> bool:
    """Whether this stream gets colour."""
    return (
        stream.isatty()
        and not Settings.no_color
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
    )


def say(*lines: str) -> None:
    """Results, as lines on stdout."""
    for line in lines:
        stdout().line(line)


def tell(*lines: str) -> None:
    """Anything but results, as lines on stderr."""
    for line in lines:
        stderr().line(line)


def show(lines: Iterable[tuple[str, str]], *, to_stderr: bool = False) -> None:
    """Results with their styles, as a report gives them."""
    stream = stderr() if to_stderr else stdout()
    with_colour = colored(stream)
    for text, style in lines:
        stream.line(text, style, colored=with_colour)


def document(text: str, errors: str = PLAIN) -> None:
    """A whole text on stdout, of a format that escapes by itself what others' words in it could do.

    Args:
        text: The text.
        errors: What becomes of letters that the stream's encoding lacks (toolkit.cli.stream).
    """
    stdout().document(text, errors)


def error_line(text: str, *more: str) -> None:
    """ "Error: …" on stderr, and what belongs to it below."""
    stream = stderr()
    stream.line(f" {text}", lead="Error:", lead_style="bold red", colored=colored(stream))
    tell(*more)


def show_error(error: ToolkitError) -> None:
    """An error with its place, its detail and the next step."""
    error_line(str(error))
    if error.detail:
        tell(*(f"  {line}" for line in error.detail.rstrip("\n").split("\n")))
    if error.hint:
        tell(f"Next: {error.hint}")


def print_error(error: ToolkitError) -> None:
    """An error on stdout as JSON, unless the result is there already: a script reads one document."""
    if not stdout().used:
        with contextlib.suppress(ToolkitError):  # whoever cannot write has the error on stderr
            print_json(error.as_data())


class Progress(Observer):
    """Tells progress on stderr: a live line in a terminal, one line per step elsewhere.

    To a run over many environments, it is also sent as events.
    """

    def __init__(self) -> None:
        self._live = stderr().isatty() and os.environ.get("TERM") != "dumb"
        self._events = events.inherited()
        self._stage = ""
        self._started = time.monotonic()
        self._done = 0
        self._steps: int | None = None
        self._shown = 0
        """Columns that the live line takes up; 0 where there is none."""

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def pause(self) -> None:
        """Take the live line away, so that results can be printed."""
        self._clear()

    def stage(self, text: str, steps: int | None = None) -> None:
        """See Observer."""
        self._stage, self._started, self._done, self._steps = text, time.monotonic(), 0, steps
        self._send(stage=text, steps=steps)
        if self._live:
            self._line("")
        else:
            self._say(f"{text} …")

    def progress(self, text: str) -> None:
        """See Observer."""
        self._send(progress=text)
        self._line(text)

    def note(self, text: str) -> None:
        """See Observer."""
        self._say(f"  {text}")

    def warning(self, text: str) -> None:
        """See Observer."""
        self._send(warning=text)
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
                self._line("")
            case e.RefreshComplete():
                self._done += 1
                self._send(read=self._done)
                self._line(f"{self._done} read")
            case e.ApplyStart(action="read") | e.ApplyProgress(action="read") | e.ApplyComplete(action="read"):
                pass  # data sources: read while planning, of no interest to anybody
            case e.ApplyStart() | e.ApplyProgress():
                self._line(f"{self._count} done · {event.address} {event.action}")
            case e.ApplyComplete():
                self._done += 1
                self._send(done=self._done, steps=self._steps)
                took = f" ({event.seconds:.0f} s)" if event.seconds >= 1 else ""
                verb = f"{event.action.rstrip('e')}ed"
                if self._live and not Settings.verbose:
                    self._line(f"{self._count} done · {event.address} {verb}{took}")
                else:
                    count = f"{self._count}: " if self._steps else ""
                    self._say(f"  [{self._elapsed()}] {count}{verb} {event.address}{took}")
            case e.ApplyErrored():
                self._say(f"  [{self._elapsed()}] FAILED {event.action} {event.address}")
            case e.Notice():
                self._say(f"  {event.text}")
            case _:
                pass

    def _send(self, **event: Any) -> None:
        if self._events is not None:
            self._events.send(**event)

    @property
    def _count(self) -> str:
        # Terraform may do more than was counted; a total that is passed is none.
        return f"{self._done} of {self._steps}" if self._steps and self._done <= self._steps else f"{self._done}"

    def _elapsed(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        return f"{minutes}:{seconds:02d}"

    def _line(self, text: str) -> None:
        if not self._live:
            return
        line = one_line(f"{self._stage} … {self._elapsed()}" + (f" · {text}" if text else ""))
        stream = stderr()
        while columns(line) >= stream.terminal_width:
            line = line[:-1]
        stream.live(line, self._wipe())
        self._shown = columns(line)

    def _clear(self) -> None:
        if self._shown:
            stderr().live("", self._wipe())
            self._shown = 0

    def _wipe(self) -> str:
        return "\r\x1b[K" if colored(stderr()) else f"\r{' ' * self._shown}\r"

    def _say(self, text: str) -> None:
        self._clear()
        tell(text)


def print_json(data: Document) -> None:
    """A document on stdout as JSON, for scripts."""
    print_value(data)


def print_value(value: Any) -> None:
    """A value of the user's own on stdout as JSON: an output, whose type is Terraform's."""
    for piece in json_pieces(value):
        document(piece, JSON)
    document("\n", JSON)


def print_policies(policies: Sequence[Mapping[str, Any]]) -> None:
    """IAM policies on stdout as JSON: one alone, or several that are only together what is needed."""
    print_value(policies[0] if len(policies) == 1 else policies)
    if len(policies) > 1:
        tell(f"{len(policies)} policies, each within IAM's length: attach all of them.")


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on stdout: columns by their content, the last one left to run; in a terminal it stays in its column."""
    stream = stdout()
    cells = [[one_line(str(cell)) for cell in row] for row in (headings, *rows)]
    widths = [max(columns(row[i]) for row in cells) for i in range(len(headings) - 1)]
    before = sum(width + 2 for width in widths)
    room = stream.width - before
    for number, row in enumerate(cells):
        lead = "".join(f"{cell}{' ' * (width - columns(cell) + 2)}" for cell, width in zip(row, widths, strict=False))
        style = "" if number else "bold"
        # A column that is too narrow to read is none: then the line is wrapped like any other.
        pieces = list(wrapped(row[-1], room, inset=0)) if room >= _READABLE else [row[-1]]
        for index, piece in enumerate(pieces):
            text = (" " * before if index else lead) + piece
            stream.line(text.rstrip(), style, colored=colored(stream))


_READABLE = 30
"""Columns that the last column of a table needs to be wrapped in itself."""


def relative(path: Path) -> str:
    """A path as users in the working directory name it: relative if it is below, as it is otherwise."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def require_stderr(problem: str) -> None:
    """Stop where something that had to be seen was written to standard error in vain.

    Raises:
        ToolkitError: With `problem`.
    """
    failure = stderr().failure
    if failure is not None:
        raise ToolkitError(
            f"{problem}: cannot write to standard error: {failure.strerror}; nothing was applied",
            hint="run it where standard error can be read",
        )


def help_width() -> int:
    """Columns for help: not too many to read, and 80 where there is no terminal."""
    stream = stdout()
    return max(min(stream.width, _HELP) - 2, _LEAST_HELP) if stream.isatty() else USUAL_WIDTH - 2


_HELP, _LEAST_HELP = 110, 50
"""Columns of help at most and, for the sake of its tables of options, at least."""


def in_terminal() -> bool:
    """Whether somebody can be asked: a terminal to read from and one to show questions in."""
    return sys.stdin.isatty() and stderr().isatty()


def ask(*question: str, wanted: str) -> bool:
    """Whether the person at the terminal answers exactly `wanted`.

    Raises:
        ToolkitError: The question, or what it is about, could not be shown: nobody approves what they cannot see.
    """
    tell(*question)
    stderr().write(f"Only {wanted!r} is accepted: ")
    require_stderr("the question could not be shown")
    try:
        return sys.stdin.readline().strip() == wanted
    except KeyboardInterrupt:
        tell("")  # what follows is a line of its own
        raise
