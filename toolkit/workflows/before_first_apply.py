"""What an account had before the environment's first apply, and will not have after a destroy.

In: a Workspace, a plan to destroy it, and the snapshots that `toolkit discover` has left. Out: what is lost, by the
directions of the records. Calls no AWS. The first apply notes its time in the scratch folder: the newest snapshot from
before it has the account as it was found.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from toolkit.errors import RefusedError, ToolkitError
from toolkit.files import read_regular, write_atomically
from toolkit.plan.model import Action, Change, Plan
from toolkit.plan.strengths import weakenings
from toolkit.resources.reading import Live
from toolkit.resources.registry import RESOURCES
from toolkit.snapshots import Snapshot, read_snapshot
from toolkit.snapshots.unmanaged import identity_attributes, is_same
from toolkit.terraform.state_resources import StateResource
from toolkit.visible import joined_lines
from toolkit.workflows.workspace import Workspace

_RECORD = "first-apply.json"
_LARGEST = 1 << 16


@dataclass(frozen=True)
class Loss:
    """One resource that the account had before the first apply, and that a plan deletes."""

    address: str
    called: str
    """What it is, for people ("the group 'developers'")."""
    settings: tuple[str, ...]
    """What of it had a stronger side ("minimum_password_length: 24 → null")."""


@dataclass(frozen=True)
class Before:
    """What a plan to destroy was compared with."""

    source: str
    """One sentence: which snapshot, or why none."""
    losses: tuple[Loss, ...] = ()


def note_first_apply(workspace: Workspace) -> None:
    """Note the time of the first apply; one that is noted already stays.

    Raises:
        ToolkitError: It cannot be written.
    """
    file = workspace.scratch / _RECORD
    account = workspace.caller.account_id
    if _first_apply(file, account) is not None:
        return
    noted = {"account_id": account, "time": datetime.now(UTC).isoformat(timespec="seconds")}
    try:
        write_atomically(file, json.dumps(noted) + "\n", mode=0o600)
    except OSError as e:
        raise ToolkitError(f"the time of the first apply cannot be noted: {e.strerror}", where=str(file)) from e


def compare_with_before(workspace: Workspace, plan: Plan) -> Before:
    """What the account had before the first apply, and will not have once the plan has deleted it.

    Raises:
        ToolkitError: The snapshot to compare with cannot be read.
        RefusedError: It was edited.
    """
    applied = _first_apply(workspace.scratch / _RECORD, workspace.caller.account_id)
    snapshot = _snapshot(workspace, applied)
    if snapshot is None:
        return Before("There is no snapshot from before the first apply: compared with nothing.")
    which = f"the snapshot {snapshot.file_name}"
    if applied is None:
        source = f"When the first apply was is not known here: compared with {which}, the oldest."
    else:
        source = f"Compared with {which}, the newest from before the first apply ({applied:%Y-%m-%d %H:%M:%S} UTC)."
    return Before(source, tuple(_losses(snapshot, plan)))


def refuse_unacknowledged(workspace: Workspace, before: Before) -> None:
    """Refuse a destroy without a prompt that would leave the account weaker than it was found.

    Raises:
        RefusedError: Something is lost; nothing was deleted.
    """
    if before.losses:
        raise RefusedError(
            f"the account would be left without {len(before.losses)} of the resources that it had before the first "
            "apply; nothing was deleted",
            where=workspace.called,
            detail=joined_lines(lines(before)),
            hint="keep them with `toolkit release`, which deletes nothing in AWS, or consent with --acknowledge-weaker",
        )


def lines(before: Before) -> Iterator[str]:
    """The comparison for people."""
    yield before.source
    if before.losses:
        yield "The account had these before the first apply, and will not have them after the destroy:"
    for loss in before.losses:
        yield f"  {loss.called} ({loss.address})"
        yield from (f"    {setting}" for setting in loss.settings)


def _first_apply(file: Path, account: str) -> datetime | None:
    """When the first apply in an account was; None where that is not known, or was in another account.

    Raises:
        ToolkitError: The note is damaged.
    """
    try:
        noted = json.loads(read_regular(file, _LARGEST))
        return datetime.fromisoformat(noted["time"]).astimezone(UTC) if noted["account_id"] == account else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise ToolkitError(
            "the note of the first apply cannot be read",
            where=str(file),
            hint="delete it; `toolkit destroy` then compares with the oldest snapshot",
        ) from e


def _snapshot(workspace: Workspace, applied: datetime | None) -> Snapshot | None:
    """The newest from before the first apply; where that is not known, the oldest."""
    # Names sort by time (Snapshot.file_name).
    files = sorted((workspace.scratch / "snapshots").glob(f"{workspace.caller.account_id}-*.json"))
    for file in files if applied is None else reversed(files):
        try:
            snapshot = read_snapshot(file, account_id=workspace.caller.account_id)
        except ToolkitError as e:
            e.hint = "move it to another folder, and `toolkit destroy` compares with the next one"
            raise
        if snapshot.simulator == workspace.simulator and (applied is None or snapshot.taken <= applied):
            return snapshot
    return None


def _losses(snapshot: Snapshot, plan: Plan) -> Iterator[Loss]:
    had: defaultdict[str, list[Live]] = defaultdict(list)
    for live in snapshot.resources:
        if not live.by_default:  # what AWS gives by itself comes back
            had[live.type].append(live)
    attributes = identity_attributes()
    for change in plan.changes:
        if change.action is not Action.DELETE or change.type not in had:
            continue
        managed = _as_in_state(change, attributes[change.type])
        for live in had[change.type]:
            if is_same(live, managed, change.region):
                lost = weakenings(RESOURCES[change.type], live.values, {})
                yield Loss(change.address, live.called, tuple(f"{one.path}: {one.reason}" for one in lost))


def _as_in_state(change: Change, attributes: tuple[str, ...]) -> StateResource:
    identity = {name: value for name in attributes if isinstance(value := change.before.get(name), str) and value}
    return StateResource(change.address, change.type, "", identity)
