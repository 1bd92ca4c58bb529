"""Makes the S3 bucket of an environment's state, and moves a local state into it.

In: an environment with an S3 backend, and how to ask the person at the terminal. Out: what was done. The steps: whose
credentials these are → the bucket, made or checked → what it lacks, set → the local state, copied, read back through
Terraform and set aside. Each step is told when it is done; a failure names the steps before it. Running it again goes
on where it stopped, and does nothing where nothing is left to do.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from toolkit.aws.state_bucket import (
    StateBucket,
    check_state_account,
    state_clients,
    state_key,
    state_owner,
)
from toolkit.aws.state_object import StateObject
from toolkit.environment import S3Backend
from toolkit.errors import LockedError, RefusedError, ToolkitError, UsageError
from toolkit.interrupts import report, uninterrupted
from toolkit.paths import Project
from toolkit.terraform.local_state import LocalState, in_use, read_local_state
from toolkit.terraform.runner import LOCK_FILE
from toolkit.terraform.runs import RunLock
from toolkit.visible import joined_lines, one_line
from toolkit.workflows.observer import Observer
from toolkit.workflows.scratch import local_state_file
from toolkit.workflows.workspace import (
    Access,
    Workspace,
    aws_environ,
    open_workspace,
    prepare_scratch,
    read_environment,
)

Approve = Callable[[str], bool]
"""Asks a question and tells whether it was answered with yes."""


@dataclass
class Bootstrapped:
    """What was done so far, and found done already."""

    bucket: str
    region: str
    account_id: str
    state: str
    """ "s3://BUCKET/KEY"."""
    created: bool = False
    supplied: list[str] = field(default_factory=list)
    """What the bucket lacked and has now."""
    moved: LocalState | None = None
    kept_as: Path | None = None
    """What the local state is called now."""

    @property
    def changed(self) -> bool:
        """Whether anything was done at all."""
        return bool(self.steps)

    @property
    def steps(self) -> tuple[str, ...]:
        """What was done, for people."""
        steps = [f"created the bucket {self.bucket} in {self.region}"] if self.created else []
        steps += [f"set its {name}" for name in self.supplied]
        if self.moved is not None:
            steps.append(f"copied the local state (serial {self.moved.serial}) to {self.state}")
        if self.kept_as is not None:
            steps.append(f"set the local state aside as {self.kept_as.name}")
        return tuple(steps)


def bootstrap(project: Project, name: str, access: Access, observer: Observer, approve: Approve) -> Bootstrapped:
    """Bring the state's bucket and the state to where the environment says.

    Raises:
        UsageError: The environment keeps its state locally.
        WrongAccountError: The credentials or the bucket are another account's.
        RefusedError: Not approved, another region's bucket, or a state on both sides.
        ToolkitError: A step failed; the error names the steps before it.
    """
    paths, environment = read_environment(project, name)
    backend = environment.backend
    if not isinstance(backend, S3Backend):
        raise UsageError(
            "the environment keeps its state in a local file: there is no bucket to create",
            where=f"{paths.shown}:{environment.lines.get(('backend',), 1)}",
            hint="`backend: {type: s3, bucket: NAME, region: REGION}` in the environment file puts it into S3",
        )
    scratch = prepare_scratch(paths, environment, access, observer)
    environ = aws_environ(project, environment, access, scratch)
    clients = state_clients(environment, backend, environ)
    observer.stage(f"Checking the account of {name}'s state")
    caller = check_state_account(environment, backend, clients)
    observer.note(f"account {caller.account_id} ({caller.arn})")
    client, owner = clients.client("s3", backend.region), state_owner(environment, backend)
    key = state_key(environment, backend)
    objects = StateObject(client, backend, key=key, owner=owner)
    done = Bootstrapped(backend.bucket, backend.region, owner, objects.uri)
    report(lambda: "; ".join(done.steps))
    try:
        _bucket(StateBucket(client, backend, key=key, owner=owner), done, observer, approve)
        if read_local_state(local_state_file(paths, scratch)) is not None:
            # From here on Terraform is needed, and the environment's own account is checked as for any command. On the
            # embedded AWS this also sets aside the state of one that has ended.
            workspace = open_workspace(project, name, access, observer, initialize=False)
            _move_state(workspace, objects, done, observer, approve)
    except ToolkitError as e:
        if done.steps:
            before = one_line(f"Done before that: {'; '.join(done.steps)}.")
            e.detail = f"{e.detail}\n{before}" if e.detail else before
        raise
    return done


def _bucket(bucket: StateBucket, done: Bootstrapped, observer: Observer, approve: Approve) -> None:
    observer.stage(f"Checking the bucket {done.bucket}")
    if not bucket.exists():
        with uninterrupted():
            bucket.create()
            done.created = True
        bucket.wait()
        observer.note(f"created the bucket {done.bucket} in {done.region}")
    lacking = bucket.lacking()
    if lacking and not done.created:
        lines = [f"The bucket {done.bucket} exists, and lacks:"]
        lines += [f"  {lack.name}: {lack.found} → {lack.wanted}" for lack in lacking]
        if not approve(joined_lines([*lines, f"Set this in account {done.account_id}?"])):
            raise RefusedError("not approved; the bucket was left as it is", where=done.bucket)
    for lack in lacking:
        with uninterrupted():
            bucket.supply(lack)
            done.supplied.append(lack.name)
        observer.note(f"{lack.name}: {lack.found} → {lack.wanted}")
    if not lacking:
        observer.note("lacks nothing")


def _move_state(
    workspace: Workspace, objects: StateObject, done: Bootstrapped, observer: Observer, approve: Approve
) -> None:
    local = read_local_state(workspace.local_state)
    if local is None:
        return
    observer.stage(f"Moving the state of {workspace.environment.name}")
    placed = objects.read()
    if placed is None:
        what = f"Move the local state ({local.resources} resources, serial {local.serial}, lineage {local.lineage})"
        if not approve(joined_lines([what, f"from {workspace.local_state}", f"to {objects.uri}?"])):
            raise RefusedError("not approved; the state stays in the local file", where=str(workspace.local_state))
        with uninterrupted():
            _copy(workspace, local, objects)
            done.moved = local
        observer.note(f"copied to {objects.uri}")
    elif _version(placed) != (local.lineage, local.serial):
        lineage, serial = _version(placed)
        raise RefusedError(
            f"there is a state on both sides: serial {local.serial} of lineage {local.lineage} in the local file, "
            f"serial {serial} of lineage {lineage} in {objects.uri}",
            where=str(workspace.local_state),
            hint="find out which one describes the account (the same lineage: the higher serial), and move the other "
            "one away; neither was changed",
        )
    _verify(workspace, local)
    observer.note(f"read back through Terraform: lineage {local.lineage}, serial {local.serial}")
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    kept = workspace.local_state.with_name(f"{workspace.local_state.name}.migrated-{stamp}")
    with uninterrupted():
        workspace.local_state.replace(kept)
        kept.chmod(0o600)
        done.kept_as = kept
    observer.note(f"kept the local file as {kept.name} (it holds secrets; delete it when you no longer need it)")


def _copy(workspace: Workspace, local: LocalState, objects: StateObject) -> None:
    # Nobody may write the local state while it is being copied: neither a toolkit here nor a Terraform beside it.
    with RunLock(workspace.scratch):
        if in_use(workspace.local_state):
            raise LockedError(
                "a Terraform is working on the local state",
                where=str(workspace.local_state),
                hint="wait until it has ended, then run this command again",
            )
        content = workspace.local_state.read_bytes()
        if _version(content) != (local.lineage, local.serial):
            raise LockedError(
                "the local state has changed during the prompt",
                where=str(workspace.local_state),
                hint="run this command again",
            )
        objects.place(content)


def _verify(workspace: Workspace, local: LocalState) -> None:
    lock = workspace.paths.rendered / LOCK_FILE
    workspace.runner.init(reconfigure=True, lockfile="readonly" if lock.exists() else None)
    found = workspace.runner.state_version()
    if found != (local.lineage, local.serial):
        raise ToolkitError(
            f"Terraform reads serial {found[1]} of lineage {found[0]!r} from the bucket instead of serial "
            f"{local.serial} of lineage {local.lineage!r}",
            where=workspace.backend,
            hint="the local file was left where it is: it is the state; plan nothing before this is understood",
        )


def _version(state: bytes) -> tuple[str, int]:
    try:
        data = json.loads(state)
        return str(data["lineage"]), int(data["serial"])
    except (ValueError, KeyError, TypeError) as e:
        raise ToolkitError("the object at the state's key is not a state") from e
