"""A state that Terraform could not save: what waits is found before anything is planned, and put where it belongs.

In: a Workspace, and for `restore` the file. Out: a refusal that names the file and the command, or the state in its
backend, byte for byte, under its lock, read back, and only then the file gone. Lineage, serial, environment and account
must fit: nothing that is newer, or another state, is ever overwritten.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from toolkit.errors import BadPlanError, LockedError, RefusedError, ToolkitError
from toolkit.files import read_regular, write_atomically
from toolkit.interrupts import report, uninterrupted
from toolkit.paths import EnvironmentPaths, Project
from toolkit.terraform.failures import not_saved
from toolkit.terraform.local_state import StateId, in_use, state_id
from toolkit.terraform.runs import RunLock, finished_orphan
from toolkit.terraform.sealing import is_sealed, sealed_for, unseal
from toolkit.terraform.unsaved import MAX_BYTES, UnsavedStates, named, scrub, state_in
from toolkit.typed import same_json
from toolkit.workflows.observer import Observer
from toolkit.workflows.scratch import local_state_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from toolkit.workflows.workspace import Access, Workspace


@dataclass(frozen=True)
class Restored:
    """What `restore` did."""

    state: str
    """Where the state is: a path, or "s3://BUCKET/KEY"."""
    lineage: str
    serial: int
    resources: int
    written: bool
    """False: it was there already."""
    removed: tuple[Path, ...]
    """Files that waited, and are gone since the state was read back."""
    left: Path | None
    """The file, where it is a copy elsewhere that stays."""
    kept_as: Path | None
    """What the local state is called now that was replaced."""


def unsaved_states(paths: EnvironmentPaths, scratch: Path, environ: Mapping[str, str]) -> UnsavedStates:
    """Those of an environment; what `--sandbox` has apart does not mix with the real account's."""
    folder = local_state_file(paths, scratch).parent
    return UnsavedStates(paths.name, folder=folder, rendered=paths.rendered, environ=environ)


def refuse_unsaved(unsaved: UnsavedStates, scratch: Path, called: str) -> None:
    """Refuse whatever reads or writes the state while a newer one waits to be restored.

    Raises:
        LockedError: One waits; the error names it and the command.
    """
    _adopt(unsaved, scratch)
    waiting = unsaved.waiting()
    if waiting:
        raise waits(waiting[0], called, more=len(waiting) - 1)


def waits(file: Path, called: str, *, more: int = 0) -> LockedError:
    """The refusal, which `doctor` shows, too."""
    try:
        content = read_regular(file, MAX_BYTES, follow=False)
    except OSError:
        content = None
    whole = content is not None and (is_sealed(content) or state_in(content) is not None)
    others = f" (and {more} more)" if more else ""
    if not whole:
        return LockedError(
            f"a state that could not be saved left this file{others}, which holds no whole state: what an earlier "
            "apply did may be recorded nowhere",
            where=str(file),
            hint="look into it for what was created, import or delete that, then delete the file",
        )
    return LockedError(
        f"the state of an earlier apply could not be saved and waits here{others}: a plan now would not know what that "
        "apply did",
        where=str(file),
        hint=f"restore it with: toolkit state restore {called} {quote(str(file))} ; then run this command again",
    )


def _adopt(unsaved: UnsavedStates, scratch: Path) -> None:
    """Keep what an apply has left whose toolkit was killed, so that nobody was there to do it."""
    orphan = finished_orphan(scratch)
    if orphan is None or orphan.run.operation != "apply":
        return
    log = orphan.run.stdout
    try:
        dump = state_in(log.read_bytes())
    except OSError:
        dump = None
    if dump is None and not not_saved(orphan.outcome.diagnostics):
        return
    kept = unsaved.collect(None if dump is None else dump.decode())
    if kept.path is not None:
        scrub(log)


