"""What a run over many environments has done so far, on disk before the next step begins.

In: one event after the other. Out: `.toolkit/fleet/RUN/journal.jsonl`, a line of JSON for each, synchronized; and the
story of a run that is read back, also of one that was killed in the middle of a line. Nothing in a journal is ever
changed. What stands beside it (plan bundles, output of the commands) belongs to the run and is deleted with it.

Two flocks say who works on a run, because the kernel releases them exactly when the last process that holds them ends:
`run.lock` is held by the command itself, `commands.lock` is inherited by the commands that it starts for single
environments. After a kill -9 these go on alone, and the next run waits until they have ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from toolkit.documents import utc
from toolkit.errors import LockedError, RefusedError, ToolkitError, UsageError, unwritable
from toolkit.files import read_regular, refuse_links

FORMAT = 1
FILE_NAME = "journal.jsonl"
KEPT_RUNS = 20
"""Runs whose folders are kept: each may have a bundle per environment."""

_RUN_LOCK, _COMMANDS_LOCK = "run.lock", "commands.lock"
_PATIENCE = 0.2


class State(StrEnum):
    """How far an environment has come."""

    PLANNED = "planned"
    APPROVED = "approved"
    APPLYING = "applying"
    """Its apply has begun. If nothing follows, what it did is not known."""
    APPLIED = "applied"
    VERIFIED = "verified"
    """Applied; a second plan was empty and the audit not worse. Or the plan was empty in the first place."""
    DONE = "done"
    """A command that changes nothing in AWS has ended: drift, audit, discover, controls."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not begun: the run was stopped before, by a failure or by a signal."""


@dataclass(frozen=True)
class Entry:
    """One line about an environment."""

    environment: str
    state: State
    at: str
    facts: Mapping[str, Any]
    """What else was written down: exit_code, seconds, changes, bundle, sha256, printed (digest of what the
    command printed), phase, message, next."""


