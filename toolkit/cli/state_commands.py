"""Commands about the state: bootstrap, unlock, drift."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit.cli import console, fleet_options, fleet_run, options
from toolkit.documents import Document, document
from toolkit.errors import ExitCode, RefusedError, UsageError
from toolkit.visible import one_line

if TYPE_CHECKING:
    from toolkit.workflows.bootstrap import Bootstrapped
    from toolkit.workflows.unlock import HeldLock
    from toolkit.workflows.unsaved import Restored

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""The state itself: restore what an apply could not save.

    \b
    Examples:
      toolkit state restore prod environments/prod/errored.tfstate
    """,
)


def register(app: typer.Typer) -> None:
    """Add this file's commands, in the order in which help lists them."""
    for command in (drift, bootstrap, unlock):
        app.command()(command)


def bootstrap(
    env: options.Env,
    auto_approve: options.AutoApprove = False,
    as_json: options.Json = False,
    sandbox: options.Sandbox = False,
    mirror: options.Mirror = None,
) -> None:
    """Create the state's S3 bucket, and move a local state to it.

    The bucket gets versioning, encryption, all public access blocks, no ACLs, a policy that denies plain HTTP, and a
    rule that deletes old versions after 90 days. An existing bucket is checked; what it lacks is shown, and set
    after confirmation. A local state is copied, read back through Terraform, and kept under another name. Running it
    again continues where it stopped, and changes nothing if nothing is left to do.

    \b
    Examples:
      toolkit bootstrap prod
      toolkit bootstrap prod --auto-approve --json      in a pipeline
    """
    from toolkit.workflows.bootstrap import bootstrap as run

    with console.Progress() as progress:

        def approve(question: str) -> bool:
            progress.pause()
            return auto_approve or _ask(
                question, f"toolkit bootstrap {env} --auto-approve", "does this without a prompt"
            )

        done = run(options.project(), env, options.access(sandbox, mirror), progress, approve)
    _tell_bootstrap(done, as_json)


def unlock(
    env: options.Env,
    lock_id: Annotated[
        str | None, typer.Argument(metavar="LOCK_ID", help="Id of the lock, as in the error message.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Skip the prompt, though the holder may be alive; for pipelines.")
    ] = False,
    as_json: options.Json = False,
    sandbox: options.Sandbox = False,
    mirror: options.Mirror = None,
) -> None:
    """Show who holds the state's lock, and release it.

    Prompts for confirmation, unless the lock is provably that of a killed run on this machine. Releasing the lock of a
    run that is alive lets two Terraform processes write one state.

    \b
    Examples:
      toolkit unlock prod
      toolkit unlock prod 0db5a6ad-3e7c-1c11-7ea9-fe1a9d8eb3c0
      toolkit unlock prod 0db5a6ad-3e7c-1c11-7ea9-fe1a9d8eb3c0 --force
    """
    from toolkit.workflows.unlock import read_lock, release
    from toolkit.workflows.workspace import open_workspace

    progress = console.Progress()
    with progress:
        access = options.access(sandbox, mirror)
        workspace = open_workspace(options.project(), env, access, progress, may_render=False, restores=True)
        held = read_lock(workspace, lock_id)
    if held is not None:
        _show_lock(held)
        where = f" of account {workspace.caller.account_id}" + (" on the embedded AWS" if workspace.simulator else "")
        if held.dead is None and not force:
            question = one_line(
                f"Whether that run is alive cannot be determined from here. Release its lock on {env}{where}?"
            )
            if not _ask(
                question, f"toolkit unlock {workspace.called} {held.lock.id} --force", "releases it without a prompt"
            ):
                raise RefusedError("not approved; the lock was left as it is", where=held.lock.path or None)
        with progress:
            release(workspace, held, progress)
    if as_json:
        console.print_json(_lock_data(env, held))
    elif held is None:
        console.say(f"The state of {env} is not locked.")
    else:
        console.say(f"Released. Plan again: what that run was doing may have happened (toolkit plan {env}).")


@app.callback()
def _state() -> None:
    # With a single command and no callback, typer would make that command the group.
    pass


@app.command()
def restore(
    env: options.Env,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="The kept state file, as the failed apply named it; an encrypted one needs TOOLKIT_BUNDLE_KEY.",
        ),
    ],
    as_json: options.Json = False,
    sandbox: options.Sandbox = False,
    mirror: options.Mirror = None,
) -> None:
    """Restore a state that an apply could not save.

    Byte for byte, under the state's lock. Refused (exit code 4) unless it is the same state (lineage), newer than the
    one that is there (serial), and of this environment and account. The file is deleted only once the state reads back
    as it was written. Running it again changes nothing.

    \b
    Examples:
      toolkit state restore prod environments/prod/errored.tfstate
      toolkit state restore prod errored.tfstate.sealed
    """
    from toolkit.workflows.unsaved import restore as run

    with console.Progress() as progress:
        done = run(options.project(), env, file, options.access(sandbox, mirror), progress)
    _tell_restored(env, done, as_json)


