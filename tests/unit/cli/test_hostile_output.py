"""Whatever AWS, Terraform or a YAML file says, no command's output lets it move a cursor or begin a line.

Every command of the application has a story here in which each string that it could show is hostile: the values are
built from the types of what its workflow returns, so that a new field is hostile, too. And every command that takes an
environment reads one whose keys and values are.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import re
import types
import typing
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock, patch

import pytest
import typer
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from toolkit.audit.model import Check
from toolkit.cli import console
from toolkit.cli.app import app
from toolkit.cli.main import run
from toolkit.errors import ExitCode, ToolkitError
from toolkit.findings import Rule
from toolkit.findings.data import CallRecord
from toolkit.findings.model import Call
from toolkit.findings.rules import WEAKENS
from toolkit.terraform import events
from toolkit.terraform.failures import explain
from toolkit.workflows.audit import chosen as audit_checks
from toolkit.workflows.validate import Validated

EXAMPLES = int(os.environ.get("TOOLKIT_SOAK_EXAMPLES", "3"))
"""Per story and kind of stream; a long run takes 200."""

ENVIRONMENT = 'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents:\n  password_policy: {}\n'

# No sequence of ours, so that ours can be taken out before looking.
_SEQUENCES = ("\x1b[2J", "\x1b[8m", "\x1b]0;title\x07", "\x9b8m", "\x1b[1A", "\x1bc", "\x08", "\x7f", "\x00", "\t")
_BREAKS = ("\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1e", "\x85", "\u2028", "\u2029")
_HIDDEN = ("\u202e", "\u2066", "\u2069", "\u200b", "\ufeff", "\u00ad", "\U000e0041")
_OURS = re.compile(r"\r\x1b\[K|\x1b\[(?:0|1|2|31|32|33|35|36|1;3[1-6])m")

PIECES = st.one_of(
    st.sampled_from(_SEQUENCES),
    st.sampled_from(_HIDDEN),
    st.sampled_from(_BREAKS).map(lambda b: f"{b}FORGED: apply this"),
    st.sampled_from(("a", "é", "日本", "] ", "${x}", "`", "|", "<b>", "&", "'", '"')),
)
HOSTILE = st.lists(PIECES, min_size=1, max_size=8).map("".join)


def poisoned(kind: Any, word: str) -> Any:
    """A value of a type in which every string is `word`."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in (str, Any, object):
        return word
    if origin in (typing.Union, types.UnionType):
        return poisoned(next(a for a in arguments if a is not type(None)), word)
    if origin is typing.Annotated:
        return poisoned(arguments[0], word)
    if origin is typing.Literal:
        return arguments[0]
    if origin is tuple:
        inner = arguments[:-1] if arguments[-1] is Ellipsis else arguments
        return tuple(poisoned(a, word) for a in inner)
    if origin is list:
        return [poisoned(arguments[0], word)]
    if origin is frozenset:
        return frozenset([poisoned(arguments[0], word)])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {poisoned(arguments[0], word): poisoned(arguments[1], word)}
    if kind is Call:
        return poisoned(CallRecord, word)
    if kind is Rule:
        return WEAKENS  # no word of a rule is anybody else's
    if kind is Check:
        return audit_checks(ids=["iam_root_mfa_enabled"])[0]  # nor is one of a check
    if dataclasses.is_dataclass(kind):
        names = typing.get_type_hints(kind, include_extras=True)
        return kind(**{f.name: poisoned(names[f.name], word) for f in dataclasses.fields(kind) if f.init})
    if isinstance(kind, type):
        return _simple(kind, word)
    raise TypeError(f"no story has needed a value of {kind!r} yet")


def _simple(kind: type, word: str) -> Any:
    if issubclass(kind, Enum):
        return next(iter(kind))
    if issubclass(kind, Path):
        return Path(word.replace("\0", "")[:100])
    if issubclass(kind, datetime):
        return datetime(2026, 1, 1, tzinfo=UTC)
    if issubclass(kind, date):
        return date(2026, 1, 1)
    if issubclass(kind, (bool, int, float)):
        return kind(True)
    if issubclass(kind, Mapping):
        return {word: word}
    raise TypeError(f"no story has needed a value of {kind!r} yet")


class Terminal(io.StringIO):
    """A stream that may be a terminal."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def checked(arguments: list[str], *, terminal: bool, answer: str = "") -> str:
    """Run a command; what it writes must hold nothing but our own line ends and styles."""
    out, err, asked = Terminal(terminal=terminal), Terminal(terminal=terminal), Terminal(terminal=True)
    asked.write(answer)
    asked.seek(0)
    with patch("sys.stdout", out), patch("sys.stderr", err), patch("sys.stdin", asked):
        try:
            run(arguments)
        finally:
            console.Settings.chdir, console.Settings.no_color, console.Settings.verbose = None, False, False
    for written in (out.getvalue(), err.getvalue()):
        shown = (_OURS.sub("", written) if terminal else written).replace("\r\n", "\n")  # CSV ends lines so
        bad = {c for c in set(shown) if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs")}
        assert not bad, f"{bad} in {written!r}"
        forged = re.search(r"^ ?FORGED", shown, re.MULTILINE)
        assert forged is None, f"a forged line in {written!r}"
    return out.getvalue() + err.getvalue()


Story = Callable[[str], Iterator[list[str]]]
"""A hostile word → command lines, each run while the story's patches hold."""


