"""Plans an environment and saves the plan as a bundle.

In: a Workspace. Out: a PlanResult and, at `out`, the bundle that `apply` takes. Changes nothing in AWS.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import __version__
from toolkit.errors import RefusedError, ToolkitError, UsageError
from toolkit.files import digest
from toolkit.findings import Consents, Finding
from toolkit.interrupts import report, uninterrupted
from toolkit.paths import Project
from toolkit.signing import Signer
from toolkit.terraform import bundle as bundles
from toolkit.terraform.outcomes import FORGETS
from toolkit.terraform.providers import planned_aliases
from toolkit.terraform.sealing import NO_KEYS, Keys
from toolkit.terraform.stored import Folder, Stored, folder, is_stored
from toolkit.workflows.checkout import checkout, tree
from toolkit.workflows.hand_over import save_stored
from toolkit.workflows.observer import Observer
from toolkit.workflows.scratch import own_folder
from toolkit.workflows.workspace import Workspace

if TYPE_CHECKING:
    from toolkit.access.changes import AccessChanges
    from toolkit.plan.model import Plan
    from toolkit.terraform.events import Diagnostic

DEFAULT_LIFETIME = timedelta(hours=24)
"""How long a plan may be applied, unless the option says otherwise."""


def _no_changes() -> AccessChanges:
    from toolkit.access.changes import NO_CHANGES

    return NO_CHANGES


@dataclass(frozen=True)
class PlanResult:
    """What planning gave."""

    plan: Plan
    bundle: Path | Stored
    """Where the bundle is, or would be: none is written where a finding stands in the way, or none was wanted."""
    manifest: bundles.Manifest
    findings: tuple[Finding, ...]
    warnings: tuple[Diagnostic, ...]
    saved: bundles.Bundle | None
    """The bundle, to be applied without reading it again: by then another plan may be there."""
    moves_home: bool = False
    """Whether applying an empty plan records another home region in the state, on which a later step relies."""
    only_lacking: bool = False
    """Whether nothing is left to apply but what the embedded AWS lacks."""
    access: AccessChanges = field(default_factory=_no_changes)
    """What the plan changes in who may do what."""

    @property
    def pending(self) -> bool:
        """Whether applying it would change a resource or an output."""
        return not self.plan.empty and not self.only_lacking


def bundle_path(workspace: Workspace, out: str | None) -> Path:
    """Where the bundle goes: `out`, or a file in it if it is a folder or ends like one, or the scratch folder."""
    if out is None:
        return workspace.scratch / f"plan{bundles.SUFFIX}"
    into = out.endswith(os.sep) or Path(out).is_dir()
    return Path(out) / f"{workspace.environment.name}{bundles.SUFFIX}" if into else Path(out)


def make_room(target: Path, out: str | None) -> None:
    """Delete an earlier bundle, which must not survive a failed plan: somebody could take it for the new one.

    Args:
        target: What `bundle_path` made of `out`.
        out: As there. None leads into the scratch folder, where a damaged bundle is nobody's; a folder that is not
            there is made only if its name ends like one, since another name may be misspelt.

    Raises:
        UsageError: Something else is there, which must not be lost, or its folder is not.
        ToolkitError: The folder cannot be made or written to.
    """
    try:
        if os.path.lexists(target):
            empty = target.is_file() and target.stat().st_size == 0  # as mktemp makes it
            if not target.is_file() or target.is_symlink() or not (out is None or empty or bundles.is_bundle(target)):
                raise UsageError(
                    "exists, and is not a plan bundle that a new one could replace",
                    where=str(target),
                    hint="name another file with --out, or a folder, or move this one away",
                )
            target.unlink()
        if not target.parent.is_dir():
            if out is None or not out.endswith(os.sep):
                raise UsageError(
                    "no such folder",
                    where=str(target.parent),
                    hint="make it first, or give its name with a slash at the end, and the bundle is named after the "
                    "environment",
                )
            target.parent.mkdir(parents=True)
    except OSError as e:
        raise ToolkitError(f"the plan bundle cannot be written: {e.strerror}", where=e.filename or str(target)) from e
    if not os.access(target.parent, os.W_OK):
        raise ToolkitError("the plan bundle cannot be written: the folder is read-only", where=str(target.parent))


def make_plan(
    workspace: Workspace,
    observer: Observer,
    *,
    out: str | None = None,
    destroy: bool = False,
    lock_timeout: str = "0s",
    lifetime: timedelta = DEFAULT_LIFETIME,
    consents: Consents = Consents(),  # noqa: B008 - frozen
    keys: Keys = NO_KEYS,
    signer: Signer | None = None,
    reference: str | None = None,
    keep: bool = True,
    targets: tuple[str, ...] = (),
    step: bool = False,
    judged: Callable[[PlanResult], None] | None = None,
    run: str | None = None,
) -> PlanResult:
    """Plan, judge, and save what nothing stands in the way of.

    Args:
        workspace: The environment.
        observer: Gets told what happens.
        out: Where the bundle is saved: a prefix in S3, or what `bundle_path` reads.
        destroy: Plan to delete everything.
        lock_timeout: How long to wait for the state lock.
        lifetime: How long the plan may be applied.
        consents: What whoever runs the command consents to.
        keys: What encrypts the bundle.
        signer: What signs the bundle.
        reference: Where a file is written that names a bundle in S3, as `bundle_path` reads it.
        keep: False for a plan that is applied at once or never: no file is written, and none replaced.
        targets: Addresses to which the plan is limited, with what depends on them where it destroys; none: no limit.
        step: Whether it does a part of a plan that was shown: consents that it does not need are then not idle.
        judged: Gets the plan before it is saved; if it raises, nothing is. So no bundle is left of a plan that could
            not be shown or reported.
        run: The run of a pipeline that this is part of.

    Raises:
        UsageError: Where the bundle would go, something else is.
        RefusedError: It would destroy what is to be released, or an access test of the environment fails.
        ToolkitError: Terraform failed, the state is locked, or the bundle cannot be written.
    """
    environment = workspace.environment
    if destroy and environment.released:
        # Terraform deletes what a `removed` block would keep: `plan -destroy` does not look at these (1.11.4, tried).
        raise RefusedError(
            f"`released` has {len(environment.released)} modules whose resources are to stay; a destroy would delete "
            "them",
            where=workspace.paths.shown,
            hint=f"`toolkit apply {environment.name}` releases them first, then `toolkit release {environment.name} "
            "--done` deletes the lines",
        )
    place = _Place.of(workspace, out, reference)
    if keep:
        place.make_room()
    observer.stage(f"Planning {'the destruction of ' if destroy else ''}{environment.name}")
    saved = None
    # A folder of its own: two plans at once must not take each other's file for theirs. Only the bundle stays, since a
    # bare plan file would be a second thing that could be applied.
    with own_folder(workspace.scratch, "plan") as own:
        plan_file = own / "plan.tfplan"
        # Before the plan: of files that change meanwhile, it may hold the old ones.
        files, lock = workspace.sources(), workspace.lock_digest()
        with workspace.runner.with_one_provider():
            with _imported_meanwhile("toolkit.workflows.judge", "toolkit.reports.view", "toolkit.reports.text"):
                outcome = workspace.runner.plan(plan_file, destroy=destroy, lock_timeout=lock_timeout, targets=targets)
            observer.stage("Reading the plan")
            data = workspace.runner.show(plan_file)
        from toolkit.plan.model import parse_plan
        from toolkit.workflows.judge import judge_plan, tell_idle

        plan = parse_plan(data, workspace.attribution)
        observer.stage("Judging the plan")
        aliases = planned_aliases(plan_file)
        findings, access = judge_plan(workspace, data, plan, consents, destroy=destroy, aliases=aliases)
        if not step:
            tell_idle(consents, findings, observer)
        only_lacking = _only_lacking(workspace, plan, observer)
        # With one region there is only one provider.
        several = len(environment.regions.active) + len(environment.regions.retiring) > 1
        moves_home = plan.empty and not destroy and several and workspace.runner.state_aliases() != aliases
        if moves_home:
            observer.note("the state still records another home region: apply this plan, though AWS stays as it is")
        manifest = _manifest(workspace, plan_file, plan, files, lock, lifetime, consents, destroy=destroy, run=run)
        content = None
        target: Path | Stored = place.file
        if not any(f.blocks for f in findings):
            saved = bundles.Bundle(target, manifest, plan_file.read_bytes(), data, findings, access)
        # Reports say whether findings refuse the plan, and know of no test: none may call a plan good that one refuses,
        # and nothing signs it.
        if saved is not None and not (destroy or targets):
            _require_access(workspace, data)
        if saved is not None and keep:
            # Before it is shown: what is shown names the object in S3, and the key.
            manifest = replace(manifest, signature=signer.signed if signer is not None else None)
            content = bundles.pack(manifest, saved.plan, data, findings, access, keys, signer)
            target = place.named(environment.name, content)
            saved = replace(saved, path=target, manifest=manifest)
        warnings = tuple(d for d in outcome.diagnostics if d.summary != FORGETS)
        result = PlanResult(plan, target, manifest, findings, warnings, saved, moves_home, only_lacking, access)
        if judged is not None:
            judged(result)
        if saved is None and not (destroy or targets):
            _require_access(workspace, data)
        if content is not None:
            place.save(workspace, target, content, observer)
    return result


def _only_lacking(workspace: Workspace, plan: Plan, observer: Observer) -> bool:
    """Whether the plan changes only what the embedded AWS lacks; warns about what an apply leaves out."""
    from toolkit.workflows.left_out import describe, left_out

    lacking = left_out(workspace, plan)
    if not lacking:
        return False
    only = len(lacking) == len(plan.changes)
    what = "nothing but these is left to apply" if only else "an apply leaves these out"
    observer.warning(f"{what}, which the embedded AWS lacks: {describe(lacking)}")
    return only


@dataclass(frozen=True)
class _Place:
    """Where a bundle is saved: in a file, or in S3, where a file may then name it."""

    file: Path
    option: str | None
    """What named the file."""
    written: bool
    """Whether anything is written there."""
    folder: Folder | None
    """In S3."""

    @classmethod
    def of(cls, workspace: Workspace, out: str | None, reference: str | None) -> _Place:
        if out is None or not is_stored(out):
            return cls(bundle_path(workspace, out), out, True, None)
        found = folder(out, option="--out")
        return cls(bundle_path(workspace, reference), reference, reference is not None, found)

    def make_room(self) -> None:
        """Delete an earlier bundle or reference: neither must survive a failed plan."""
        if self.written:
            make_room(self.file, self.option)

    def named(self, environment: str, content: bytes) -> Path | Stored:
        """Where this content will be."""
        return self.file if self.folder is None else self.folder.object(environment, content)

    def save(self, workspace: Workspace, target: Path | Stored, content: bytes, observer: Observer) -> None:
        """Save it, and then the reference to it."""
        if isinstance(target, Stored):
            save_stored(workspace.aws, target, content, observer)
            content = target.reference
        with uninterrupted():
            if self.written:
                bundles.place(self.file, content)
            report(f"the plan is saved as {target}")


def _manifest(
    workspace: Workspace,
    plan_file: Path,
    plan: Plan,
    files: Mapping[str, str],
    lock: str,
    lifetime: timedelta,
    consents: Consents,
    *,
    destroy: bool,
    run: str | None,
) -> bundles.Manifest:
    """The facts of this moment."""
    environment = workspace.environment
    lineage, serial = bundles.state_of(plan_file)
    commit, dirty = checkout(workspace.paths.folder, ".")
    now = datetime.now(UTC).replace(microsecond=0)
    return bundles.Manifest(
        format=bundles.FORMAT,
        environment=environment.name,
        simulator=workspace.simulator,
        account_id=workspace.caller.account_id,
        caller_arn=workspace.caller.arn,
        region=environment.regions.home,
        backend=workspace.backend,
        state_lineage=lineage,
        state_serial=serial,
        rendered_sha256=digest(files),
        files=dict(files),
        lock_sha256=lock,
        toolkit_version=__version__,
        terraform=f"{workspace.binary.product} {workspace.binary.version}",
        git_commit=commit,
        git_tree=tree(workspace.paths.folder),
        git_dirty=dirty,
        run=run,
        created=now.isoformat(),
        expires=(now + lifetime).isoformat(),
        destroy=destroy,
        empty=plan.empty,
        consents=consents.as_options(),
        signature=None,
    )


def _require_access(workspace: Workspace, data: Mapping[str, Any]) -> None:
    """The environment's access tests, if it has any, hold once the plan is applied.

    Raises:
        RefusedError: One does not.
    """
    if not workspace.environment.access_tests:
        return
    from toolkit.workflows.access import of_values
    from toolkit.workflows.access_tests import require_access

    project = Project(workspace.paths.project)
    source = f"the plan of {workspace.called}"
    require_access(of_values(project, workspace.paths, workspace.environment, data, source))


@contextlib.contextmanager
def _imported_meanwhile(*modules: str) -> Iterator[None]:
    """Import what is needed next while Terraform runs: it hardly ever uses more than one core."""

    def load() -> None:
        with contextlib.suppress(Exception):  # whoever needs it imports it again, and is told
            for module in modules:
                import_module(module)

    loader = threading.Thread(target=load, daemon=True)
    loader.start()
    try:
        yield
    finally:
        loader.join()
