"""Commands that work on the project's files: init, new, render."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toolkit.cli import console, fleet_options, options
from toolkit.documents import document
from toolkit.errors import ExitCode, UsageError

_WHO_IS_TOLD = "E-mail address notified of incidents (empty: to be filled in later)"
_STATE_BUCKET = "S3 bucket of the state (empty: a local file)"


def register(app: typer.Typer) -> None:
    """Add this file's commands, in the order in which help lists them."""
    for command in (init, new, render):
        app.command()(command)


def complete_profile(incomplete: str) -> list[str]:
    """Shell completion of --profile."""
    from toolkit.components.base import PROFILES

    return [name for name in PROFILES if name.startswith(incomplete)]


def complete_pipeline(incomplete: str) -> list[str]:
    """Shell completion of --pipeline."""
    from toolkit.workflows.init import PIPELINES

    return [name for name in PIPELINES if name.startswith(incomplete)]


def init(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of the project; created if it does not exist.")
    ],
    pipeline: Annotated[
        str | None,
        typer.Option(
            "--pipeline",
            metavar="KIND",
            autocompletion=complete_pipeline,
            help="Pipeline to write: github, gitlab, codebuild or none. Without it, a new project gets github, and one "
            "that exists keeps what it has.",
        ),
    ] = None,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Replace the project's modules/ with this toolkit's.")
    ] = False,
) -> None:
    """Create a project; files that exist stay as they are.

    It has environments/, modules/, .gitignore and, if it is new or --pipeline names one, a pipeline.

    \b
    Examples:
      toolkit init accounts
      toolkit init accounts --pipeline none
      toolkit init . --upgrade          after installing a newer toolkit
    """
    from toolkit.workflows.init import init_project

    for line in init_project(directory, pipeline=pipeline, upgrade=upgrade):
        console.say(line)
    there = "" if directory.resolve() == Path.cwd() else f", in {directory}"
    console.tell(f"Next{there}: {'review the difference, then toolkit render' if upgrade else 'toolkit new ENV'}")


def new(
    env: Annotated[str, typer.Argument(metavar="ENV", help="Name of the new environment.", callback=options.named)],
    account_id: Annotated[
        str | None,
        typer.Option("--account-id", metavar="ID", help="The account, 12 digits; with --simulator, the sandbox's own."),
    ] = None,
    region: Annotated[str | None, typer.Option("--region", metavar="REGION", help="Home region.")] = None,
    active: Annotated[
        list[str] | None,
        typer.Option("--active-region", metavar="REGION", help="A further region to govern; repeatable."),
    ] = None,
    state_bucket: Annotated[
        str | None, typer.Option("--state-bucket", metavar="NAME", help="S3 bucket of the state; none: a local file.")
    ] = None,
    profile: Annotated[
        str,
        typer.Option(
            "--profile",
            metavar="NAME",
            help="What to start from: minimal, standard or strict.",
            autocompletion=complete_profile,
        ),
    ] = "standard",
    security_email: Annotated[
        str | None,
        typer.Option(
            "--security-email", metavar="ADDRESS", help="Address notified of incidents; none: to be filled in."
        ),
    ] = None,
    simulator: Annotated[bool, typer.Option("--simulator", help="An environment of the embedded AWS only.")] = False,
    snapshot: options.FromSnapshot = None,
    max_age: options.MaxAge = None,
) -> None:
    """Write environments/ENV/environment.yaml. In a terminal, it prompts for what no option says.

    With --from, account, home region and active regions (each in which the account has something of its own) are those
    of a snapshot.

    \b
    Profiles, written out whole so that nothing is inherited later:
      minimal     what every account needs; next to nothing of it bills
      standard    minimal, with recording, detection and alarms: for most accounts
      strict      standard, with more that is billed by use: for sensitive data

    \b
    Examples:
      toolkit new prod
      toolkit new prod --profile strict --security-email security@example.com
      toolkit new prod --account-id 111122223333 --region eu-central-1 \\
                       --active-region us-east-1 --state-bucket acme-state
      toolkit new prod --from 111122223333-20261129T061200Z.json
    """
    from toolkit.sandbox.control import DEFAULT_ACCOUNT_ID
    from toolkit.workflows.new import Answers, check_answer, new_environment

    project = options.project()
    paths = project.paths(env)
    if paths.file.exists():
        raise UsageError("the environment exists", where=paths.shown, hint="edit it, or choose another name")
    unused: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    age = options.max_age(snapshot, max_age)
    if snapshot is not None:
        from toolkit.workflows.new import origin

        given = (("--account-id", account_id), ("--region", region), ("--simulator", simulator or None))
        if others := [option for option, value in given if value is not None]:
            raise UsageError(f"the snapshot says the account, so --from does not go with {', '.join(others)}")
        of = origin(snapshot, age)
        account_id, region, simulator = of.account_id, of.home, of.simulator
        unused, unread = of.unused, of.unread
        active = [*of.active, *(active or ())]
    if simulator and account_id is None:
        account_id = DEFAULT_ACCOUNT_ID
    asking = console.in_terminal()
    missing = [o for o, given in (("--account-id ID", account_id), ("--region REGION", region)) if given is None]
    if missing and not asking:
        told = f"toolkit new {env}" + (" --simulator" if simulator else "")
        raise UsageError(f"missing {' and '.join(o.split()[0] for o in missing)}", hint=f"{told} {' '.join(missing)}")

    def answer(given: str | None, option: str, question: str, kind: str, default: str | None = None) -> str:
        if given is not None:
            return check_answer(kind, given, option)
        while True:
            said = str(typer.prompt(question, default=default, show_default=False, err=True))
            if said == default:
                return said
            try:
                return check_answer(kind, said, option)
            except UsageError as e:
                console.show_error(e)

    answers = Answers(
        account_id=answer(account_id, "--account-id", "Account id (12 digits)", "account_id"),
        home=answer(region, "--region", "Home region", "region"),
        active=tuple(check_answer("region", r, "--active-region") for r in active or ()),
        state_bucket=answer(state_bucket, "--state-bucket", _STATE_BUCKET, "bucket", "") or None
        if state_bucket is not None or (asking and not simulator)
        else None,
        simulator=simulator,
        profile=check_answer("profile", profile, "--profile"),
        security_email=answer(security_email, "--security-email", _WHO_IS_TOLD, "email", "") or None
        if security_email is not None or asking
        else None,
    )
    written = new_environment(project, env, answers)
    console.say(str(written))
    if unused:
        console.tell(
            f"Enabled, but left out, since nothing of the account was found there: {', '.join(unused)}.",
            "A benchmark requires every enabled region: add them under `regions.active`, or disable them.",
        )
    if unread:
        console.tell(f"Not everything could be read in {', '.join(unread)}: something may be there.")
    following = f"toolkit adopt {env} --from {snapshot}" if snapshot is not None else f"toolkit render {env}"
    console.tell(f"Next: look it over, then {following}")


