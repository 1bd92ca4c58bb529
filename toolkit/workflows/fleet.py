"""Runs a command over many environments: plans, waves of applies, and what is written down of each.

In: names, their waves, and what each command is called with. Out: files and the journal in the run's folder, and what
became of each environment. The work is done by the commands of single environments (toolkit.workflows.commands), so
that no check is written twice; nothing here talks to AWS or Terraform.

An apply plans every environment first. What is approved is then applied, wave by wave, from the very bundles that were
shown. A wave that another one follows is a canary: its environments count as applied only when a second plan of each is
empty and its audit is not worse than before.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from toolkit.environment.source import parse
from toolkit.errors import BadPlanError, ExitCode, ExpiredPlanError, RefusedError, ToolkitError, UsageError, unwritable
from toolkit.files import digest, read_regular, write_atomically
from toolkit.fleet.journal import Entry, Journal, State, Story
from toolkit.fleet.outcome import Outcome, fold
from toolkit.fleet.settings import FleetFileError, load_settings
from toolkit.fleet.waves import Wave, in_waves
from toolkit.paths import Project
from toolkit.terraform.process import asking
from toolkit.visible import shortened
from toolkit.workflows import capacity
from toolkit.workflows.commands import PROGRAM, Chain, Commands, Job, Watcher
from toolkit.workflows.environments import labels_of
from toolkit.workflows.workspace import sources

SUFFIX = ".tfbundle"
_TERRAFORM = ("plan", "apply", "drift", "controls")
_WITHOUT_PLAN = (State.APPROVED, State.SKIPPED)
_BEFORE_APPLY = (State.PLANNED, State.APPROVED)
_STOPPED = "the run was interrupted"
_BASELINE = "audit-before"
_SEVERE = ("critical", "high")
"""Severities that count where audits are compared, as `audit --fail-on` has it by default."""


@dataclass(frozen=True)
class Arguments:
    """What the commands of single environments are called with."""

    everywhere: tuple[str, ...] = ()
    """Of every command: --sandbox."""
    terraform: tuple[str, ...] = ()
    """Of those that run Terraform: --provider-mirror, --lock-timeout."""
    own: Callable[[str], tuple[str, ...]] = lambda _: ()
    """Environment → options of the command that the run is of, like consents; of `apply`, for its plan."""
    applying: Callable[[str], tuple[str, ...]] = lambda _: ()
    """Environment → options of its apply."""
    showing: tuple[str, ...] = ()
    """Options with which a saved plan is read: --kms-key."""
    store: str | None = None
    """Prefix in S3 where plans are put; what is kept here are references to them."""


@dataclass(frozen=True)
class Machine:
    """How commands are run here."""

    watcher: Watcher
    jobs: int | None = None
    """Commands at once; None: as many as fit."""
    options: tuple[str, ...] = ()
    """Global options of each command."""
    program: tuple[str, ...] = PROGRAM


@dataclass(frozen=True)
class Result:
    """What became of one environment."""

    environment: str
    state: State | None
    exit_code: int | None
    """None where it was not reached."""
    seconds: float
    outcome: Outcome | None
    """Of the command that matters: its plan, drift, audit or scan; None where none of it is left."""
    error: Mapping[str, Any] | None
    """message and next, and where and detail if known."""
    changes: bool | None = None
    """Whether its plan has changes; None where there is none."""


@dataclass
class Run:
    """A run over many environments; `each` or `apply` does it."""

    project: Project
    journal: Journal
    commands: Commands
    command: str
    environments: tuple[str, ...]
    """All that it is about."""
    arguments: Arguments
    story: Story | None = None
    """What was done before, where a run is continued."""
    out: Path | None = None
    """Where plan bundles, reports or snapshots go; None: the run's folder."""
    _codes: dict[str, int] = field(default_factory=dict)
    _outcomes: dict[str, Outcome] = field(default_factory=dict)
    _entries: dict[str, Entry] = field(default_factory=dict)
    """The last of each, of earlier commands too."""
    _noted: dict[str, State] = field(default_factory=dict)
    """What this command has written down."""
    _planned: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What was written down of the plan that counts."""
    _created: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    """What the plans that were begun to apply create (`_creations`)."""
    _seconds: dict[str, float] = field(default_factory=dict)

    _lost: frozenset[str] = frozenset()
    """Environments whose command ended in an earlier command of the run, but what it printed is not there as it was."""

    def __post_init__(self) -> None:
        """Take over what earlier commands of the run have done."""
        if self.story is not None:
            self._entries = dict(self.story.latest)
            for entry in self.story.entries:
                if entry.state is State.APPLYING:
                    self._created.setdefault(entry.environment, []).extend(entry.facts.get("creates", ()))
            for name in self.environments:
                if (found := self._earlier(name)) is not None:
                    self._outcomes[name] = found
            self._lost = frozenset(
                name for name in self.environments if name not in (*self.story.unfinished, *self._outcomes)
            )
            left = frozenset(self.left)
            for name in self.environments:
                if (planned := self.story.last(name, State.PLANNED)) is not None:
                    self._planned[name] = planned.facts
                if name not in left:
                    facts = self._entries[name].facts
                    planned_code = ExitCode.CHANGES if facts.get("changes") else ExitCode.OK
                    self._codes[name] = int(facts.get("exit_code", planned_code))

    # What a run does.

    @property
    def left(self) -> tuple[str, ...]:
        """Environments for which there is still something to do, in order.

        Where only the result counts, what was not kept as it was printed is done again; what is applied stays applied.
        """
        if self.story is None:
            return self.environments
        again = () if self.command == "apply" else self._lost
        return tuple(name for name in self.environments if name in self.story.unfinished or name in again)

    def each(self) -> None:
        """Run the command for every environment that is left: plan, drift, audit, discover or controls."""
        names = self.left
        for name in sorted(self._lost):
            self.commands.watcher.notice(
                f"{name} runs again: what its {self.command} had printed was changed or deleted"
            )
        with self.commands.stoppable():
            if self.command == "plan":
                self._drive({name: self._planning(name) for name in names}, terraform=True)
            else:
                self._drive({name: self._doing(name) for name in names}, terraform=self.command in _TERRAFORM)
            self._skip(names, _STOPPED)

    def plan_all(self, saved: Path | None = None) -> None:
        """Make the plans of an apply, or take those that are kept or saved.

        Args:
            saved: Folder with a bundle of each environment; None: plan.

        Raises:
            BadPlanError: A bundle is missing; nothing was run.
            ToolkitError: One cannot be copied into the run's folder; nothing was run.
        """
        names = self.left
        with self.commands.stoppable():
            if saved is not None:
                # Copied first: what is applied is what was shown, whatever becomes of the folder in the meantime.
                for name, bundle in saved_plans(names, saved):
                    _copy(bundle, self._copied(name))
                self._drive({name: self._taking(name) for name in names}, terraform=False)
                self._skip(names, _STOPPED)
                return
            kept = [name for name in names if self._is_kept(name)]
            self._drive({name: self._planning(name) for name in names if name not in kept}, terraform=True)
            self._skip([name for name in names if name not in kept], _STOPPED)

    def apply(
        self,
        waves: Sequence[Wave],
        approve: Callable[[Sequence[str]], Collection[str]],
        *,
        by_wave: bool = False,
    ) -> None:
        """Apply what was planned and is approved, wave by wave.

        Args:
            waves: The environments that are left, in their waves.
            approve: Gets names of planned environments with changes; returns those that are approved.
            by_wave: Whether approval is asked for before each wave, rather than once.
        """
        with self.commands.stoppable():
            wanted = [name for name in self.left if self._pending(name)]
            self._apply_waves(waves, wanted, approve, by_wave=by_wave)
            if self.commands.interrupted:
                self._skip(wanted, _STOPPED, _BEFORE_APPLY)

    def _apply_waves(
        self,
        waves: Sequence[Wave],
        wanted: Sequence[str],
        approve: Callable[[Sequence[str]], Collection[str]],
        *,
        by_wave: bool,
    ) -> None:
        reached = self._reached(waves)
        asked = [name for name in wanted if name in reached]
        approved = frozenset(asked) if by_wave else self._approve(asked, approve)
        if asked and not approved:
            self._refuse(wanted)
            return
        for number, wave in enumerate(waves):
            members = [name for name in wave.environments if name in self.left]
            if not members or self.commands.interrupted:
                continue
            pending = [name for name in members if name in wanted]
            if self._goes_on(wave):
                self.journal.event("wave", name=wave.name, environments=members)
                agreed = self._approve(pending, approve) if by_wave else approved
                self._refuse(name for name in pending if name not in agreed)
                self._apply_wave(wave, [n for n in pending if n in agreed], verify=number < len(waves) - 1)
            else:
                self._skip(pending, f"wave {wave.name} has too many failures", _BEFORE_APPLY)
            incomplete = [name for name in members if not self._complete(name)]
            if len(incomplete) > wave.failures_tolerated and not self.commands.interrupted:
                following = (name for later in waves[number + 1 :] for name in later.environments)
                self._skip((n for n in following if n in wanted), f"wave {wave.name} is not complete", _BEFORE_APPLY)
                break

    def results(self) -> tuple[Result, ...]:
        """What became of every environment, in order."""
        return tuple(self._result(name) for name in self.environments)

    def exit_code(self, *, changes: bool) -> ExitCode:
        """Of the whole run.

        Args:
            changes: Whether changes, drift and failed checks count (2).
        """
        codes = [ExitCode.INTERRUPTED] if self.commands.interrupted else []
        folded = fold([*self._codes.values(), *codes])
        return ExitCode.OK if folded is ExitCode.CHANGES and not changes else folded

    # Chains: what is run for one environment, and what is written down of it.

    def _planning(self, name: str) -> Chain:
        bundle = (self.out or self.journal.folder) / f"{name}{SUFFIX}"
        store = self.arguments.store
        saved = ("--out", str(bundle)) if store is None else ("--out", store, "--reference", str(bundle))
        arguments = ("--json", "--detailed-exitcode", *saved, *self.arguments.own(name))
        outcome = yield self._job(name, "plan", arguments, "planning", "plan")
        self._ended(name, outcome)
        if outcome.failed:
            self._fail(name, "plan", outcome)
            return
        changes = outcome.exit_code == ExitCode.CHANGES or bool((outcome.document or {}).get("moves_home"))
        facts = {"bundle": str(bundle), "sha256": _sha256(bundle), "printed": _sha256(self._printed(name))}
        self._note(name, State.PLANNED, changes=changes, **facts)
        if changes or self.command != "apply":
            return
        yield from self._unchanged(name)

    def _taking(self, name: str) -> Chain:
        bundle = self._copied(name)
        job = self._job(name, "show", ("--json", *self.arguments.showing), "reading", "plan")
        sha256 = _sha256(bundle)
        outcome = replace((yield replace(job, about=str(bundle))), command="plan")
        self._ended(name, outcome)
        if outcome.failed:
            self._fail(name, "plan", outcome)
            return
        document = outcome.document or {}
        try:
            self._demand_usable(name, bundle, document)
        except ToolkitError as e:
            self._fail(name, "plan", _refused(name, e))
            return
        changes = bool(document.get("changes_pending"))
        facts = {"bundle": str(bundle), "sha256": sha256, "printed": _sha256(self._printed(name))}
        self._note(name, State.PLANNED, changes=changes, **facts)
        if changes:
            return
        # Applied all the same: that demands its account and its state, and records another home region.
        outcome = yield self._job(
            name, "apply", ("--plan", str(bundle), "--json", *self.arguments.applying(name)), "comparing"
        )
        self._ended(name, outcome)
        if outcome.failed:
            self._fail(name, "apply", outcome)
        else:
            yield from self._unchanged(name)

    def _demand_usable(self, name: str, bundle: Path, document: Mapping[str, Any]) -> None:
        """Demand of a saved plan what needs neither its key nor AWS; its apply demands the rest.

        Raises:
            BadPlanError: It is another environment's, has expired, or files have changed since.
            ToolkitError: The files cannot be read.
        """
        planned, again = document.get("environment"), "nothing was applied; plan again and review the new plan"
        if planned != name:
            raise BadPlanError(
                f"a plan for {planned!r}, not for {name!r}",
                where=str(bundle),
                hint="nothing of it was applied; the folder needs ENV.tfbundle of each environment, under its own name",
            )
        if not _unexpired(document):
            raise ExpiredPlanError(f"the plan expired at {document.get('expires')}", where=str(bundle), hint=again)
        if document.get("rendered_sha256") != digest(sources(self.project.environment(name))):
            raise BadPlanError("the files are not those that it was made from", where=str(bundle), hint=again)

    def _unchanged(self, name: str) -> Chain:
        """Nothing is left to apply; but what was applied before, and not found good, still has to be."""
        before = self._baseline(name)
        if before is not None:
            yield from self._second_audit(name, before)
        else:
            self._note(name, State.VERIFIED, reason="no changes")

    def _doing(self, name: str) -> Chain:
        as_json = ("--format", "json") if self.command in ("audit", "controls") else ("--json",)
        outcome = yield self._job(name, self.command, (*as_json, *self.arguments.own(name)), _PHASES[self.command])
        self._ended(name, outcome)
        if outcome.failed:
            self._fail(name, self.command, outcome)
        else:
            self._codes[name] = outcome.exit_code
            facts = {"exit_code": outcome.exit_code, "seconds": outcome.seconds}
            self._note(name, State.DONE, **facts, printed=_sha256(self._printed(name)))

    def _applying(self, name: str, *, verify: bool) -> Chain:
        before = self._baseline(name) if verify else None
        if verify and before is None:
            before = yield self._audit(name, (), "auditing", _BASELINE)
        if before is not None and before.failed:
            self._fail(name, "audit before the apply", before)
            return
        planned = self._planned[name]
        bundle = str(planned["bundle"])
        if planned.get("sha256") is None or _sha256(Path(bundle)) != planned["sha256"]:
            hint = f"nothing was applied; `toolkit {self.command} --failed` makes a new plan"
            self._fail(
                name, "apply", _refused(name, BadPlanError("not the plan that was shown", where=bundle, hint=hint))
            )
            return
        facts: dict[str, Any] = {"audit": None}
        if verify:
            creates = _creations(self._outcomes[name].document or {})
            facts = {"audit": _sha256(self._baseline_file(name)) or "", "creates": creates}
            self._created.setdefault(name, []).extend(creates)
        self._note(name, State.APPLYING, bundle=bundle, **facts)
        arguments = ("--plan", bundle, "--json", *self.arguments.applying(name))
        outcome = yield self._job(name, "apply", arguments, "applying")
        self._ended(name, outcome)
        if outcome.failed:
            self._fail(name, "apply", outcome)
            return
        self._codes[name] = ExitCode.OK
        done = len((outcome.document or {}).get("completed", ()))
        self._note(name, State.APPLIED, completed=done, seconds=outcome.seconds, to_verify=verify)
        if before is None:
            return
        second = self.journal.folder / f"{name}.second{SUFFIX}"
        arguments = ("--json", "--detailed-exitcode", "--no-render", "--out", str(second))
        outcome = yield self._job(name, "plan", arguments, "planning again", "second-plan")
        second.unlink(missing_ok=True)
        if outcome.failed:
            self._fail(name, "second plan", outcome)
        elif outcome.exit_code == ExitCode.CHANGES:
            self._fail(name, "second plan", outcome, "applied, but a second plan still has changes")
        else:
            yield from self._second_audit(name, before)

    def _second_audit(self, name: str, before: Outcome) -> Chain:
        if before.failed:
            self._fail(name, "second audit", before)
            return
        after = yield self._audit(name, ("--baseline", str(self._baseline_file(name))), "auditing again", "audit-after")
        if after.failed:
            self._fail(name, "second audit", after)
        elif worse := _worse(before, after, self._created.get(name, ())):
            self._fail(name, "second audit", after, f"applied, but its audit is worse: {worse}")
        else:
            self._codes[name] = ExitCode.OK
            self._note(name, State.VERIFIED)

    def _baseline(self, name: str) -> Outcome | None:
        """The audit from before the first apply of this run; None where nothing was applied that is to be verified.

        It failed where it is not there as it was: what was there before the apply is then not known any more.
        """
        entries = self.story.entries if self.story is not None else ()
        applying = (e.facts.get("audit", "") for e in entries if (e.environment, e.state) == (name, State.APPLYING))
        digests = [audit for audit in applying if audit is not None]
        if not digests:
            return None
        file = self._baseline_file(name)
        sha256, document = _document(file)
        document = document if sha256 == digests[0] else None
        if document is not None:
            return Outcome(name, "audit", ExitCode.OK, document, None, 0.0)
        problem = "gone" if sha256 is None else "damaged"
        hint = f"audit the environment by hand (`toolkit audit {name}`), then start a new run"
        error = ToolkitError(f"the audit from before the first apply is {problem}", where=str(file), hint=hint)
        return _refused(name, error)

    def _baseline_file(self, name: str) -> Path:
        return self.journal.folder / f"{name}.{_BASELINE}.json"

    def _copied(self, name: str) -> Path:
        return self.journal.folder / f"{name}{SUFFIX}"

    # The rest.

    def _failures(self, wave: Wave) -> list[Entry]:
        entries = [self._entries[name] for name in wave.environments if name in self._entries]
        return [entry for entry in entries if entry.state is State.FAILED]

    def _goes_on(self, wave: Wave) -> bool:
        """Whether another environment of a wave may begin. A failed plan stops none; it counts once an apply failed."""
        failures = self._failures(wave)
        applies = [entry for entry in failures if entry.facts.get("phase") != "plan"]
        return not applies or len(failures) <= wave.failures_tolerated

    def _reached(self, waves: Sequence[Wave]) -> frozenset[str]:
        """Environments up to the first wave after which none begins, since too many of its plans have failed."""
        found: set[str] = set()
        for wave in waves:
            found.update(wave.environments)
            if len(self._failures(wave)) > wave.failures_tolerated:
                break
        return frozenset(found)

    def _apply_wave(self, wave: Wave, names: Sequence[str], *, verify: bool) -> None:
        chains = {name: self._applying(name, verify=verify) for name in names}
        self._drive(chains, terraform=not verify, at_once=wave.concurrency, goes_on=lambda: self._goes_on(wave))
        if not self.commands.interrupted:
            self._skip(names, f"wave {wave.name} has too many failures", _BEFORE_APPLY)

    def _approve(self, names: Sequence[str], approve: Callable[[Sequence[str]], Collection[str]]) -> frozenset[str]:
        approved: frozenset[str] = frozenset()
        if names and not self.commands.interrupted:
            try:
                with asking():
                    approved = frozenset(approve(names))
            except KeyboardInterrupt:  # no answer: what is applied by now is told as after any other interrupt
                self.commands.interrupts.request()
        for name in names:
            if name in approved:
                self._note(name, State.APPROVED)
        return approved

    def _refuse(self, names: Iterable[str]) -> None:
        if self.commands.interrupted:
            return  # that is the reason then
        for name in names:
            self._codes[name] = ExitCode.REFUSED
            self._note(name, State.SKIPPED, reason="not approved")

    def _is_kept(self, name: str) -> bool:
        """Whether the plan that an earlier command of this run has made can still be applied."""
        if self.story is None or name not in self._outcomes:
            return False
        entry = next((e for e in self._story_of(name) if e.state not in _WITHOUT_PLAN), None)
        # An empty plan is nothing to apply: what it lets one conclude is asked again.
        if entry is None or entry.state is not State.PLANNED or not entry.facts.get("changes"):
            return False
        sha256 = entry.facts.get("sha256")
        if sha256 is None or _sha256(Path(str(entry.facts.get("bundle")))) != sha256:
            return False
        return _unexpired(self._outcomes[name].document or {})

    def _earlier(self, name: str) -> Outcome | None:
        """What an earlier command of this run had printed for an environment; None unless it is there as it was."""
        digests = (e.facts.get("printed") for e in self._story_of(name))
        sha256, document = _document(self._printed(name))
        if document is None or sha256 != next((one for one in digests if one is not None), None):
            return None
        entry = self._entries.get(name)
        code = entry.facts.get("exit_code") if entry else None
        if code is None:
            code = ExitCode.CHANGES if document.get("changes_pending") else ExitCode.OK
        return Outcome(name, self._printing, int(code), document, None, 0.0)

    def _story_of(self, name: str) -> list[Entry]:
        """What earlier commands of this run have written down of an environment, the last first."""
        return [e for e in reversed(self.story.entries) if e.environment == name] if self.story is not None else []

    @property
    def _printing(self) -> str:
        """The command whose result the summary shows."""
        return "plan" if self.command == "apply" else self.command

    def _printed(self, name: str) -> Path:
        """Where that command's result is."""
        return self.journal.folder / f"{name}.{self._printing}.json"

    def _pending(self, name: str) -> bool:
        entry = self._entries.get(name)
        return (
            entry is not None
            and entry.state in (State.PLANNED, *_WITHOUT_PLAN)
            and bool(self._planned.get(name, {}).get("changes"))
        )

    def _complete(self, name: str) -> bool:
        """Whether what the wave of an environment wants of it is written down as done."""
        entry = self._entries.get(name)
        return entry is not None and (
            entry.state is State.VERIFIED or (entry.state is State.APPLIED and not entry.facts.get("to_verify"))
        )

    def _note(self, name: str, state: State, **facts: Any) -> None:
        self._entries[name] = self.journal.record(name, state, **facts)
        self._noted[name] = state
        if state is State.PLANNED:
            self._planned[name] = facts

    def _fail(self, name: str, phase: str, outcome: Outcome, message: str | None = None) -> None:
        code = outcome.exit_code if outcome.failed else ExitCode.ERROR
        self._codes[name] = code
        error = outcome.error or {"next": f"its log: {self.journal.folder / f'{name}.log'}"}
        facts = {key: error.get(key) for key in ("message", "where", "next", "detail") if error.get(key)}
        if self._outcomes.get(name) is outcome and outcome.document is not None:
            facts["printed"] = _sha256(self._printed(name))
        if message is not None or "message" not in facts:
            facts["message"] = message or "refused by a guard: see its findings"
        self._note(name, State.FAILED, phase=phase, exit_code=int(code), seconds=outcome.seconds, **facts)

    def _ended(self, name: str, outcome: Outcome) -> None:
        self._seconds[name] = self._seconds.get(name, 0.0) + outcome.seconds
        if outcome.command != "apply":
            self._outcomes[name] = outcome
            self._codes[name] = outcome.exit_code

    def _skip(self, names: Iterable[str], reason: str, over: tuple[State, ...] = ()) -> None:
        """Write down which environments were not begun: those without an entry, or with one of these states."""
        for name in names:
            if name not in self._noted or self._noted[name] in over:
                self._note(name, State.SKIPPED, reason=reason)

    def _result(self, name: str) -> Result:
        entry, outcome = self._entries.get(name), self._outcomes.get(name)
        facts = entry.facts if entry else {}
        error = facts if "message" in facts else {"message": facts["reason"]} if "reason" in facts else None
        planned = self._planned.get(name)
        code = self._codes.get(name, facts.get("exit_code"))
        if entry is None or (entry.state is State.SKIPPED and code in (ExitCode.OK, ExitCode.CHANGES)):
            code = None  # its plan was made, but it was not reached
        return Result(
            environment=name,
            state=entry.state if entry else None,
            exit_code=None if code is None else int(code),
            seconds=round(self._seconds.get(name, 0.0), 1),
            outcome=outcome,
            error=error,
            changes=None if planned is None else bool(planned.get("changes")),
        )

    def _drive(self, chains: Mapping[str, Chain], *, terraform: bool, **limits: Any) -> None:
        self.commands.drive(chains, needs=lambda name: memory_mb(self.project, name, terraform=terraform), **limits)

    def _audit(self, name: str, arguments: tuple[str, ...], phase: str, file: str) -> Job:
        return self._job(name, "audit", ("--format", "json", *arguments), phase, file)

    def _job(self, name: str, command: str, arguments: tuple[str, ...], phase: str, file: str | None = None) -> Job:
        terraform = command in _TERRAFORM
        given = (*arguments, *self.arguments.everywhere, *(self.arguments.terraform if terraform else ()))
        return Job(name, command, given, memory_mb(self.project, name, terraform=terraform), phase, file or command)