def _told(observer: Any, word: str) -> None:
    """Everything that an observer can be told."""
    observer.stage(word)
    observer.note(word)
    observer.warning(word)
    observer.command([word, word])
    for kind in typing.get_args(events.Event):
        observer.event(poisoned(kind, word))


def _workspace(word: str) -> Any:
    from toolkit.environment.load import load_text

    environment = load_text(ENVIRONMENT, name="prod", shown_as="environments/prod/environment.yaml")
    return SimpleNamespace(
        environment=environment,
        aws=SimpleNamespace(environment=environment),
        paths=SimpleNamespace(shown=word, folder=Path(), rendered=Path()),
        called=word,
        simulator=None,
        caller=SimpleNamespace(account_id=word, arn=word),
        runner=SimpleNamespace(pass_through=lambda *_, **__: 0),
    )


def _opened(word: str) -> Any:
    def open_workspace(_project: Any, _env: Any, _access: Any, observer: Any, **_: Any) -> Any:
        _told(observer, word)
        return _workspace(word)

    return patch("toolkit.workflows.workspace.open_workspace", open_workspace)


def _plan(word: str) -> Any:
    from toolkit.plan.model import Plan

    return poisoned(Plan, word)


def _view(word: str) -> Any:
    from toolkit.findings import Finding, Severity
    from toolkit.reports.view import PlanView
    from toolkit.terraform.bundle import Manifest

    manifest = dataclasses.replace(poisoned(Manifest, word), created="2026-01-01T00:00:00+00:00")
    finding = dataclasses.replace(poisoned(Finding, word), severity=Severity.HIGH)
    findings = (finding, *[dataclasses.replace(finding, consented_by=None)] * 5)
    return PlanView(_plan(word), manifest, Path("b"), findings, {})


def _planned(word: str) -> Any:
    from toolkit.workflows.plan import PlanResult

    def make_plan(*_: Any, judged: Any = None, **__: Any) -> Any:
        view = _view(word)
        warning = poisoned(events.Diagnostic, word)
        harmless = tuple(dataclasses.replace(f, consented_by=word) for f in view.findings)
        result = PlanResult(view.plan, view.bundle, view.manifest, harmless, (warning,), typing.cast(Any, object()))
        if judged is not None:
            judged(result)
        return result

    return patch("toolkit.workflows.plan.make_plan", make_plan)


def _applied(word: str) -> Any:
    from toolkit.terraform.outcomes import ApplyOutcome

    return patch("toolkit.workflows.apply.apply_bundle", lambda *_, **__: poisoned(ApplyOutcome, word))


def _returns(target: str, value: Any) -> Any:
    return patch(target, lambda *_, **__: value)


def both(*arguments: str) -> Iterator[list[str]]:
    """For people and for scripts."""
    yield list(arguments)
    yield [*arguments, "--json"]


def story_settings(word: str) -> Iterator[list[str]]:
    from toolkit.workflows.settings import Effective, EffectiveSettings

    rows = (Effective(word, {word: [word]}, "set", 1), Effective(word, word, "default", None))
    with _returns("toolkit.workflows.settings.effective_settings", EffectiveSettings(word, rows)):
        yield from both("settings", "prod")
    yield ["settings", "prod", word]


def story_fleet_sync(word: str) -> Iterator[list[str]]:
    from toolkit.fleet.written import Action, Value
    from toolkit.workflows.fleet_sync import Synced

    values = tuple(Value((word, 0), action, {word: word}, [word], 1) for action in Action)
    results = (Synced(word, word, values, "", (word,)), Synced(word, word, error=ToolkitError(word, detail=word)))
    with _returns("toolkit.workflows.fleet_sync.sync", results):
        yield from both("fleet", "sync")


def story_fleet_import(word: str) -> Iterator[list[str]]:
    from toolkit.aws.organization import OrganizationAccount
    from toolkit.workflows.fleet_import import Import, Imported

    account = poisoned(OrganizationAccount, word)
    actions = typing.get_args(typing.get_type_hints(Imported)["action"])
    found = Import(word, tuple(Imported(account, word, a, word, "", (word,), (word,)) for a in actions), (word,))
    with (
        _returns("toolkit.cli.discover_commands.account_of", SimpleNamespace()),
        _returns("toolkit.workflows.fleet_import.import_accounts", found),
    ):
        yield from both("fleet", "import")
    yield ["fleet", "import", "--name", word]


