"""Runs commands of single environments side by side, each a process of its own, and stays until all have ended.

In: per environment a chain, a generator that yields one `Job` after the other and gets the `Outcome` of each. Out:
files in the run's folder (what a command printed, its log), events of its progress, and outcomes. The chains decide
what is next and what is written down; here is only who runs when.

A command gets a session of its own, so that the terminal's Ctrl-C reaches only us, and writes to files and to a pipe of
which it survives the end, so that our death cannot kill it. Signals (SIGINT, SIGTERM, SIGHUP): each one is handed to
every running command as SIGINT, which takes it as any command does (toolkit.terraform.process): the first stops
gracefully, one after a grace period at once. From the first on nothing new is started.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TypeAlias

from toolkit.errors import ExitCode, ToolkitError
from toolkit.fleet.outcome import Outcome
from toolkit.interrupts import SIGNALS
from toolkit.terraform.process import Interrupts, handled
from toolkit.workflows.capacity import Capacity
from toolkit.workflows.observer import EVENTS_FD

PROGRAM = (sys.executable, "-P", "-m", "toolkit")
"""How a command is started: as the code that runs now. -P: a folder `toolkit` in the working directory is not it."""

_POLL_SECONDS = 0.05
_KILLING = 4
"""Requests to stop after which the commands themselves are killed: they have got three by then."""
_STOPPED = tuple(-number for number in SIGNALS)


@dataclass(frozen=True)
class Job:
    """One command for one environment."""

    environment: str
    command: str
    """plan, show, apply, drift, audit, discover, controls."""
    arguments: tuple[str, ...]
    """After `toolkit COMMAND ENV`."""
    memory_mb: int
    phase: str
    """What users see ("planning")."""
    file: str
    """Name of its files in the run's folder, after the environment's."""
    about: str | None = None
    """What the command is called with instead of the environment's name."""


Chain: TypeAlias = "Generator[Job, Outcome, None]"


class Watcher:
    """Gets told what the commands do; does nothing here."""

    def began(self, job: Job) -> None:
        """A command has started."""

    def event(self, job: Job, event: Mapping[str, Any]) -> None:
        """It reports progress: `stage`, `progress`, `done` and `steps`, `note`, `warning`."""

    def ended(self, job: Job, outcome: Outcome) -> None:
        """It has ended."""

    def notice(self, text: str) -> None:
        """Something about the whole run."""

    def tick(self) -> None:
        """Time has passed."""


@dataclass
class _Running:
    job: Job
    chain: Chain
    process: subprocess.Popen[bytes]
    events: IO[bytes]
    stdout: Path
    log: Path
    started: float
    rest: bytes = b""


