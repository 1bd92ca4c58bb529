"""The command that prints the IAM policies that an environment needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toolkit.cli import console, options
from toolkit.errors import ExitCode, UsageError


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(permissions)


def permissions(
    env: options.Env,
    purpose: Annotated[
        str | None,
        typer.Option("--for", metavar="PURPOSE", help="What the policies shall allow: discover, plan or apply."),
    ] = None,
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
    of_bucket: Annotated[
        bool,
        typer.Option("--bucket-policy", help="Print the policy of the bucket in `bundle.store` instead."),
    ] = False,
    as_json: options.Json = False,
) -> int:
    """Print the IAM policies that planning or applying needs.

    Each is a managed policy within IAM's size, numbered where one is not enough: attach all of them. `plan` reads and
    locks the state; `apply` also creates, changes and deletes what the environment names. With `bundle.store`, `plan`
    also saves plans in S3 and `apply` gets them; `--bucket-policy` prints the policy of that bucket. If
    environment.yaml has a role to assume, or the state is in another account, the policies say which principal each
    is for. Nothing is read from AWS.

    \b
    Examples:
      toolkit permissions prod --for plan
      toolkit permissions prod --for apply --out policies/
      aws iam create-policy --policy-name prod-plan \\
        --policy-document file://policies/prod-plan.json
      git show main:environments/prod/environment.yaml > before.yaml
      toolkit permissions prod --for apply --also before.yaml
      toolkit permissions prod --bucket-policy > plans-bucket.json
    """
    from toolkit.workflows import permissions as workflow

    if of_bucket:
        if purpose is not None or also or out is not None or as_json:
            raise UsageError("--bucket-policy takes none of --for, --also, --out and --json")
        console.print_value(workflow.policy_of_bucket(options.project(), env))
        return ExitCode.OK
    if purpose is None:
        raise UsageError("one of --for and --bucket-policy is missing", hint="--for discover, plan or apply")
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