def story_permissions(word: str) -> Iterator[list[str]]:
    from toolkit.workflows.permissions import Permissions

    found = poisoned(Permissions, word)
    with (
        _returns("toolkit.workflows.permissions.permissions", found),
        _returns("toolkit.workflows.permissions.write", (Path(word.replace("\0", "")),)),
        _returns("toolkit.workflows.permissions.left_over", (Path(word.replace("\0", "")),)),
    ):
        yield from both("permissions", "prod", "--for", "plan")
        yield from both("permissions", "prod", "--for", "apply", "--out", "policies")
    with _returns("toolkit.workflows.permissions.policy_of_bucket", {word: [word, {word: word}]}):
        yield ["permissions", "prod", "--bucket-policy"]
    yield ["permissions", word, "--bucket-policy"]
    yield ["permissions", "prod", "--for", word]
    yield ["permissions", "prod", "--for", "plan", "--also", word.replace("\0", "")]


def story_components(word: str) -> Iterator[list[str]]:
    from toolkit.workflows import describe

    found = describe.describe_components("cloudtrail")
    hostile = [{k: word if isinstance(v, str) else v for k, v in found[0].items()}]
    with (
        _returns("toolkit.workflows.describe.describe_components", hostile),
        _returns("toolkit.workflows.describe.settings_table", [(word, word, word, word)]),
    ):
        yield from both("components")
        yield from both("components", "x")
    yield ["components", word]


def story_environments(word: str) -> Iterator[list[str]]:
    backend = {"type": "s3", "bucket": word, "key": word, "region": word}
    regions = {"home_region": word, "regions": [word], "retiring": [word]}
    found = {"name": word, "account_id": word, "labels": {word: word}, **regions, "backend": backend, "simulator": None}
    found["account_state"] = word
    with _returns("toolkit.workflows.environments.list_environments", [found]):
        yield from both("environments")


def story_schema(word: str) -> Iterator[list[str]]:
    yield ["schema"]
    yield ["schema", word]


def story_doctor(word: str) -> Iterator[list[str]]:
    from toolkit.workflows.doctor import Finding

    with _returns("toolkit.workflows.doctor.examine", [poisoned(Finding, word)]):
        yield from both("doctor")


def story_init(word: str) -> Iterator[list[str]]:
    with _returns("toolkit.workflows.init.init_project", [word]):
        yield ["init", word]
        yield ["init", word, "--upgrade"]


def story_new(word: str) -> Iterator[list[str]]:
    with _returns("toolkit.workflows.new.new_environment", word):
        yield ["new", "other", "--account-id", "123456789012", "--region", "eu-central-1"]
    yield ["new", word]
    yield ["new", "other", "--account-id", word, "--region", word]


def story_render(word: str) -> Iterator[list[str]]:
    from toolkit.rendering.tree import FileChange
    from toolkit.workflows.render import RenderResult

    result = RenderResult(word, (poisoned(FileChange, word),))
    with _returns("toolkit.workflows.render.render_environments", [result]):
        yield from both("render")
        yield ["render", "--check"]
    # A diff keeps the line ends of the files; what is changed in them is marked.
    harmless = RenderResult("prod", (dataclasses.replace(poisoned(FileChange, word), name="x.tf"),))
    with _returns("toolkit.workflows.render.render_environments", [harmless]):
        yield ["render", "--diff"]


def story_validate(word: str) -> Iterator[list[str]]:
    def validate(_project: Any, _name: Any, _access: Any, observer: Any) -> Any:
        _told(observer, word)
        return Validated((poisoned(events.Diagnostic, word),), 2, 1)

    with patch("toolkit.workflows.validate.validate_environment", validate):
        yield from both("validate")
        yield from both("validate", word)


def story_pipeline(word: str) -> Iterator[list[str]]:
    from toolkit.workflows.pipeline import Change

    # As with render, the diff is of the user's own file.
    changes = (Change(word, word, "-a\n+b\n", False), Change("x.yml", "change", "-a\n+b\n", True))
    with _returns("toolkit.workflows.pipeline.compare", changes):
        with _returns("toolkit.workflows.pipeline.write", None):
            yield ["pipeline", "github"]
        with _returns("toolkit.workflows.pipeline.keep_environments", word):
            yield ["pipeline", "gitlab", "--environments", word]
        yield ["pipeline", "github"]
    with _returns("toolkit.workflows.pipeline.compare", changes[1:]):
        yield ["pipeline", "github", "--check"]
    yield ["pipeline", word]
    for file in ({"environments": [word]}, {"where": {word: word}}, {word: word}, {"repository": word}):
        Path("pipeline.yaml").write_text(json.dumps(file))
        yield ["pipeline", "github"]
    Path("pipeline.yaml").unlink()


def story_matrix(word: str) -> Iterator[list[str]]:
    entry = dict.fromkeys(("name", "environments", "account_id", "region", "environment"), word)
    with _returns("toolkit.workflows.matrix.planning", {"include": [entry] * 257}):
        yield ["matrix"]
    yield ["matrix", word]
    yield ["matrix", "--planned", word.replace("\0", "") or "x"]


def story_summary(word: str) -> Iterator[list[str]]:
    error = {**ToolkitError(word, where=word, detail=word, hint=word).as_data(), "code": word}
    folder = Path("reports")
    folder.mkdir(exist_ok=True)
    (folder / "prod.json").write_text(json.dumps(error))
    yield from both("summary", "reports", "--expect", word)
    yield ["summary", "reports", "--report", "markdown=-"]
    (folder / "prod.json").write_text(json.dumps({"kind": word, "schema_version": word}))
    yield ["summary", "reports"]
    (folder / "prod.json").unlink()
    yield ["summary", word, "--of", word, "--fail-on", word]


