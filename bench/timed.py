"""What a command takes, with everything that it starts: elapsed time, CPU time, memory."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_INTERVAL = 0.25
"""Seconds between two looks at the processes."""


@dataclass(frozen=True)
class Run:
    """What a process took, and those that it started."""

    wall: float
    cpu: float
    """Seconds of CPU time of all of them."""
    peak: int
    """MiB: the largest process alone."""

    def __add__(self, other: Run) -> Run:
        """One after the other."""
        return Run(self.wall + other.wall, self.cpu + other.cpu, max(self.peak, other.peak))


def timed(*command: str, cwd: Path, environ: Mapping[str, str] | None = None, out: Path | None = None) -> Run:
    """Run a command, which has to succeed.

    Args:
        command: Its words.
        cwd: Where.
        environ: Its environment; None: this process's own.
        out: Where its standard output goes; None: nowhere.
    """
    started = time.perf_counter()
    with (out or Path(os.devnull)).open("wb") as stream:
        process = subprocess.Popen(command, cwd=cwd, env=environ, stdout=stream, stderr=subprocess.PIPE)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {errors[-2000:].decode()}")
    return Run(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024)


Pairs = Sequence[tuple[Run, Run]]
"""Runs of two sides, in turn."""


def in_turn(rounds: int, **sides: Callable[[], Run]) -> dict[str, list[Run]]:
    """Run all sides, one after the other, so many times: a machine that gets slower slows all of them."""
    found: dict[str, list[Run]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, run in sides.items():
            found[name].append(run())
    return found


def wall(run: Run) -> float:
    """Elapsed seconds."""
    return run.wall


def cpu(run: Run) -> float:
    """Seconds of CPU time."""
    return run.cpu


@dataclass(frozen=True)
class Ratio:
    """Of one figure, pair by pair."""

    median: float
    lowest: float
    highest: float
    first: float
    """Median of the first side by itself, in seconds."""
    second: float

    def __str__(self) -> str:
        """Like "1.02 (0.98 to 1.10; 8.13 against 7.97 s)"."""
        spread = f"{self.lowest:.2f} to {self.highest:.2f}"
        return f"{self.median:.2f} ({spread}; {self.first:.2f} against {self.second:.2f} s)"


def ratio(pairs: Pairs, of: Callable[[Run], float], *, faster: bool = False) -> Ratio:
    """How often the first side's figure contains the second's; with `faster`, the other way round."""
    found = sorted(of(b) / of(a) if faster else of(a) / of(b) for a, b in pairs)
    first, second = (statistics.median(of(pair[side]) for pair in pairs) for side in (0, 1))
    return Ratio(statistics.median(found), found[0], found[-1], first, second)


class Memory:
    """The proportional set size, at its peak, of all processes that this one starts while it is entered (Linux)."""

    def __init__(self, besides: Iterable[int] = ()) -> None:
        """Prepare.

        Args:
            besides: Processes that do not count, nor those that they start.
        """
        self.peak = 0
        """MiB."""
        self._besides = frozenset(besides)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(_INTERVAL):
            self.peak = max(self.peak, sum(_proportional(pid) for pid in _started(os.getpid(), self._besides)))


def _started(root: int, besides: frozenset[int]) -> list[int]:
    """Processes that a process has started, directly or through others."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # pid (name) state ppid …; the name may contain anything
            parent = int(entry.read_text(errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.parent.name))
    found, waiting = [], [root]
    while waiting:
        new = [pid for pid in children.get(waiting.pop(), ()) if pid not in besides]
        found += new
        waiting += new
    return found


def _proportional(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(r"^Pss: +(\d+) kB", text, re.M)
    return int(found[1]) // 1024 if found else 0
