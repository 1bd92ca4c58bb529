"""The command that reads what an account has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit.cli import console, options
from toolkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from toolkit.workflows.discover import Account


def register(app: typer.Typer) -> None:
    """Add this file's commands, in the order in which help lists them."""
    app.command()(discover)


def discover(
    env: options.OptionalEnv = None,
    aws_profile: Annotated[
        str | None,
        typer.Option("--aws-profile", metavar="NAME", help="AWS profile, for an account without an environment file."),
    ] = None,
    account_id: Annotated[
        str | None,
        typer.Option(
            "--account-id",
            metavar="ID",
            help="The account that is meant, for one without an environment file; others are refused.",
        ),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            "--region",
            metavar="REGION",
            help="Home region of an account without an environment file. Default: the profile's.",
        ),
    ] = None,
    regions: Annotated[
        str,
        typer.Option(
            "--regions",
            metavar="LIST",
            help="enabled: all that the account has enabled; active: those of the environment file; or names with "
            "commas between them.",
        ),
    ] = "enabled",
    max_calls: Annotated[
        int | None,
        typer.Option("--max-calls", metavar="N", min=1, help="Calls of AWS at most. Default: 20000."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the snapshot to this file instead of .toolkit/snapshots/."),
    ] = None,
    diff: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            "--diff", metavar="A B", help="Compare two snapshots instead of reading an account: the older one first."
        ),
    ] = None,
    print_policy: Annotated[
        bool, typer.Option("--print-policy", help="Print the IAM policy that a scan needs, and read nothing.")
    ] = False,
    as_json: options.Json = False,
    sandbox: options.Sandbox = False,
) -> int:
    """Show what an account has of what components manage or collide with.

    Reads only. The result is also written as a dated snapshot (0600), which other commands read. What cannot be read is
    reported as unreadable, never as absent; the exit code is 0 then, too.

    \b
    Examples:
      toolkit discover prod
      toolkit discover prod --regions active --json
      toolkit discover --aws-profile audit --account-id 111122223333
      toolkit discover --diff monday.json tuesday.json
    """
    if print_policy:
        return _print_policy()
    if diff is not None:
        return _diff(*diff, as_json=as_json)
    from toolkit.reports.discovery import Discovery, discovery_data, discovery_lines, discovery_rows
    from toolkit.snapshots import write_snapshot
    from toolkit.workflows.discover import MAX_CALLS, regions_wanted, unlisted_types
    from toolkit.workflows.discover import discover as run

    wanted = regions_wanted(regions)
    calls = MAX_CALLS if max_calls is None else max_calls
    with console.Progress() as progress:
        account = _account(progress, env, aws_profile, account_id, region, sandbox)
        snapshot = run(account, wanted, progress, max_calls=calls)
    file = out or account.folder / snapshot.file_name
    write_snapshot(snapshot, file)
    found = Discovery(snapshot, file, unlisted_types(simulated=account.clients.simulated), calls)
    if as_json:
        console.print_json(discovery_data(found))
        return ExitCode.OK
    verbose = console.Settings.verbose
    rows = list(discovery_rows(snapshot.resources, verbose=verbose))
    if rows:
        console.print_table(("REGION", "TYPE", "RESOURCES"), rows)
        console.say("")
    console.show(discovery_lines(found, verbose=verbose))
    return ExitCode.OK


def _print_policy() -> int:
    from toolkit.workflows.scan_policy import scan_policies

    policies = scan_policies()
    console.print_json(policies[0] if len(policies) == 1 else policies)
    if len(policies) > 1:
        console.tell(f"{len(policies)} policies, each within IAM's length: attach all of them.")
    return ExitCode.OK


def _diff(older: Path, newer: Path, *, as_json: bool) -> int:
    from toolkit.reports.discovery import comparison_data, comparison_lines
    from toolkit.snapshots import read_snapshot
    from toolkit.snapshots.compare import compare

    before = read_snapshot(older)
    found = compare(before, read_snapshot(newer, account_id=before.account_id))
    if as_json:
        console.print_json(comparison_data(found))
    else:
        console.show(comparison_lines(found))
    return ExitCode.OK


def _account(
    progress: console.Progress,
    env: str | None,
    profile: str | None,
    account_id: str | None,
    region: str | None,
    sandbox: bool,
) -> Account:
    """The account that the command's options name, checked."""
    from toolkit.workflows.discover import open_account, open_environment

    access = options.access(sandbox, None)
    if env is None:
        project = options.project_if_any()
        folder = project.root if project else (console.Settings.chdir or Path.cwd())
        return open_account(project, folder, account_id, access, progress, profile=profile, region=region)
    given = [
        name
        for name, value in (("--aws-profile", profile), ("--account-id", account_id), ("--region", region))
        if value is not None
    ]
    if given:
        raise UsageError(
            f"{given[0]} is for an account without an environment file, and {env} has one",
            hint=f"`toolkit discover {env}`, or leave the environment out",
        )
    return open_environment(options.project(), env, access, progress)
