"""Commands over many environments: their options, the board that shows them, what is printed at the end.

A command of one environment calls `run` where its options select several. What it is called with is handed to each
environment's own command; what cannot be meant for several is refused before anything runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from toolkit.cli import console, options
from toolkit.cli.stream import ReaderGoneError
from toolkit.documents import Document, document
from toolkit.errors import ExitCode, ToolkitError, UsageError, or_meant
from toolkit.visible import one_line

if TYPE_CHECKING:
    from toolkit.cli.board import Board
    from toolkit.fleet.journal import Story
    from toolkit.fleet.selection import Selection
    from toolkit.fleet.summary import Summary
    from toolkit.reports.format import Format
    from toolkit.workflows.fleet import Arguments, Result, Run
    from toolkit.workflows.report import Target

Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="N",
        min=1,
        help="Environments at the same time, of several. Default: one per processor, if there is memory for them.",
    ),
]
Failed = Annotated[
    bool,
    typer.Option(
        "--failed",
        help="Continue the newest run over several environments: only those that failed or were not reached.",
    ),
]

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show in which waves the environments would be applied, and do nothing.")
]
ApproveEach = Annotated[
    bool,
    typer.Option(
        "--approve-each",
        help="Of several environments, prompt for each one before its wave begins; with --plan, too.",
    ),
]


Kept: TypeAlias = "Mapping[str, str | bool | None]"
"""Option → value; None or False where it is not given."""


@dataclass(frozen=True)
class Several:
    """Several environments, or one that options select."""

    names: tuple[str, ...] | None
    """None: those of the run that --failed continues."""


@dataclass(frozen=True)
class Many:
    """What the options that are about many environments say."""

    several: Several
    jobs: int | None
    as_json: bool
    sandbox: bool
    mirror: Path | None = None
    lock_timeout: str | None = None
    report: list[str] | None = None
    """What --report says: to a folder, a report of each environment; to a file, one of the summary."""
    given: Kept = field(default_factory=dict)
    """Options that are the same for all of a run, also where it is continued; --out is the folder for its files."""

    @property
    def names(self) -> tuple[str, ...] | None:
        """The selected environments; None: those of the run that is continued."""
        return self.several.names


Own = Callable[[Sequence[str], Kept], Callable[[str], tuple[str, ...]]]
"""Environments of a run, and what `kept` found → environment → options of its command alone.

