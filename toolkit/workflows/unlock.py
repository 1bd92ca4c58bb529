"""Shows who holds an environment's state, and releases a lock whose holder is dead.

In: a Workspace. Out: the lock and, where it can be proven, why its holder is dead. The proof needs the same host: a run
recorded in this folder was killed, its log shows that it held the state at some moment, and the lock that lies there
now was made before that moment. There is one lock at a time, so it is that run's. Without proof, people decide.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from toolkit.aws.state_bucket import check_state_account, state_clients, state_key, state_owner
from toolkit.aws.state_object import StateObject
from toolkit.environment import S3Backend
from toolkit.errors import LockedError, RefusedError, ToolkitError
from toolkit.files import read_regular
from toolkit.interrupts import report, uninterrupted
from toolkit.terraform.local_state import in_use, lock_info
from toolkit.terraform.locks import StateLock, parse_lock
from toolkit.terraform.runs import Run, active_run, held_state_at, killed_runs
from toolkit.workflows.observer import Observer
from toolkit.workflows.workspace import Workspace


@dataclass(frozen=True)
class HeldLock:
    """A lock, and what is known of its holder."""

    lock: StateLock
    dead: str | None
    """Why the holder is surely dead; None where nobody can know from here."""


def read_lock(workspace: Workspace, lock_id: str | None) -> HeldLock | None:
    """The lock of the environment's state; None where nobody holds it.

    Args:
        lock_id: The lock that is meant; None means whichever it is.

    Raises:
        LockedError: The holder is surely alive.
        RefusedError: It is another lock than the one that is meant.
        ToolkitError: The lock cannot be read.
    """
    run = active_run(workspace.scratch)
    if run is not None:
        raise LockedError(
            f"terraform {run.operation} is running here since {run.started} (process "
            f"{run.terraform_pid or run.toolkit_pid} on {run.host}): its lock is in use",
            where=str(workspace.scratch),
            hint=f"wait until it has ended, or stop it gracefully: kill -INT {run.terraform_pid or run.toolkit_pid}",
        )
    lock = _read(workspace)
    if lock is None:
        return None
    if lock_id is not None and lock.id != lock_id:
        raise RefusedError(
            f"the state is locked by another lock than {lock_id}: {lock.id}, since {lock.created} by {lock.who} "
            f"({lock.operation})",
            where=lock.path or workspace.backend,
            hint=f"the one you mean is gone; look at this one with `toolkit unlock {workspace.called}`",
        )
    return HeldLock(lock, why_dead(lock, killed_runs(workspace.scratch), socket.gethostname()))


def release(workspace: Workspace, held: HeldLock, observer: Observer) -> None:
    """Release exactly that lock.

    Raises:
        ToolkitError: It could not be released, or is another one by now.
    """
    observer.stage(f"Releasing the lock of {workspace.environment.name}")
    with uninterrupted():
        workspace.runner.force_unlock(held.lock.id)
        report(f"the lock {held.lock.id} is released")


def why_dead(lock: StateLock, killed: Iterable[Run], host: str) -> str | None:
    """Why the lock's holder is surely dead, or None. Pure but for reading the killed runs' logs."""
    if lock.who.rpartition("@")[2] != host or lock.created_at is None:
        return None
    for run in killed:
        until = held_state_at(run)
        if run.host == host and until and datetime.fromisoformat(run.started) <= lock.created_at <= until:
            return (
                f"it is that of the {run.operation} started here at {run.started} (process {run.terraform_pid}), "
                "which was killed"
            )
    return None


def _read(workspace: Workspace) -> StateLock | None:
    backend = workspace.environment.backend
    if not isinstance(backend, S3Backend):
        return _read_local(workspace)
    environment = workspace.environment
    clients = state_clients(environment, backend, workspace.environ)
    check_state_account(environment, backend, clients)
    state = StateObject(
        clients.client("s3", backend.region),
        backend,
        key=state_key(environment, backend),
        owner=state_owner(environment, backend),
    )
    data = state.read_lock()
    return None if data is None else _parsed(data, f"{state.uri}.tflock")


def _read_local(workspace: Workspace) -> StateLock | None:
    """A local lock is the kernel's and ends with its holder: one that is held has a living holder."""
    info = lock_info(workspace.local_state)
    if not in_use(workspace.local_state):
        info.unlink(missing_ok=True)
        return None
    lock = _parsed(read_regular(info), str(info)) if info.is_file() else None
    who = f" by {lock.who} since {lock.created} ({lock.operation})" if lock else ""
    raise LockedError(
        f"a running Terraform holds the local state{who}",
        where=str(workspace.local_state),
        hint="wait until it has ended, or end it; its lock then ends with it",
    )


def _parsed(data: bytes, where: str) -> StateLock:
    try:
        return parse_lock(data)
    except (ValueError, KeyError, TypeError) as e:
        raise ToolkitError(
            "the object at the key of Terraform's lock is not a lock",
            where=where,
            hint="look at it; delete it by hand if no run is using this state",
        ) from e