@dataclass(frozen=True)
class Story:
    """What a journal tells."""

    folder: Path
    command: str
    environments: tuple[str, ...]
    """All that the run is about, in their order."""
    started: str
    arguments: tuple[str, ...]
    """Options of the command that began it."""
    entries: tuple[Entry, ...]
    options: Mapping[str, Any] | None = None
    """Options that are to be the same where the run is continued; None where none were written down."""

    @property
    def latest(self) -> dict[str, Entry]:
        """Environment → the last that was written down of it; none where nothing was."""
        return {entry.environment: entry for entry in self.entries}

    def last(self, environment: str, state: State) -> Entry | None:
        """The last entry of an environment in this state."""
        return next((e for e in reversed(self.entries) if (e.environment, e.state) == (environment, state)), None)

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Environments for which the command has not done all its work, in order."""
        done = {"plan": (State.PLANNED,), "apply": (State.APPLIED, State.VERIFIED)}.get(self.command, (State.DONE,))
        latest = self.latest
        return tuple(
            name
            for name in self.environments
            if name not in latest or latest[name].state not in done or latest[name].facts.get("to_verify")
        )


@dataclass
class Journal:
    """The journal of a run, held for writing; use `begun` or `resumed`."""

    folder: Path
    commands_lock: int
    """Descriptor that the commands for single environments inherit."""
    _file: int
    _entries: list[Entry] = field(default_factory=list)

    def record(self, environment: str, state: State, **facts: Any) -> Entry:
        """Write down a state; it is on disk when this returns.

        Raises:
            ToolkitError: It cannot be written.
        """
        entry = Entry(environment, state, _now(), facts)
        self._write({"event": "state", "at": entry.at, "environment": environment, "state": state, **facts})
        self._entries.append(entry)
        return entry

    def event(self, event: str, **facts: Any) -> None:
        """Write down what is about no single environment: a wave begins, the run ends.

        Raises:
            ToolkitError: It cannot be written.
        """
        self._write({"event": event, "at": _now(), **facts})

    def _write(self, data: Mapping[str, Any]) -> None:
        line = json.dumps(data, separators=(",", ":")).encode() + b"\n"
        try:
            while line:
                line = line[os.write(self._file, line) :]
            os.fsync(self._file)
        except OSError as e:
            where = str(self.folder / FILE_NAME)
            problem = f"the journal cannot be written: {e.strerror}"
            raise unwritable(e, where) or ToolkitError(problem, where=where) from e

    @classmethod
    @contextlib.contextmanager
    def begun(
        cls,
        root: Path,
        *,
        command: str,
        environments: Sequence[str],
        arguments: Sequence[str],
        notice: Callable[[str], None],
    ) -> Iterator[Self]:
        """A new run.

        Args:
            root: The project's folder.
            command: plan, apply, drift, audit, discover, controls.
            environments: All that the run is about, in their order.
            arguments: Options of the command, for people who read the journal.
            notice: Is told what is waited for.

        Raises:
            ToolkitError: It cannot be written, or a symbolic link leads elsewhere.
        """
        runs = runs_folder(root)
        try:
            runs.mkdir(parents=True, exist_ok=True, mode=0o700)
            earlier = sorted(runs.iterdir())
            refuse_links(runs, *earlier)
            for one in earlier:
                _wait_for_orphans(one, notice)
            _prune(runs)
            # To the microsecond: of two runs in one second, the newest is the one that began last.
            folder = runs / f"{datetime.now(UTC):%Y%m%dT%H%M%S-%f}-{secrets.token_hex(2)}"
            folder.mkdir(mode=0o700)
        except OSError as e:
            raise _unmakeable(e, runs) from e
        with cls._held(folder, create=True) as journal:
            for made in (folder, runs, runs.parent, root):
                _sync(made)
            header = {"format": FORMAT, "project": str(root.resolve()), "run": folder.name, "command": command}
            journal.event("run", **header, environments=list(environments), arguments=list(arguments), pid=os.getpid())
            yield journal

    @classmethod
    @contextlib.contextmanager
    def resumed(cls, root: Path, command: str, *, notice: Callable[[str], None]) -> Iterator[tuple[Self, Story]]:
        """The newest run of a command, held, and what it says; `go_on` continues it in the same journal.

        Args:
            root: The project's folder.
            command: Which.
            notice: Is told what is waited for.

        Raises:
            UsageError: There is none.
            LockedError: A command works on it.
            RefusedError: It is another project's.
            ToolkitError: It is damaged, or cannot be read or written.
        """
        while True:
            folder = newest(root, command).folder  # refused before anything of it is touched
            _wait_for_orphans(folder, notice)
            with cls._held(folder, create=False) as journal:
                # Another command may have continued it, or begun a newer one, before it was held.
                story = newest(root, command)
                if story.folder == folder:
                    yield journal, story
                    return

    def go_on(self, arguments: Sequence[str]) -> None:
        """Continue in the journal of an earlier run.

        Args:
            arguments: Options of the command that continues it.

        Raises:
            ToolkitError: It cannot be written.
        """
        end = (self.folder / FILE_NAME).read_bytes().rfind(b"\n") + 1
        os.ftruncate(self._file, end)  # what a killed command could not write to its end
        self.event("resumed", arguments=list(arguments), pid=os.getpid())

    @classmethod
    @contextlib.contextmanager
    def _held(cls, folder: Path, *, create: bool) -> Iterator[Self]:
        with contextlib.ExitStack() as stack:
            try:
                run, commands = (
                    _opened(stack, folder / name, os.O_RDWR | os.O_CREAT) for name in (_RUN_LOCK, _COMMANDS_LOCK)
                )
                flags = os.O_WRONLY | os.O_APPEND | (os.O_CREAT | os.O_EXCL if create else 0)
                file = _opened(stack, folder / FILE_NAME, flags)
            except OSError as e:
                raise _unmakeable(e, folder) from e
            if not (_locked(run) and _locked(commands)):
                raise LockedError(
                    "another toolkit command works on this run",
                    where=str(folder),
                    hint="wait until it has ended, then run this command again",
                )
            yield cls(folder, commands, file)


def runs_folder(root: Path) -> Path:
    """Where a project keeps its runs over many environments.

    Raises:
        ToolkitError: A symbolic link leads elsewhere.
    """
    folder = root / ".toolkit" / "fleet"
    refuse_links(root, folder)
    return folder


def run_names(root: Path) -> tuple[str, ...]:
    """Names of a project's runs, the newest last; but none that was killed before it wrote its first line.

    Raises:
        ToolkitError: A run's folder is a symbolic link.
    """
    runs = runs_folder(root)
    if runs.is_dir():
        refuse_links(runs, *runs.iterdir())
    return tuple(sorted(f.parent.name for f in runs.glob(f"*/{FILE_NAME}") if b"\n" in _beginning(f)))


def _beginning(file: Path) -> bytes:
    with contextlib.suppress(OSError):
        return read_regular(file, follow=False)
    return b"\n"  # whoever reads it says why that is not possible


def newest(root: Path, command: str) -> Story:
    """What the newest run of a command says. Unless it is held (`Journal.resumed`), that may be over at any time.

    Raises:
        UsageError: There is none.
        ToolkitError: One is damaged.
    """
    for name in reversed(run_names(root)):
        if (story := read(root, runs_folder(root) / name)).command == command:
            return story
    raise UsageError(
        f"no run of `toolkit {command}` over many environments was recorded here",
        where=str(runs_folder(root)),
        hint=f"there is nothing to continue; `toolkit {command}` with several environments makes the first run",
    )


def read(root: Path, folder: Path) -> Story:
    """What a journal tells. A last line that was not written to its end does not count.

    Raises:
        RefusedError: It is another project's, or somebody else could have written it.
        ToolkitError: It is damaged, of another format, or cannot be read; or its folder is a symbolic link.
    """
    file = folder / FILE_NAME
    refuse_links(folder.parent, folder)
    try:
        for path in (folder, file):
            _refuse_foreign(path)
        raw = read_regular(file, follow=False)
    except OSError as e:
        raise ToolkitError(f"the journal cannot be read: {e.strerror}", where=str(file)) from e
    lines = raw.split(b"\n")[:-1]
    if not lines:
        raise _damaged(file, 1, "it has no line")
    header = _parsed(file, 1, lines[0])
    if header.get("event") != "run" or header.get("format") != FORMAT:
        raise _damaged(file, 1, f"not the beginning of a journal of format {FORMAT}")
    if header.get("project") != str(root.resolve()):
        raise RefusedError(
            f"the journal of another project: {header.get('project')}",
            where=str(file),
            hint=f"work there (`toolkit -C {header.get('project')}`), or delete this folder if the project was moved "
            "or copied here: a new run makes new plans",
        )
    entries, options = [], None
    for number, line in enumerate(lines[1:], 2):
        data = _parsed(file, number, line)
        if data.get("event") == "options":
            options = data.get("given")
            if not isinstance(options, dict):
                raise _damaged(file, number, "given is missing")
        if data.get("event") == "state":
            entries.append(_entry(file, number, data))
    try:
        command, started = str(header["command"]), str(header["at"])
        environments = tuple(str(name) for name in header["environments"])
        arguments = tuple(str(argument) for argument in header["arguments"])
    except (KeyError, TypeError) as e:
        raise _damaged(file, 1, f"{e} is missing") from e
    return Story(folder, command, environments, started, arguments, tuple(entries), options)


def _refuse_foreign(path: Path) -> None:
    """Demand that only this user can have written what a run says: it decides what is not planned or applied again.

    Raises:
        RefusedError: Another user owns it or may write to it.
    """
    found = path.lstat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        owner = "belongs to another user" if found.st_uid != os.geteuid() else "can be written by other users"
        raise RefusedError(
            f"{owner}, so that what it says of a run cannot be relied on",
            where=str(path),
            hint="delete its folder, and start a new run: it makes new plans",
        )


def _entry(file: Path, number: int, data: dict[str, Any]) -> Entry:
    facts = {key: value for key, value in data.items() if key not in ("event", "at", "environment", "state")}
    try:
        return Entry(str(data["environment"]), State(data["state"]), str(data["at"]), facts)
    except (KeyError, ValueError) as e:
        raise _damaged(file, number, str(e)) from e


def _parsed(file: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as e:
        raise _damaged(file, number, "not JSON") from e
    if not isinstance(data, dict):
        raise _damaged(file, number, "not an object")
    return data


def _damaged(file: Path, line: int, why: str) -> ToolkitError:
    return ToolkitError(
        f"a damaged journal: {why}",
        where=f"{file}:{line}",
        hint="delete its folder, and start a new run: it makes new plans, so nothing is applied twice",
    )


def _wait_for_orphans(folder: Path, notice: Callable[[str], None]) -> None:
    """Wait for the commands that a killed run has left alone: they end by themselves, and hold their environments."""
    told = False
    while True:
        with contextlib.ExitStack() as stack:
            try:
                run, commands = (_opened(stack, folder / name, os.O_RDWR) for name in (_RUN_LOCK, _COMMANDS_LOCK))
            except OSError:
                return  # no run, or one that somebody deletes
            # A run whose own command is alive is waited for by nobody: it may be about other environments.
            if not _locked(run) or _locked(commands):
                return
        if not told:
            notice(
                f"waiting for the commands that the killed run {folder.name} had started: they finish, save their "
                "states and release their locks"
            )
            told = True
        time.sleep(_PATIENCE)


def _prune(runs: Path) -> None:
    """Delete the oldest runs, but none that is worked on."""
    old: Iterable[Path] = sorted((f for f in runs.iterdir() if f.is_dir()), key=lambda f: f.name)[: -KEPT_RUNS + 1]
    for folder in old:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            locks = [_opened(stack, folder / n, os.O_RDWR | os.O_CREAT) for n in (_RUN_LOCK, _COMMANDS_LOCK)]
            if all(_locked(lock) for lock in locks):
                shutil.rmtree(folder)


def _opened(stack: contextlib.ExitStack, file: Path, flags: int) -> int:
    descriptor = os.open(file, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    stack.callback(os.close, descriptor)
    return descriptor


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # file systems on which folders cannot be synchronized
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unmakeable(error: OSError, folder: Path) -> ToolkitError:
    problem = f"the journal cannot be made: {error.strerror}"
    return unwritable(error, str(folder)) or ToolkitError(problem, where=str(folder))


def _now() -> str:
    return utc(datetime.now(UTC))