def restore(project: Project, name: str, file: Path, access: Access, observer: Observer) -> Restored:
    """Put a state that could not be saved where the environment keeps its state.

    Raises:
        ToolkitError: The file is no state, or the backend does not take it; the file stays.
        RefusedError: It is another state, an older one, or another environment's or account's; nothing was written.
        LockedError: A Terraform works on the state.
    """
    from toolkit.workflows.workspace import open_workspace, read_environment

    paths, _ = read_environment(project, name)
    _refuse_other_folder(project, paths, file, sandbox=access.sandbox)
    content = _read(project, name, file, access)
    state, found = named(content)
    workspace = open_workspace(project, name, access, observer, may_render=False, initialize=False, restores=True)
    _refuse_other_account(json.loads(state), workspace.environment.account_id, file)
    observer.stage(f"Restoring the state of {name}")
    place = _place(workspace)
    with uninterrupted():
        written, kept_as = place.write(state, lambda there: _is_there(there, state, found, place.shown))
        report(f"the state is restored to {place.shown}")
    observer.note(f"read back: lineage {found.lineage}, serial {found.serial}, {found.resources} resources")
    removed = []
    for other in workspace.unsaved.waiting():
        if other.resolve() == file.resolve() or _same(project, name, other, access, content):
            other.unlink()
            removed.append(other)
    left = file if os.path.lexists(file) else None
    return Restored(place.shown, found.lineage, found.serial, found.resources, written, tuple(removed), left, kept_as)


def _read(project: Project, name: str, file: Path, access: Access) -> bytes:
    """The state in a file: as it is, encrypted by the toolkit, or dumped into a log by Terraform."""
    from toolkit.workflows.keys import bundle_keys

    try:
        content = read_regular(file, MAX_BYTES, follow=False)
    except OSError as e:
        raise ToolkitError(
            f"cannot be read: {e.strerror}", where=str(file), hint="give the file that the failed apply named"
        ) from e
    if is_sealed(content):
        theirs = sealed_for(content)
        if theirs is not None and theirs != name:
            raise RefusedError(f"this is a state of environment {theirs!r}, not of {name!r}", where=str(file))
        try:
            content = unseal(content, str(file), bundle_keys(project, access))
        except BadPlanError as e:
            raise ToolkitError(
                "the encrypted state cannot be opened: the key is missing or another, or the file was changed",
                where=str(file),
                hint="set TOOLKIT_BUNDLE_KEY to the key of the pipeline that kept it",
            ) from e
    state = state_in(content)
    if state is None:
        cut = state_id(content)
        raise ToolkitError(
            "not a Terraform state (version 4)" if cut is None or cut.whole else "a state that was cut off: not whole",
            where=str(file),
            hint="give the file that the failed apply named",
        )
    return state


def _same(project: Project, name: str, other: Path, access: Access, state: bytes) -> bool:
    try:
        return _read(project, name, other, access) == state
    except ToolkitError:
        return False


def _refuse_other_folder(project: Project, paths: EnvironmentPaths, file: Path, *, sandbox: bool) -> None:
    """A file that lies with another environment, or with the other of real account and `--sandbox`, is that one's."""
    try:
        inner = file.resolve().relative_to((project.root / "environments").resolve())
    except ValueError:
        return
    if len(inner.parts) < 2:
        return  # in no environment's folder
    if inner.parts[0] != paths.name:
        raise RefusedError(
            f"this file belongs to environment {inner.parts[0]!r}, not to {paths.name!r}",
            where=str(file),
            hint=f"toolkit state restore {inner.parts[0]} {quote(str(file))}",
        )
    tried_out = inner.parts[1:3] == (".toolkit", "sandbox")
    beside = len(inner.parts) == 2
    if (tried_out and not sandbox) or (beside and sandbox and not _is_simulated(paths)):
        raise RefusedError(
            "this state is the embedded AWS's, not the real account's"
            if tried_out
            else "this state is the real account's, not the embedded AWS's",
            where=str(file),
            hint=f"toolkit state restore {paths.name}{' --sandbox' if tried_out else ''} {quote(str(file))}",
        )


def _is_simulated(paths: EnvironmentPaths) -> bool:
    from toolkit.environment import load_environment

    return load_environment(paths.file, name=paths.name, shown_as=paths.shown).simulator is not None


