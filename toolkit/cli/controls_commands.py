"""The command that tells how far an environment meets the frameworks' requirements."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toolkit.cli import console, options
from toolkit.errors import UsageError, or_meant
from toolkit.visible import JSON, PLAIN


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(controls)


def controls(
    env: Annotated[
        str | None,
        typer.Argument(
            metavar="ENV",
            help="The environment to plan.",
            autocompletion=options.complete_environment,
            callback=options.named,
        ),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option("--plan", metavar="BUNDLE", help="Use this saved plan instead, without AWS or Terraform."),
    ] = None,
    framework: Annotated[
        list[str] | None,
        typer.Option(
            "--framework",
            metavar="NAME",
            help="cis-7.0 (the default), cis-5.0, cis-3.0, fsbp …; repeatable.",
            autocompletion=options.complete_framework,
        ),
    ] = None,
    output_format: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="text, markdown, json or csv.")
    ] = "text",
    kms_key: options.KmsKey = None,
    no_render: options.NoRender = False,
    sandbox: options.Sandbox = False,
    mirror: options.Mirror = None,
) -> None:
    """Show which requirements (CIS, FSBP, …) a plan meets.

    Shows what meets each requirement once the plan is applied, and which are not met. A requirement is provisioned
    (proven by the plan's values), audit only (nothing that Terraform creates can meet it: check the account), waived
    (environment.yaml, rule `uncovered`), or uncovered. With --plan, it works in any folder.

    \b
    Examples:
      toolkit controls prod
      toolkit controls prod --framework cis-7.0 --framework fsbp
      toolkit controls --plan prod.tfbundle --format markdown > controls.md
    """
    from toolkit.controls.catalogue import DEFAULT_FRAMEWORK
    from toolkit.reports.coverage import FORMATS
    from toolkit.workflows.coverage import chosen, coverage_of_bundle, coverage_of_environment

    if output_format not in FORMATS:
        raise UsageError(
            f"--format: no format {output_format!r}" + or_meant(output_format, tuple(FORMATS)),
            hint=f"formats: {', '.join(FORMATS)}",
        )
    if (env is None) == (plan is None):
        raise UsageError(
            "expected either an environment or --plan BUNDLE",
            hint="`toolkit controls ENV` plans it; `toolkit controls --plan BUNDLE` takes a saved plan",
        )
    kms_key = options.kms_key_for(plan, kms_key)
    wanted = chosen(framework or [DEFAULT_FRAMEWORK])
    access = options.access(sandbox, mirror)
    if plan is not None:
        from toolkit.workflows.keys import bundle_keys

        around = options.project_if_any()
        view = coverage_of_bundle(plan, around, bundle_keys(around, access, kms_key), wanted)
    else:
        from toolkit.workflows.workspace import open_workspace

        with console.Progress() as progress:
            workspace = open_workspace(options.project(), str(env), access, progress, may_render=not no_render)
            view = coverage_of_environment(workspace, progress, wanted)
    for subject in view.idle_waivers:
        console.tell(f"Warning: the waiver of {subject!r} names no requirement; expected one like cis-7.0:2.6")
    text = FORMATS[output_format](view)
    if output_format == "text":
        console.say(*text.removesuffix("\n").split("\n"))
    else:
        console.document(text, JSON if output_format == "json" else PLAIN)
