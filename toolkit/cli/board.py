"""What runs now, for many environments: one live block in a terminal, a line for each step elsewhere.

The block shows what runs, longest first, and counts the rest; it never takes more than the terminal has. Text of others
passes `one_line` before it gets to rich, which writes the escape sequences.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.cli import console
from toolkit.cli.stream import stderr
from toolkit.visible import one_line
from toolkit.workflows.commands import Job, Watcher

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

    from toolkit.fleet.outcome import Outcome

_PER_SECOND = 4
_AROUND = 4
"""Lines of the terminal that are left for the heading, the counts and the cursor."""


@dataclass
class _Line:
    job: Job
    started: float
    doing: str = ""
    warnings: int = 0


@dataclass
class Board(Watcher):
    """Shows progress on standard error."""

    _lines: dict[str, _Line] = field(default_factory=dict)
    _ended: dict[str, int] = field(default_factory=lambda: {"done": 0, "failed": 0})
    _started: float = field(default_factory=time.monotonic)
    _shown: float = 0.0
    _live: Live | None = None

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()

    def pause(self) -> None:
        """Take the block away, so that results can be printed."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def began(self, job: Job) -> None:
        """See Watcher."""
        self._lines[job.environment] = _Line(job, time.monotonic())
        if not _in_terminal():
            self._say(f"{job.environment}: {job.phase}")

    def event(self, job: Job, event: Mapping[str, Any]) -> None:
        """See Watcher."""
        line = self._lines.get(job.environment)
        if line is None:
            return
        if isinstance(event.get("warning"), str):
            line.warnings += 1
            self._say(f"{job.environment}: Warning: {event['warning']}")
        elif isinstance(event.get("done"), int):
            steps = event.get("steps")
            line.doing = f"{event['done']} of {steps} done" if steps else f"{event['done']} done"
        elif isinstance(event.get("read"), int):
            line.doing = f"{event['read']} read"
        elif isinstance(event.get("progress"), str):
            line.doing = event["progress"]
        elif isinstance(event.get("stage"), str):
            line.doing = event["stage"]

    def ended(self, job: Job, outcome: Outcome) -> None:
        """See Watcher."""
        self._lines.pop(job.environment, None)
        self._ended["failed" if outcome.failed else "done"] += 1
        if outcome.failed:
            why = (outcome.error or {}).get("message") or "refused by a guard"
            self._say(f"{job.environment}: FAILED {job.phase} (exit code {outcome.exit_code}): {why}")
        elif not _in_terminal():
            self._say(f"{job.environment}: {job.phase} done ({outcome.seconds:.0f} s)")

    def notice(self, text: str) -> None:
        """See Watcher."""
        self._say(text)

    def tick(self) -> None:
        """See Watcher."""
        now = time.monotonic()
        if not _in_terminal() or now - self._shown < 1 / _PER_SECOND:
            return
        self._shown = now
        if self._live is None:
            self._live = _live()
            self._live.start()
        self._live.update(self.table(stderr().terminal_height), refresh=True)

    def table(self, height: int) -> Table:
        """The block, for a terminal of so many lines."""
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="bold")
        for heading in ("ENVIRONMENT", "PHASE", "PROGRESS"):
            table.add_column(heading, no_wrap=True, overflow="ellipsis")
        table.add_column("ELAPSED", no_wrap=True, justify="right")
        running = sorted(self._lines.values(), key=lambda line: line.started)
        shown = running[: max(1, height - _AROUND)]
        for line in shown:
            words = (line.job.environment, line.job.phase, line.doing, _elapsed(line.started))
            table.add_row(*(Text(one_line(word)) for word in words))
        more = f" ({len(running) - len(shown)} not shown)" if len(shown) < len(running) else ""
        failed = f", {self._ended['failed']} failed" if self._ended["failed"] else ""
        counts = f"{len(running)} running{more}, {self._ended['done']} done{failed}"
        table.add_row(Text(counts, style="red" if failed else "dim"), "", "", Text(_elapsed(self._started)))
        return table

    def _say(self, text: str) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
        console.tell(one_line(f"[{_elapsed(self._started)}] {text}"))


def _in_terminal() -> bool:
    return console.colored(stderr()) and os.environ.get("TERM") != "dumb"


def _live() -> Live:
    from rich.console import Console
    from rich.live import Live

    stream = stderr()
    screen = Console(
        file=stream.drawn(),
        force_terminal=True,
        width=stream.terminal_width,
        legacy_windows=False,
        color_system="standard",
    )
    return Live(console=screen, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)


def _elapsed(since: float) -> str:
    minutes, seconds = divmod(int(time.monotonic() - since), 60)
    return f"{minutes}:{seconds:02d}"
