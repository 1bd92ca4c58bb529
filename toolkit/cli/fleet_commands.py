"""Commands about all environments together: `toolkit fleet …`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit.cli import console, fleet_options, options
from toolkit.documents import document
from toolkit.errors import ExitCode

if TYPE_CHECKING:
    from toolkit.fleet.written import Value
    from toolkit.workflows.fleet_sync import Synced

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""What environments have in common: shared values.

    \b
    Examples:
      toolkit fleet sync --check
    """,
)


@app.callback()
def _fleet() -> None:
    """A group also as long as it has one command."""


@app.command()
def sync(
    envs: fleet_options.Envs = None,
    where: fleet_options.Where = None,
    everything: fleet_options.All = False,
    changed_since: fleet_options.ChangedSince = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 3 when a file is out of date.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print what changes as a unified diff.")] = False,
    overwrite: Annotated[
        list[str] | None,
        typer.Option(
            "--overwrite",
            metavar="SETTING",
            help="Write this shared value also where a person wrote another one; repeatable.",
        ),
    ] = None,
    as_json: options.Json = False,
) -> int:
    """Write shared values of fleet.yaml into environment.yaml files.

    `shared` of fleet.yaml has the values. A value that a person wrote or edited stays, and is reported as a conflict
    (exit code 3). Settings of a component are written only where the component is switched on.

    \b
    Examples:
      toolkit fleet sync                     every environment
      toolkit fleet sync --where tier=prod --diff
      toolkit fleet sync --check             in a pipeline: exit code 3 and the
                                             diff when a file is out of date
      toolkit fleet sync prod --overwrite components.cloudtrail.log_retention_days
    """
    from toolkit.workflows.fleet_sync import sync as run

    project = options.project()
    selection = fleet_options.selected(project, envs, where, everything, changed_since, by_default=True)
    results = run(project, selection.names, dry=check, overwrite=tuple(overwrite or ()))
    if as_json:
        data = {"written": not check, "environments": [_synced_data(result) for result in results]}
        console.print_json(document("fleet-sync", data))
    elif check or diff:
        console.document("".join(result.diff for result in results))  # not wrapped: `patch` may read it
    if not as_json:
        for result in results:
            _show(result)
    changed = [result.environment for result in results if result.diff]
    conflicts = any(_of(result, "conflict") for result in results)
    if any(result.error for result in results):
        failed = " ".join(result.environment for result in results if result.error)
        console.error_line(f"shared values were not written: {failed}")
        return ExitCode.ERROR
    if check and changed:
        names = " ".join(changed)
        console.error_line("shared values are out of date", f"Next: run `toolkit fleet sync {names}`, review, commit")
    elif changed:
        console.tell(f"Next: toolkit render {' '.join(changed)}, review, commit")
    if conflicts:
        console.error_line(
            "some values differ from fleet.yaml, and fleet sync did not write them; they stay",
            "Next: write the shared value there, or keep the other below a comment `# Not synced: REASON`; "
            "--overwrite SETTING writes the shared value",
        )
    return ExitCode.OUT_OF_DATE if conflicts or (check and changed) else ExitCode.OK


def _of(result: Synced, *actions: str) -> list[Value]:
    return [value for value in result.values if value.action in actions]


def _show(result: Synced) -> None:
    from toolkit.typed import dotted

    if result.error is not None:
        console.show_error(result.error)
        return
    what = [f"{value.action} {dotted(value.path)}" for value in _of(result, "add", "update")]
    conflicts = _of(result, "conflict")
    what += [f"{len(conflicts)} conflict{'s' if len(conflicts) > 1 else ''}"] if conflicts else []
    console.tell(f"{result.environment}: {', '.join(what) or 'up to date'}")
    for value in conflicts:
        found, wanted = (json.dumps(one, ensure_ascii=False) for one in (value.found, value.wanted))
        console.tell(
            f"Conflict: {result.file}:{value.line}: {dotted(value.path)} is {found}, in fleet.yaml it is {wanted}"
        )
    for setting in result.no_longer_shared:
        console.tell(f"Warning: {result.file}: {setting} is no longer shared; the value stays")


def _synced_data(result: Synced) -> dict[str, Any]:
    from toolkit.typed import dotted

    return {
        "environment": result.environment,
        "file": result.file,
        "up_to_date": not (result.diff or result.error or _of(result, "conflict")),
        "settings": [
            {
                "setting": dotted(value.path),
                "action": str(value.action),
                "value": value.wanted,
                "found": value.found,
                "line": value.line,
            }
            for value in result.values
        ],
        "no_longer_shared": list(result.no_longer_shared),
        "error": None if result.error is None else result.error.as_data(),
    }
