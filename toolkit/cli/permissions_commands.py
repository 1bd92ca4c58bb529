"""The command that prints the IAM policies that an environment needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toolkit.cli import console, options
from toolkit.errors import ExitCode


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(permissions)


def permissions(
    env: options.Env,
    purpose: Annotated[
        str,
        typer.Option("--for", metavar="PURPOSE", help="What the policies shall allow: discover, plan or apply."),
    ],
    also: Annotated[
        list[Path] | None,
        typer.Option(
            "--also",
            metavar="FILE",
            help="Another version of the environment's file, whose names are covered, too; repeatable.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write each policy to NAME.json in this folder instead."),
    ] = None,
    as_json: options.Json = False,
) -> int:
    """Print the IAM policies that planning or applying needs.

    Each is a managed policy within IAM's size, numbered where one is not enough: attach all of them. `plan` reads and
    locks the state; `apply` also creates, changes and deletes what the environment names. If environment.yaml has a
    role to assume, or the state is in another account, the policies say which principal each is for. Nothing is read
    from AWS.

    \b
    Examples:
      toolkit permissions prod --for plan
      toolkit permissions prod --for apply --out policies/
      aws iam create-policy --policy-name prod-plan \\
        --policy-document file://policies/prod-plan.json
      git show main:environments/prod/environment.yaml > before.yaml
      toolkit permissions prod --for apply --also before.yaml
    """
    from toolkit.workflows import permissions as workflow

    found = workflow.permissions(options.project(), env, workflow.purpose_of(purpose), also or ())
    written = workflow.write(found, out) if out is not None else ()
    if as_json:
        console.print_json(workflow.permissions_data(found))
    else:
        console.say(workflow.heading(found))
        for one in found.documents:
            console.say("", workflow.title(one))
            if out is None:
                console.print_value(one.content)
        console.say(*([""] if written else []), *(f"wrote {file}" for file in written))
    console.tell(*(f"Note: {text}" for text in found.notes), *(f"Warning: {text}" for text in found.warnings))
    if out is not None:
        console.tell(
            *(f"Warning: {file} is of an earlier output: delete it" for file in workflow.left_over(found, out))
        )
    return ExitCode.OK