_PHASES = {"drift": "comparing", "audit": "auditing", "discover": "reading", "controls": "planning"}


def saved_plans(names: Sequence[str], saved: Path) -> list[tuple[str, Path]]:
    """Environment and saved plan of each.

    Raises:
        BadPlanError: One is missing.
    """
    bundles = [(name, (saved / f"{name}{SUFFIX}").resolve()) for name in names]
    missing = [bundle.name for _, bundle in bundles if not bundle.is_file()]
    if missing:
        raise BadPlanError(
            f"no saved plan {shortened(missing, 5)}",
            where=str(saved),
            hint="the folder needs ENV.tfbundle of each environment; `toolkit plan … --out DIR/` saves them there",
        )
    return bundles


def _copy(bundle: Path, target: Path) -> None:
    """Copy a saved plan, which holds sensitive values, so that only we can read it.

    Raises:
        ToolkitError: It cannot be read or written.
    """
    try:
        write_atomically(target, read_regular(bundle), mode=0o600)
    except OSError as e:
        problem = f"a saved plan cannot be copied into the run's folder: {e.strerror}"
        raise unwritable(e, str(target)) or ToolkitError(problem, where=str(bundle)) from e


def waves_of(project: Project, names: Sequence[str]) -> tuple[Wave, ...]:
    """The waves of these environments, as fleet.yaml has them.

    Raises:
        FleetFileError: fleet.yaml is wrong, or names what no environment has.
        ToolkitError: It cannot be read.
    """
    settings = load_settings(project.root)
    if not settings.waves:
        return (Wave("all", tuple(names)),)
    read, labels, unreadable = labels_of(project), {}, None
    for name in project.names:
        try:
            labels[name] = read(name)
        except ToolkitError as e:
            # Its plan says so, and fails; it hides no other.
            labels[name], unreadable = {}, e
    try:
        return in_waves(settings, labels, names)
    except FleetFileError:
        if unreadable is not None:
            raise unreadable from None  # the label that is missed may be its
        raise