@contextlib.contextmanager
def _many(word: str) -> Iterator[None]:
    """A run over many environments."""
    from toolkit.fleet.journal import State
    from toolkit.fleet.outcome import Outcome
    from toolkit.workflows.commands import Job
    from toolkit.workflows.fleet import Machine, Result

    error = dict.fromkeys(("phase", "message", "where", "detail", "next"), word)

    @contextlib.contextmanager
    def begun(project: Any, command: str, names: Any, arguments: Any, machine: Machine, out: Any) -> Iterator[Any]:
        result = dataclasses.replace(poisoned(Result, word), error=error)
        machine.watcher.notice(word)
        machine.watcher.began(dataclasses.replace(poisoned(Job, word)))
        for event in ("warning", "progress", "stage"):
            machine.watcher.event(poisoned(Job, word), {event: word})
        # What the board draws has sequences of its own: tests/unit/workflows/test_fleet.py.
        run = Mock(project=project, command=command, arguments=arguments, environments=tuple(names), left=(), out=None)
        run.journal.folder = poisoned(Path, word)
        run.commands.interrupted = False
        run.exit_code.return_value = ExitCode.ERROR
        outcome = Outcome(word, command, 1, None, ToolkitError(word).as_data(), 1.0)
        run.results.return_value = [dataclasses.replace(result, outcome=outcome)] + [
            dataclasses.replace(result, environment=f"{word}{number}", state=state, outcome=None)
            for number, state in enumerate((*State, None))
        ]
        yield run

    with patch("toolkit.workflows.fleet.begun", begun):
        yield


def story_plan(word: str) -> Iterator[list[str]]:
    with _opened(word), _planned(word):
        yield from both("plan", "prod")
        yield ["-v", "plan", "prod"]
        for name in ("text", "markdown", "json", "sarif", "junit", "html"):
            yield ["plan", "prod", "--report", f"{name}=-"]
    with _many(word):
        yield from both("plan", "--all")


def story_apply(word: str) -> Iterator[list[str]]:
    with _opened(word), _planned(word), _applied(word):
        yield from both("apply", "prod", "--auto-approve")
        yield ["apply", "prod"]
    with _many(word):
        yield from both("apply", "--all", "--auto-approve")


def story_destroy(word: str) -> Iterator[list[str]]:
    from toolkit.aws.bucket_contents import Contents
    from toolkit.terraform.outcomes import ApplyOutcome
    from toolkit.workflows.before_first_apply import Before

    held = _returns("toolkit.workflows.destroy.check_buckets", (poisoned(Contents, word),))
    destroyed = _returns("toolkit.workflows.destroy.destroy", poisoned(ApplyOutcome, word))
    before = _returns("toolkit.workflows.before_first_apply.compare_with_before", poisoned(Before, word))
    with _opened(word), _planned(word), held, destroyed, before:
        yield from both("destroy", "prod", "--auto-approve")
        yield from both("destroy", "prod", "--auto-approve", "--acknowledge-weaker")
        yield ["destroy", "prod"]


def story_show(word: str) -> Iterator[list[str]]:
    with _returns("toolkit.workflows.show.show_bundle", _view(word)):
        yield from both("show", "x")
    yield ["show", word]


def story_drift(word: str) -> Iterator[list[str]]:
    from toolkit.reports.drift import Drift

    with _opened(word), _returns("toolkit.workflows.drift.find_drift", poisoned(Drift, word)):
        yield from both("drift", "prod")


def story_adopt(word: str) -> Iterator[list[str]]:
    from toolkit.workflows.adopt import Adopted

    # As with render, the diff is of the user's own file.
    adopted = dataclasses.replace(poisoned(Adopted, word), diff="- a\n+ b\n")
    with _returns("toolkit.workflows.adopt.adopt", adopted):
        yield from both("adopt", "prod", "--yes")
        yield ["adopt", "prod", "--dry-run"]
    yield ["adopt", "prod", "--decisions", argument(word)]


def story_release(word: str) -> Iterator[list[str]]:
    from toolkit.workflows.release import Release

    released = dataclasses.replace(poisoned(Release, word), diff="- a\n+ b\n")
    with _returns("toolkit.workflows.release.release", released):
        yield from both("release", "prod", "--dry-run")
        yield ["release", "prod", "--done"]
    yield ["release", "prod", argument(word), "--yes"]


def story_output(word: str) -> Iterator[list[str]]:
    from toolkit.workflows.output import Outputs

    for outputs in (Outputs({word: {word: [word]}}, word), Outputs({}, (word,))):
        with _returns("toolkit.workflows.output.read_outputs", outputs):
            yield from both("output", "prod")


