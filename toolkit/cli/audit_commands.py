"""The command that says what is true of an account."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit.cli import audit_organization as of_organization
from toolkit.cli import console, fleet_options, fleet_run, options
from toolkit.cli.discover_commands import account_of, refuse
from toolkit.errors import ExitCode, RefusedError, ToolkitError, UsageError, or_meant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.audit.baseline import Baseline
    from toolkit.audit.history import History
    from toolkit.audit.model import Check
    from toolkit.audit.report import Audit
    from toolkit.controls.catalogue import Framework
    from toolkit.findings import Severity
    from toolkit.workflows.discover import Account
    from toolkit.workflows.fix import Fixed

_FORMATS = ("text", "markdown", "json")
_RECEIVERS = ("security-hub",)
_LATEST = Path("latest")
"""What --baseline says for the newest report of the history."""


def register(app: typer.Typer) -> None:
    """Add this file's commands, in the order in which help lists them."""
    app.command()(audit)


def audit(
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
    framework: options.Frameworks = None,
    severity: Annotated[
        list[str] | None,
        typer.Option("--severity", metavar="WORD", help="critical, high, medium or note; repeatable."),
    ] = None,
    service: Annotated[
        list[str] | None,
        typer.Option("--service", metavar="NAME", help="As IAM names it: iam, cloudtrail …; repeatable."),
    ] = None,
    check: Annotated[
        list[str] | None, typer.Option("--check", metavar="ID", help="Only this check; repeatable.")
    ] = None,
    list_checks: Annotated[bool, typer.Option("--list-checks", help="List the selected checks, and run none.")] = False,
    explain: Annotated[
        str | None,
        typer.Option(
            "--explain",
            metavar="ID",
            help="Explain a check, and run none. With ENV also what to set in its environment.yaml, what that renders "
            "and what it costs.",
        ),
    ] = None,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Write settings into environment.yaml for the checks that failed, and render. Never changes AWS, and "
            "makes no setting weaker. In a terminal, it prompts.",
        ),
    ] = False,
    send_to: Annotated[
        str | None,
        typer.Option(
            "--send-to",
            metavar="security-hub",
            help="Import every finding into the account's Security Hub, in the home region, and archive those of "
            "earlier audits that no longer exist. In a terminal, it prompts.",
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --fix or --send-to: do it without a prompt; for pipelines.")
    ] = False,
    print_policy: Annotated[
        bool, typer.Option("--print-policy", help="Print the IAM policy that the checks need, and run none.")
    ] = False,
    fail_on: Annotated[
        str, typer.Option("--fail-on", metavar="WORD", help="From which severity on the exit code is 2 (or 1).")
    ] = "high",
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline",
            metavar="FILE",
            help="Compare with an earlier --format json report of the account: what is new, fixed and unchanged. What "
            "failed in it already does not count for the exit code. latest: the newest of --history.",
        ),
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option(
            "--history",
            metavar="DIR",
            help="Keep the report as a file in this folder, which is for this account alone, and show what changed "
            "since the first one there.",
        ),
    ] = None,
    report: options.AuditReport = None,
    max_calls: options.MaxCalls = None,
    organization: of_organization.Organization = False,
    role_name: of_organization.RoleName = None,
    external_id: of_organization.ExternalId = None,
    accounts: of_organization.Accounts = None,
    ou: of_organization.Units = None,
    exclude: of_organization.Exclude = None,
    max_minutes: of_organization.MaxMinutes = None,
    output_format: Annotated[str, typer.Option("--format", metavar="FORMAT", help="text, markdown or json.")] = "text",
    sandbox: options.Sandbox = False,
) -> int:
    """Check an account's users, keys, policies and services.

    Reads only, but for --send-to. It works for any account, also for one without an environment file. What cannot be
    read is reported as unknown, never as passed. The exit code is 2 if a check of at least the severity of --fail-on
    failed, else 1 if one is unknown. With --baseline, only failures count that the earlier report does not have.

    \b
    Examples:
      toolkit audit prod
      toolkit audit prod --framework cis-7.0 --format markdown > audit.md
      toolkit audit prod --format json > audit.json
      toolkit audit prod --baseline audit.json
      toolkit audit prod --report audit.sarif --report audit.ocsf.json
      toolkit audit prod --history audits/prod --baseline latest      every night
      toolkit audit prod --send-to security-hub
      toolkit audit --aws-profile audit --account-id 111122223333 --service iam
      toolkit audit management --organization --history audits
      toolkit audit prod --fix      edit environment.yaml for what failed
      toolkit audit --explain iam_root_mfa_enabled
      toolkit audit prod --explain guardduty_s3_protection_enabled
      toolkit audit --where tier=prod --history audits --baseline latest
    """
    env = fleet_run.chosen_if_any(fleet_options.selected, failed, envs, where, everything, changed_since)
    if isinstance(env, fleet_run.Several):
        one = {
            "--aws-profile": aws_profile, "--account-id": account_id, "--region": region, "--fix": fix,
            "--send-to": send_to, "--yes": yes, "--organization": organization, "--role-name": role_name,
            "--external-id": external_id, "--accounts": accounts, "--ou": ou, "--exclude": exclude,
            "--max-minutes": max_minutes, "--explain": explain, "--list-checks": list_checks,
            "--print-policy": print_policy,
        }  # fmt: skip
        passed = fleet_run.fixed(
            ("--regions", regions), ("--framework", framework), ("--severity", severity), ("--service", service),
            ("--check", check), ("--fail-on", fail_on), ("--max-calls", max_calls),
        )  # fmt: skip
        return _many(
            fleet_run.Many(env, jobs, output_format == "json", sandbox, report=report),
            one,
            passed,
            output_format,
            baseline,
            history,
            report,
        )
    from toolkit.controls.catalogue import DEFAULT_FRAMEWORK
    from toolkit.workflows.audit import audit as run
    from toolkit.workflows.audit import chosen
    from toolkit.workflows.coverage import chosen as frameworks

    reading = {
        "ENV": env, "--aws-profile": aws_profile, "--account-id": account_id, "--region": region,
        "--max-calls": max_calls, "--regions": regions if regions != options.ALL_REGIONS else None,
        "--sandbox": sandbox or None, "--baseline": baseline, "--history": history, "--fix": fix or None,
        "--report": report, "--send-to": send_to, "--organization": organization or None,
    }  # fmt: skip
    given = [name for name, value in reading.items() if value is not None]
    _check_format(output_format)
    _refuse_sending(send_to, fix=fix, yes=yes)
    if explain is not None:
        refuse("--explain", [name for name in given if name != "ENV"])
        return _explain(chosen(ids=[explain])[0], env)
    wanted = chosen(
        ids=check or (),
        services=service or (),
        severities=[_severity("--severity", one) for one in severity or ()],
        frameworks=frameworks(framework or ()),
    )
    threshold = _severity("--fail-on", fail_on)
    if list_checks:
        refuse("--list-checks", given)
        return _list_checks(wanted)
    in_organization = of_organization.OrganizationOptions(role_name, external_id, accounts, ou, exclude, max_minutes)
    if organization:
        return _organization(
            in_organization, wanted, frameworks(framework or [DEFAULT_FRAMEWORK]), threshold, print_policy=print_policy,
            given=given, env=env, aws_profile=aws_profile, account_id=account_id, region=region, regions=regions,
            history=history, baseline=baseline, report=report, max_calls=max_calls, output_format=output_format,
            sandbox=sandbox,
        )  # fmt: skip
    in_organization.refuse()
    if print_policy:
        refuse("--print-policy", [name for name in given if name != "--send-to"])
        return _print_policy(wanted, sends=send_to is not None)
    from toolkit.workflows.discover import MAX_CALLS, regions_wanted
    from toolkit.workflows.fix import proposed

    if fix:
        _refuse_fix(env, output_format, yes=yes)
    wanted_regions, calls = regions_wanted(regions), MAX_CALLS if max_calls is None else max_calls
    from_file = _baseline_file(baseline, history)
    reports = options.audit_reports(report, printed=output_format != "text", baseline=baseline if from_file else None)
    if fix and options.printed(reports):
        raise UsageError("--fix and a report both write to standard output", hint="give the report a file")
    with console.Progress() as progress:
        account = account_of(progress, env, aws_profile, account_id, region, sandbox, command="audit")
        if send_to is not None and not (yes or account.clients.simulated or console.in_terminal()):
            raise UsageError("approval needs a terminal", hint=f"`--send-to {send_to} --yes` sends without a prompt")
        earlier, kept = _earlier(account, baseline, from_file, history, progress)
        found = run(
            account,
            wanted,
            wanted_regions,
            frameworks(framework or [DEFAULT_FRAMEWORK]),
            progress,
            max_calls=calls,
            baseline=earlier,
            history=kept,
        )
        if env is not None:
            found = proposed(options.project(), env, found)
    # Files first: whatever becomes of the terminal (`| head`), a pipeline gets its reports.
    unwritten = _keep(found)
    options.write(found, reports)
    _show(found, output_format, to_stderr=options.printed(reports))
    if fix and env is not None:
        _fix(env, found, sandbox=sandbox, yes=yes)
    if send_to is not None:
        _send(found, account, yes=yes)
    if unwritten is not None:
        raise unwritten
    return _exit_code(found, threshold)