def _tell_restored(env: str, done: Restored, as_json: bool) -> None:
    if as_json:
        console.print_json(
            document(
                "state-restore",
                {
                    "environment": env,
                    "state": done.state,
                    "lineage": done.lineage,
                    "serial": done.serial,
                    "resources": done.resources,
                    "written": done.written,
                    "removed": [str(file) for file in done.removed],
                    "left": None if done.left is None else str(done.left),
                    "kept_as": None if done.kept_as is None else str(done.kept_as),
                },
            )
        )
        return
    lines = [
        f"Restored {done.state}: serial {done.serial}, {done.resources} resources."
        if done.written
        else f"Nothing to write: {done.state} has this state already (serial {done.serial})."
    ]
    if done.kept_as is not None:
        lines.append(f"The state that was there is kept as {done.kept_as.name}.")
    lines += [f"Deleted {file}: the state was read back and is the same." for file in done.removed]
    if done.left is not None:
        lines.append(f"{done.left} stays. It holds secrets: delete it.")
    lines.append(f"Plan again: toolkit plan {env}")
    console.say(*lines)


def drift(
    envs: fleet_options.Envs = None,
    where: fleet_options.Where = None,
    everything: fleet_options.All = False,
    changed_since: fleet_options.ChangedSince = None,
    failed: fleet_run.Failed = False,
    jobs: fleet_run.Jobs = None,
    unmanaged: Annotated[
        bool,
        typer.Option(
            "--unmanaged",
            help="Also scan the account, and list what its state does not manage; takes hundreds of calls of AWS in "
            "each region.",
        ),
    ] = False,
    as_json: options.Json = False,
    no_render: options.NoRender = False,
    lock_timeout: options.LockTimeout = "30s",
    sandbox: options.Sandbox = False,
    mirror: options.Mirror = None,
) -> int:
    """Show what was changed outside of Terraform.

    Exits with 0 if nothing was, with 2 if something was, as `terraform plan -detailed-exitcode` does, so that a
    scheduled job can react. Pending changes of the repository are counted separately and do not affect the exit code,
    nor do resources that Terraform never created (--unmanaged).
    Changes neither the account nor the state.

    \b
    Examples:
      toolkit drift prod
      toolkit drift prod --no-render --json      in a scheduled job
      toolkit drift prod --unmanaged
      toolkit drift --where tier=prod
    """
    options.duration(lock_timeout)
    env = fleet_run.chosen(fleet_options.selected, failed, envs, where, everything, changed_since)
    if isinstance(env, fleet_run.Several):
        many = fleet_run.Many(env, jobs, as_json, sandbox, mirror, lock_timeout)
        return fleet_run.each("drift", many, fleet_run.fixed(("--unmanaged", unmanaged), ("--no-render", no_render)))
    from toolkit.reports.drift import drift_data, drift_lines
    from toolkit.workflows.drift import find_drift, with_unmanaged
    from toolkit.workflows.explain import explain
    from toolkit.workflows.workspace import open_workspace

    with console.Progress() as progress:
        access = options.access(sandbox, mirror)
        project = options.project()
        workspace = open_workspace(project, env, access, progress, may_render=not no_render)
        found = find_drift(workspace, progress, lock_timeout=lock_timeout)
        if unmanaged:
            found = with_unmanaged(project, workspace, found, progress)
    if as_json:
        console.print_json(drift_data(found))
    else:
        console.show(drift_lines(found))
    for diagnostic in found.warnings:
        console.tell(*explain(diagnostic, workspace.paths, workspace.environment).split("\n"))
    return ExitCode.CHANGES if found.found else ExitCode.OK


def _ask(question: str, instead: str, does: str) -> bool:
    """Ask; `question` may have several lines, with others' words in them made harmless (toolkit.visible)."""
    if not sys.stdin.isatty():
        raise UsageError(f"no terminal to answer this question: {question}", hint=f"`{instead}` {does}")
    return console.ask(*question.split("\n"), wanted="yes")


def _tell_bootstrap(done: Bootstrapped, as_json: bool) -> None:
    if as_json:
        console.print_json(
            document(
                "bootstrap",
                {
                    "bucket": done.bucket,
                    "region": done.region,
                    "account_id": done.account_id,
                    "state": done.state,
                    "changed": done.changed,
                    "created": done.created,
                    "set": done.supplied,
                    "moved": None
                    if done.moved is None
                    else {
                        "lineage": done.moved.lineage,
                        "serial": done.moved.serial,
                        "resources": done.moved.resources,
                    },
                    "kept_as": None if done.kept_as is None else str(done.kept_as),
                },
            )
        )
    elif done.changed:
        console.say(*(f"{step[0].upper()}{step[1:]}." for step in done.steps))
    else:
        console.say(f"Nothing to do: {done.bucket} is as it should be, and no local state waits to be moved.")


def _show_lock(held: HeldLock) -> None:
    lock = held.lock
    console.tell(
        f"Lock {lock.id}",
        f"  held by    {lock.who}",
        f"  since      {lock.created}",
        f"  operation  {lock.operation}{f' with Terraform {lock.version}' if lock.version else ''}",
        f"  state      {lock.path}",
    )
    if held.dead is not None:
        console.tell(f"Its holder is dead: {held.dead}.")


def _lock_data(env: str, held: HeldLock | None) -> Document:
    lock = held.lock if held else None
    return document(
        "unlock",
        {
            "environment": env,
            "released": held is not None,
            "provably_dead": held.dead if held else None,
            "lock": None
            if lock is None
            else {
                "id": lock.id,
                "who": lock.who,
                "created": lock.created,
                "operation": lock.operation,
                "path": lock.path,
            },
        },
    )
