"""The command that tells how far an environment meets the frameworks' requirements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit.cli import console, fleet_options, fleet_run, options
from toolkit.errors import ExitCode, UsageError, or_meant
from toolkit.visible import JSON, PLAIN

if TYPE_CHECKING:
    from toolkit.controls.catalogue import Framework


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(controls)


def controls(
    envs: fleet_options.Envs = None,
    where: fleet_options.Where = None,
    everything: fleet_options.All = False,
    changed_since: fleet_options.ChangedSince = None,
    failed: fleet_run.Failed = False,
    jobs: fleet_run.Jobs = None,
    plan: Annotated[
        str | None,
        typer.Option(
            "--plan",
            metavar="BUNDLE|DIR",
            help="Use this saved plan instead, without Terraform; with several environments, a folder that has "
            "ENV.tfbundle of each.",
        ),
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
) -> int:
    """Show which requirements (CIS, FSBP, …) a plan meets.

    Shows what meets each requirement once the plan is applied, and which are not met. A requirement is provisioned
    (proven by the plan's values), audit only (nothing that Terraform creates can meet it: check the account), waived
    (environment.yaml, rule `uncovered`), or uncovered. With --plan BUNDLE and no ENV, it works in any folder.

    Of several environments, --format markdown is a summary that groups those with the same uncovered requirements, csv
    the requirements of all, and json the result of each environment and the summary.

    \b
    Examples:
      toolkit controls prod
      toolkit controls prod --framework cis-7.0 --framework fsbp
      toolkit controls --plan prod.tfbundle --format markdown > controls.md
      toolkit controls --where tier=prod --format csv > controls.csv
      toolkit controls --all --plan plans/
    """
    from toolkit.controls.catalogue import DEFAULT_FRAMEWORK
    from toolkit.reports.coverage import FORMATS
    from toolkit.workflows.coverage import chosen, coverage_of_bundle, coverage_of_environment

    if output_format not in FORMATS:
        raise UsageError(
            f"--format: no format {output_format!r}" + or_meant(output_format, tuple(FORMATS)),
            hint=f"formats: {', '.join(FORMATS)}",
        )
    wanted = chosen(framework or [DEFAULT_FRAMEWORK])
    options.demands_on(plan, kms_key=kms_key)
    env = fleet_run.chosen_if_any(fleet_options.selected, failed, envs, where, everything, changed_since)
    if isinstance(env, fleet_run.Several):
        many = fleet_run.Many(env, jobs, output_format == "json", sandbox, mirror)
        return _many(many, fleet_run.saved_folder(plan), wanted if framework else (), output_format, kms_key, no_render)
    if env is None and plan is None:
        raise UsageError(
            "expected an environment or --plan BUNDLE",
            hint="`toolkit controls ENV` plans it; `toolkit controls --plan BUNDLE` takes a saved plan",
        )
    access = options.access(sandbox, mirror)
    if plan is not None:
        from toolkit.workflows.keys import bundle_keys

        around = options.project_if_any()
        view = coverage_of_bundle(plan, around, access, bundle_keys(around, access, kms_key), wanted, env)
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
    return ExitCode.OK


def _many(
    many: fleet_run.Many,
    plan: Path | None,
    frameworks: Sequence[Framework],
    output_format: str,
    kms_key: str | None,
    no_render: bool,
) -> int:
    """The coverage of several environments; `frameworks`: those that are named."""
    from toolkit.reports.coverage import csv_of, table_of
    from toolkit.workflows.fleet import saved_plans

    given: fleet_run.Kept = {
        "--framework": ",".join(one.name for one in frameworks) or None,
        "--plan": None if plan is None else str(plan.resolve()),
        "--kms-key": kms_key,
        "--no-render": no_render,
    }

    def of_plan(names: Sequence[str], kept: fleet_run.Kept) -> Callable[[str], tuple[str, ...]]:
        frameworks, folder = kept["--framework"], kept["--plan"]
        words = fleet_run.words(("--framework", str(frameworks).split(",") if frameworks else None))
        if folder is None:
            return lambda _: words
        bundles = dict(saved_plans(names, Path(str(folder))))  # what is missing is said before anything runs
        return lambda env: (*words, "--plan", str(bundles[env]))

    def listed(documents: Sequence[Mapping[str, Any]]) -> None:
        if output_format == "csv":
            console.document(csv_of(documents), PLAIN)
        elif output_format == "text":
            console.say("")
            console.print_table(*table_of(documents))

    many = replace(many, report=["markdown=-"] if output_format == "markdown" else None, given=given)
    own = fleet_run.joined(of_plan, fleet_run.as_kept("--kms-key", "--no-render"))
    return fleet_run.each("controls", many, own, listed=listed, quiet=output_format == "csv")