def story_discover(word: str) -> Iterator[list[str]]:
    from toolkit.resources.reading import Live
    from toolkit.snapshots import Snapshot, write_snapshot
    from toolkit.snapshots.unmanaged import Unmanaged

    found = poisoned(Snapshot, word)
    other = dataclasses.replace(found, resources=(dataclasses.replace(poisoned(Live, word), values={word: 1}),))
    account = SimpleNamespace(folder=Path.cwd(), clients=SimpleNamespace(simulated=False))
    files = [str(Path.cwd() / name) for name in ("a.json", "b.json")]
    with (
        _returns("toolkit.workflows.discover.open_environment", account),
        _returns("toolkit.workflows.discover.discover", found),
    ):
        yield ["discover", "prod", "--out", files[0]]
        yield ["-v", "discover", "prod", "--out", files[0]]
        yield ["discover", "prod", "--out", files[0], "--json"]
    compared = (account, lambda _: poisoned(Unmanaged, word))
    with (
        _returns("toolkit.cli.discover_commands._with_state", compared),
        _returns("toolkit.workflows.discover.discover", found),
    ):
        yield ["discover", "prod", "--unmanaged", "--out", files[0]]
        yield ["discover", "prod", "--unmanaged", "--out", files[0], "--json"]
    for snapshot, file in zip((found, other), files, strict=True):
        now = dataclasses.replace(snapshot, taken=datetime.now(UTC).replace(microsecond=0))
        write_snapshot(now, Path(file))
    yield ["discover", "--diff", *files]
    yield ["discover", "--diff", *files, "--json"]


def story_audit(word: str) -> Iterator[list[str]]:
    from toolkit.audit.fixes import Fix, Kind
    from toolkit.workflows.audit import Audit
    from toolkit.workflows.fix import Fixed

    found = dataclasses.replace(poisoned(Audit, word), frameworks=())
    fix = poisoned(Fix, word)
    fixes = tuple(dataclasses.replace(fix, kind=kind) for kind in Kind)
    account = SimpleNamespace(
        caller=SimpleNamespace(account_id=found.account_id), clients=SimpleNamespace(simulated=found.simulated)
    )
    baseline = Path.cwd() / "baseline.json"

    def fixed(*_: Any, agreed: Any, **__: Any) -> Fixed:
        # As with adopt, diffs are of the user's own files.
        result = Fixed(fixes, fixes, "- a\n+ b\n", "")
        agreed(result)
        return result

    with (
        _returns("toolkit.cli.audit_commands.account_of", account),
        _returns("toolkit.workflows.audit.audit", found),
        _returns("toolkit.workflows.fix.proposed", dataclasses.replace(found, fixes=fixes)),
        _returns("toolkit.workflows.fix.explained", fix),
        patch("toolkit.workflows.fix.fix", fixed),
    ):
        for form in ("text", "markdown", "json"):
            yield ["audit", "prod", "--format", form]
        yield ["-v", "audit", "prod"]
        yield ["audit", "prod", "--fix", "--yes"]
        yield ["audit", "prod", "--explain", "iam_root_mfa_enabled"]
        yield ["audit", "--explain", word]
        for text in (json.dumps({"kind": word, "schema_version": 1}), json.dumps(word), word):
            baseline.write_text(text, "utf-8")
            yield ["audit", "prod", "--baseline", str(baseline)]
    found_in_all = _organization_audit(word)
    with (
        _returns("toolkit.cli.audit_organization.account_of", account),
        _returns("toolkit.workflows.audit_organization.audit_organization", found_in_all),
    ):
        for form in ("text", "markdown", "json"):
            yield ["audit", "prod", "--organization", "--format", form]
        yield ["-v", "audit", "prod", "--organization"]
        yield ["audit", "prod", "--organization", "--role-name", word, "--ou", word, "--accounts", word]


def _organization_audit(word: str) -> Any:
    """Two accounts that differ, with every figure that a report asks for."""
    from toolkit.audit.baseline import Change
    from toolkit.audit.history import Coverage
    from toolkit.audit.organization import AccountAudit, CheckResult, Found, Member, OrganizationAudit
    from toolkit.findings import Severity, Status

    one = poisoned(AccountAudit, word)
    figures = dict.fromkeys(Severity, 1)
    point = dataclasses.replace(
        one.point, checks=dict.fromkeys(Status, 1), failed=figures, coverage={word: Coverage(1, 2)}
    )
    checks = audit_checks(services=["iam"])[:3]
    accounts = tuple(
        dataclasses.replace(
            one,
            member=Member(f"{number}{word}", word, word),
            point=point,
            counted=figures,
            changes=dict.fromkeys(Change, 1),
            unknown=figures,
            checks={
                check.id: dataclasses.replace(
                    poisoned(CheckResult, word),
                    status=status,
                    found={} if status is Status.PASS else {status: poisoned(Found, word)},
                )
                for check, status in zip(checks, statuses, strict=True)
            },
        )
        for number, statuses in enumerate(
            ((Status.FAIL, Status.FAIL, Status.UNKNOWN), (Status.FAIL, Status.PASS, Status.UNKNOWN), (Status.PASS,) * 3)
        )
    )
    return dataclasses.replace(poisoned(OrganizationAudit, word), accounts=accounts, checks=checks)


