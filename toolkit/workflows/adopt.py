"""Takes over what an account has already: edits environment.yaml so that a plan weakens nothing of it.

In: an environment, and decisions. Out: the edited file, rendered, with what it takes to undo that. Reads AWS, never
changes it. Until a plan of the edited file changes no decision any more, everything happens in a folder of its own: a
run that is refused, or only shows, leaves the environment as it was.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

from toolkit.adoption import WRITERS, Adoption, Choice, Decision, Proposal
from toolkit.adoption.keys import keys_wanted, met, settled
from toolkit.aws.gather import gather
from toolkit.aws.inventory import Inventory
from toolkit.environment import Environment, load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.environment.rules import iam_names
from toolkit.environment.source import parse
from toolkit.environment.splice import DELETE, Edit, splice_bytes
from toolkit.errors import RefusedError, ToolkitError, UsageError, or_meant
from toolkit.files import read_regular, write_atomically
from toolkit.interrupts import uninterrupted
from toolkit.paths import EnvironmentPaths, Project
from toolkit.plan.existing import existing, existing_wanted
from toolkit.plan.guards import Existing
from toolkit.plan.managed_policies import POLICY
from toolkit.plan.model import Plan, parse_plan
from toolkit.resources.reading import Live, Unreadable
from toolkit.snapshots import MAX_AGE, read_snapshot
from toolkit.snapshots.source import SnapshotSource
from toolkit.workflows.edited import diff_of, read_file, refuse_trying_out, require_unedited, write_file
from toolkit.workflows.observer import Observer
from toolkit.workflows.released import done_lines, lines_edit
from toolkit.workflows.render import render_environments
from toolkit.workflows.scratch import only_one, own_folder, scratch_folder
from toolkit.workflows.trial import trial
from toolkit.workflows.workspace import Access, Workspace, open_workspace, read_environment

_ROUNDS = 12
"""Each round settles something; an account that needs more of them is a fault of ours."""
_RECORD = "adopt.json"
_TRIAL = ".adopt-"
"""How names of folders for trials begin; .gitignore has it, too."""
_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Adopted:
    """What was decided, and what it does to the file."""

    decisions: tuple[Decision, ...]
    done: tuple[str, ...]
    """Addresses whose import is done: their lines under `imports` are deleted."""
    released: tuple[str, ...]
    """Modules whose release is done: their lines under `released` are deleted."""
    diff: str
    """Unified diff of environment.yaml; empty where it stays as it is."""
    plan: Plan
    """Of the edited file, not judged."""


def adopt(
    project: Project,
    name: str,
    access: Access,
    observer: Observer,
    *,
    decide: Callable[[Proposal], Choice | None],
    given: Mapping[str, Choice],
    snapshot: Path | None = None,
    max_age: timedelta = MAX_AGE,
    dry_run: bool = False,
) -> Adopted:
    """Decide about everything that the environment's plan would meet, and edit its file.

    Args:
        project: The project.
        name: The environment's name.
        access: How AWS is reached.
        observer: Gets told what happens.
        decide: Asked about each resource for which no decision was given; None: the safe default.
        given: Address → choice.
        snapshot: Says what the account has, instead of the account itself; None: AWS is asked.
        max_age: How old that snapshot may be.
        dry_run: Whether nothing is written.

    Raises:
        RefusedError: The snapshot is of another account, too old, or edited.
        UsageError: A decision is about something that is not there, or contradicts another one; or a real account's
            file would get what the embedded AWS has.
        LockedError: Another one of this environment is running.
        ToolkitError: The file cannot be edited, or AWS or Terraform failed. Nothing was written.
    """
    paths, environment = read_environment(project, name)
    if not dry_run:
        refuse_trying_out(
            environment, access, f"`toolkit adopt {name} --sandbox --dry-run` shows what would be written"
        )
    with only_one(paths, "adopt"):
        _, environment = read_environment(project, name)  # another run may have edited it until now
        source = None if snapshot is None else _source(snapshot, max_age, environment, access)
        raw = read_file(paths)
        adoption = Adoption(decide=decide, given=given, written=parse(raw.decode("utf-8-sig")).data)
        run = _Run(project, paths, raw, environment, access, observer, adoption, source)
        plan, state = run.settle()
        adoption.require_all_used()
        edited = run.edited()
        diff = diff_of(paths, raw, edited)
        if edited != raw and not dry_run:
            require_unedited(paths, raw)
            with uninterrupted():
                _remember(paths, raw, edited, state)
                write_file(paths, edited)
                render_environments(project, (name,), dry=False)
        return Adopted(tuple(adoption.decisions.values()), adoption.done, run.released, diff, plan)


def undo(project: Project, name: str, access: Access, observer: Observer) -> None:
    """Restore environment.yaml as it was before the last `adopt`, byte for byte.

    Raises:
        UsageError: The state to compare with would be the embedded AWS's, for a real account's file.
        RefusedError: It was edited since, or applied.
        LockedError: An adoption of this environment is running.
        ToolkitError: There is nothing to undo.
    """
    paths = project.environment(name)
    with only_one(paths, "adopt"):
        record = _record(paths)
        try:
            remembered = json.loads(read_regular(record, 4 * _MAX_BYTES, follow=False))
            original = base64.b64decode(remembered["original"], validate=True)
            written, state = str(remembered["written_sha256"]), list(remembered["state"])
        except FileNotFoundError as e:
            raise ToolkitError(
                "there is nothing to undo: `toolkit adopt` has not changed this environment", where=paths.shown
            ) from e
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise ToolkitError("the record of the last adoption cannot be read", where=str(record)) from e
        if hashlib.sha256(read_file(paths)).hexdigest() != written:
            raise RefusedError(
                "was edited since `toolkit adopt` wrote it; nothing was changed",
                where=paths.shown,
                hint="undo it by hand, or with git",
            )
        _, environment = read_environment(project, name)
        refuse_trying_out(
            environment, access, f"`toolkit adopt {name} --undo` restores what a run for the account wrote"
        )
        workspace = open_workspace(project, name, access, observer, initialize=True)
        if _state(workspace) != state:
            raise RefusedError(
                "the state has changed since `toolkit adopt`: undone now, the next plan would delete or weaken what "
                "was adopted",
                where=paths.shown,
                hint=f"`toolkit plan {name}` shows what would change now",
            )
        with uninterrupted():
            write_file(paths, original)
            record.unlink()
            render_environments(project, (name,), dry=False)


def read_decisions(file: Path) -> dict[str, Choice]:
    """Decisions from a YAML or JSON file: address → adopt, keep or replace.

    Raises:
        UsageError: It is not that; every line that is wrong is named.
    """
    try:
        content = read_regular(file, _MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            # Cut, it would be a file of fewer decisions.
            raise UsageError(
                f"larger than {_MAX_BYTES >> 20} MiB",
                where=str(file),
                hint="one line per address is expected: 'ADDRESS': adopt, keep or replace",
            )
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise UsageError("not UTF-8", where=str(file)) from e
    except OSError as e:
        raise UsageError(f"cannot be read: {e.strerror}", where=str(file)) from e
    source = parse(text, expected="one document of decisions; --yes takes the safe choices without a file")
    words = tuple(choice.value for choice in Choice)
    problems = [f"{file}:{p.line}: {p}" for p in source.problems]
    found: dict[str, Choice] = {}
    for address, word in (source.data if isinstance(source.data, dict) else {}).items():
        if word in words:
            found[address] = Choice(word)
        else:
            problems.append(f"{file}:{source.line((address,))}: {address}: {word!r}{or_meant(str(word), words)}")
    if problems or not isinstance(source.data, dict):
        raise UsageError(
            "is not a file of decisions",
            where=str(file),
            detail="\n".join(problems) or None,
            hint=f"expected one line per address: 'ADDRESS': {', '.join(words[:-1])} or {words[-1]}; each address once",
        )
    return found


@dataclass
class _Run:
    """One adoption: what it edits, and by what it decides."""

    project: Project
    paths: EnvironmentPaths
    raw: bytes
    """The file as it was found."""
    found: Environment
    """What it says."""
    access: Access
    observer: Observer
    adoption: Adoption
    source: SnapshotSource | Inventory | None
    """What the account has; None until a workspace reads it."""
    released: tuple[str, ...] = ()
    """Modules whose release is done."""

    def settle(self) -> tuple[Plan, list[Any]]:
        """Plan, decide, edit and plan again, until a plan changes no decision; that plan, and the state it is of."""
        environment, adoption = self.found, self.adoption
        with trial(self.paths, _TRIAL) as copy:
            for number in range(_ROUNDS):
                workspace = open_workspace(
                    self.project, self.paths.name, self.access, self.observer, given=(copy, environment)
                )
                self.observer.stage(
                    f"Planning with what was decided so far (round {number + 1})" if number else "Planning"
                )
                with own_folder(workspace.scratch, "adopt") as own, workspace.runner.with_one_provider():
                    workspace.runner.plan(own / "adopt.tfplan")
                    data = workspace.runner.show(own / "adopt.tfplan")
                plan = parse_plan(data, workspace.attribution)
                self.observer.stage("Reading what the account has")
                self.source = self.source or Inventory(workspace.aws)
                if number == 0:
                    adoption.writers = partial(_writers, self.source, environment)
                    adoption.policies = cache(partial(_policies, self.source, environment))
                    adoption.done = _done(data, environment)
                    if environment.released:
                        self.released = done_lines(environment, workspace.runner.state_resources({}))
                adoption.iam_names = iam_names(environment.components)
                changed = adoption.next(plan, _read_existing(plan, self.source))
                if not changed and not (number == 0 and (adoption.done or self.released)):
                    return plan, _state(workspace)
                environment = self._decided()
        raise ToolkitError(
            f"the decisions still change after {_ROUNDS} plans; nothing was written",
            where=self.paths.shown,
            hint="please report it; `imports` in environment.yaml can be written by hand",
        )

    def _decided(self) -> Environment:
        """What the file says with the edits so far, less those that its own rules refuse."""
        paths = self.paths
        while True:
            text = self.edited().decode("utf-8-sig")
            try:
                return load_text(text, name=paths.name, shown_as=paths.shown, folder=paths.folder)
            except EnvironmentFileError as e:
                if not self.adoption.reject(e.problems):
                    raise

    def edited(self) -> bytes:
        """The file with the edits so far."""
        edits, data = list(self.adoption.edits), self.adoption.written
        before = data.get("imports") if isinstance(data, dict) else None
        if isinstance(before, dict) and set(before) == set(self.adoption.done) and not self.adoption.imports:
            # Rather than an empty block.
            edits = [Edit(("imports",), DELETE), *(e for e in edits if e.path[0] != "imports")]
        if self.released:
            edits += lines_edit(self.found, [m for m in self.found.released if m not in self.released])
        return splice_bytes(self.raw, edits, where=self.paths.shown)


def _source(file: Path, max_age: timedelta, environment: Environment, access: Access) -> SnapshotSource:
    """A snapshot as what the environment's account has.

    Raises:
        ToolkitError: It cannot be read, or is no snapshot.
        RefusedError: It is not of what a plan of the environment would meet, too old, or edited.
    """
    snapshot = read_snapshot(file, account_id=environment.account_id, max_age=max_age)
    name, sandbox = environment.name, " --sandbox" if access.sandbox else ""
    simulated = access.sandbox or environment.simulator is not None
    if simulated != (snapshot.simulator is not None):
        is_of, runs_on = ("AWS", "the embedded AWS") if simulated else ("the embedded AWS", "AWS")
        raise RefusedError(
            f"this snapshot is of {is_of}, and environments/{name} is planned on {runs_on}",
            where=str(file),
            hint=f"take one with `toolkit discover {name}{sandbox}`",
        )
    regions = environment.regions
    if snapshot.home != regions.home:
        raise RefusedError(
            f"this snapshot has {snapshot.home} as home region; that of environments/{name} is {regions.home}",
            where=str(file),
            hint=f"take one with `toolkit discover {name}{sandbox}`",
        )
    if missing := [region for region in regions.active if region not in snapshot.regions]:
        raise RefusedError(
            f"this snapshot does not have {', '.join(missing)}, where environments/{name} is active",
            where=str(file),
            hint=f"take one with `toolkit discover {name}{sandbox} --regions active`",
        )
    return SnapshotSource(snapshot)


def _read_existing(plan: Plan, source: SnapshotSource | Inventory) -> dict[str, Existing]:
    """Address of a create → what the account has there, and who manages that.

    Raises:
        ToolkitError: What the account has there cannot be read.
    """
    facts = gather(existing_wanted(plan, simulated=source.simulated), source)
    found = existing(plan, facts, simulated=source.simulated, adopts=True)
    wanted = keys_wanted(plan, found)
    keys = gather(wanted.values(), source)
    found |= {address: met(live) for address, one in wanted.items() if (live := keys[one]) is not None}
    resources = {address: one.live for address, one in found.items() if one.live is not None}
    for (address, live), manager in zip(resources.items(), source.managers(tuple(resources.values())), strict=True):
        unread = "; ".join(str(one) for one in manager.unknown) or None
        found[address] = replace(found[address], live=replace(live, managed_by=manager.who), manager_unread=unread)
    return settled(found, wanted)


def _writers(source: SnapshotSource | Inventory, environment: Environment, bucket: str) -> Iterator[Live]:
    """What of the account writes to a bucket.

    Raises:
        ToolkitError: That cannot be read.
    """
    kinds = dict(WRITERS)
    for found in source.every(kinds, environment.regions.active):
        if isinstance(found, Unreadable):
            raise ToolkitError(f"what writes to the bucket {bucket} cannot be read: {found}")
        if found.values.get(kinds[found.type]) == bucket:
            yield found


def _policies(source: SnapshotSource | Inventory, environment: Environment) -> dict[str, str]:
    """ARN → text of the account's own managed policies.

    Raises:
        ToolkitError: They cannot be read.
    """
    texts = {}
    for found in source.every((POLICY,), (environment.regions.home,)):
        if isinstance(found, Unreadable):
            raise ToolkitError(f"what permissions boundaries say cannot be read: {found}")
        if found.arn is not None and isinstance(text := found.values.get("policy"), str):
            texts[found.arn] = text
    return texts


def _done(data: Mapping[str, Any], environment: Environment) -> tuple[str, ...]:
    """Addresses under `imports` that the state has, as a plan says."""
    there = {
        entry["address"]
        for entry in data.get("resource_changes", ())
        if entry["change"].get("before") is not None and entry["change"].get("importing") is None
    }
    return tuple(address for address in environment.imports if address in there)


def _state(workspace: Workspace) -> list[Any]:
    return list(workspace.runner.state_version())


def _record(paths: EnvironmentPaths) -> Path:
    return scratch_folder(paths) / _RECORD


def _remember(paths: EnvironmentPaths, raw: bytes, edited: bytes, state: list[Any]) -> None:
    """What `undo` restores: the file before the first of several adoptions between which nobody edited or applied."""
    record = _record(paths)
    original = raw
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        earlier = json.loads(read_regular(record, 4 * _MAX_BYTES, follow=False))
        if earlier["written_sha256"] == hashlib.sha256(raw).hexdigest() and earlier["state"] == state:
            original = base64.b64decode(earlier["original"], validate=True)
    content = {
        "original": base64.b64encode(original).decode(),
        "written_sha256": hashlib.sha256(edited).hexdigest(),
        "state": state,
    }
    write_atomically(record, json.dumps(content), mode=0o600)
