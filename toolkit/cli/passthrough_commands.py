"""The command that passes others through to Terraform."""

from __future__ import annotations

from typing import Annotated

import typer

from toolkit.cli import console, options
from toolkit.cli.stream import stdout


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(terraform)


def terraform(
    env: options.Env,
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="-- COMMAND...", help="Terraform's command and its arguments.")
    ] = None,
    sandbox: options.Sandbox = False,
    mirror: options.Mirror = None,
) -> int:
    """Run a reading Terraform command, or untaint, on the state.

    The account is checked first, and the provider mirror is set up as for every other command.

    Passed through are: state list, state show, state pull, console, providers, providers schema, graph, version and
    untaint. Everything else is refused (exit code 4) with the command to use. None of these changes anything in AWS.
    untaint writes the state, under its lock; console holds the lock as long as it is open. state show, state pull and
    console may print secrets. The exit code is Terraform's own.

    \b
    Examples:
      toolkit terraform prod -- state list
      toolkit terraform prod -- state show 'module.cloudtrail.aws_cloudtrail.this'
      toolkit terraform prod -- untaint 'module.cloudtrail.aws_kms_key.this'
    """
    from toolkit.terraform.passthrough import check
    from toolkit.workflows.workspace import open_workspace

    called = f"{env} --sandbox" if sandbox else env
    command, passed = check(arguments or (), called)
    words = command.split()
    # Terraform would colour what goes into a file, too.
    plain = [] if console.colored(stdout()) else ["-no-color"]
    vector = [*words, *plain, *(arguments or ())[len(words) :]]
    with console.Progress() as progress:
        access = options.access(sandbox, mirror)
        workspace = open_workspace(options.project(), env, access, progress, may_render=False)
        progress.pause()
        if passed.secrets is not None:
            progress.warning(f"`{command}` prints secrets: {passed.secrets}")
        return workspace.runner.pass_through(vector, writes=passed.writes)