def story_lock(word: str) -> Iterator[list[str]]:
    with _returns("toolkit.workflows.lock.lock_providers", poisoned(Path, word)):
        yield ["lock", "prod"]
        yield ["lock", word, "--platform", word]


def story_bootstrap(word: str) -> Iterator[list[str]]:
    from toolkit.visible import joined_lines
    from toolkit.workflows.bootstrap import Bootstrapped

    def bootstrap(_project: Any, _env: Any, _access: Any, observer: Any, approve: Any) -> Any:
        _told(observer, word)
        approve(joined_lines([word, word]))
        return poisoned(Bootstrapped, word)

    with patch("toolkit.workflows.bootstrap.bootstrap", bootstrap):
        yield from both("bootstrap", "prod")


def story_state_restore(word: str) -> Iterator[list[str]]:
    from toolkit.workflows.unsaved import Restored

    with _returns("toolkit.workflows.unsaved.restore", poisoned(Restored, word)):
        yield from both("state", "restore", "prod", "errored.tfstate")
    yield ["state", "restore", "prod", word]


def story_terraform(word: str) -> Iterator[list[str]]:
    with _opened(word):
        yield ["terraform", "prod", "--", "state", "show", word]
    for arguments in ((word,), ("state", word), ("state", "list", f"-{word}")):
        yield ["terraform", "prod", "--", *arguments]


def story_unlock(word: str) -> Iterator[list[str]]:
    from toolkit.workflows.unlock import HeldLock

    with (
        _opened(word),
        _returns("toolkit.workflows.unlock.read_lock", poisoned(HeldLock, word)),
        _returns("toolkit.workflows.unlock.release", None),
    ):
        yield from both("unlock", "prod")
    held = dataclasses.replace(poisoned(HeldLock, word), dead=None)
    with _opened(word), _returns("toolkit.workflows.unlock.read_lock", held):
        yield ["unlock", "prod", word]


def story_controls(word: str) -> Iterator[list[str]]:
    from toolkit.reports.coverage import CoverageView

    view = poisoned(CoverageView, word)
    with _opened(word), _returns("toolkit.workflows.coverage.coverage_of_environment", view):
        for name in ("text", "markdown", "json", "csv"):
            yield ["controls", "prod", "--format", name]
    yield ["controls", "prod", "--framework", word]


def story_evidence_make(word: str) -> Iterator[list[str]]:
    from toolkit.workflows.audit import Audit
    from toolkit.workflows.evidence import Made

    made = dataclasses.replace(poisoned(Made, word), audit=dataclasses.replace(poisoned(Audit, word), frameworks=()))
    unsigned = dataclasses.replace(made, manifest=dataclasses.replace(made.manifest, signature=None, rendered=None))
    with (
        _returns("toolkit.cli.evidence_commands.account_of", SimpleNamespace()),
        _returns("toolkit.workflows.evidence.make_evidence", made),
    ):
        yield from both("evidence", "prod", "-o", "pack.zip")
    with (
        _returns("toolkit.cli.evidence_commands.account_of", SimpleNamespace()),
        _returns("toolkit.workflows.evidence.make_evidence", unsigned),
    ):
        yield ["evidence", "prod", "-o", "pack.zip"]
    yield ["evidence", "prod", "-o", word]
    yield ["evidence", "prod", "-o", "pack.zip", "--private-key", word]


def story_evidence_verify(word: str) -> Iterator[list[str]]:
    from toolkit.evidence.layout import Problem
    from toolkit.evidence.manifest import Manifest
    from toolkit.evidence.pack import Verified

    manifest = poisoned(Manifest, word)
    for problems in ((), (poisoned(Problem, word),)):
        with _returns("toolkit.evidence.pack.verify_pack", Verified(manifest, problems, 1, 1, None)):
            yield from both("evidence", "verify", word)
    yield ["evidence", "verify", word, "--public-key", word]


def _sandbox(word: str) -> Any:
    from toolkit.sandbox.control import Sandbox

    return poisoned(Sandbox, word)


def story_sandbox_up(word: str) -> Iterator[list[str]]:
    with _returns("toolkit.sandbox.control.up", _sandbox(word)):
        yield from both("sandbox", "up")


def story_sandbox_status(word: str) -> Iterator[list[str]]:
    with _returns("toolkit.sandbox.control.status", _sandbox(word)):
        yield from both("sandbox", "status")


def story_sandbox_down(word: str) -> Iterator[list[str]]:
    with _returns("toolkit.sandbox.control.down", True):
        yield ["sandbox", "down"]
    yield ["sandbox", word]


def story_sandbox_demo(word: str) -> Iterator[list[str]]:
    from toolkit.terraform.outcomes import ApplyOutcome
    from toolkit.workflows.demo import Proof, ReadBack

    proof = Proof(_view(word), (poisoned(ReadBack, word),))
    with _returns("toolkit.workflows.demo.run_demo", [_view(word), poisoned(ApplyOutcome, word), proof]):
        yield ["sandbox", "demo"]


STORIES: dict[tuple[str, ...], Story] = {
    tuple(name.removeprefix("story_").split("_")): story
    for name, story in list(globals().items())
    if name.startswith("story_")
}