def _many(
    many: fleet_run.Many,
    one: dict[str, Any],
    passed: fleet_run.Own,
    output_format: str,
    baseline: Path | None,
    history: Path | None,
    report: list[str] | None,
) -> int:
    """The audits of several environments, each with a history of its own; `one`: options that are for one alone."""
    fleet_run.refuse("audit", one)
    _check_format(output_format)
    if output_format == "markdown":
        raise UsageError("--format markdown is for one environment", hint="--report markdown=DIR/ writes one of each")
    if baseline is not None and baseline != _LATEST:
        raise UsageError(
            "--baseline FILE is the report of one account",
            hint="`--history DIR --baseline latest` compares each account with its newest report",
        )
    _baseline_file(baseline, history)

    def kept(env: str) -> tuple[str, ...]:
        folder = None if history is None else history / env
        return fleet_run.words(("--history", folder), ("--baseline", baseline))

    own = fleet_run.joined(passed, lambda *_: kept, fleet_run.audit_reports(report))
    return fleet_run.each("audit", many, own)


def _show(found: Audit, output_format: str, *, to_stderr: bool) -> None:
    from toolkit.reports.audit import audit_data, audit_lines, audit_markdown

    if output_format == "json":
        console.print_json(audit_data(found))
    elif output_format == "markdown":
        console.document(audit_markdown(found))
    else:
        console.show(audit_lines(found, verbose=console.Settings.verbose), to_stderr=to_stderr)


