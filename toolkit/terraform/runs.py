"""Knows which Terraform runs in an environment's scratch folder, even if the toolkit that started it was killed.

In: the scratch folder (`environments/<env>/.toolkit`). Out: a lock around each run, who holds it, and what a run did
whose toolkit did not live to say so.

Two flocks, because the kernel releases them exactly when the last process that holds them ends, while process numbers
are reused: `run.lock` is held by the toolkit, `terraform.lock` is inherited by Terraform and its providers. `run.json`
beside them only adds what people want to read. On file systems where flock does not reach other hosts, Terraform's own
state lock is the guard.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from toolkit.errors import LockedError
from toolkit.terraform import events, outcomes, process

_RECORD, _KEPT = "run.json", "killed-run.json"
_UNDER_LOCK = ("refresh_", "apply_", "planned_change", "resource_drift", "provision_")
_PATIENCE = 0.3
"""Seconds to try for a lock: whoever only asks holds it for microseconds."""


@dataclass(frozen=True)
class Run:
    """A run of Terraform as recorded when it was started."""

    operation: str
    """init, plan, apply, …"""

    host: str
    started: str
    """ISO 8601 in UTC."""

    toolkit_pid: int
    terraform_pid: int | None
    """None in the instant before it is started."""

    stdout: Path
    stderr: Path
    toolkit_alive: bool = False
    """Whether the toolkit that started it still watches it."""


@dataclass(frozen=True)
class Orphan:
    """A run that ended after its toolkit was killed."""

    run: Run
    outcome: outcomes.ApplyOutcome
    """As far as its log tells; the steps of an apply, the diagnostics of any operation."""

    def describe(self) -> str:
        """One sentence for people: what was killed, and how far Terraform came."""
        what = f"The {self.run.operation} started at {self.run.started} was left alone when its toolkit was killed"
        if self.run.host != socket.gethostname():
            return f"{what} on {self.run.host}; whether Terraform still runs there cannot be seen from here."
        errors = [d.summary for d in self.outcome.diagnostics if d.severity == "error"]
        if errors:
            return f"{what}; Terraform went on and failed ({self.outcome.describe()}): {errors[0]}"
        if self.run.operation != "apply":
            return f"{what}; it changes nothing in AWS."
        if self.outcome.finished:
            return f"{what}; Terraform went on and finished it ({self.outcome.describe()})."
        return (
            f"{what}; Terraform ended without a result ({self.outcome.describe()}). A new plan shows what is missing."
        )


class RunLock:
    """Holds the scratch folder for one Terraform run.

    Entering raises LockedError if another run holds it. Providers that outlived both the toolkit and Terraform are
    ended first: they can do nothing any more, but would hold the lock for ever.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._toolkit: int | None = None
        self._terraform: int | None = None
        self.orphan: Orphan | None = None
        """The run before this one, if its toolkit did not live to report it."""

    def __enter__(self) -> RunLock:
        self._scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._toolkit = self._take("run.lock", toolkit_alive=True)
        try:
            self._terraform = self._take("terraform.lock", toolkit_alive=False)
        except LockedError:
            self._release()
            raise
        run = _read(self._scratch, toolkit_alive=False)
        self.orphan = None if run is None else _orphan(run)
        if run is not None:
            # Told once, but kept: it may be what proves that the holder of a state lock is dead.
            (self._scratch / _RECORD).replace(self._scratch / _KEPT)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        (self._scratch / _RECORD).unlink(missing_ok=True)
        self._release()

    @property
    def descriptor(self) -> int:
        """What Terraform must inherit, so that the lock lives as long as it does."""
        assert self._terraform is not None, "inside `with` only"
        return self._terraform

    def record(self, operation: str, stdout: Path, stderr: Path, terraform_pid: int | None = None) -> None:
        """Write down what runs; once before it starts, once with its process id."""
        data = {
            "operation": operation,
            "host": socket.gethostname(),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "toolkit_pid": os.getpid(),
            "terraform_pid": terraform_pid,
            "stdout": str(stdout.resolve()),
            "stderr": str(stderr.resolve()),
        }
        handle, temporary = tempfile.mkstemp(dir=self._scratch, prefix="run")  # 0600 by definition
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(data, file)
        Path(temporary).replace(self._scratch / _RECORD)

    def _take(self, name: str, *, toolkit_alive: bool) -> int:
        descriptor = os.open(self._scratch / name, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            except BlockingIOError:
                run = _read(self._scratch, toolkit_alive=toolkit_alive)
                if not toolkit_alive and run is not None and _end_providers(run):
                    continue
                if time.monotonic() > deadline:
                    os.close(descriptor)
                    raise _locked(self._scratch, run) from None
                time.sleep(0.02)

    def _release(self) -> None:
        for descriptor in (self._terraform, self._toolkit):
            if descriptor is not None:
                os.close(descriptor)
        self._terraform = self._toolkit = None


def active_run(scratch: Path) -> Run | None:
    """The run that holds `scratch` now, watched or not, or None."""
    watched = _held(scratch / "run.lock")
    if not watched and not _held(scratch / "terraform.lock"):
        return None
    return _read(scratch, toolkit_alive=watched) or Run(
        "run", socket.gethostname(), "an unknown time", 0, None, scratch, scratch, watched
    )


def finished_orphan(scratch: Path) -> Orphan | None:
    """What a run did whose toolkit was killed, once it has ended; None if there is none, or it still runs.

    The next run forgets it (and reports it as a `Notice` first).
    """
    if active_run(scratch) is not None:
        return None
    run = _read(scratch, toolkit_alive=False)
    return None if run is None else _orphan(run)


def _orphan(run: Run) -> Orphan:
    fold = outcomes.Fold()
    with contextlib.suppress(OSError), run.stdout.open(encoding="utf-8", errors="replace") as log:
        for line in log:
            fold.add(events.parse(line))
    return Orphan(run, fold.apply(seconds=0))


def killed_runs(scratch: Path) -> tuple[Run, ...]:
    """Remembered runs that have ended after their toolkit was killed; none while a run is active."""
    if active_run(scratch) is not None:
        return ()
    found = (_read(scratch, toolkit_alive=False, name=name) for name in (_RECORD, _KEPT))
    return tuple(run for run in found if run is not None)


def held_state_at(run: Run) -> datetime | None:
    """The last moment at which the run's log shows that it held the state's lock; None where it shows none.

    Terraform reads, plans and changes resources only while it holds the lock, and tells when in every line.
    """
    last = None
    with contextlib.suppress(OSError), run.stdout.open(encoding="utf-8", errors="replace") as log:
        for line in log:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                data = json.loads(line)
                if str(data["type"]).startswith(_UNDER_LOCK):
                    last = datetime.fromisoformat(data["@timestamp"])
    return last


def _read(scratch: Path, *, toolkit_alive: bool, name: str = _RECORD) -> Run | None:
    try:
        data = json.loads((scratch / name).read_text(encoding="utf-8"))
        return Run(
            str(data["operation"]),
            str(data["host"]),
            str(data["started"]),
            int(data["toolkit_pid"]),
            None if data["terraform_pid"] is None else int(data["terraform_pid"]),
            Path(data["stdout"]),
            Path(data["stderr"]),
            toolkit_alive,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _held(lock: Path) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _end_providers(run: Run) -> bool:
    """End a dead Terraform's providers; True if there were any.

    The group is surely theirs: the lock that it inherited is still held, and a process group's number is not given
    away while a member lives.
    """
    if run.terraform_pid is None or run.host != socket.gethostname() or process.leader_alive(run.terraform_pid):
        return False
    return process.end_group(run.terraform_pid)


def _locked(scratch: Path, run: Run | None) -> LockedError:
    if run is None:
        return LockedError(
            "another toolkit command is running Terraform here",
            where=str(scratch),
            hint="Wait until it has ended, then run this command again.",
        )
    if run.toolkit_alive:
        return LockedError(
            f"terraform {run.operation} is running here since {run.started} "
            f"(toolkit process {run.toolkit_pid} on {run.host})",
            where=str(scratch),
            hint="Wait until it has ended, then plan again: it may change what a plan made now would show.",
        )
    return LockedError(
        f"terraform {run.operation}, whose toolkit was killed, is still running since {run.started} "
        f"(Terraform process {run.terraform_pid} on {run.host})",
        where=str(scratch),
        hint=f"Wait until it has ended, then plan again; it keeps its state and releases its lock by itself. "
        f"To stop it gracefully: kill -INT {run.terraform_pid}",
        detail=f"Its output: {run.stdout}",
    )