What is wrong is said before anything runs.
"""


def chosen(
    select: Callable[..., Selection],
    failed: bool,
    envs: Sequence[str] | None,
    where: Sequence[str] | None,
    everything: bool,
    changed_since: str | None,
    *,
    changes: bool = False,
    dry_run: bool = False,
) -> str | Several:
    """The environment that is named alone, or several.

    Args:
        select: fleet_options.selected.
        failed: Whether --failed is given.
        envs: What ENV says.
        where: What --where says.
        everything: Whether --all is given.
        changed_since: What --changed-since says.
        changes: Whether the command changes accounts.
        dry_run: Whether only the waves are shown; one environment has one, too.

    Raises:
        UsageError: As `select`; or environments are named together with --failed.
    """
    if not failed:
        _refuse_link(envs or ())
        found = select(
            options.project(), envs, where, everything, changed_since, changes=changes and not dry_run,
            uses_accounts=True,
        )  # fmt: skip
        return Several(found.names) if found.single is None or dry_run else found.single
    if envs or where or everything or changed_since is not None:
        raise UsageError(
            "--failed takes the environments of the newest run, so none can be selected",
            hint="leave out --failed, or the names and options that select others",
        )
    return Several(None)


def kept(story: Story | None, given: Kept) -> Kept:
    """Options that are the same for all of a run: what is given, or what the run that is continued began with.

    Args:
        story: What that run says; None: a new run.
        given: The options of this command.

    Raises:
        UsageError: Another value is given than the run began with, or that is not known.
    """
    if story is None or not given:
        return given
    before, folder = story.options, story.folder
    if before is None:
        raise UsageError(
            "the options that this run began with were not written down",
            where=str(folder),
            hint=f"begin a new run: toolkit {story.command} with names of environments, or --all",
        )
    for option, value in given.items():
        if value and value != before.get(option):
            raise UsageError(
                f"{_spelt(option, value)}: the run that is continued began "
                + (f"with {_spelt(option, before[option])}" if before.get(option) else "without it"),
                where=str(folder),
                hint=f"leave out {option}: --failed uses what the run began with; a new run takes another value",
            )
    return {option: before.get(option) for option in given}


def resolved(path: str | None) -> str | None:
    """A path as it is from every folder; a place in S3 as it is."""
    from toolkit.terraform.stored import is_stored

    return path if path is None or is_stored(path) else str(Path(path).resolve())


def resolved_key(key: str | None) -> str | None:
    """A key as it is named from every folder: a file by its whole path.

    Raises:
        UsageError: It names no key.
    """
    from toolkit.signing import KeyFile, required_signature

    if key is None or not isinstance(required_signature(key, option="--sign"), KeyFile):
        return key
    return str(Path(key).resolve())


def saved_folder(plan: str | None) -> Path | None:
    """The folder that --plan names for several environments.

    Raises:
        UsageError: It names S3, where one plan has one name, which only its reference knows.
    """
    from toolkit.terraform.stored import is_stored

    if plan is not None and is_stored(plan):
        raise UsageError(
            "--plan: with several environments, a folder with a reference to each plan, not a place in S3",
            hint="`toolkit plan … --out s3://BUCKET/PREFIX/ --reference DIR/` writes them, `--plan DIR/` applies them",
        )
    return None if plan is None else Path(plan)


def _spelt(option: str, value: str | bool | None) -> str:
    return option if value is True else f"{option} {value}"


def check_approval(*, each: bool, auto: bool, saved: bool) -> None:
    """Demand that approval is possible as the options of `apply` say.

    Args:
        each: Whether --approve-each is given.
        auto: Whether --auto-approve is.
        saved: Whether --plan is.

    Raises:
        UsageError: They contradict each other, or a prompt needs a terminal, and there is none.
    """
    if each and auto:
        raise UsageError(
            "--approve-each prompts, and --auto-approve skips every prompt", hint="leave out one of the two"
        )
    if not (each if saved else not auto) or sys.stdin.isatty():
        return
    hint = "--plan DIR applies saved plans without a prompt; --auto-approve applies what is planned now"
    raise UsageError(
        "approval needs a terminal",
        hint="without --approve-each, saved plans are applied without a prompt" if saved else hint,
    )


def _refuse_link(envs: Sequence[str]) -> None:
    """Say of a name that it is a symbolic link, rather than that there is no such environment.

    Raises:
        ToolkitError: It is.
    """
    from toolkit.paths import ENVIRONMENT_NAME, environment_name

    for name in map(environment_name, envs):
        if ENVIRONMENT_NAME.match(name):
            options.project().paths(name)


def chosen_if_any(
    select: Callable[..., Selection],
    failed: bool,
    envs: Sequence[str] | None,
    where: Sequence[str] | None,
    everything: bool,
    changed_since: str | None,
) -> str | Several | None:
    """As `chosen`; None where nothing is selected: the command is about an account without an environment file."""
    given = failed or envs or where or everything or changed_since is not None
    return chosen(select, failed, envs, where, everything, changed_since) if given else None


def words(*given: tuple[str, Any]) -> tuple[str, ...]:
    """Options as words of a command line: flags that are set, values, and each of several values."""
    found: list[str] = []
    for option, value in given:
        if value is True:
            found.append(option)
        elif isinstance(value, list | tuple):
            found += [word for one in value for word in (option, str(one))]
        elif value is not None and value is not False:
            found += [option, str(value)]
    return tuple(found)


def fixed(*given: tuple[str, Any]) -> Own:
    """The same options for every environment, as `words` has them."""
    found = words(*given)
    return lambda *_: lambda _: found


def as_kept(*names: str) -> Own:
    """Options that are the same for all of a run."""

    def for_all(_: Sequence[str], kept: Kept) -> Callable[[str], tuple[str, ...]]:
        found = words(*((name, kept[name]) for name in names))
        return lambda _: found

    return for_all


def joined(*parts: Own) -> Own:
    """Options from several sources."""

    def for_all(names: Sequence[str], kept: Kept) -> Callable[[str], tuple[str, ...]]:
        found = [part(names, kept) for part in parts]
        return lambda name: tuple(word for part in found for word in part(name))

    return for_all


def consents(
    destroy: list[str] | None,
    weaker: list[str] | None,
    release: list[str] | None,
    gain: list[str] | None,
    lockout: bool,
) -> Own:
    """Consents as ENV:ADDRESS, each for the environments that ENV names or matches.

    They raise:
        UsageError: One names no environment, or none of the selected ones.
    """
    from toolkit.globs import glob

    given = (
        ("--allow-destroy", destroy),
        ("--allow-weaker", weaker),
        ("--allow-release", release),
        ("--allow-gain", gain),
    )

    def for_all(names: Sequence[str], _: Kept) -> Callable[[str], tuple[str, ...]]:
        if lockout:
            raise UsageError(
                "--acknowledge-lockout is for one environment: its plan names the users that it would lock out",
                hint="plan and apply that environment alone with --acknowledge-lockout, then the others",
            )
        found: dict[str, list[str]] = {name: [] for name in names}
        for option, values in given:
            for value in values or ():
                env, sign, address = value.partition(":")
                # A `:` may also be in the key of an address: module.x["a:b"].
                if not sign or not env or not address or set(env) & set('.["'):
                    raise UsageError(
                        f"{option} {value}: with several environments, a consent names the one that it is for",
                        hint=f"{option} ENV:{value}",
                    )
                meant = [name for name in names if glob(env).matches(name)]
                if not meant:
                    raise UsageError(
                        f"{option} {value}: {env!r} is not one of the environments of this run"
                        f"{or_meant(env, tuple(names))}",
                        hint=f"they are: {', '.join(names)}",
                    )
                for name in meant:
                    found[name] += [option, address]
        return lambda name: tuple(found[name])

    return for_all


def plan_reports(given: list[str] | None) -> Own:
    """--report FORMAT=DIR/ of plans."""
    from toolkit.reports.registry import FORMATS

    return _reports(given, FORMATS)


def audit_reports(given: list[str] | None) -> Own:
    """--report FORMAT=DIR/ of audits."""
    from toolkit.reports.audit_registry import FORMATS

    return _reports(given, FORMATS)


def _reports(given: Sequence[str] | None, formats: Mapping[str, Format[Any]]) -> Own:
    """A file for each environment in the folder that a report names.

    Raises:
        UsageError: No such format.
    """
    folders: list[tuple[str, str, str]] = []
    for option in filter(_to_folder, given or ()):
        name, sign, folder = option.partition("=")
        if not sign or name not in formats:
            raise UsageError(
                f"--report {option}: a folder needs a format{or_meant(name, tuple(formats))}",
                hint=f"--report markdown=reports/; formats: {', '.join(formats)}",
            )
        _make(folder, "--report")
        folders.append((name, folder, formats[name].endings[0]))
    return lambda *_: (
        lambda env: tuple(
            word
            for name, folder, ending in folders
            for word in ("--report", f"{name}={Path(folder) / f'{env}{ending}'}")
        )
    )


def _to_folder(report: str) -> bool:
    where = report.partition("=")[2] or report
    return where.endswith(os.sep) or Path(where).is_dir()


def _summary_reports(many: Many) -> tuple[Target[Summary], ...]:
    """The reports of the whole run, checked before anything is run.

    Raises:
        UsageError: One cannot be written.
    """
    from toolkit.reports.fleet_registry import FORMATS
    from toolkit.workflows.report import targets

    return targets(FORMATS, [one for one in many.report or () if not _to_folder(one)], as_json=many.as_json)


def out_files(folder: str | None, ending: str) -> Own:
    """--out DIR/ of commands that write a file."""
    if folder is None:
        return fixed()
    if not (folder.endswith(os.sep) or Path(folder).is_dir()):
        raise UsageError(
            f"--out {folder}: with several environments, a folder is needed",
            hint=f"--out {folder}/ has a file for each environment",
        )
    _make(folder, "--out")
    return lambda *_: lambda env: ("--out", str(Path(folder) / f"{env}{ending}"))


def _make(folder: str, option: str) -> Path:
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise UsageError(f"{option} {folder}: the folder cannot be made: {e.strerror}") from e
    return Path(folder)


def refuse(command: str, given: Mapping[str, Any]) -> None:
    """Demand that no option was given that is for one environment.

    Raises:
        UsageError: One was.
    """
    found = [option for option, value in given.items() if value not in (None, False)]
    if found:
        raise UsageError(
            f"{found[0]} is for one environment", hint=f"toolkit {command} ENV {found[0]}, or leave it out"
        )


@contextmanager
def opened(
    command: str, many: Many, arguments: Callable[[Sequence[str], Kept], Arguments]
) -> Iterator[tuple[Run, Board]]:
    """A run of a command, new or continued.

    Args:
        command: plan, apply, drift, audit, discover, controls.
        many: What the options say.
        arguments: Makes what each command is called with, once it is known which environments the run is about, and
            with which options it began.
    """
    from toolkit.cli.board import Board
    from toolkit.terraform.stored import is_stored
    from toolkit.workflows import commands
    from toolkit.workflows.fleet import Machine, begun, continued

    def given(names: Sequence[str], story: Story | None = None) -> tuple[Arguments, Path | None]:
        same = kept(story, many.given)
        # A relative folder means the same to the commands, which work in the same folder; the journal outlives it.
        saved = str(same["--out"]) if same.get("--out") else None
        store = saved if saved is not None and is_stored(saved) else None
        folder = saved if store is None else same.get("--reference")
        return replace(arguments(names, same), store=store), _folder(str(folder)) if folder else None

    project = options.project()
    board = Board()
    global_options = ("--verbose",) if console.Settings.verbose else ()
    machine = Machine(board, many.jobs, global_options, commands.PROGRAM)
    if many.names is None:
        run = continued(project, command, lambda story: given(story.environments, story), machine)
    else:
        passed, out = given(many.names)
        run = begun(project, command, many.names, passed, machine, out)
    with run as found, board:
        if many.names is not None and many.given:
            found.journal.event("options", given=dict(many.given))
        yield found, board


def _folder(out: str) -> Path:
    if Path(out).exists() and not Path(out).is_dir():
        raise UsageError(f"--out {out}: with several environments, a folder is needed", hint="name a folder")
    return _make(out, "--out").resolve()


def everywhere(many: Many) -> dict[str, Any]:
    """Arguments that every command gets."""
    terraform = [] if many.mirror is None else ["--provider-mirror", str(many.mirror)]
    if many.lock_timeout is not None:
        terraform += ["--lock-timeout", many.lock_timeout]
    return {"everywhere": ("--sandbox",) if many.sandbox else (), "terraform": tuple(terraform)}


def each(
    command: str,
    many: Many,
    own: Own,
    *,
    changes: bool = True,
    listed: Callable[[Sequence[Mapping[str, Any]]], None] | None = None,
    quiet: bool = False,
) -> ExitCode:
    """Run plan, drift, audit, discover or controls for each environment, and show what became of them.

    Args:
        command: Which.
        many: What the options say.
        own: Environments → environment → its own options.
        changes: Whether changes, drift and failed checks make the exit code 2.
        listed: Prints what the environments' own documents say, after the summary; with --json nothing does.
        quiet: Whether that is all of standard output: the summary is then written to stderr.
    """
    from toolkit.workflows.fleet import Arguments

    if many.names == ():
        return _nothing(command, many)
    reports = _summary_reports(many)
    with opened(command, many, lambda *of: Arguments(own=own(*of), **everywhere(many))) as (run, board):
        with _plans_shown(run) if command == "plan" else nullcontext():
            run.each()
            board.pause()
            code = run.exit_code(changes=changes)
            summary = summary_of(run)
            if summary is not None:
                options.write(summary, reports)
            if many.as_json:
                console.print_json(run_data(run, code, summary))
            elif summary is not None:
                _show_summary(summary, to_stderr=quiet or options.printed(reports))
                if listed is not None:
                    listed([one.outcome.document for one in run.results() if one.outcome and one.outcome.document])
                if options.printed(reports):
                    console.require_stderr(f"the {'plans' if command == 'plan' else 'results'} could not be shown")
        _tell_end(run, code, many)
    return code


@contextmanager
def _plans_shown(run: Run) -> Iterator[None]:
    """Make plans and show them here: what was not shown to its end is not saved, as with one environment.

    Earlier bundles of what is planned now are deleted first: none may stay that is taken for one of this run.

    Raises:
        UsageError: Something else is where a bundle would go, which must not be lost.
        ToolkitError: The plans could not be shown.
    """
    from toolkit.workflows.plan import make_room

    bundles = {name: _bundle(run, name) for name in run.left}
    for bundle in bundles.values():
        make_room(bundle, f"{bundle.parent}{os.sep}")
    try:
        yield
    except BaseException as e:
        for name, bundle in bundles.items():
            _discard(run, name, bundle)
        if isinstance(e, ReaderGoneError):
            raise ToolkitError(
                "standard output was closed before all plans were shown; none of them was saved",
                hint="toolkit plan --failed plans them again",
            ) from e
        raise


def _discard(run: Run, name: str, bundle: Path) -> None:
    """Delete a plan, and write down that there is none: --failed plans it again."""
    from toolkit.fleet.journal import State

    try:
        if not bundle.is_file():
            return
        bundle.unlink()
    except OSError as e:
        console.tell(f"Warning: {console.relative(bundle)} cannot be deleted: {e.strerror}; do not apply it")
    with suppress(ToolkitError):
        why = "its plan could not be shown, so it was not saved"
        run.journal.record(name, State.FAILED, phase="plan", exit_code=int(ExitCode.ERROR), message=why)


def _bundle(run: Run, name: str) -> Path:
    return (run.out or run.journal.folder) / f"{name}.tfbundle"


def apply(
    many: Many,
    own: Own,
    applying: Own,
    *,
    saved: Path | None,
    kms_key: str | None,
    auto_approve: bool,
    by_wave: bool,
    dry_run: bool,
) -> ExitCode:
    """Plan every environment, or take saved plans, and apply them wave by wave.

    Args:
        many: What the options say.
        own: Environments → environment → options of its plan.
        applying: The same of its apply.
        saved: Folder of saved plans; whether these are applied without a prompt is what `by_wave` says.
        kms_key: Key with which these must be encrypted.
        auto_approve: Whether what is planned is applied without a prompt.
        by_wave: Whether each environment is asked about, before its wave.
        dry_run: Whether the waves are shown, and nothing else.

    Raises:
        UsageError: Approval needs a terminal, and there is none; or options contradict each other.
    """
    from toolkit.workflows.fleet import Arguments, waves_of

    if dry_run:
        return show_waves(many)
    if many.names == ():
        return _nothing("apply", many)
    check_approval(each=by_wave, auto=auto_approve, saved=saved is not None)
    approve = by_wave or (saved is None and not auto_approve)
    reports = _summary_reports(many)
    if many.names is not None:
        waves_of(options.project(), many.names)  # what is wrong with it is said before anything runs

    def arguments(names: Sequence[str], same: Kept) -> Arguments:
        showing = words(("--kms-key", kms_key))
        return Arguments(own=own(names, same), applying=applying(names, same), showing=showing, **everywhere(many))

    with opened("apply", many, arguments) as (run, board):

        def agreed(names: Sequence[str]) -> Collection[str]:
            board.pause()
            if not approve:
                return names
            if not by_wave:
                console.tell(f"Each plan in full: toolkit show {console.relative(run.journal.folder)}/ENV.tfbundle")
            console.require_stderr("the plans could not be shown")
            return _ask(run, names, one_by_one=by_wave)

        waves = waves_of(run.project, run.environments)
        run.plan_all(saved)
        board.pause()
        summary = summary_of(run)
        quiet = many.as_json or options.printed(reports)
        if summary is not None:
            options.write(summary, reports)
            _show_summary(summary, to_stderr=quiet)
        if not run.commands.interrupted:
            run.apply(waves, agreed, by_wave=by_wave)
        board.pause()
        code = run.exit_code(changes=False)
        if many.as_json:
            console.print_json(run_data(run, code, summary))
        elif not quiet:
            console.say("")
            console.print_table(("ENVIRONMENT", "RESULT", "CHANGES"), [_row(result) for result in run.results()])
        _tell_failures(run)
        _tell_end(run, code, many)
    return code


def show_waves(many: Many) -> ExitCode:
    """--dry-run: the waves of the environments, or of those that are left of the run that is continued."""
    from toolkit.fleet.journal import newest
    from toolkit.workflows.fleet import waves_of

    project = options.project()
    names = many.names if many.names is not None else newest(project.root, "apply").unfinished
    rows = [
        (wave.name, _limits(wave.concurrency, wave.failures_tolerated), ", ".join(wave.environments))
        for wave in waves_of(project, names)
    ]
    console.print_table(("WAVE", "LIMITS", "ENVIRONMENTS"), rows)
    return ExitCode.OK


def _limits(concurrency: int | None, tolerated: int) -> str:
    found = [f"{concurrency} at once"] if concurrency else []
    return ", ".join([*found, f"{tolerated} may fail" if tolerated else "stops at a failure"])


def _nothing(command: str, many: Many) -> ExitCode:
    """The selection is empty, and it has been said why: that is no error."""
    if many.as_json:
        console.print_json(
            document(
                "fleet-run", {"command": command, "run": None, "exit_code": 0, "environments": [], "summary": None}
            )
        )
    else:
        console.tell("There is nothing to do.")
    return ExitCode.OK


def _ask(run: Run, names: Sequence[str], *, one_by_one: bool) -> Collection[str]:
    if one_by_one:
        return [name for name in names if console.ask(f"Apply the plan of {name}{_where(run, [name])}?", wanted="yes")]
    many = f"{len(names)} plans" if len(names) > 1 else f"the plan of {names[0]}"
    return names if console.ask(f"Apply {many}{_where(run, names)}?", wanted="yes") else ()


def _where(run: Run, names: Collection[str]) -> str:
    """The accounts that plans are of, as the plans themselves say."""
    from toolkit.visible import shortened

    if "--sandbox" in run.arguments.everywhere:
        return " on the embedded AWS"
    plans = [result.outcome for result in run.results() if result.environment in names]
    found = {str((plan.document or {}).get("account_id") or "") if plan else "" for plan in plans}
    if "" in found:
        return ""
    accounts = shortened(sorted(found), 5)
    return f" in account {accounts}" if len(found) == 1 else f" in {len(found)} accounts ({accounts})"


def summary_of(run: Run) -> Summary | None:
    """What the environments' own commands came to, grouped; of an apply, their plans. None where none was run."""
    from toolkit.fleet.grouping import summarize

    results = run.results()
    outcomes = [result.outcome for result in results if result.outcome is not None]
    lost = f"what its {'plan' if run.command == 'apply' else run.command} printed was changed or deleted since"
    missing = {
        r.environment: str((r.error or {}).get("message", "not run" if r.state is None else lost))
        for r in results
        if r.outcome is None
    }
    return summarize(outcomes, missing) if outcomes else None