def _organization(
    in_organization: of_organization.OrganizationOptions,
    wanted: Sequence[Check],
    frameworks: Sequence[Framework],
    threshold: Severity,
    *,
    print_policy: bool,
    given: list[str],
    baseline: Path | None,
    history: Path | None,
    env: str | None,
    account_id: str | None,
    region: str | None,
    **others: Any,
) -> int:
    """--organization, once the options are refused that are for one account."""
    if print_policy:
        allowed = ("--organization", "ENV", "--account-id", "--region")
        refuse("--print-policy", [name for name in given if name not in allowed])
        return of_organization.print_policies(in_organization, wanted, env, account_id, region)
    for option in ("--fix", "--send-to"):
        if option in given:
            raise UsageError(f"{option} is for one account, not for --organization", hint="leave out one of them")
    if baseline is not None and baseline != _LATEST:
        raise UsageError(
            "--baseline FILE is the report of one account",
            hint="`--organization --history DIR --baseline latest` compares each account with its newest report",
        )
    _baseline_file(baseline, history)
    return of_organization.run(
        in_organization, wanted, frameworks, threshold, with_latest=baseline is not None, history=history, env=env,
        account_id=account_id, region=region, **others,
    )  # fmt: skip


def _exit_code(found: Audit, threshold: Severity) -> ExitCode:
    if found.failed(threshold):
        return ExitCode.CHANGES
    return ExitCode.ERROR if found.unknown(threshold) else ExitCode.OK


def _baseline_file(baseline: Path | None, history: Path | None) -> Baseline | None:
    """The report that --baseline names; None where it names none, or the newest of the history.

    Raises:
        UsageError: It wants the newest of a history, and there is none.
        ToolkitError: It cannot be read, or is not a whole report of this version's format.
    """
    from toolkit.audit.baseline import read_baseline

    if baseline == _LATEST and history is None:
        raise UsageError(
            "--baseline latest is the newest report of a history, and none is named", hint="add --history DIR"
        )
    return None if baseline is None or baseline == _LATEST else read_baseline(baseline)


def _earlier(
    account: Account, baseline: Path | None, from_file: Baseline | None, folder: Path | None, progress: console.Progress
) -> tuple[Baseline | None, History | None]:
    """What an account is compared with, and its history, before anything of it is read.

    Raises:
        RefusedError: One is of another account.
        ToolkitError: The history cannot be read.
    """
    from toolkit.audit.history import read_history

    account_id, simulated = account.caller.account_id, account.clients.simulated
    if baseline is not None and from_file is not None:
        from_file.require_same(baseline, account_id, simulated=simulated)
    if folder is None:
        return from_file, None
    history = read_history(folder, account_id, simulated=simulated)
    for line in history.unreadable:
        progress.warning(f"{line}; it is left out")
    if baseline != _LATEST:
        return from_file, history
    if history.latest is None:
        progress.note(f"{folder} has no earlier audit yet: nothing is compared, and every failure counts")
    return history.latest, history


def _keep(found: Audit) -> ToolkitError | None:
    """Write the report into its history; an error is for later, since the report of a whole audit is to be shown."""
    from toolkit.reports.audit import audit_data

    if found.history is None:
        return None
    try:
        found.history.add(audit_data(found))
    except ToolkitError as e:
        return e
    return None


def _list_checks(wanted: Sequence[Check]) -> int:
    rows = [(one.service, one.severity.value, one.id, one.title) for one in wanted]
    console.print_table(("SERVICE", "SEVERITY", "ID", "WHAT PASSES"), rows)
    return ExitCode.OK