def _refuse_other_account(state: Any, account_id: str, file: Path) -> None:
    """What the state manages must be in the environment's account, as far as ARNs tell.

    Those of AWS Organizations name the management account, whoever manages them, and do not count:
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html
    """
    accounts = set()
    for resource in state["resources"]:
        if resource.get("mode") != "managed":
            continue
        for instance in resource["instances"]:
            attributes = instance.get("attributes")
            parts = str(attributes.get("arn") if isinstance(attributes, dict) else "").split(":", 5)
            if len(parts) == 6 and re.fullmatch(r"\d{12}", parts[4]) and parts[2] != "organizations":
                accounts.add(parts[4])
    if accounts and account_id not in accounts:
        raise RefusedError(
            f"what this state manages is in account {', '.join(sorted(accounts))}, not in {account_id}",
            where=str(file),
            hint="restore it to the environment of that account; nothing was written",
        )


def _is_there(there: bytes | None, state: bytes, found: StateId, place: str) -> bool:
    """Whether the state is where it belongs already; raises unless it may be written over what is there."""
    if there is None or not there.strip():
        return False
    if there == state:
        return True
    old = state_id(there)
    if old is None:
        raise RefusedError(
            "the object at the state's key is not a state",
            where=place,
            hint="find out what it is and move it away; nothing was written",
        )
    if old.lineage != found.lineage:
        raise RefusedError(
            f"there is another state: lineage {old.lineage}, serial {old.serial}; the file's is lineage "
            f"{found.lineage}, serial {found.serial}",
            where=place,
            hint="find out which of both describes the account; nothing was written, and the file stays",
        )
    if not old.whole and old.serial <= found.serial:
        return False  # cut off while it was written: the file is what it should have become
    if old.serial == found.serial and old.whole and same_json(json.loads(there), json.loads(state)):
        return True
    if old.serial >= found.serial:
        raise RefusedError(
            f"there is a {'newer' if old.serial > found.serial else 'different'} state of serial {old.serial}; the "
            f"file's serial is {found.serial}",
            where=place,
            hint="something was applied since: the file is out of date. Import what only the file has, then delete it; "
            "nothing was written",
        )
    return False


Judge = Callable[["bytes | None"], bool]
"""Gets what is there, under the lock; True where nothing is left to write; raises to refuse."""


@dataclass(frozen=True)
class _Local:
    file: Path
    scratch: Path

    @property
    def shown(self) -> str:
        return str(self.file)

    def write(self, state: bytes, judge: Judge) -> tuple[bool, Path | None]:
        with RunLock(self.scratch):
            try:
                busy = in_use(self.file)
                there = read_regular(self.file, follow=False) if os.path.lexists(self.file) else None
            except OSError as e:
                raise ToolkitError(f"the local state cannot be read: {e.strerror}", where=str(self.file)) from e
            if busy:
                raise LockedError(
                    "a Terraform is working on the local state",
                    where=str(self.file),
                    hint="wait until it has ended, then run this command again",
                )
            if judge(there):
                return False, None
            kept = None
            if there:
                stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
                kept = self.file.with_name(f"{self.file.name}.replaced-{stamp}")
                shutil.copyfile(self.file, kept)
                kept.chmod(0o600)
            write_atomically(self.file, state, mode=0o600)
            if self.file.read_bytes() != state:
                raise ToolkitError("the state reads back differently than it was written", where=str(self.file))
            return True, kept


@dataclass(frozen=True)
class _InS3:
    object: Any

    @property
    def shown(self) -> str:
        return str(self.object.uri)

    def write(self, state: bytes, judge: Judge) -> tuple[bool, Path | None]:
        return self.object.replace(state, judge), None


def _place(workspace: Workspace) -> _Local | _InS3:
    from toolkit.aws.state_bucket import check_state_account, state_clients, state_key, state_owner
    from toolkit.aws.state_object import StateObject
    from toolkit.environment import S3Backend

    environment, backend = workspace.environment, workspace.environment.backend
    if not isinstance(backend, S3Backend):
        return _Local(workspace.local_state, workspace.scratch)
    clients = state_clients(environment, backend, workspace.environ)
    check_state_account(environment, backend, clients)
    return _InS3(
        StateObject(
            clients.client("s3", backend.region),
            backend,
            key=state_key(environment, backend),
            owner=state_owner(environment, backend),
        )
    )
