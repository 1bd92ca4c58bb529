"""The command that reads what an account has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit.cli import console, fleet_options, fleet_run, options
from toolkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from toolkit.snapshots import Snapshot
    from toolkit.snapshots.unmanaged import Unmanaged
    from toolkit.workflows.discover import Account
    from toolkit.workflows.workspace import Access


def register(app: typer.Typer) -> None:
    """Add this file's commands, in the order in which help lists them."""
    app.command()(discover)


def discover(
    envs: fleet_options.Envs = None,
    where: fleet_options.Where = None,
    everything: fleet_options.All = False,
    changed_since: fleet_options.ChangedSince = None,
    failed: fleet_run.Failed = False,
    jobs: fleet_run.Jobs = None,
    aws_profile: options.AwsProfile = None,
    account_id: options.AccountId = None,
    region: options.HomeRegion = None,
    regions: options.Regions = options.ALL_REGIONS,
    unmanaged: Annotated[
        bool,
        typer.Option("--unmanaged", help="Show only what the environment's Terraform state does not manage."),
    ] = False,
    max_calls: options.MaxCalls = None,
    out: Annotated[
        # No Path: it would drop the slash at the end, which says that a folder is meant.
        str | None,
        typer.Option(
            "--out",
            metavar="FILE|DIR",
            help="Write the snapshot to this file instead of .toolkit/snapshots/; with several environments, a folder "
            "for ENV.json of each.",
        ),
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
    mirror: options.Mirror = None,
) -> int:
    """Read what an account has, and keep a snapshot of it.

    Of all resource types that components create. Reads only. The result is also written as a dated snapshot (0600);
    --diff compares two of them. What cannot be read is reported as unreadable, never as absent; the exit code is 0
    then, too.

    \b
    Examples:
      toolkit discover prod
      toolkit discover prod --regions active --json
      toolkit discover prod --unmanaged
      toolkit discover --aws-profile audit --account-id 111122223333
      toolkit discover --diff monday.json tuesday.json
      toolkit discover --all --out snapshots/
    """
    refuse_account(envs, aws_profile, account_id, region, command="discover")
    env = fleet_run.chosen_if_any(fleet_options.selected, failed, envs, where, everything, changed_since)
    if isinstance(env, fleet_run.Several):
        fleet_run.refuse(
            "discover",
            {"--aws-profile": aws_profile, "--account-id": account_id, "--region": region, "--diff": diff,
             "--print-policy": print_policy},
        )  # fmt: skip
        many = fleet_run.Many(env, jobs, as_json, sandbox, mirror if unmanaged else None)
        passed = fleet_run.fixed(("--regions", regions), ("--unmanaged", unmanaged), ("--max-calls", max_calls))
        return fleet_run.each("discover", many, fleet_run.joined(passed, fleet_run.out_files(out, ".json")))
    scan = {
        "--aws-profile": aws_profile, "--account-id": account_id, "--region": region, "--max-calls": max_calls,
        "--regions": regions if regions != options.ALL_REGIONS else None, "--unmanaged": unmanaged or None,
        "--out": out, "--sandbox": sandbox or None,
    }  # fmt: skip
    given = [name for name, value in scan.items() if value is not None]
    if print_policy:
        refuse("--print-policy", [*(["--diff"] if diff is not None else []), *given, *(["--json"] if as_json else [])])
        from toolkit.workflows.scan_policy import scan_policies

        console.print_policies(scan_policies())
        return ExitCode.OK
    if diff is not None:
        refuse("--diff", [*(["ENV"] if env is not None else []), *given])
        return _diff(*diff, as_json=as_json)
    from toolkit.reports.discovery import Discovery, discovery_data, discovery_lines, discovery_rows
    from toolkit.snapshots import write_snapshot
    from toolkit.workflows.discover import MAX_CALLS, regions_wanted, unlisted_types
    from toolkit.workflows.discover import discover as run

    wanted = regions_wanted(regions)
    calls = MAX_CALLS if max_calls is None else max_calls
    if unmanaged and env is None:
        raise UsageError("--unmanaged compares with an environment's state", hint="toolkit discover ENV --unmanaged")
    others = None
    with console.Progress() as progress:
        if unmanaged:
            account, compare = _with_state(progress, env or "", options.access(sandbox, mirror))
        else:
            account, compare = account_of(progress, env, aws_profile, account_id, region, sandbox), None
        snapshot = run(account, wanted, progress, max_calls=calls)
        file = Path(out) if out else account.folder / snapshot.file_name
        write_snapshot(snapshot, file)
        if compare is not None:
            others = compare(snapshot)
    found = Discovery(snapshot, file, unlisted_types(simulated=account.clients.simulated), calls, others)
    if as_json:
        console.print_json(discovery_data(found))
        return ExitCode.OK
    verbose = console.Settings.verbose
    shown = snapshot.resources if others is None else others.resources
    rows = list(discovery_rows(shown, verbose=verbose))
    if rows:
        console.print_table(("REGION", "TYPE", "RESOURCES"), rows)
        console.say("")
    console.show(discovery_lines(found, verbose=verbose))
    return ExitCode.OK


def refuse(option: str, others: list[str]) -> None:
    """Demand that nothing was given which an option that reads no account would not look at."""
    if others:
        raise UsageError(
            f"{option} reads no account, so it does not go with {', '.join(others)}",
            hint=f"leave out {option}, or {'this' if len(others) == 1 else 'these'}",
        )


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


def _with_state(
    progress: console.Progress, env: str, access: Access
) -> tuple[Account, Callable[[Snapshot], Unmanaged]]:
    """An environment's account, and how to compare a scan of it with the environment's state."""
    from toolkit.workflows.discover import of_workspace, unmanaged_in
    from toolkit.workflows.workspace import open_workspace

    project = options.project()
    workspace = open_workspace(project, env, access, progress, may_render=False)

    def compare(snapshot: Snapshot) -> Unmanaged:
        progress.stage(f"Reading the state of {env}")
        return unmanaged_in(workspace, snapshot)

    return of_workspace(project, workspace), compare


def refuse_account(
    envs: Sequence[str] | None, profile: str | None, account_id: str | None, region: str | None, *, command: str
) -> None:
    """Demand that no account is named besides environments, which have theirs.

    Raises:
        UsageError: One is.
    """
    options_of_it = (("--aws-profile", profile), ("--account-id", account_id), ("--region", region))
    given = [name for name, value in options_of_it if value is not None]
    if envs and given:
        raise UsageError(
            f"{given[0]} is for an account without an environment file, and {envs[0]} has one",
            hint=f"`toolkit {command} {' '.join(envs)}`, or leave the environment out",
        )


def account_of(
    progress: console.Progress,
    env: str | None,
    profile: str | None,
    account_id: str | None,
    region: str | None,
    sandbox: bool,
    *,
    command: str = "discover",
) -> Account:
    """The account that a command's options name, checked.

    Raises:
        UsageError: Both an environment and an account without one are named, or neither.
        WrongAccountError: The credentials are another account's.
    """
    from toolkit.workflows.discover import open_account, open_environment

    access = options.access(sandbox, None)
    if env is None:
        project = options.project_if_any()
        folder = project.root if project else (console.Settings.chdir or Path.cwd())
        return open_account(project, folder, account_id, access, progress, profile=profile, region=region)
    refuse_account([env], profile, account_id, region, command=command)
    return open_environment(options.project(), env, access, progress)