@cache
def memory_mb(project: Project, name: str, *, terraform: bool) -> int:
    """What a command for an environment takes at its peak."""
    if not terraform:
        return capacity.READ_MB
    return capacity.PLAN_MB + (_regions(project, name) - 1) * capacity.PLAN_REGION_MB


def _regions(project: Project, name: str) -> int:
    """Regions of an environment file, which may be wrong in any other way."""
    try:
        text = read_regular(project.environment(name).file, 1 << 20).decode("utf-8", "replace")
    except (OSError, ToolkitError):
        return 1
    data = parse(text).data
    regions = data.get("regions") if isinstance(data, dict) else None
    found = {str(regions.get("home"))} if isinstance(regions, dict) else set()
    for key in ("active", "retiring"):
        more = regions.get(key) if isinstance(regions, dict) else None
        found |= {str(region) for region in more} if isinstance(more, list) else set()
    return max(1, len(found))


def _worse(before: Outcome, after: Outcome, created: Collection[Mapping[str, Any]]) -> str | None:
    """What is worse in a second audit than in the first, in a few words; None where nothing is.

    What the apply has created and a check finds fault with was in the plan that was reviewed: a first group of
    administrators is a critical finding. Whatever was there before is judged, and whatever is not known to be created.
    """
    there = {finding.get("id") for finding in (before.document or {}).get("findings", ())}
    new = [
        finding
        for finding in (after.document or {}).get("findings", ())
        if finding.get("change") == "new"
        and finding.get("severity") in _SEVERE
        and (finding.get("id") in there or not any(_is_of(finding, one) for one in created))
    ]
    if new:
        return f"new findings of {', '.join(sorted({str(finding.get('rule')) for finding in new})[:3])}"
    unread = _unread(after) - _unread(before)
    return f"no longer readable: {', '.join(sorted(unread)[:3])}" if unread else None