def _subject(word: str) -> Any:
    """A world in which every text is hostile."""
    from toolkit.access import Holding, Kind, Principal, World
    from toolkit.access.model import unknown_document
    from toolkit.iam import PolicyDocument
    from toolkit.iam.evaluate import Layer
    from toolkit.workflows.access import Subject

    text = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    known = PolicyDocument.parse(text, name=word)
    denying = PolicyDocument.parse({**text, "Statement": [{**text["Statement"][0], "Effect": "Deny"}]}, name=word)  # type: ignore[dict-item]
    held = Holding(Layer.IDENTITY, known, word, "policy", word)
    unknown = Holding(Layer.IDENTITY, unknown_document(word), word)
    arn = "arn:aws:iam::123456789012:user/x"
    people = (
        Principal(Kind.USER, "anna", arn, (held,)),
        Principal(Kind.USER, word, arn, (unknown,)),
        Principal(Kind.GROUP, word, arn, (held, Holding(Layer.IDENTITY, denying, word))),
    )
    return Subject(World(word, "123456789012", "aws", people, gaps=(word,)))


def _explains(*arguments: str) -> Story:
    def story(word: str) -> Iterator[list[str]]:
        with _returns("toolkit.workflows.access.rendered", _subject(word)):
            yield from both("explain", *arguments, "--env", "prod")
            yield ["explain", *arguments, "--env", "prod", "--context", word]

    return story


def _explains_names(*arguments: str) -> Story:
    def story(word: str) -> Iterator[list[str]]:
        yield from _explains(*arguments)(word)
        with _returns("toolkit.workflows.access.rendered", _subject(word)):
            yield ["explain", arguments[0], word, *arguments[2:], "--env", "prod"]

    return story


def _asks(word: str) -> Iterator[list[str]]:
    from toolkit.workflows.access import answered

    for name in ("turn-off-the-lights", "read-the-logs", "escalate", "administrator-in-one-step"):
        subject = _subject(word)
        # Answered once for both forms: it takes longer than all other stories together.
        once = cache(lambda question, subject=subject: answered(subject, question))
        with (
            _returns("toolkit.workflows.access.rendered", subject),
            patch("toolkit.workflows.access.answered", lambda _, question, once=once: once(question)),
        ):
            yield from both("explain", "question", name, "--env", "prod")
    yield ["explain", "question", word, "--env", "prod"]


STORIES |= {
    ("explain", "who-can"): _explains_names("who-can", "cloudtrail:StopLogging"),
    ("explain", "what-can"): _explains_names("what-can", "anna"),
    ("explain", "why"): _explains_names("why", "anna", "cloudtrail:StopLogging"),
    ("explain", "question"): _asks,
}


GROUP: Any = typer.main.get_command(app)


def commands() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in GROUP.commands.items():
        inner = getattr(command, "commands", None)
        found += [(name, sub) for sub in inner] if inner else [(name,)]
    return found