def _check_format(name: str) -> None:
    if name not in _FORMATS:
        raise UsageError(
            f"--format: no format {name!r}{or_meant(name, _FORMATS)}", hint=f"formats: {', '.join(_FORMATS)}"
        )


def _severity(option: str, word: str) -> Severity:
    from toolkit.findings import Severity

    words = tuple(one.value for one in Severity)
    if word not in words:
        raise UsageError(
            f"{option}: no severity {word!r}{or_meant(word, words)}", hint=f"severities: {', '.join(words)}"
        )
    return Severity(word)


def _explain(check: Check, env: str | None) -> int:
    from toolkit.reports.audit import check_lines, fix_lines
    from toolkit.workflows.audit import audit_actions

    explained = None
    if env is not None:
        from toolkit.workflows import fix

        explained = fix.explained(options.project(), env, check)
    console.show(check_lines(check, audit_actions([check])))
    if env is not None:
        console.show(fix_lines(explained))
    return ExitCode.OK


def _refuse_fix(env: str | None, output_format: str, *, yes: bool) -> None:
    """Demand what --fix needs, before anything is read."""
    if env is None:
        raise UsageError(
            "--fix edits environment.yaml, and an account without an environment has none",
            hint="`toolkit new ENV` makes an environment for it; or leave out --fix",
        )
    if output_format != "text":
        raise UsageError(
            f"--fix shows what it writes as text, so it does not go with --format {output_format}",
            hint=f"`--format {output_format}` without --fix has the fixes, too",
        )
    if not yes and not console.in_terminal():
        raise UsageError("approval needs a terminal", hint=f"`toolkit audit {env} --fix --yes` writes without a prompt")


def _refuse_sending(send_to: str | None, *, fix: bool, yes: bool) -> None:
    """Demand that --send-to, --fix and --yes fit together, before anything is read."""
    if send_to is not None and send_to not in _RECEIVERS:
        raise UsageError(
            f"--send-to: nothing known as {send_to!r}{or_meant(send_to, _RECEIVERS)}",
            hint=f"expected {' or '.join(_RECEIVERS)}",
        )
    if send_to is not None and fix:
        raise UsageError("--send-to and --fix do not go together", hint="run one after the other")
    if yes and not fix and send_to is None:
        raise UsageError("--yes is for --fix and --send-to", hint="leave out --yes, or add one of them")


def _send(found: Audit, account: Account, *, yes: bool) -> None:
    """Import the findings into Security Hub, if that is agreed to; the embedded AWS needs no consent.

    Raises:
        RefusedError: It is not agreed to; nothing was sent.
        ToolkitError: Security Hub does not answer, or rejected findings.
    """
    from toolkit.reports.text import many
    from toolkit.workflows.send import prepare, send

    sending = prepare(found, account)
    hub = f"Security Hub in {sending.region} of account {sending.account_id}"
    archive = f", and archive {len(sending.archived):,} there that no longer exist" if sending.archived else ""
    what = many(len(sending.findings), "finding")
    question = f"Send {what} to {hub}{archive}?"
    if not (yes or account.clients.simulated or console.ask(question, wanted="yes")):
        raise RefusedError("not approved; nothing was sent")
    send(sending, account)
    console.tell(f"Sent {what} to {hub}; {len(sending.archived):,} archived.")


def _fix(env: str, found: Audit, *, sandbox: bool, yes: bool) -> None:
    from toolkit.reports.audit import fixed_lines
    from toolkit.workflows import fix

    called = f"{env} --sandbox" if sandbox else env

    def agreed(result: Fixed) -> bool:
        show(result)
        return yes or console.ask("Write environment.yaml, and render it?", wanted="yes")

    def show(result: Fixed) -> None:
        console.show(fixed_lines(result.fixes, result.others))
        console.document(f"\n{result.diff}{result.rendered}")

    result = fix.fix(options.project(), env, options.access(sandbox, None), found, agreed=agreed)
    if result.diff:
        console.tell(f"Wrote environments/{env}/environment.yaml, and rendered it. Nothing in AWS was changed.")
        console.tell(f"Next: toolkit plan {called}")
        return
    show(result)
    console.tell(f"There is nothing to fix in environments/{env}/environment.yaml; it stays as it is.")


def _print_policy(wanted: Sequence[Check], *, sends: bool) -> int:
    from toolkit.aws.security_hub import ACTIONS
    from toolkit.workflows.audit import audit_actions
    from toolkit.workflows.scan_policy import policies_of

    console.print_policies(policies_of(tuple(sorted({*audit_actions(wanted), *(ACTIONS if sends else ())}))))
    return ExitCode.OK
