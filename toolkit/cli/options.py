"""Options and arguments that several commands share."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from toolkit.cli import console
from toolkit.cli.console import Settings
from toolkit.errors import UsageError, or_meant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from toolkit.audit.report import Audit
    from toolkit.findings import Consents
    from toolkit.paths import Project
    from toolkit.reports.format import Format
    from toolkit.reports.view import PlanView
    from toolkit.workflows.report import Target
    from toolkit.workflows.workspace import Access

Subject = TypeVar("Subject")


def complete_environment(incomplete: str) -> list[str]:
    """Shell completion of environment names."""
    from toolkit.errors import ToolkitError

    try:
        return [name for name in project().names if name.startswith(incomplete)]
    except ToolkitError:
        return []


def named(given: str | None) -> str | None:
    """The environment that ENV names, also where a shell has completed it as a path."""
    from toolkit.paths import environment_name

    return None if given is None else environment_name(given)


def complete_report(incomplete: str) -> list[str]:
    """Shell completion of --report: the formats, each with the sign that its file follows."""
    from toolkit.reports.registry import FORMATS

    return _begun(FORMATS, incomplete)


def complete_audit_report(incomplete: str) -> list[str]:
    """Shell completion of --report of an audit."""
    from toolkit.reports.audit_registry import FORMATS

    return _begun(FORMATS, incomplete)


def complete_framework(incomplete: str) -> list[str]:
    """Shell completion of --framework."""
    from toolkit.controls.catalogue import frameworks

    return [framework.name for framework in frameworks() if framework.name.startswith(incomplete)]


def _begun(names: Iterable[str], incomplete: str) -> list[str]:
    return [f"{name}=" for name in names if name.startswith(incomplete)]


Env = Annotated[
    str,
    typer.Argument(
        metavar="ENV",
        help="Name of the environment, or its folder.",
        autocompletion=complete_environment,
        callback=named,
    ),
]
OptionalEnv = Annotated[
    str | None,
    typer.Argument(
        metavar="ENV",
        help="Name of the environment, or its folder; none: an account without an environment file.",
        autocompletion=complete_environment,
        callback=named,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Sandbox = Annotated[
    bool, typer.Option("--sandbox", help="Use the embedded AWS, though the environment is for a real account.")
]
Mirror = Annotated[
    Path | None,
    typer.Option(
        "--provider-mirror",
        metavar="DIR",
        envvar="TOOLKIT_PROVIDER_MIRROR",
        help="Folder of a Terraform provider mirror, for networks without the registry.",
    ),
]
LockTimeout = Annotated[
    str, typer.Option("--lock-timeout", metavar="DURATION", help="How long to wait for the state lock.")
]
NoRender = Annotated[
    bool,
    typer.Option("--no-render", help="Refuse (exit code 3) instead of rendering when rendered/ is out of date."),
]
AutoApprove = Annotated[bool, typer.Option("--auto-approve", help="Skip the prompt for approval; for pipelines.")]


AllowDestroy = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-destroy",
        metavar="ADDRESS",
        help="Consent to deleting or replacing this protected resource; * matches anything; repeatable.",
    ),
]
AllowRelease = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-release",
        metavar="ADDRESS",
        help="Consent to no longer managing this protected resource, which AWS keeps (`toolkit release`); * matches "
        "anything; repeatable.",
    ),
]
AllowWeaker = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-weaker",
        metavar="ADDRESS.ATTRIBUTE",
        help="Consent to making this attribute weaker; * matches anything; repeatable.",
    ),
]
AllowGain = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-gain",
        metavar="ADDRESS.ATTRIBUTE",
        help="Consent to the sensitive actions that principals may newly do by this attribute; * matches anything; "
        "repeatable.",
    ),
]
AcknowledgeLockout = Annotated[
    bool, typer.Option("--acknowledge-lockout", help="Consent to locking out the users that the plan names.")
]

KmsKey = Annotated[
    str | None,
    typer.Option(
        "--kms-key",
        metavar="ID",
        help="The saved plan must be encrypted with this KMS key (id, ARN or alias), else it is refused. Without it, "
        "TOOLKIT_BUNDLE_KEY demands its own key if it is set.",
    ),
]

RequireSignature = Annotated[
    str | None,
    typer.Option(
        "--require-signature",
        metavar="KEY",
        help="The saved plan must be signed, else it is refused: by a KMS key (id, ARN or alias), by the key whose "
        "public half is in a file (PEM), or attested by github:OWNER/REPO/.github/workflows/FILE@REF. It must also be "
        "of the commit that is checked out.",
    ),
]
RequireRun = Annotated[
    str | None,
    typer.Option(
        "--require-run",
        metavar="RUN",
        help="The saved plan must be made in this run of a pipeline: `this` for the one that applies it, or the URL of "
        "a run.",
    ),
]

AwsProfile = Annotated[
    str | None,
    typer.Option("--aws-profile", metavar="NAME", help="AWS profile, for an account without an environment file."),
]
AccountId = Annotated[
    str | None,
    typer.Option(
        "--account-id",
        metavar="ID",
        help="The account that is meant, for one without an environment file; others are refused.",
    ),
]
HomeRegion = Annotated[
    str | None,
    typer.Option(
        "--region",
        metavar="REGION",
        help="Home region of an account without an environment file. Default: the profile's.",
    ),
]
ALL_REGIONS = "enabled"
"""What --regions means unless it is given."""
Regions = Annotated[
    str,
    typer.Option(
        "--regions",
        metavar="LIST",
        help="enabled: all that the account has enabled; active: those of the environment file; or names with commas "
        "between them.",
    ),
]
Frameworks = Annotated[
    list[str] | None,
    typer.Option(
        "--framework",
        metavar="NAME",
        help="Only checks of this framework, with a verdict on each of its requirements; repeatable.",
        autocompletion=complete_framework,
    ),
]
MaxCalls = Annotated[
    int | None,
    typer.Option("--max-calls", metavar="N", min=1, help="Calls of AWS at most. Default: 20000."),
]
FromSnapshot = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="SNAPSHOT",
        help="Snapshot (`toolkit discover`) that says what the account has, instead of reading it.",
    ),
]
MaxAge = Annotated[
    int | None,
    typer.Option("--max-age", metavar="HOURS", min=1, help="How old the snapshot may be. Default: 24 hours."),
]
Report = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        metavar="FORMAT=FILE",
        help="Also write the plan as markdown, json, sarif, junit, html or text; - as FILE prints it instead of the "
        "terminal's text, which then is written to stderr; repeatable.",
        autocompletion=complete_report,
    ),
]
AuditReport = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        metavar="FORMAT=FILE",
        help="Also write the audit as html, markdown, json, sarif, junit, ocsf, asff, csv or text; FILE alone will do "
        "if its ending names the format (audit.sarif, audit.ocsf.json); - as FILE prints it instead of the terminal's "
        "text, which then is written to stderr; repeatable.",
        autocompletion=complete_audit_report,
    ),
]


def demands_on(plan: str | None, **given: str | None) -> None:
    """Refuse options that demand something of a saved plan where none is given.

    Args:
        plan: What --plan says.
        **given: Option, with underscores → value.

    Raises:
        UsageError: One is given without a plan that it could be about.
    """
    for name, value in given.items():
        if value is not None and plan is None:
            raise UsageError(
                f"--{name.replace('_', '-')} demands something of a saved plan, and none is given",
                hint="name one with --plan BUNDLE",
            )


def consents(
    destroy: list[str] | None,
    weaker: list[str] | None,
    lockout: bool,
    release: list[str] | None = None,
    gain: list[str] | None = None,
) -> Consents:
    """What the command's options consent to."""
    from toolkit.findings import Consents

    return Consents(
        tuple(destroy or ()), tuple(weaker or ()), lockout, release=tuple(release or ()), gain=tuple(gain or ())
    )


