"""Where text leaves the toolkit: the one way to standard output and standard error.

In: lines with a style, or whole texts. Out: bytes that the stream can carry. Here, and nowhere else, text of others is
made harmless, letters that an encoding lacks are replaced, lines are wrapped, and a stream that cannot be written to is
named. The standard streams are replaced by these for as long as a command runs, so that nothing passes them by: neither
the help of typer nor a warning of Python's.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from typing import IO, Any, cast

from toolkit.errors import ToolkitError
from toolkit.visible import LOG_WIDTH, PLAIN, USUAL_WIDTH, escaped, one_line, wrapped

NARROWEST = 20
"""Columns below which a width is taken for unknown: nobody reads in them, and an address does not fit."""

USUAL_HEIGHT = 24
"""Lines of a terminal that does not tell its height."""

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "magenta": "35", "cyan": "36"}


class OutputError(ToolkitError):
    """Standard output cannot be written to; what should have been shown was not."""


class ReaderGoneError(OutputError):
    """Whoever read standard output has stopped (`toolkit … | head`)."""


class Stream(io.TextIOBase):
    """A text stream of people's words over one of the standard streams."""

    def __init__(self, under: IO[str], *, name: str, vital: bool) -> None:
        """Wrap a stream.

        Args:
            under: What is written to.
            name: How errors name it.
            vital: Whether a failed write is an error. Where it is not (progress on standard error must not stop an
                apply half-way), `failure` remembers it.
        """
        self._under = under
        self._name = name
        self._vital = vital
        self.failure: OSError | None = None
        self.used = False
        """Whether anything was written to it."""

    # What others ask of a text stream.

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The underlying stream's."""
        return getattr(self._under, "encoding", None) or "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        """For `input`, which asks."""
        return "backslashreplace"

    def writable(self) -> bool:
        """It is."""
        return True

    def isatty(self) -> bool:
        """Whether it leads to a terminal."""
        return self._under.isatty()

    def fileno(self) -> int:
        """The underlying stream's."""
        return self._under.fileno()

    def flush(self) -> None:
        """Nothing is held back: every write is flushed."""

    def write(self, text: str) -> int:
        """Write a text whose line ends are meant; all else that could act on a terminal is escaped."""
        self._put(escaped(text))
        return len(text)

    # What the toolkit writes.

    @property
    def width(self) -> int:
        """Columns of a line: those of COLUMNS, else of the terminal; LOG_WIDTH where there is no terminal.

        Pipelines and shells set COLUMNS for processes that write to no terminal, too; it says nothing there.
        """
        if not self.isatty():
            return LOG_WIDTH
        told = os.environ.get("COLUMNS", "")
        # Longer numbers are no widths, and int() refuses those of more than 4,300 digits.
        if told.isascii() and told.isdigit() and len(told) < 10 and int(told) >= NARROWEST:
            return int(told)
        return self.terminal_width

    @property
    def terminal_width(self) -> int:
        """Columns that the terminal has; USUAL_WIDTH where it does not tell."""
        with contextlib.suppress(OSError, ValueError):
            size = os.get_terminal_size(self.fileno()).columns
            if size >= NARROWEST:
                return size
        return USUAL_WIDTH

    @property
    def terminal_height(self) -> int:
        """Lines that the terminal has; USUAL_HEIGHT where it does not tell."""
        with contextlib.suppress(OSError, ValueError):
            size = os.get_terminal_size(self.fileno()).lines
            if size > 1:
                return size
        return USUAL_HEIGHT

    def line(self, text: str, style: str = "", *, colored: bool = False, lead: str = "", lead_style: str = "") -> None:
        """Write one line, wrapped between words; whatever `text` holds, it begins no other.

        Args:
            text: The line without its end.
            style: Words of _STYLES ("bold red").
            colored: Whether to show styles.
            lead: What the line begins with.
            lead_style: The style of that alone.
        """
        pieces = wrapped(lead + one_line(text), self.width)
        if not colored:
            self._put("".join(f"{piece}\n" for piece in pieces))
            return
        first = next(pieces)
        begin = _styled(lead, lead_style) + _styled(first[len(lead) :], style)
        self._put("".join(f"{part}\n" for part in (begin, *(_styled(piece, style) for piece in pieces))))

    def document(self, text: str, errors: str) -> None:
        """Write a text of a format that escapes what it must by itself.

        Args:
            text: The whole text.
            errors: What becomes of a letter that the encoding lacks: PLAIN, JSON or XML.
        """
        self._put(escaped(text), errors)

    def live(self, text: str, wipe: str) -> None:
        """Write over the line that the cursor is in, leaving it there; `wipe` is what clears that line."""
        self._put(wipe + one_line(text))

    def drawn(self) -> IO[str]:
        """A stream for what draws with escape sequences, which makes the words of others harmless by itself."""
        return cast("IO[str]", _Drawn(self))

    def _put(self, text: str, errors: str = PLAIN) -> None:
        if self.failure is not None:
            self._failed(self.failure)
            return
        encoding = self.encoding
        self.used = True
        try:
            self._under.write(text.encode(encoding, errors).decode(encoding))
            self._under.flush()
        except OSError as e:
            self.failure = e
            # What the buffer still holds would fail once more, and loudly, when the interpreter ends.
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._under.fileno())
            self._failed(e)

    def _failed(self, e: OSError) -> None:
        if not self._vital:
            return
        if e.errno == errno.EPIPE:
            raise ReaderGoneError(f"{self._name} was closed by its reader") from e
        reason = "it is closed" if e.errno == errno.EBADF else e.strerror
        raise OutputError(
            f"cannot write to {self._name}: {reason}",
            hint="the output is incomplete: send it to a terminal, or to a file that has room for it",
        ) from e


class _Drawn(io.TextIOBase):
    """See `Stream.drawn`."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, text: str) -> int:
        self._stream._put(text)
        return len(text)


def _styled(text: str, style: str) -> str:
    codes = ";".join(_STYLES[word] for word in style.split())
    return f"\x1b[{codes}m{text}\x1b[0m" if codes and text else text


def stdout() -> Stream:
    """Standard output."""
    found: Any = sys.stdout
    return found if isinstance(found, Stream) else Stream(found, name="standard output", vital=True)


def stderr() -> Stream:
    """Standard error."""
    found: Any = sys.stderr
    return found if isinstance(found, Stream) else Stream(found, name="standard error", vital=False)


@contextlib.contextmanager
def standard_streams() -> Iterator[None]:
    """Make the standard streams these for a while; a closed one (`>&-`) becomes one that cannot be written to."""
    before = sys.stdin, sys.stdout, sys.stderr
    sys.stdin = _opened(sys.stdin, 0, "r")
    sys.stdout = _opened(sys.stdout, 1, "w")
    sys.stderr = _opened(sys.stderr, 2, "w")
    sys.stdout, sys.stderr = stdout(), stderr()
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = before


def _opened(stream: Any, descriptor: int, mode: str) -> Any:
    if stream is not None:
        return stream
    # Its number is free, and the next file to be opened would get it, and with it what was meant for the terminal.
    # Open for reading only, so that writing to it fails as it did before.
    hole = os.open(os.devnull, os.O_RDONLY)
    if hole != descriptor:
        os.dup2(hole, descriptor)
        os.close(hole)
    return open(descriptor, mode, encoding="utf-8", closefd=False)
