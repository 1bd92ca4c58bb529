"""The typer application: global options and the list of commands.

Commands import what they need when they run, so that `--help` costs no more than typer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toolkit.cli import (
    about_commands,
    adopt_commands,
    audit_commands,
    controls_commands,
    discover_commands,
    evidence_commands,
    explain_commands,
    fleet_commands,
    passthrough_commands,
    permissions_commands,
    pipeline_commands,
    project_commands,
    release_commands,
    sandbox_commands,
    state_commands,
    terraform_commands,
)
from toolkit.cli.console import Settings

app = typer.Typer(
    name="toolkit",
    # rich's help costs more time than all the rest of `--help`.
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Gives an AWS account its security baseline with readable Terraform.

    \b
    An account's baseline in four steps:
      toolkit new prod          write environments/prod/environment.yaml
      toolkit render prod       render it as Terraform, to review and commit
      toolkit plan prod         see what would change, and save the plan
      toolkit apply prod        plan, show, confirm, apply

    \b
    Exit codes: 0 success; 1 error; 2 drift, or changes (--detailed-exitcode);
      3 rendered files out of date; 4 refused by a guard; 5 wrong account or no
      credentials; 6 locked by another run; 7 stale or damaged plan; 64 usage;
      130 interrupted.
    """,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from toolkit import __version__

        typer.echo(f"toolkit {__version__}")
        raise typer.Exit


@app.callback()
def _global_options(
    chdir: Annotated[
        Path | None, typer.Option("-C", "--chdir", metavar="DIR", help="Work in the project of this folder.")
    ] = None,
    no_color: Annotated[
        bool, typer.Option("--no-color", help="No colours (as NO_COLOR=1); also after a command.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Show Terraform's command lines and values; also after a command.")
    ] = False,
    _version: Annotated[
        bool,
        # toolkit.__main__ answers it sooner where it stands alone; this is for `toolkit -C DIR --version`.
        typer.Option("-V", "--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    Settings.chdir, Settings.no_color, Settings.verbose = chdir, no_color, verbose


project_commands.register(app)
terraform_commands.register(app)
state_commands.register(app)
adopt_commands.register(app)
release_commands.register(app)
discover_commands.register(app)
passthrough_commands.register(app)
controls_commands.register(app)
permissions_commands.register(app)
audit_commands.register(app)
pipeline_commands.register(app)
about_commands.register(app)
app.add_typer(fleet_commands.app, name="fleet")
app.add_typer(evidence_commands.app, name="evidence")
app.add_typer(explain_commands.app, name="explain")
app.add_typer(state_commands.app, name="state")
app.add_typer(sandbox_commands.app, name="sandbox")