def reports(
    given: list[str] | None, *, as_json: bool, out: str | None = None, env: str | None = None
) -> tuple[Target[PlanView], ...]:
    """The reports to write, checked before anything is planned.

    Args:
        given: What --report said.
        as_json: Whether standard output is taken by --json.
        out: What --out said.
        env: The environment, whose report a folder gets as with several; None: a folder is refused.
    """
    if not given:
        return ()
    from toolkit.reports.registry import FORMATS
    from toolkit.terraform.stored import is_stored
    from toolkit.workflows.report import targets

    if env is not None:
        given = [_in_folder(one, env, FORMATS) for one in given]

    taken = {} if out is None or is_stored(out) else {Path(out): "the plan bundle is saved there"}
    return targets(FORMATS, given, taken=taken, as_json=as_json)


def _in_folder(report: str, env: str, formats: Mapping[str, Format[PlanView]]) -> str:
    """What --report says, with the name of the file where it names a folder that ends with a slash."""
    name, _, folder = report.partition("=")
    if not folder.endswith(os.sep) or name not in formats:
        return report
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise UsageError(f"--report {report}: the folder cannot be made: {e.strerror}") from e
    return f"{name}={Path(folder) / env}{formats[name].endings[0]}"


def audit_reports(given: list[str] | None, *, printed: bool, baseline: Path | None = None) -> tuple[Target[Audit], ...]:
    """The reports of an audit, checked before anything is read.

    Args:
        given: What --report said.
        baseline: What --baseline said: a report would delete it before the audit has succeeded.
        printed: Whether standard output is taken by another format than text.

    Raises:
        UsageError: One cannot be written.
    """
    if not given:
        return ()
    from toolkit.reports.audit_registry import FORMATS
    from toolkit.workflows.report import targets

    taken = {} if baseline is None else {baseline: "the baseline is read from there"}
    return targets(FORMATS, given, taken=taken, as_json=printed)


