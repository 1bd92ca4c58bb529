"""A local state file: which state it holds, and whether a Terraform works on it.

Terraform locks a local state with a POSIX record lock, which the kernel releases when the process ends, and writes
`.NAME.lock.info` beside it for people. So a local lock is never left behind, only its description is; and
`terraform force-unlock` refuses local states.
"""

from __future__ import annotations

import fcntl
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.errors import ToolkitError
from toolkit.files import read_regular


@dataclass(frozen=True)
class LocalState:
    """What of a state file may be told; its values are secrets."""

    lineage: str
    serial: int
    resources: int
    """Managed resources and data sources; each instance of a `for_each` counts."""


@dataclass(frozen=True)
class StateId:
    """Which state some bytes are: the lineage stays through its life, each writing adds to the serial."""

    lineage: str
    """Empty where Terraform has not made one yet."""

    serial: int
    resources: int
    """As in LocalState; 0 where the bytes are cut off."""

    whole: bool
    """False for a state that was cut off while it was written, as on a full disk."""


def state_id(content: bytes) -> StateId | None:
    """Which state of version 4 this is; None where it is none. Serial and lineage stand in its first lines."""
    try:
        state = json.loads(content)
    except (ValueError, RecursionError):
        head = re.match(rb'\{\s*"version": 4,[^{]*?"serial": (\d+),\s*"lineage": "([^"]*)"', content[:1000])
        return StateId(head[2].decode("utf-8", "replace"), int(head[1]), 0, whole=False) if head else None
    try:
        if state["version"] != 4 or not isinstance(state["lineage"], str) or type(state["serial"]) is not int:
            return None
        instances = [instance for resource in state["resources"] for instance in resource["instances"]]
        if not all(isinstance(instance, dict) for instance in instances):
            return None
        return StateId(state["lineage"], state["serial"], len(instances), whole=True)
    except (KeyError, TypeError):
        return None


def _count(state: Any) -> int:
    return sum(len(r["instances"]) for r in state["resources"])


def read_local_state(file: Path) -> LocalState | None:
    """The state in `file`; None where there is no file or nothing was ever applied or all was destroyed.

    Raises:
        ToolkitError: It is no state that Terraform 1 writes.
    """
    try:
        text = read_regular(file)
    except FileNotFoundError:
        return None
    except OSError as e:
        raise ToolkitError(f"the local state cannot be read: {e.strerror}", where=str(file)) from e
    if not text.strip():
        return None
    try:
        state = json.loads(text)
        if state["version"] != 4:
            raise ValueError(f"version {state['version']}")
        found = LocalState(str(state["lineage"]), int(state["serial"]), _count(state))
    except (ValueError, KeyError, TypeError, RecursionError) as e:
        cut = state_id(text)
        if cut is not None and not cut.whole:
            raise ToolkitError(
                f"this state (serial {cut.serial}) was cut off while it was written, as on a full disk",
                where=str(file),
                hint="if a later one was kept, `toolkit state restore ENV FILE` puts it here; terraform.tfstate.backup "
                "is the one before",
            ) from e
        raise ToolkitError(
            f"not a Terraform state of version 4: {e}",
            where=str(file),
            hint="restore it from terraform.tfstate.backup next to it, or move it away if it is not yours",
        ) from e
    return found if found.resources or state.get("outputs") else None


def lock_info(file: Path) -> Path:
    """Where Terraform describes the lock of a local state."""
    return file.with_name(f".{file.name}.lock.info")


def in_use(file: Path) -> bool:
    """Whether a process holds the lock of this local state.

    Raises:
        ToolkitError: The file may not be opened for writing, which asking needs.
    """
    try:
        with file.open("r+b") as stream:
            # Closing the file gives our lock back at once.
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except (BlockingIOError, PermissionError) as e:
        # POSIX allows either for a lock that somebody holds; a file that may not be opened has a name in the error.
        if isinstance(e, PermissionError) and e.filename is not None:
            raise ToolkitError(f"the local state cannot be opened: {e.strerror}", where=str(file)) from e
        return True
    return False