def _show_summary(summary: Summary, *, to_stderr: bool) -> None:
    from toolkit.reports.fleet_text import summary_lines

    console.show(summary_lines(summary, verbose=console.Settings.verbose), to_stderr=to_stderr)


def _tell_failures(run: Run) -> None:
    """Why an apply has not come to its end; the summary has said so of plans."""
    for result in run.results():
        error = result.error
        if error is None or result.state is None or result.state.value != "failed" or error.get("phase") == "plan":
            continue
        tell_error(result.environment, error)


def tell_error(environment: str, error: Mapping[str, Any]) -> None:
    """The error of one of several environments, as its document has it."""
    place = f"{error['where']}: " if error.get("where") else ""
    console.error_line(f"{environment}: {place}{error.get('message')}")
    if error.get("detail"):
        console.tell(*(f"  {line}" for line in str(error["detail"]).rstrip("\n").split("\n")))
    if error.get("next"):
        console.tell(f"Next: {error['next']}")


def _tell_end(run: Run, code: ExitCode, many: Many) -> None:
    console.tell(f"Journal and logs: {console.relative(run.journal.folder)}")
    if any(result.state is None or result.state.value in ("failed", "skipped") for result in run.results()):
        console.tell(f"Next: toolkit {run.command} --failed{' --sandbox' if many.sandbox else ''}")
    elif run.command == "plan" and any(result.changes for result in run.results()):
        folder = console.relative(run.out or run.journal.folder)
        missing = [name for name in run.environments if not _bundle(run, name).is_file()]
        if missing:
            console.tell(f"Not in {folder}/ any more: {', '.join(f'{name}.tfbundle' for name in missing)}")
            return
        key = kept(run.story, many.given).get("--kms-key")
        more = "".join((f" --kms-key {key}" if key else "", " --sandbox" if many.sandbox else ""))
        console.tell(f"Apply exactly these: toolkit apply {_named(run)} --plan {folder}/{more}")