def printed(reports: Iterable[Target[Subject]]) -> bool:
    """Whether a report takes standard output."""
    return any(target.printed for target in reports)


def one_of(option: str, given: str | None, words: Sequence[str]) -> None:
    """Demand that an option has one of some words, or is not given.

    Raises:
        UsageError: It has another one.
    """
    if given is not None and given not in words:
        raise UsageError(f"{option}: no {given!r}{or_meant(given, tuple(words))}", hint=f"one of {', '.join(words)}")


def write(subject: Subject, reports: tuple[Target[Subject], ...]) -> None:
    """Write the reports that were asked for.

    Raises:
        ToolkitError: One cannot be written.
    """
    if reports:
        from toolkit.workflows.report import write_reports

        for text, errors in write_reports(subject, reports):
            console.document(text, errors)


def project() -> Project:
    """The project the command works in: that of the working directory, or of -C."""
    from toolkit.paths import Project

    return Project.find(Settings.chdir or Path.cwd())


def project_if_any() -> Project | None:
    """The project of the working directory, or of -C; None outside of any."""
    from toolkit.paths import Project

    return Project.around(Settings.chdir or Path.cwd())


def access(sandbox: bool, mirror: Path | None) -> Access:
    """How the command reaches AWS, as its options say."""
    from toolkit.workflows.workspace import Access

    return Access(sandbox=sandbox, provider_mirror=mirror, process=True)


def lifetime(text: str) -> timedelta:
    """ "90m", "8h" or "3d" as a timedelta."""
    match = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    if match is None:
        raise UsageError(
            f"--expires-in: {text!r} is not a duration", hint="expected a number and m, h or d: 90m, 8h, 3d"
        )
    unit = {"m": "minutes", "h": "hours", "d": "days"}[match[2]]
    return timedelta(**{unit: int(match[1])})


def duration(text: str) -> str:
    """A Terraform duration ("30s", "5m"), checked here so that a typing error is a usage error."""
    if not re.fullmatch(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h))+", text):
        raise UsageError(f"--lock-timeout: {text!r} is not a duration", hint="expected one like 0s, 30s or 5m")
    return text


def max_age(snapshot: Path | None, hours: int | None) -> timedelta:
    """How old a snapshot may be.

    Raises:
        UsageError: An age is given, and no snapshot.
    """
    from toolkit.snapshots import MAX_AGE

    if hours is not None and snapshot is None:
        raise UsageError("--max-age is about a snapshot", hint="name one with --from SNAPSHOT")
    return MAX_AGE if hours is None else timedelta(hours=hours)