def test_every_command_has_its_story() -> None:
    assert sorted(STORIES) == sorted(commands())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "environments" / "prod").mkdir(parents=True)
    (tmp_path / "environments" / "prod" / "environment.yaml").write_text(ENVIRONMENT)
    monkeypatch.chdir(tmp_path)
    # `doctor` looks at it each time.
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "terraform").write_text("#!/bin/sh\necho Terraform v1.11.4\n")
    (tmp_path / "tools" / "terraform").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'tools'}{os.pathsep}{os.environ['PATH']}")
    for name in ("NO_COLOR", "TERM", "COLUMNS", "TOOLKIT_DEBUG", "TOOLKIT_BUNDLE_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    derandomize=EXAMPLES < 10,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def argument(word: str) -> str:
    """What a shell can give as an argument: no NUL."""
    return word.replace("\0", "")


@pytest.mark.parametrize("terminal", [False, True], ids=["log", "terminal"])
@pytest.mark.parametrize("command", sorted(STORIES), ids=" ".join)
@bounded
@given(word=HOSTILE)
def test_no_answer_of_aws_acts_on_the_terminal(
    project: Path, command: tuple[str, ...], terminal: bool, word: str
) -> None:
    for arguments in STORIES[command](word):
        written = checked([argument(a) for a in arguments], terminal=terminal, answer="no\n")
        assert "internal error" not in written
        assert written


def test_all_json_is_as_published(project: Path, json_shape: Callable[[str], Any]) -> None:
    """docs/output.schema.json: every command with --json, its result and its error, and every key."""
    kinds: dict[str, set[str]] = {}
    for command, story in STORIES.items():
        for arguments in story("x"):
            if "--json" not in arguments and ("--format", "json") not in pairwise(arguments):
                continue
            out, quiet, asked = Terminal(terminal=False), Terminal(terminal=False), Terminal(terminal=True)
            with patch("sys.stdout", out), patch("sys.stderr", quiet), patch("sys.stdin", asked):
                run(arguments)
            if command == ("output",):
                assert isinstance(json.loads(out.getvalue()), dict)
                continue
            kinds.setdefault(" ".join(command), set()).add(json_shape(out.getvalue())["kind"])
    published = json.loads((Path(__file__).parents[3] / "docs" / "output.schema.json").read_text("utf-8"))["$defs"]
    assert set().union(*kinds.values()) | {"error"} == set(published)
    assert {name: kind - {"error"} for name, kind in kinds.items()} == {
        name: set(PRINTS.get(name, name).split()) for name in kinds
    }
    wants = {name for name in map(" ".join, STORIES) if "--json" in options_of(name.split())} - {"output"}
    assert set(kinds) == wants | {"audit", "controls"}


PRINTS = {
    "explain who-can": "access",
    "explain what-can": "access",
    "explain why": "access",
    "explain question": "access",
    "audit": "audit audit-organization",
    "plan": "plan fleet-run",
    "apply": "apply fleet-run",
    "show": "plan",
    "destroy": "apply",
    "discover": "discover discover-diff",
    "summary": "fleet",
    "state restore": "state-restore",
    "evidence make": "evidence",
    "fleet import": "fleet-import",
    "fleet sync": "fleet-sync",
    "evidence verify": "evidence-verify",
    "sandbox up": "sandbox",
    "sandbox status": "sandbox",
}
"""Command → kinds of its JSON, where it is not called like the command."""


def options_of(command: list[str]) -> set[str]:
    found = GROUP
    for name in command:
        found = found.commands[name]
    return {option for parameter in found.params for option in parameter.opts}


@pytest.mark.parametrize("verbose", [False, True])
@bounded
@given(word=HOSTILE)
def test_no_error_acts_on_the_terminal(project: Path, verbose: bool, word: str) -> None:
    diagnostic = poisoned(events.Diagnostic, word)
    failures: list[Exception] = [
        ToolkitError(word, where=word, hint=word, detail=f"{word}\n{word}"),
        RuntimeError(word),
        explain("plan", diagnostics=(diagnostic,), stderr=word, returncode=1, interrupted=False, environment="prod"),
        explain("plan", diagnostics=(), stderr=f"Error: {word}", returncode=1, interrupted=False),
    ]
    for failure in failures:

        def fails(*_: Any, failure: Exception = failure, **__: Any) -> None:
            raise failure

        with patch("toolkit.workflows.workspace.open_workspace", fails):
            for terminal in (False, True):
                assert "Error:" in checked([*["-v"] * verbose, "plan", "prod"], terminal=terminal)


def documents(word: str) -> Iterator[Any]:
    """environment.yaml with a hostile key or value wherever one can stand."""

    def base() -> dict[str, Any]:
        return {
            "account_id": "123456789012",
            "regions": {"home": "eu-central-1"},
            "components": {"password_policy": {}, "iam_groups": {}},
        }

    yield base() | {word: {}}
    for key in (
        "account_id",
        "regions",
        "components",
        "default_tags",
        "waivers",
        "attestations",
        "imports",
        "backend",
        "simulator",
    ):
        yield base() | {key: word}
        yield base() | {key: {word: word}}
        yield base() | {key: [{word: word}]}
    yield base() | {"components": {word: {}}}
    yield base() | {"components": {"password_policy": {word: word}}}
    yield base() | {"components": {"password_policy": {"minimum_password_length": word}}}
    yield base() | {"components": {"iam_groups": {"groups": {word: {"policies": [word]}}}}}
    yield base() | {"regions": {"home": word, "active": [word]}}
    yield base() | {"imports": {word: word}}
    yield base() | {"waivers": [{"rule": "uncovered", "subject": word, "reason": word, "expires": "2999-01-01"}]}
    attested = {"control": word, "by": word, "on": "2026-01-01", "until": "2026-02-01", "note": word}
    yield base() | {"attestations": [attested]}
    yield base() | {"attestations": [attested | {"on": word, "until": word}]}
    yield base() | {"waivers": [{"rule": word, "subject": word, "reason": word, "expires": word}]}


@settings(bounded, max_examples=max(EXAMPLES // 3, 1))
@given(word=HOSTILE)
def test_no_environment_file_acts_on_the_terminal(project: Path, word: str) -> None:
    file = project / "environments" / "prod" / "environment.yaml"
    for terminal, document in zip((False, True) * 100, documents(word), strict=False):
        file.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
        for arguments in (["render", "prod", "--check"], ["doctor"]):
            assert "internal error" not in checked(arguments, terminal=terminal)
    # As somebody writes it, not as a library does: wrong YAML, too.
    for text in (f'"{word}": {{}}\n', f"{word}\n", f"a: [{word}\n", f"a: *{word}\n", f"!{word} x\n"):
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        for arguments in (["render", "prod"], ["doctor", "prod"]):
            assert "internal error" not in checked(arguments, terminal=False)


def test_json_keeps_what_was_said(project: Path) -> None:
    word = "".join((*_SEQUENCES, *_BREAKS, *_HIDDEN, "Zürich"))
    with _returns("toolkit.workflows.output.read_outputs", SimpleNamespace(values={word: word})):
        out = Terminal(terminal=False)
        with patch("sys.stdout", out), contextlib.redirect_stderr(io.StringIO()):
            run(["output", "prod", "--json"])
    assert json.loads(out.getvalue()) == {word: word}
