"""Starts one Terraform process and stays with it until it and everything it started have ended.

In: an argument vector, a folder, a complete environment, two files for the output. Out: lines while it runs, and how
it ended. Terraform gets a session of its own, so that the terminal's Ctrl-C reaches only us, and writes to files, so
that our death cannot kill it through a closed pipe: after SIGKILL of this process it finishes and releases its lock.

Signals (SIGINT, SIGTERM, SIGHUP): the first becomes one SIGINT to Terraform, which then stops gracefully, keeps its
state and releases its lock. A further one within the grace period is the same keypress delivered twice, or impatience,
and is not passed on. One after it becomes a second SIGINT, on which Terraform gives up at once. One after a second
grace period kills what is left.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from toolkit.errors import UNWRITABLE

POLL_SECONDS = 0.03
GRACE_SECONDS = 2.0
_CLEANUP_SECONDS = 3.0

STOPPING = "Interrupted: Terraform finishes the calls in progress, saves its state and releases its lock. Please wait."
WAITING = "Still stopping; another interrupt makes Terraform stop immediately, and may lose state."
GIVING_UP = "Interrupted again: Terraform stops immediately; calls in progress may be missing from the state."
KILLING = "Interrupted again: killed. The state lock may remain, and the state may be incomplete."


@dataclass(frozen=True)
class Ended:
    returncode: int
    """Terraform's exit code; negative for the signal that killed it."""

    interrupted: bool
    """Whether a signal to us was passed on."""

    seconds: float
    leftovers: bool
    """Whether processes that it had started (providers) were still alive and had to be ended."""


@dataclass
class Interrupts:
    """Counts requests to stop; `request` may be called from a signal handler or from another thread."""

    grace: float = field(default_factory=lambda: GRACE_SECONDS)
    requested: int = 0
    _seen: int = 0
    _stage: int = 0
    _since: float = 0.0

    def request(self) -> None:
        self.requested += 1  # nothing else: a handler runs between any two instructions of the loop below

    @property
    def passed_on(self) -> bool:
        return self._stage > 0

    def pass_on(self, process: subprocess.Popen[bytes]) -> Iterator[str]:
        """Send what new requests ask for, and yield what to tell people."""
        if self.requested == self._seen:
            return
        self._seen = self.requested
        now = time.monotonic()
        if self._stage and now - self._since < self.grace:
            yield WAITING
            return
        self._stage += 1
        self._since = now
        if self._stage == 1:
            process.send_signal(signal.SIGINT)
            yield STOPPING
        elif self._stage == 2:
            process.send_signal(signal.SIGINT)
            yield GIVING_UP
        else:
            _signal_group(process.pid, signal.SIGKILL)
            yield KILLING


def execute(
    arguments: Sequence[str],
    *,
    cwd: Path,
    environ: Mapping[str, str],
    stdout: Path,
    stderr: Path,
    on_line: Callable[[str], None],
    on_notice: Callable[[str], None],
    on_start: Callable[[int], None],
    interrupts: Interrupts,
    inherit: tuple[int, ...] = (),
    umask: int = -1,
    reserve: int = 0,
) -> Ended:
    """Run to the end; whatever happens here, Terraform has ended when this returns or raises.

    Args:
        stdout: New file (0600) for its output; complete lines are handed to `on_line`, at most POLL_SECONDS later.
        on_start: Gets the process id.
        inherit: Descriptors that the process and its children keep open (the run lock).
        umask: File mode mask of the process; -1 leaves ours.
        reserve: Bytes that `stdout` shall have room for, also if the disk is full by then; given back at the end.

    Raises:
        OSError: It could not be started, or there is no room for `reserve`.
    """
    started = time.monotonic()
    with (
        handled(interrupts),
        _new(stdout, reserve) as out,
        _new(stderr) as err,
        stdout.open("rb") as reader,
        contextlib.ExitStack() as opened,
    ):
        process = subprocess.Popen(
            arguments,
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            pass_fds=inherit,
            umask=umask,
        )
        try:
            on_start(process.pid)
            wait = opened.enter_context(_waiting(process))
            rest = b""
            while True:
                returncode = process.poll()  # before reading: what it wrote before it ended is then read below
                *lines, rest = (rest + reader.read()).split(b"\n")
                for line in lines:
                    on_line(line.decode("utf-8", "replace"))
                if returncode is not None:
                    break
                for notice in interrupts.pass_on(process):
                    on_notice(notice)
                wait(POLL_SECONDS)
            if rest:
                on_line(rest.decode("utf-8", "replace"))
        except BaseException:
            # A callback failed (a closed terminal, a bug): Terraform must not go on unwatched.
            interrupts.request()
            while process.poll() is None:
                for _ in interrupts.pass_on(process):
                    pass  # nobody is left to tell
                time.sleep(POLL_SECONDS)
            raise
        finally:
            leftovers = end_group(process.pid)
    return Ended(returncode, interrupts.passed_on, time.monotonic() - started, leftovers)


