"""Commands for pipelines: pipeline writes their files; matrix and summary are what these files run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toolkit.cli import console, fleet_options, options
from toolkit.errors import ExitCode, UsageError
from toolkit.visible import JSON


def register(app: typer.Typer) -> None:
    """Add this file's commands, in the order in which help lists them."""
    for command in (pipeline, matrix, summary):
        app.command()(command)


def complete_kind(incomplete: str) -> list[str]:
    """Shell completion of KIND."""
    from toolkit.workflows.pipeline import KINDS

    return [name for name in KINDS if name.startswith(incomplete)]


def pipeline(
    kind: Annotated[
        str,
        typer.Argument(metavar="KIND", help="github, gitlab or codebuild.", autocompletion=complete_kind),
    ],
    environments: Annotated[
        list[str] | None,
        typer.Option(
            "--environments",
            metavar="NAME",
            help="Names of environments, or patterns: 'prod-*'; repeatable. Written to a new pipeline.yaml.",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 3 when a file is out of date.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Also replace files that were edited.")] = False,
) -> int:
    """Write the files of a pipeline, from pipeline.yaml.

    Without pipeline.yaml, every setting has its default. Files that were edited since, or that this command did not
    write, stay as they are unless --force is given.

    \b
    Examples:
      toolkit pipeline github
      toolkit pipeline gitlab --environments 'prod-*'
      toolkit pipeline github --check      in a pipeline: exit code 3 and the diff
                                           when a file is out of date
    """
    from toolkit.workflows.pipeline import compare, keep_environments, write

    project = options.project()
    if environments and check:
        raise UsageError("--check compares with pipeline.yaml, so --environments has no use", hint="leave it out")
    if environments and (done := keep_environments(project.root, environments, kind)):
        console.say(done)
    changes = compare(project, kind)
    if check:
        console.document("".join(change.diff for change in changes))
        for change in changes:
            console.tell(f"{change.file}: {'was edited' if change.edited else f'to {change.action}'}")
        if changes:
            console.error_line("the pipeline's files are out of date", f"Next: toolkit pipeline {kind}, review, commit")
        return ExitCode.OUT_OF_DATE if changes else ExitCode.OK
    write(project, changes, kind, force=force)
    for change in changes:
        console.say(f"{'deleted' if change.action == 'delete' else 'wrote'} {change.file}")
    if not changes:
        console.tell("up to date")
    return ExitCode.OK


def matrix(
    envs: fleet_options.Envs = None,
    changed_since: fleet_options.ChangedSince = None,
    shards: Annotated[
        int | None,
        typer.Option(
            "--shards",
            metavar="N",
            help="Number of jobs. Default: one for each environment, up to 256, the most that GitHub's matrix takes.",
        ),
    ] = None,
    planned: Annotated[
        Path | None,
        typer.Option(
            "--planned",
            metavar="DIR",
            help="Print the apply jobs: of the environments whose report in this folder has changes and no refusal.",
        ),
    ] = None,
    wave: Annotated[
        int | None,
        typer.Option("--wave", metavar="N", help="With --planned: only the environments of this wave, from 1."),
    ] = None,
) -> None:
    """Print the jobs of the pipeline as a matrix for GitHub.

    The environments are those of pipeline.yaml, without those of the embedded AWS. The same environments give the same
    jobs; of several shards, the sizes differ by one at most.

    \b
    Examples:
      toolkit matrix
      toolkit matrix --changed-since HEAD^1 --shards 20
      toolkit matrix --planned reports/ --wave 1
    """
    from toolkit.fleet.matrix import GITHUB
    from toolkit.workflows.matrix import applying, limited, members, planning

    if wave is not None and planned is None:
        raise UsageError("--wave is for apply jobs", hint="give --planned DIR, too")
    project = options.project()
    names = None
    if envs or changed_since is not None:
        names = fleet_options.selected(project, envs, changed_since=changed_since).names
        if envs and changed_since is None:
            members(project, names)
    found = planning(project, names, shards) if planned is None else applying(project, names, shards, planned, wave)
    found, left = limited(found, GITHUB)
    if left:
        console.tell(
            f"Warning: {len(left)} more environments have changes than a matrix takes ({GITHUB}): not applied are",
            f"  {', '.join(left)}",
            "Next: run the pipeline again when the others are applied",
        )
    import json

    console.document(json.dumps(found, separators=(",", ":")) + "\n", JSON)


def summary(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with what the jobs printed as JSON.")],
    of: Annotated[
        str | None,
        typer.Option("--of", metavar="COMMAND", help="plan, drift or audit. Default: what the documents say."),
    ] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(
            "--expect", metavar="NAME", help="An environment that must have a report, else it is not run; repeatable."
        ),
    ] = None,
    fail_on: Annotated[
        str, typer.Option("--fail-on", metavar="WORD", help="Of audits: severity from which a failed check counts.")
    ] = "high",
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit as a run over all these environments would have.")
    ] = False,
    report: Annotated[
        list[str] | None,
        typer.Option(
            "--report",
            metavar="FORMAT=FILE",
            help="Write the summary as markdown, json, sarif, junit, html or text; - is standard output; repeatable.",
        ),
    ] = None,
    as_json: options.Json = False,
) -> int:
    """Summarize what several jobs of a pipeline reported.

    The folder has ENV.json of each environment, at any depth: what `plan --json`, `drift --json` or
    `audit --format json` printed, errors too. No project, credentials or Terraform are needed.

    \b
    Examples:
      toolkit summary reports/
      toolkit summary reports/ --expect prod --report markdown=comment.md
      toolkit summary audits/ --fail-on critical --detailed-exitcode
    """
    from toolkit.findings import Severity
    from toolkit.reports.fleet_json import summary_data
    from toolkit.reports.fleet_registry import FORMATS
    from toolkit.reports.fleet_text import summary_lines
    from toolkit.workflows.folded import COMMANDS, fold_reports
    from toolkit.workflows.report import targets

    options.one_of("--of", of, COMMANDS)
    options.one_of("--fail-on", fail_on, [one.value for one in Severity])
    reports = targets(FORMATS, report or (), as_json=as_json)
    found = fold_reports(folder, tuple(expect or ()), command=of, threshold=Severity(fail_on))
    options.write(found, reports)
    if as_json:
        console.print_json(summary_data(found))
    elif not options.printed(reports):
        console.show(summary_lines(found, verbose=console.Settings.verbose))
    return found.exit_code if detailed_exitcode else ExitCode.OK