def _named(run: Run) -> str:
    return "--all" if run.environments == run.project.names else " ".join(run.environments)


def run_data(run: Run, code: ExitCode, summary: Summary | None) -> Document:
    """A run as plain data (docs/output.schema.json)."""
    from toolkit.reports.fleet_json import summary_data

    folder = run.journal.folder
    return document(
        "fleet-run",
        {
            "command": run.command,
            "run": str(folder),
            "exit_code": int(code),
            "environments": [
                {
                    "environment": result.environment,
                    "state": result.state.value if result.state else None,
                    "exit_code": result.exit_code,
                    "seconds": result.seconds,
                    "changes_pending": result.changes,
                    "error": None
                    if result.error is None
                    else {key: result.error.get(key) for key in ("phase", "message", "where", "detail", "next")},
                    "output": None
                    if result.outcome is None
                    else str(folder / f"{result.environment}.{result.outcome.command}.json"),
                }
                for result in run.results()
            ],
            "summary": None if summary is None else summary_data(summary),
        },
    )


def _row(result: Result) -> tuple[str, str, str]:
    return result.environment, _result(result), one_line(_changes(result))


def _result(result: Result) -> str:
    if result.state is None:
        return "not run"
    if result.state.value == "failed" and result.error is not None:
        return f"failed ({result.exit_code})"
    return result.state.value


def _changes(result: Result) -> str:
    if result.state is not None and result.state.value == "skipped" and result.error is not None:
        return str(result.error.get("message"))
    summary = ((result.outcome.document if result.outcome else None) or {}).get("summary")
    if not isinstance(summary, Mapping):
        return ""
    parts = [f"{summary[key]} to {key}" for key in ("add", "change", "destroy", "import", "forget") if summary.get(key)]
    return ", ".join(parts) or ("none" if result.changes is False else "")
