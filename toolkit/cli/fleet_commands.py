"""Commands about all environments together: `toolkit fleet …`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit.cli import console, fleet_options, options
from toolkit.documents import document
from toolkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from toolkit.fleet.written import Value
    from toolkit.workflows.fleet_import import Imported
    from toolkit.workflows.fleet_sync import Synced

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Import accounts of an organization; sync shared values.

    \b
    Examples:
      toolkit fleet import --aws-profile org --account-id 111122223333 --from prod
      toolkit fleet sync --check
    """,
)


@app.command(name="import")
def import_(
    aws_profile: options.AwsProfile = None,
    account_id: options.AccountId = None,
    region: Annotated[
        str | None,
        typer.Option("--region", metavar="REGION", help="Home region of new environments, without --from."),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="ENV",
            help="Environment that new ones are copied from.",
            autocompletion=options.complete_environment,
            callback=options.named,
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option("--profile", metavar="NAME", help="Profile of new ones: minimal, standard (default) or strict."),
    ] = None,
    security_email: Annotated[
        str | None,
        typer.Option("--security-email", metavar="ADDRESS", help="Address notified of incidents, in new ones."),
    ] = None,
    names: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="ID=NAME", help="Name of the environment of a new account; repeatable."),
    ] = None,
    ou: Annotated[
        list[str] | None,
        typer.Option(
            "--ou",
            metavar="UNIT",
            help="Only accounts below this organizational unit: its id, its path (Workloads/Prod) or its name; "
            "repeatable: below either.",
        ),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="KEY=VALUE", help="Only accounts with this tag; repeatable: all must hold."),
    ] = None,
    print_policy: Annotated[
        bool, typer.Option("--print-policy", help="Print the IAM policy that this needs, and read nothing.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; show what would be written.")] = False,
    as_json: options.Json = False,
    sandbox: options.Sandbox = False,
) -> int:
    """Make and update environments from AWS Organizations.

    With credentials of the management account or a delegated administrator. Accounts without an environment get one,
    from --from ENV or a profile. In files that exist, only labels (organizational unit, tags) and account_state are
    written, unless a person wrote them. No environment is made for an account that is suspended or closed; one that
    exists gets account_state, and is never planned.

    \b
    Examples:
      toolkit fleet import --account-id 111122223333 --from prod --dry-run
      toolkit fleet import --account-id 111122223333 --region eu-central-1 \\
                           --name 444455556666=payments
      toolkit fleet import --account-id 111122223333 --from prod --ou Workloads
      toolkit fleet import --print-policy > policy.json
    """
    from toolkit.cli.discover_commands import account_of, refuse
    from toolkit.workflows.fleet_import import Filter, Template, import_accounts, imported_names
    from toolkit.workflows.new import Answers, check_answer

    if print_policy:
        unread = {
            "--aws-profile": aws_profile, "--account-id": account_id, "--region": region, "--from": template,
            "--profile": profile, "--security-email": security_email, "--name": names, "--ou": ou, "--tag": tag,
            "--dry-run": dry_run, "--json": as_json, "--sandbox": sandbox,
        }  # fmt: skip
        refuse("--print-policy", [option for option, value in unread.items() if value])
        from toolkit.aws.organization import DIRECTORY_ACTIONS
        from toolkit.workflows.scan_policy import policies_of

        console.print_policies(policies_of(DIRECTORY_ACTIONS))
        return ExitCode.OK

    project = options.project()
    answers = None
    if template is not None:
        others = {"--region": region, "--profile": profile, "--security-email": security_email}
        if given := [option for option, value in others.items() if value is not None]:
            raise UsageError(f"--from is a whole environment, so it does not go with {', '.join(given)}")
    elif region is not None:
        answers = Answers(
            account_id="0" * 12,
            home=check_answer("region", region, "--region"),
            active=(),
            state_bucket=None,
            simulator=False,
            profile=check_answer("profile", profile or "standard", "--profile"),
            security_email=None
            if security_email is None
            else check_answer("email", security_email, "--security-email"),
        )
    chosen, only = imported_names(names or ()), Filter.parse(ou or (), tag or ())
    with console.Progress() as progress:
        caller = account_of(progress, None, aws_profile, account_id, region, sandbox, command="fleet import")
        start = Template(template, answers)
        result = import_accounts(project, caller, start, progress, names=chosen, only=only, dry=dry_run)
    if as_json:
        accounts = [_imported_data(one) for one in result.accounts]
        data = {
            "written": not dry_run,
            "organization_id": result.organization,
            "accounts": accounts,
            "not_in_organization": list(result.not_in_organization),
        }
        console.print_json(document("fleet-import", data))
    else:
        if dry_run:
            console.document("".join(one.diff for one in result.accounts))
        for one in result.accounts:
            _show_imported(one)
        for name in result.not_in_organization:
            console.tell(f"Warning: {name}: the organization does not have its account")
    failed = sum(one.action == "error" for one in result.accounts)
    if failed:
        console.error_line(f"{failed} account{'s' if failed > 1 else ''} could not be imported")
    elif not dry_run and (new := [one.environment for one in result.accounts if one.action == "create"]):
        console.tell(f"Next: look them over, then toolkit render {' '.join(map(str, new))}")
    return ExitCode.ERROR if failed else ExitCode.OK


def _show_imported(one: Imported) -> None:
    words = {"create": "created", "update": "updated", "same": "up to date", "skip": "no environment", "error": "error"}
    called = f"{one.account.id} {one.account.name!r}" + (f" ({one.environment})" if one.environment else "")
    console.tell(f"{called}: {words[one.action]}{f': {one.reason}' if one.reason else ''}")
    for conflict in one.conflicts:
        console.tell(f"Conflict: {conflict} was written by a person, and stays")
    for text in one.told:
        console.tell(f"Warning: {one.environment or one.account.id}: {text}")


def _imported_data(one: Imported) -> dict[str, Any]:
    return {
        "account_id": one.account.id,
        "name": one.account.name,
        "state": one.account.state,
        "environment": one.environment,
        "action": one.action,
        "reason": one.reason,
        "conflicts": list(one.conflicts),
    }


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