def _creations(plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a plan creates, by what it can be recognised: type, region, and texts that are known before the apply."""
    return [
        {
            "type": change["type"],
            "region": change["region"],
            "values": {
                one["path"]: one["after"]
                for one in change["attributes"]
                if isinstance(one["after"], str) and len(one["after"]) <= _LONGEST_NAME and one["path"].isidentifier()
            },
        }
        for change in plan.get("changes", ())
        if change["action"] == "create"
    ]


_LONGEST_NAME = 256
_KEYED = re.compile(r"(?:(?P<region>[a-z0-9-]+)/)?(?P<type>[a-z0-9_]+)\[(?P<key>.*)\]", re.DOTALL)
"""What the id of a finding without ARN ends with (toolkit.audit.model)."""


def _is_of(finding: Mapping[str, Any], created: Mapping[str, Any]) -> bool:
    """Whether a finding is about this very resource; not where that cannot be told."""
    values: Mapping[str, str] = created["values"]
    if finding.get("type") != created["type"]:
        return False
    if finding.get("arn"):
        parts = str(finding["arn"]).split(":", 5)
        named = [value for path, value in values.items() if value and (path == "bucket" or path.endswith("name"))]
        return (
            len(parts) == 6
            and parts[3] in ("", created["region"])
            and any(parts[5] == name or parts[5].endswith((f"/{name}", f":{name}")) for name in named)
        )
    place, _, what = str(finding.get("id")).removeprefix(f"{finding.get('rule')}/").partition("/")
    found = _KEYED.fullmatch(what)
    if found is None or found["type"] != created["type"]:
        return False
    if (found["region"] or place) not in ("account", created["region"]):
        return False
    names = re.findall(r"(?:^|,)([a-z0-9_]+)=", found["key"])
    # Put together again, not taken apart: a name may have a comma in it, and look like several.
    return 0 < len(names) == len(set(names)) and found["key"] == ",".join(
        f"{name}={values.get(name)}" for name in names
    )


def _unread(audit: Outcome) -> set[str]:
    return {
        str(finding.get("rule"))
        for finding in (audit.document or {}).get("findings", ())
        if finding.get("status") == "unknown" and finding.get("severity") in _SEVERE
    }


def _document(file: Path) -> tuple[str | None, dict[str, Any] | None]:
    """Digest of what a command has printed, and the document that it is; None where it printed none, or an error."""
    try:
        raw = read_regular(file, follow=False)
    except OSError:
        return None, None
    sha256 = hashlib.sha256(raw).hexdigest()
    with contextlib.suppress(ValueError, RecursionError):
        found = json.loads(raw)
        return sha256, found if isinstance(found, dict) and found.get("kind") != "error" else None
    return sha256, None


def _sha256(file: Path) -> str | None:
    try:
        return hashlib.sha256(read_regular(file, follow=False)).hexdigest()
    except OSError:
        return None


def _unexpired(plan: Mapping[str, Any]) -> bool:
    with contextlib.suppress(ValueError, TypeError):
        return datetime.fromisoformat(str(plan.get("expires"))) > datetime.now(UTC)
    return False


def _refused(name: str, error: ToolkitError) -> Outcome:
    """What we say of an environment ourselves, as if its command had."""
    return Outcome(name, "plan", error.exit_code, None, error.as_data(), 0.0)


@contextlib.contextmanager
def begun(
    project: Project, command: str, names: Sequence[str], arguments: Arguments, machine: Machine, out: Path | None
) -> Iterator[Run]:
    """A new run.

    Raises:
        ToolkitError: Its journal cannot be made.
    """
    recorded = [*arguments.everywhere, *arguments.terraform]
    with Journal.begun(
        project.root, command=command, environments=names, arguments=recorded, notice=machine.watcher.notice
    ) as journal:
        yield from _run(project, command, tuple(names), arguments, machine, out, journal, None)


@contextlib.contextmanager
def continued(
    project: Project, command: str, given: Callable[[Story], tuple[Arguments, Path | None]], machine: Machine
) -> Iterator[Run]:
    """The newest run of the command, of which only what is left will be done.

    Args:
        project: The project.
        command: Which.
        given: What the commands of single environments are called with, and `Run.out`; gets what the run says, once no
            other command can change that any more.
        machine: How commands are run.

    Raises:
        UsageError: There is none, or it was on the embedded AWS and this one is not, or the other way round.
        LockedError: Another command works on it.
        RefusedError: Its journal is another project's, or an environment is gone whose apply is not known to be good.
        ToolkitError: Its journal is damaged.
    """
    with Journal.resumed(project.root, command, notice=machine.watcher.notice) as (journal, story):
        arguments, out = given(story)
        recorded = [*arguments.everywhere, *arguments.terraform]
        if ("--sandbox" in story.arguments) != ("--sandbox" in recorded):
            where = "on the embedded AWS" if "--sandbox" in story.arguments else "not on the embedded AWS"
            raise UsageError(
                f"the run that is continued was {where}",
                where=str(story.folder),
                hint=f"{'add' if '--sandbox' in story.arguments else 'leave out'} --sandbox",
            )
        journal.go_on(recorded)
        gone = [name for name in story.environments if name not in project.names]
        failed = {name for name, entry in story.latest.items() if entry.state is State.FAILED}
        doubtful = [
            name
            for name in gone
            if name in story.unfinished and (name in failed or story.last(name, State.APPLYING) is not None)
        ]
        if command == "apply" and doubtful:
            raise RefusedError(
                f"no longer in the project, but failed or not verified: {', '.join(doubtful)}",
                where=str(story.folder),
                hint="nothing was applied; the next wave waits for them: put their folders back, or start a new run "
                "(`toolkit apply` without --failed)",
            )
        if gone:
            machine.watcher.notice(f"no longer in the project, and left out: {', '.join(gone)}")
        names = tuple(name for name in story.environments if name in project.names)
        yield from _run(project, command, names, arguments, machine, out, journal, story)


def _run(
    project: Project,
    command: str,
    names: tuple[str, ...],
    arguments: Arguments,
    machine: Machine,
    out: Path | None,
    journal: Journal,
    story: Story | None,
) -> Iterator[Run]:
    commands = Commands(
        project.root,
        journal.folder,
        capacity.capacity(machine.jobs),
        machine.watcher,
        inherit=(journal.commands_lock,),
        options=machine.options,
        program=machine.program,
    )
    run = Run(project, journal, commands, command, names, arguments, story, out)
    yield run
    journal.event("end", exit_code=int(run.exit_code(changes=True)))
