"""Runs the Terraform commands of one environment.

In: the rendered root, a binary, a scratch folder, a complete environment. Out: events while a command runs, a typed
outcome at its end, or a `TerraformError` that says what happened. Holds the environment's run lock while a command can
change anything. Sole user of python_terraform, and of it only the building of argument vectors.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NoReturn

import python_terraform

from toolkit import interrupts
from toolkit.errors import ToolkitError, unwritable
from toolkit.files import why_unwritable
from toolkit.terraform import data_folder, events, failures, one_provider, process, runs, verified
from toolkit.terraform.binary import Binary
from toolkit.terraform.events import Diagnostic, Event
from toolkit.terraform.mirror import plugin_cache
from toolkit.terraform.outcomes import ApplyOutcome, Fold, PlanOutcome
from toolkit.terraform.providers import aliases
from toolkit.terraform.state_resources import StateResources, state_resources
from toolkit.terraform.unsaved import Kept, UnsavedStates, scrub
from toolkit.variables import Admitted, admit

LOCK_FILE = ".terraform.lock.hcl"
"""The root's, which `init` writes: each provider's version and checksums. To be committed."""

_KEPT_LOGS = 40
_PRIVATE = 0o077
_FLAG = python_terraform.IsFlagged


class Terraform(python_terraform.Terraform):  # type: ignore[misc]  # the library carries no types
    """python_terraform, reduced to what is sound in 0.10.1: building argument vectors.

    Its constructor reads local state files and fails on a broken one; any unknown attribute of it runs Terraform; a
    dict among the options becomes a temporary file; and whatever it runs dies with Python. None of that is reachable.
    """

    def __init__(self, binary: Path) -> None:
        super().__init__(terraform_bin_path=str(binary))

    def __getattr__(self, item: str) -> NoReturn:
        raise AttributeError(item)

    def read_state_file(self, file_path: str | None = None) -> None:
        """Does nothing: state is asked of Terraform, which knows its backend."""

    def cmd(self, cmd: str, *args: str, **kwargs: object) -> NoReturn:
        raise NotImplementedError(f"python_terraform must not run `{cmd}`: its pipes kill Terraform; use Runner")

    def arguments(self, command: str, *operands: str, **options: object) -> list[str]:
        """The argument vector of a command; `_FLAG` for a flag without a value, None to leave an option out."""
        assert not any(isinstance(value, dict) for value in options.values()), "would become a temporary file"
        vector: list[object] = self.generate_cmd_string(command, *operands, **options)
        return [str(part) for part in vector]


def _ignore(_: object) -> None:
    pass


@dataclass(frozen=True)
class _Finished:
    ended: process.Ended
    fold: Fold
    stdout: str
    stderr: str
    log: Path
    """Where its output went."""
    blocked: OSError | None
    """Why its output could not be written to the end; None where it was."""


class Runner:
    """The Terraform of one environment; one command at a time."""

    def __init__(
        self,
        root: Path,
        *,
        binary: Binary,
        scratch: Path,
        environ: Mapping[str, str],
        on_event: Callable[[Event], None] = _ignore,
        on_command: Callable[[Sequence[str]], None] = _ignore,
        called: str = "ENV",
        unsaved: UnsavedStates | None = None,
        backend: tuple[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Prepare; nothing runs and nothing is written yet.

        Args:
            root: The rendered root module; Terraform's working folder.
            scratch: `environments/<env>/.toolkit`: Terraform's data folder, logs, lock and record of the run.
            environ: Environment of the child; only what `variables.admit` lets through reaches Terraform. What leads
                to the embedded AWS must have been added to an admitted one.
            on_event: Called from the thread that runs the command.
            on_command: Gets each argument vector before it runs.
            called: The environment as commands name it ("prod", "prod --sandbox"), for hints.
            unsaved: Keeps a state that Terraform could not save; by default beside the root.
            backend: Kind and arguments of the backend that commands must find in use; None where no state is asked.

        Raises:
            RefusedError: TF_WORKSPACE selects another state than the environment's.
        """
        self.root = root.resolve()
        self.scratch = scratch.resolve()
        self.binary = binary
        admitted = admit(environ)
        self._environ = _child_environ(admitted, self.scratch)
        self._ignored = admitted.reported
        self._on_event = on_event
        self._on_command = on_command
        self._called = called
        self._unsaved = unsaved or UnsavedStates(
            self.root.parent.name, folder=self.root.parent, rendered=self.root, environ=environ
        )
        self._backend = backend
        self._terraform = Terraform(binary.path)
        self._interrupts: process.Interrupts | None = None
        self._verified: verified.Packages | None = None
        self._provider: one_provider.Attached | None = None

    def interrupt(self) -> None:
        """Ask the running command to stop, as one SIGINT to this process would; safe from any thread."""
        if self._interrupts is not None:
            self._interrupts.request()

    @property
    def environ(self) -> Mapping[str, str]:
        """What Terraform gets as its process environment."""
        return self._environ

    def init(
        self,
        *,
        upgrade: bool = False,
        reconfigure: bool = False,
        lockfile: Literal["readonly"] | None = None,
        backend: bool = True,
        backend_config: Mapping[str, str] | None = None,
    ) -> None:
        """Fetch providers and set up the backend.

        Args:
            backend: False for `validate`, which needs no state and so no credentials.
            backend_config: Backend arguments that this run takes instead of those in the HCL.

        Raises:
            TerraformError: With a hint for an unreachable registry, an unfit mirror, lock file or backend.
            LockedError: Another run is active here.
        """
        arguments = self._terraform.arguments(
            "init",
            json=_FLAG,
            input=False,
            no_color=_FLAG,
            upgrade=_FLAG if upgrade else None,
            reconfigure=_FLAG if reconfigure else None,
            lockfile=lockfile,
            backend=None if backend else False,
            backend_config=[f"{name}={value}" for name, value in (backend_config or {}).items()],
        )
        with self._alone_in_cache():
            self._checked("init", arguments)

    @contextlib.contextmanager
    def _alone_in_cache(self) -> Iterator[None]:
        """While this lasts, no other `init` of ours uses the same provider cache, if there is one."""
        cache = plugin_cache(self._environ, product=self.binary.product)
        try:
            lock = None if cache is None else os.open(cache / ".toolkit.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            lock = None  # Terraform says what is wrong with it; one that cannot be written to cannot be spoilt either
        if lock is None:
            yield
            return
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._on_event(events.Notice(f"waiting for another `init` that uses the provider cache {cache}"))
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def validate(self) -> tuple[Diagnostic, ...]:
        """Terraform's opinion on the root; empty where it has none. Needs `init`, runs the provider, asks no AWS."""
        done = self._run("validate", self._terraform.arguments("validate", json=_FLAG, no_color=_FLAG), data=True)
        if done.ended.interrupted or done.ended.returncode not in (0, 1):
            self._fail("validate", done)
        try:
            found = _json(done.stdout)["diagnostics"]
        except (ValueError, KeyError):
            self._fail("validate", done)
        return tuple(events.diagnostic(item) for item in found)

    @contextlib.contextmanager
    def with_one_provider(self) -> Iterator[None]:
        """While this lasts, `plan` and `show` use one process of the provider, where the root has one provider block.

        Otherwise, or where it does not start, Terraform starts its own for each step, as ever.
        """
        logs = any(name.startswith("TF_LOG") for name in self._environ)
        if self.binary.product != "terraform" or logs:
            yield
            return
        data_folder.check_sources(self._data_folder)
        verifying = self._packages()  # before they are read
        found = one_provider.executable(self._data_folder, self.root)
        if found is None:
            yield
            return
        with one_provider.attached(*found, self.root, self._environ) as provider:
            self._provider, self._verified = provider, verifying
            try:
                yield
            finally:
                self._provider = None

    def plan(
        self,
        out: Path,
        *,
        destroy: bool = False,
        refresh_only: bool = False,
        refresh: bool = True,
        lock_timeout: str = "0s",
        targets: tuple[str, ...] = (),
    ) -> PlanOutcome:
        """Write a saved plan to `out` (0600: it holds sensitive values in clear) and tell what it would do.

        Args:
            refresh_only: Plan nothing but to take over into the state what AWS has by now.
            refresh: False compares the configuration with the state alone; AWS is not asked.

        Raises:
            TerraformError: It failed or was interrupted; `out` then does not exist.
            LockedError: The state or this folder is in use.
        """
        out = out.resolve()
        out.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        arguments = self._terraform.arguments(
            "plan",
            json=_FLAG,
            input=False,
            no_color=_FLAG,
            detailed_exitcode=_FLAG,
            lock_timeout=lock_timeout,
            destroy=_FLAG if destroy else None,
            refresh_only=_FLAG if refresh_only else None,
            refresh=None if refresh else False,
            target=list(targets),
            out=str(out),
        )
        # Terraform verifies what it starts itself; an attached provider has been verified before it was started.
        packages = self._verified if self._provider is not None else self._packages()
        try:
            done = self._checked("plan", arguments, good=(0, 2))
        except ToolkitError:
            out.unlink(missing_ok=True)  # Terraform saves a failed plan too
            raise
        self._verified = packages
        out.chmod(0o600)
        return done.fold.plan(changes=done.ended.returncode == 2, seconds=done.ended.seconds)

    def apply(self, plan: Path, *, lock_timeout: str = "0s", reserve: int = 0) -> ApplyOutcome:
        """Apply exactly the saved plan.

        Args:
            reserve: Bytes to put aside for what Terraform says, the state included where it can save that nowhere.

        Raises:
            ToolkitError: There is no room for that, or for the file in which Terraform would save the state if the
                backend failed; nothing was applied.
            SavedPlanError: The plan is stale or unreadable; nothing was applied.
            UnsavedStateError: The state could not be saved; the error tells where it is kept.
            TerraformError: It failed or was interrupted; `outcome` tells how far it came.
            LockedError: The state or this folder is in use; nothing was applied.
        """
        arguments = self._terraform.arguments(
            "apply", str(plan.resolve()), json=_FLAG, input=False, no_color=_FLAG, lock_timeout=lock_timeout
        )
        if not os.access(self.root, os.W_OK):
            raise ToolkitError(
                "the folder may not be written to: Terraform would have nowhere to put the state if the backend failed",
                where=str(self.root),
                hint="make it writable; nothing was applied",
            )
        done = self._checked("apply", arguments, reserve=reserve)
        return done.fold.apply(seconds=done.ended.seconds)

    def show(self, plan: Path | None) -> dict[str, Any]:
        """`show -json` of a saved plan, or of the state for None. Holds sensitive values in clear: never print it."""
        operands = [] if plan is None else [str(plan.resolve())]
        arguments = self._terraform.arguments("show", *operands, json=_FLAG, no_color=_FLAG)
        if plan is None or self._provider or self._verified is None or self._verified != self._packages():
            return self._data("show", arguments)
        # A plan brings its configuration along. The folder is beside it, since that one goes with the command.
        with tempfile.TemporaryDirectory(dir=plan.parent, prefix="show-") as folder:
            (Path(folder) / LOCK_FILE).write_text(self._verified.lock_without_checksums, "utf-8")
            return self._data("show", arguments, cwd=Path(folder))

    def _packages(self) -> verified.Packages | None:
        return verified.packages(self._data_folder, self.root / LOCK_FILE)

    @property
    def _data_folder(self) -> Path:
        return Path(self._environ["TF_DATA_DIR"])

    def output(self) -> dict[str, Any]:
        """The outputs in the state: name to `{"value", "type", "sensitive"}`."""
        return self._data("output", self._terraform.arguments("output", json=_FLAG, no_color=_FLAG))

    def state_version(self) -> tuple[str, int]:
        """Lineage and serial of the state as it is now; ("", 0) where there is none.

        The state holds sensitive values in the clear: nothing but these two leaves this function.
        """
        state = self._data("state pull", self._terraform.arguments("state pull"), absent={})
        return str(state.get("lineage", "")), int(state.get("serial", 0))

    def state_aliases(self) -> dict[str, str]:
        """Address without instance keys → alias of the provider that the state records for it."""
        return aliases(self._data("state pull", self._terraform.arguments("state pull"), absent={}))

    def state_resources(self, wanted: Mapping[str, tuple[str, ...]]) -> StateResources:
        """What the state manages: of each resource, the attributes that identify one of its type, and no other value.

        Args:
            wanted: Type → these attributes; other types are left out.
        """
        return state_resources(self._data("state pull", self._terraform.arguments("state pull"), absent={}), wanted)

    def get(self) -> None:
        """Note down where the root's modules are, which `providers lock` does not do by itself; asks no registry."""
        self._checked("get", self._terraform.arguments("get", no_color=_FLAG))

    def providers_lock(self, platforms: Sequence[str], *, fs_mirror: Path | None = None) -> None:
        """Record checksums of the providers for `platforms` (e.g. "linux_amd64") in the root's .terraform.lock.hcl.

        Args:
            fs_mirror: Where to take them from instead of the registry, which this command asks even if the CLI
                configuration names a mirror.
        """
        self._checked(
            "providers lock",
            self._terraform.arguments(
                "providers lock", platform=list(platforms), fs_mirror=str(fs_mirror.resolve()) if fs_mirror else None
            ),
        )

    def force_unlock(self, lock_id: str) -> None:
        """Release a state lock that is known to be dead."""
        self._checked("force-unlock", self._terraform.arguments("force-unlock", lock_id, force=_FLAG))

    def pass_through(self, arguments: Sequence[str], *, writes: bool) -> int:
        """Run a command as it is, on this process's own streams; returns Terraform's exit code.

        Args:
            arguments: Checked by `passthrough.check`.
            writes: Whether it writes the state, so that no other run may be active here.

        Raises:
            LockedError: It writes, and another run is active here.
        """
        data_folder.check_sources(self._data_folder)
        if self._backend is not None:
            data_folder.check_backend(self._data_folder, *self._backend)
        vector = [str(self.binary.path), *arguments]
        self._tell_ignored()
        self._on_command(vector)
        if not writes:
            return self._attached(vector)
        with interrupts.uninterrupted(), runs.RunLock(self.scratch) as lock:
            if lock.orphan is not None:
                self._on_event(events.Notice(lock.orphan.describe()))
            nowhere = Path(os.devnull)
            return self._attached(
                vector, (lock.descriptor,), lambda pid: lock.record(arguments[0], nowhere, nowhere, pid)
            )

    def _tell_ignored(self) -> None:
        """Once: which variables of the user's environment Terraform does not get."""
        for name in self._ignored:
            self._on_event(events.Notice(f"{name} is set and ignored: it would change what Terraform does here."))
        self._ignored = ()

    def _attached(
        self, vector: list[str], inherit: tuple[int, ...] = (), on_start: Callable[[int], None] = _ignore
    ) -> int:

        def started(pid: int) -> None:
            on_start(pid)
            if interrupts.waits():
                os.kill(pid, signal.SIGINT)

        try:
            with interrupts.uninterrupted():
                return process.attached(
                    vector, cwd=self.root, environ=self._environ, umask=_PRIVATE, inherit=inherit, on_start=started
                )
        except OSError as error:
            raise ToolkitError(f"cannot run Terraform: {error}", where=str(self.binary.path)) from error

    def _data(
        self, operation: str, arguments: list[str], *, absent: dict[str, Any] | None = None, cwd: Path | None = None
    ) -> dict[str, Any]:
        """The answer; `absent`, if given, where Terraform says nothing at all."""
        with interrupts.uninterrupted():  # it is in a file until then, with sensitive values in the clear
            done = self._run(operation, arguments, data=True, cwd=cwd)
        if done.ended.interrupted or done.ended.returncode != 0:
            self._fail(operation, done)
        if absent is not None and not done.stdout.strip():
            return absent
        try:
            return _json(done.stdout)
        except ValueError as error:
            if done.blocked is not None and (full := unwritable(done.blocked)) is not None:
                raise full from error
            raise ToolkitError(
                f"terraform {operation} answered something that is not JSON", where=str(self.root), hint=str(error)
            ) from error

    def _checked(
        self, operation: str, arguments: list[str], good: tuple[int, ...] = (0,), reserve: int = 0
    ) -> _Finished:
        # A signal is handed on to Terraform; without it, it waits until the lock is released.
        with interrupts.uninterrupted(), runs.RunLock(self.scratch) as lock:
            if lock.orphan is not None:
                self._on_event(events.Notice(lock.orphan.describe()))
            done = self._run(operation, arguments, lock=lock, reserve=reserve)
            if done.ended.interrupted or done.ended.returncode not in good:
                self._fail(operation, done)
        return done

    def _keep_unsaved(self, done: _Finished) -> Kept | None:
        """Bring what a failed apply could not save to safety; None where Terraform saved the state."""
        if not failures.not_saved(done.fold.diagnostics) and done.fold.dump is None:
            if done.fold.torn:
                with contextlib.suppress(OSError):
                    scrub(done.log)
            return None
        interrupts.stopping()  # neither cut off, nor without a word of it
        kept = self._unsaved.collect(done.fold.dump)
        if kept.path is not None or done.fold.dump is None:
            with contextlib.suppress(OSError):
                scrub(done.log)
        else:
            kept = self._unsaved.take(done.log)
        return kept

    def _fail(self, operation: str, done: _Finished) -> NoReturn:
        if done.ended.interrupted:
            interrupts.stopping()
        raise failures.explain(
            operation,
            diagnostics=tuple(done.fold.diagnostics),
            stderr="\n".join([*done.fold.texts, done.stderr]),
            returncode=done.ended.returncode,
            interrupted=done.ended.interrupted,
            outcome=done.fold.apply(seconds=done.ended.seconds) if operation == "apply" else None,
            environment=self._called,
            record=str(Path(self._environ["TF_DATA_DIR"]) / "terraform.tfstate"),
            blocked=done.blocked,
            kept=self._keep_unsaved(done) if operation == "apply" else None,
        )

    def _run(
        self,
        operation: str,
        arguments: list[str],
        *,
        lock: runs.RunLock | None = None,
        data: bool = False,
        cwd: Path | None = None,
        reserve: int = 0,
    ) -> _Finished:
        """Run one command, in the root unless `cwd` says otherwise.

        With `data` its output is an answer to be parsed, not a stream of events, and no log. A signal stops the command
        if it comes before its end, and is not lost if it comes at its end.
        """
        # Each time: a command trusts what the one before it noted down, which anybody may have changed since.
        data_folder.check_sources(self._data_folder)
        if self._backend is not None and operation != "init":  # which compares by itself, and may be meant to change it
            data_folder.check_backend(self._data_folder, *self._backend)
        if not self.root.is_dir():
            raise ToolkitError("there is no rendered root", where=str(self.root), hint="Run `toolkit render` first.")
        logs = self.scratch / "logs"
        logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        _prune(logs)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        stdout, stderr = (logs / f"{stamp}-{operation.replace(' ', '-')}.{kind}" for kind in ("out", "err"))
        fold = Fold()
        lines: list[str] = []
        self._tell_ignored()

        def on_line(line: str) -> None:
            if data:
                lines.append(line)
            elif line.strip():
                event = events.parse(line)
                fold.add(event)
                self._on_event(event)

        def on_start(pid: int) -> None:
            if lock is not None:
                lock.record(operation, stdout, stderr, pid)
            if interrupts.waits():
                self.interrupt()

        self._on_command(arguments)
        if lock is not None:
            lock.record(operation, stdout, stderr)
        self._interrupts = process.Interrupts()
        attached = self._provider if operation in ("plan", "show") else None
        descriptors = ([] if lock is None else [lock.descriptor]) + ([] if attached is None else [attached.descriptor])
        try:
            ended = process.execute(
                arguments,
                cwd=cwd or self.root,
                environ={**self._environ, **(attached.environ if attached is not None else {})},
                stdout=stdout,
                stderr=stderr,
                on_line=on_line,
                on_notice=lambda text: self._on_event(events.Notice(text)),
                on_start=on_start,
                interrupts=self._interrupts,
                inherit=tuple(descriptors),
                # Plans and local state hold secrets; the lock file that init writes is committed and is for all.
                umask=-1 if operation in ("init", "providers lock") else _PRIVATE,
                reserve=reserve,
            )
            if self._interrupts.requested or interrupts.waits():
                # Also where Terraform had ended by itself by then: what follows must not be done.
                ended = replace(ended, interrupted=True)
            complaints = stderr.read_text(encoding="utf-8", errors="replace")
            blocked = None if ended.returncode in (0, 2) and _whole(stdout) else why_unwritable(logs)
        except OSError as error:
            if (full := unwritable(error, str(logs))) is not None:
                raise full from error
            raise ToolkitError(f"cannot run Terraform: {error}", where=str(self.binary.path)) from error
        finally:
            self._interrupts = None
            if data:  # `show` and `output` print sensitive values in clear
                stdout.unlink(missing_ok=True)
        if ended.leftovers:
            self._on_event(events.Notice("Processes that Terraform had left behind were ended."))
        return _Finished(ended, fold, "\n".join(lines), complaints, stdout, blocked)


def _child_environ(admitted: Admitted, scratch: Path) -> dict[str, str]:
    """Terraform's environment: what was let through, and what this toolkit sets."""
    kept = dict(admitted)
    kept.setdefault("GOGC", "400")  # a quarter less CPU for 8 % more memory, measured with provider 5.100
    if any(name.startswith("TF_LOG") for name in kept):
        # On stderr it would drown Terraform's own words; it may hold credentials, so it stays in the private folder.
        kept.setdefault("TF_LOG_PATH", str(scratch / "logs" / "terraform-debug.log"))
    kept |= {
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
        "TF_DATA_DIR": str(scratch / "terraform"),
        # Else a file in the data folder could select another one, and so another state.
        "TF_WORKSPACE": "default",
    }
    return kept


def _json(text: str) -> dict[str, Any]:
    """The JSON object in Terraform's answer; warning blocks may stand before it."""
    start = 0 if text.startswith("{") else text.find("\n{") + 1
    value, _ = json.JSONDecoder().raw_decode(text, start)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _whole(output: Path) -> bool:
    """Whether a file of Terraform's output was not cut off, as it is on a full disk: each answer ends with its line."""
    with output.open("rb") as stream:
        if stream.seek(0, os.SEEK_END) == 0:
            return True
        stream.seek(-1, os.SEEK_END)
        return stream.read() == b"\n"


def _prune(logs: Path) -> None:
    newest = sorted(logs.glob("*-*.*"), key=os.path.basename, reverse=True)
    for old in newest[_KEPT_LOGS:]:
        old.unlink(missing_ok=True)