@dataclass
class Commands:
    """Starts commands and waits for them; use `drive`."""

    root: Path
    """The project."""
    folder: Path
    """The run's: what commands print goes there."""
    capacity: Capacity
    watcher: Watcher
    inherit: tuple[int, ...] = ()
    """Descriptors that commands keep open."""
    options: tuple[str, ...] = ()
    """Global options of each."""
    program: Sequence[str] = PROGRAM
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    interrupts: Interrupts = field(default_factory=Interrupts)

    @property
    def interrupted(self) -> bool:
        """Whether a signal has asked to stop."""
        return self.interrupts.requested > 0

    def stoppable(self) -> contextlib.AbstractContextManager[None]:
        """While this lasts, a signal is a request to stop: while commands run, and between them."""
        return handled(self.interrupts)

    def drive(
        self,
        chains: Mapping[str, Chain],
        *,
        needs: Callable[[str], int],
        at_once: int | None = None,
        goes_on: Callable[[], bool] = lambda: True,
    ) -> None:
        """Run every chain to its end; only while signals are requests to stop (`stoppable`).

        Args:
            chains: Environment → its chain; begun in this order.
            needs: Environment → memory of its first command in MB. A chain begins when that command fits.
            at_once: Chains at once at most; None: as many as fit.
            goes_on: Asked before a chain begins; once it says no, none begins any more. Begun ones end.

        Raises:
            ToolkitError: A command could not be started, or a chain failed; whatever runs has ended by then.
        """
        waiting = deque(chains.items())
        ready: deque[tuple[Chain, Job]] = deque()
        running: list[_Running] = []
        handed_on = self.interrupts.requested

        def hand_on() -> None:
            nonlocal handed_on
            while handed_on < self.interrupts.requested:
                handed_on += 1
                self._hand_on(running, handed_on)

        def collect() -> None:
            for ended in self._wait(running):
                running.remove(ended)
                outcome = self._outcome(ended)
                self.watcher.ended(ended.job, outcome)
                job = _next(ended.chain, outcome)
                if job is not None:
                    ready.append((ended.chain, job))

        try:
            while True:
                hand_on()
                while not self.interrupted:
                    if ready and self._fits(running, ready[0][1].memory_mb):
                        running.append(self._start(*ready.popleft()))
                    elif (
                        not ready
                        and waiting
                        and (at_once is None or len(running) < at_once)
                        and self._fits(running, needs(waiting[0][0]))
                        and goes_on()
                    ):
                        _, chain = waiting.popleft()
                        if (job := _next(chain, None)) is not None:
                            running.append(self._start(chain, job))
                    else:
                        break
                if not running:
                    return
                collect()
        finally:
            # After an error nothing new is started, but what runs is not cut off: it may be applying.
            while running:
                hand_on()
                for ended in self._wait(running):
                    running.remove(ended)
            for chain, _ in ready:
                chain.close()

    def _fits(self, running: list[_Running], memory_mb: int) -> bool:
        return self.capacity.fits(len(running), sum(one.job.memory_mb for one in running), memory_mb)

    def _start(self, chain: Chain, job: Job) -> _Running:
        stdout = self.folder / f"{job.environment}.{job.file}.json"
        log = self.folder / f"{job.environment}.log"
        arguments = [*self.program, "-C", str(self.root), *self.options, job.command, job.about or job.environment]
        arguments += job.arguments
        reader, writer = os.pipe()
        try:
            with _opened(stdout, os.O_TRUNC) as out, _opened(log, os.O_APPEND) as err:
                err.write(f"$ toolkit {' '.join(arguments[len(self.program) :])}\n".encode())
                err.flush()
                process = subprocess.Popen(
                    arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    start_new_session=True,
                    env={**self.environ, EVENTS_FD: str(writer)},
                    pass_fds=(*self.inherit, writer),
                )
        except OSError as e:
            os.close(reader)
            raise ToolkitError(f"a command could not be started: {e.strerror}", where=e.filename or str(log)) from e
        finally:
            os.close(writer)
        os.set_blocking(reader, False)
        self.watcher.began(job)
        return _Running(job, chain, process, os.fdopen(reader, "rb", buffering=0), stdout, log, time.monotonic())

    def _wait(self, running: list[_Running]) -> list[_Running]:
        """Wait a moment, hand on events, and give back the commands that have ended."""
        with selectors.DefaultSelector() as selector:
            for one in running:
                if not one.events.closed:
                    selector.register(one.events, selectors.EVENT_READ)
            if selector.get_map():
                selector.select(_POLL_SECONDS)
            else:
                time.sleep(_POLL_SECONDS)
        ended = [one for one in running if one.process.poll() is not None]  # before reading: what it wrote is read now
        for one in running:
            self._read(one)
        self.watcher.tick()
        return ended

    def _read(self, one: _Running) -> None:
        while not one.events.closed:
            data = one.events.read(1 << 16)
            if data is None:
                return
            if not data:
                one.events.close()
                return
            *lines, one.rest = (one.rest + data).split(b"\n")
            for line in lines:
                with contextlib.suppress(ValueError, RecursionError):
                    event = json.loads(line)
                    if isinstance(event, dict):
                        self.watcher.event(one.job, event)

    def _hand_on(self, running: list[_Running], count: int) -> None:
        for one in running:
            if count < _KILLING:
                one.process.send_signal(signal.SIGINT)
            else:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(one.process.pid, signal.SIGKILL)
        if not running:
            return
        if count == 1:
            self.watcher.notice(
                f"Interrupted: {len(running)} running command{'s' if len(running) > 1 else ''} stop gracefully and "
                "release their locks; nothing further is started. Please wait."
            )
        elif count < _KILLING:
            self.watcher.notice("Interrupted again: the running commands are interrupted again, too.")
        else:
            self.watcher.notice("Interrupted again: killed. Terraform may go on; the next command reports it.")

    def _outcome(self, one: _Running) -> Outcome:
        code = one.process.returncode
        one.events.close()
        document, error = _printed(one.stdout)
        if self.interrupted and code in _STOPPED:
            code = ExitCode.INTERRUPTED
        elif code == ExitCode.INTERRUPTED and not self.interrupted:
            # Somebody stopped this one command: that is its failure, and the run goes on.
            code = ExitCode.ERROR
        elif code not in tuple(ExitCode):
            # Of Linux's out-of-memory killer, nothing but the signal is seen.
            hint = "fewer at once need less memory: --jobs" if code == -signal.SIGKILL else f"its log: {one.log}"
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            error = error or ToolkitError(f"the command ended with {how}", hint=hint).as_data()
            code = ExitCode.ERROR
        if error is None and document is None:
            failure = ToolkitError(
                "the command printed no result", hint=f"its log: {one.log}", exit_code=ExitCode(code)
            )
            error, code = failure.as_data(), code or ExitCode.ERROR
        seconds = round(time.monotonic() - one.started, 1)
        return Outcome(one.job.environment, one.job.command, int(code), document, error, seconds)


def _next(chain: Chain, outcome: Outcome | None) -> Job | None:
    """The next job of a chain, or None at its end."""
    try:
        return next(chain) if outcome is None else chain.send(outcome)
    except StopIteration:
        return None


def _opened(file: Path, flags: int) -> IO[bytes]:
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | flags, 0o600), "ab", buffering=0)


def _printed(stdout: Path) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """(document, error) that a command has printed."""
    try:
        found = json.loads(stdout.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None, None
    if not isinstance(found, dict):
        return None, None
    return (None, found) if found.get("kind") == "error" else (found, None)