def render(
    envs: fleet_options.Envs = None,
    where: fleet_options.Where = None,
    everything: fleet_options.All = False,
    changed_since: fleet_options.ChangedSince = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 3 when something is out of date.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print what changes as a unified diff.")] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", metavar="N", min=1, help="Processes at most, of many environments. Default: one per processor."
        ),
    ] = None,
    as_json: options.Json = False,
) -> int:
    """Render environments as Terraform, to review and commit.

    The files are written to environments/ENV/rendered.

    \b
    Examples:
      toolkit render                 every environment
      toolkit render prod --diff     and show what changes
      toolkit render 'prod-*' --where tier=prod
      toolkit render --check         in a pipeline: exit code 3 and the diff when
                                     something is out of date
    """
    from toolkit.fleet.outcome import fold
    from toolkit.workflows.render import render_environments

    project = options.project()
    selection = fleet_options.selected(project, envs, where, everything, changed_since, by_default=True)
    results = render_environments(project, selection.names, dry=check, jobs=jobs)
    changed = [r for r in results if r.changes]
    if as_json:
        console.print_json(
            document(
                "render",
                {
                    "written": not check,
                    "environments": [
                        {
                            "environment": r.environment,
                            "up_to_date": not r.changes and r.error is None,
                            "files": [{"name": f"{r.folder}/{c.name}", "action": c.action} for c in r.changes],
                            "error": r.error.as_data() if r.error else None,
                        }
                        for r in results
                    ],
                },
            )
        )
    elif check or diff:
        console.document("".join(r.diff for r in results))  # not wrapped: `patch` may read it
    if not as_json:
        for result in results:
            what = ", ".join(f"{c.action} {c.name}" for c in result.changes) or "up to date"
            console.tell(f"{result.environment}: {'not rendered, see below' if result.error else what}")
            for warning in result.warnings:
                console.tell(f"Warning: {warning}")
        if not project.names:
            console.tell("no environments yet", "Next: toolkit new ENV")
    if check and changed:
        names = " ".join(r.environment for r in changed)
        console.error_line("rendered files are out of date", f"Next: run `toolkit render {names}`, review, commit")
    failed = [r.error for r in results if r.error]
    for error in failed:
        console.show_error(error)
    return fold([*(error.exit_code for error in failed), ExitCode.OUT_OF_DATE if check and changed else ExitCode.OK])
