"""The scratch folder of an environment: private, and without what killed runs have left in it.

In: an environment's paths. Out: `environments/NAME/.toolkit` or a folder in it, 0700; and in there folders of a single
command, for files that hold secrets in the clear.

A command that is killed cannot tidy up. Whether the owner of such a folder is dead is decided by the kernel: it holds a
file lock on it while it lives. Its Terraform may go on alone, and is seen by its own lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from toolkit.errors import LockedError, ToolkitError
from toolkit.files import refuse_links
from toolkit.interrupts import uninterrupted
from toolkit.paths import EnvironmentPaths
from toolkit.terraform.runs import active_run

_OWNED = ("plan-", "apply-", "drift-", "adopt-")
_OWNER, _MUTEX = ".owner.lock", "folders.lock"


def scratch_folder(paths: EnvironmentPaths, *inner: str) -> Path:
    """The scratch folder, or a folder in it; made if need be, and private also if it was not.

    Raises:
        ToolkitError: It cannot be made, or a symbolic link would lead what is written into it elsewhere.
    """
    folder = paths.scratch
    refuse_links(paths.project, folder.joinpath(*inner))
    try:
        for step in ("", *inner):
            folder = folder / step
            folder.mkdir(exist_ok=True, mode=0o700)
            folder.chmod(0o700)
    except OSError as e:
        raise ToolkitError(f"the scratch folder cannot be made: {e.strerror}", where=str(folder)) from e
    return folder


def local_state_file(paths: EnvironmentPaths, scratch: Path) -> Path:
    """Where the state is with a local backend.

    A real environment tried out on the embedded AWS must not touch the real state, and has one of its own.
    """
    return (paths.folder if scratch == paths.scratch else scratch) / "terraform.tfstate"


@contextlib.contextmanager
def own_folder(scratch: Path, kind: str) -> Iterator[Path]:
    """A folder of this command alone, which goes with it.

    Args:
        scratch: Where it is made.
        kind: "plan", "apply", "drift" or "adopt".
    """
    with contextlib.ExitStack() as made:
        with _mutex(scratch), uninterrupted():
            folder = Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=scratch))  # 0700 by definition
            # Not inherited by what this process starts, so that it is free as soon as this process has ended.
            owner = os.open(folder / _OWNER, os.O_RDWR | os.O_CREAT, 0o600)
            made.callback(_remove, folder, owner)
            fcntl.flock(owner, fcntl.LOCK_EX)
        yield folder


def _remove(folder: Path, owner: int) -> None:
    with uninterrupted():  # secrets are in it
        shutil.rmtree(folder, ignore_errors=True)
        os.close(owner)


@contextlib.contextmanager
def only_one(paths: EnvironmentPaths, command: str) -> Iterator[None]:
    """Held while a command edits environment.yaml: one at a time; the kernel frees it with the process.

    Args:
        paths: The environment's.
        command: Its name, as `toolkit` has it: the one that comes too late names it.

    Raises:
        LockedError: Another one runs.
        ToolkitError: The lock cannot be made, or a symbolic link would lead it elsewhere.
    """
    file = scratch_folder(paths) / "edit.lock"
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as e:
        raise ToolkitError(
            f"the lock cannot be made: {e.strerror}", where=str(file), hint="move what is there out of the way"
        ) from e
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            running = os.pread(descriptor, 32, 0).decode("ascii", "replace") or command
            raise LockedError(
                f"another `toolkit {running}` of this environment is running",
                where=paths.shown,
                hint="wait until it has ended, then run this command again",
            ) from e
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, command.encode("ascii"), 0)
        yield
    finally:
        os.close(descriptor)


def sweep(scratch: Path) -> int:
    """Delete the folders of commands that were killed; returns how many there were.

    Nothing is deleted while a Terraform runs here: its toolkit may be dead, and one of them its own.
    """
    found = 0
    with _mutex(scratch):
        if active_run(scratch) is not None:
            return 0
        for folder in scratch.iterdir():
            if folder.name.startswith(_OWNED) and folder.is_dir() and not folder.is_symlink() and not _owned(folder):
                shutil.rmtree(folder, ignore_errors=True)
                found += 1
    return found


def _owned(folder: Path) -> bool:
    """Whether a living command has this folder; under the mutex, one without a lock belongs to none."""
    try:
        descriptor = os.open(folder / _OWNER, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextlib.contextmanager
def _mutex(scratch: Path) -> Iterator[None]:
    """Held for moments only: while a folder is made and locked, and while others are looked at."""
    descriptor = os.open(scratch / _MUTEX, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