@contextlib.contextmanager
def _waiting(process: subprocess.Popen[bytes]) -> Iterator[Callable[[float], object]]:
    """A function that waits for so many seconds, or until the process has ended.

    `Popen.wait` with a timeout looks every few milliseconds instead: a seventh of what Python takes for a plan.
    """
    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # macOS, an old kernel, a sandbox that forbids it
        yield time.sleep
        return
    try:
        ended = select.poll()
        ended.register(descriptor, select.POLLIN)
        yield lambda seconds: ended.poll(seconds * 1000)
    finally:
        os.close(descriptor)


def attached(
    arguments: Sequence[str],
    *,
    cwd: Path,
    environ: Mapping[str, str],
    on_start: Callable[[int], None],
    inherit: tuple[int, ...] = (),
    umask: int = -1,
) -> int:
    """Run with this process's own streams, so that somebody can talk to it; returns its exit code, as a shell gives it.

    It has no pipe that our death could close, and stays in our process group: a terminal's Ctrl-C reaches it by itself.

    Args:
        on_start: Gets the process id.
        inherit: Descriptors that it keeps open.
        umask: File mode mask of the process; -1 leaves ours.

    Raises:
        OSError: It could not be started.
    """
    child = subprocess.Popen(arguments, cwd=cwd, env=dict(environ), pass_fds=inherit, umask=umask)

    def hand_on(number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGINT or not os.isatty(0):
            child.send_signal(number)

    with _handlers(hand_on):
        on_start(child.pid)
        returncode = child.wait()
    return returncode if returncode >= 0 else 128 - returncode


def end_group(group: int) -> bool:
    """End what is left of a process group, politely and then not; True if there was anything."""
    found = False
    for wanted in (signal.SIGTERM, signal.SIGKILL):
        if not group_alive(group):
            break
        found = True
        _signal_group(group, wanted)
        deadline = time.monotonic() + _CLEANUP_SECONDS
        while group_alive(group) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
    return found


def group_alive(group: int) -> bool:
    """Whether a process group has a member that still runs; zombies don't count."""
    return _signal_group(group, 0) and _running(group) != set()


def leader_alive(group: int) -> bool:
    """Whether the process that a group is named after still runs."""
    running = _running(group)
    return _signal_group(group, 0) if running is None else group in running


def _running(group: int) -> set[int] | None:
    """Members of a group that are no zombies, or None where there is no /proc (macOS).

    A container's first process often reaps nobody, so that on Linux zombies stay, and can be sent signals. launchd
    does reap.
    """
    if not Path("/proc/self/stat").exists():
        return None
    found = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # pid (name) state ppid pgrp …; the name may hold anything, even ") "
            state, _, member_of = entry.read_text(errors="replace").rpartition(")")[2].split()[:3]
            if member_of == str(group) and state not in "ZX":
                found.add(int(entry.parent.name))
    return found


def _signal_group(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False  # macOS says so of a group that holds nothing but zombies
    return True


def handled(interrupts: Interrupts) -> contextlib.AbstractContextManager[None]:
    """While this lasts, SIGINT, SIGTERM and SIGHUP are requests to stop."""
    return _handlers(lambda _number, _frame: interrupts.request())


def asking() -> contextlib.AbstractContextManager[None]:
    """While this lasts, they raise KeyboardInterrupt: otherwise Python continues to wait for the answer."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    return _handlers(stop)


@contextlib.contextmanager
def _handlers(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # Python allows handlers in the main thread only; who runs threads calls `Interrupts.request` itself
        return
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, and jobs in the background of a script
            before[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _new(path: Path, reserve: int = 0) -> Iterator[int]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    try:
        if reserve:
            try:
                _reserve(descriptor, reserve)
            except OSError as e:
                path.unlink()
                raise OSError(e.errno, e.strerror, str(path.parent)) from e
        yield descriptor
    finally:
        if reserve:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, os.fstat(descriptor).st_size)  # frees what is reserved behind the end
        os.close(descriptor)


def _reserve(descriptor: int, size: int) -> None:
    """Have the file system put room aside behind the end of an empty file, which stays empty.

    Where it cannot (macOS, NFS), nothing is put aside.

    Raises:
        OSError: It is full, or the quota is.
    """
    import ctypes

    try:
        fallocate = ctypes.CDLL(None, use_errno=True).fallocate
    except (OSError, AttributeError):
        return
    fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_longlong, ctypes.c_longlong)
    keep_size = 1  # FALLOC_FL_KEEP_SIZE, https://man7.org/linux/man-pages/man2/fallocate.2.html
    if fallocate(descriptor, keep_size, 0, size) != 0 and ctypes.get_errno() in UNWRITABLE:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
