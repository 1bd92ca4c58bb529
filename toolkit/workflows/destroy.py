"""Destroys an environment, with buckets that hold objects.

In: a Workspace, the plan to destroy it that people have seen, and whether its buckets may be emptied. Out: what was
deleted. Before anything is deleted: what the buckets hold is read, and a destroy that would stop at one of them is
refused. Nothing but Terraform changes an account; that this empties buckets is the exception (with --empty-buckets, or
on the embedded AWS), and it empties only those that the shown plan deletes, in the account that was checked.

AWS deletes no bucket that holds an object, and what is destroyed writes logs until its end: a bucket that was emptied
first would have new ones by the time that Terraform reaches it. So it goes in two steps: Terraform deletes everything
but the buckets, and thus whatever writes to them; then they are emptied, and Terraform deletes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from toolkit import interrupts
from toolkit.aws.bucket_contents import Bucket, Contents
from toolkit.aws.session import AwsSession
from toolkit.errors import InterruptedRunError, RefusedError, ToolkitError
from toolkit.findings import Consents
from toolkit.plan.model import Action, Change, Plan
from toolkit.plan.settings import deciding
from toolkit.terraform.failures import TerraformError
from toolkit.terraform.process import Interrupts, handled
from toolkit.visible import joined_lines
from toolkit.workflows.apply import apply_bundle
from toolkit.workflows.judge import refuse
from toolkit.workflows.observer import Observer
from toolkit.workflows.plan import PlanResult, make_plan
from toolkit.workflows.workspace import Workspace

if TYPE_CHECKING:
    from toolkit.terraform.outcomes import ApplyOutcome


def check_buckets(workspace: Workspace, plan: Plan, *, empty_buckets: bool) -> tuple[Contents, ...]:
    """What the buckets hold that the plan deletes, if AWS lets them be emptied and that is allowed.

    Args:
        workspace: The environment.
        plan: The plan to destroy it.
        empty_buckets: Whether whoever runs the command consents to emptying them; the embedded AWS needs no consent.

    Raises:
        RefusedError: A bucket holds something that nobody consented to deleting, or that AWS keeps; nothing was
            deleted.
        ToolkitError: What a bucket holds could not be read.
    """
    held: list[tuple[Change, Contents]] = []
    for change in _buckets(plan):
        itself = _empties_itself(change)
        found = _bucket(workspace.aws, change).contents(bypasses_governance=itself)
        if found is not None and not found.empty and (found.kept or not itself):
            held.append((change, found))
    kept = [(change, contents) for change, contents in held if contents.kept]
    if kept:
        raise RefusedError(
            f"AWS deletes no bucket that holds objects, and {_count(len(kept))} cannot be emptied now; nothing was "
            "deleted",
            where=workspace.called,
            detail=joined_lines(f"{c.bucket} ({change.address}): {c.kept}" for change, c in kept),
            hint="destroy the environment once nothing keeps these objects. Until then, take the other components out "
            "of environment.yaml and apply that; a bucket alone costs what its objects cost",
        )
    if held and not empty_buckets and not workspace.simulator:
        raise RefusedError(
            f"AWS deletes no bucket that holds objects, and {_count(len(held))} would stop the destroy; nothing was "
            "deleted",
            where=workspace.called,
            detail=joined_lines(line for change, contents in held for line in _how_to_empty(change, contents)),
            hint=f"`toolkit destroy {workspace.called} --empty-buckets` deletes what they hold, old versions included, "
            "and then the buckets; this cannot be undone, so copy first what you want to keep",
        )
    return tuple(contents for _, contents in held)


def destroy(
    workspace: Workspace,
    shown: PlanResult,
    observer: Observer,
    *,
    empty_buckets: bool = False,
    lock_timeout: str = "0s",
    consents: Consents = Consents(),  # noqa: B008 - frozen
) -> ApplyOutcome:
    """Destroy what the shown plan deletes, and nothing else.

    Args:
        workspace: The environment.
        shown: The plan that was shown and approved, whose buckets `check_buckets` let through.
        observer: Gets told what happens.
        empty_buckets: As for `check_buckets`.
        lock_timeout: How long to wait for the state lock.
        consents: What the shown plan was judged with.

    Raises:
        RefusedError: By now, a step would delete something that was not shown.
        ToolkitError: Terraform failed or was interrupted, or a bucket could not be emptied; it says what is left.
    """
    assert shown.saved is not None, "a plan that is not saved was refused before"
    may_empty = empty_buckets or workspace.simulator is not None
    buckets = [b for b in _buckets(shown.plan) if not _empties_itself(b)] if may_empty else []
    last = {b.address for b in buckets}
    first = tuple(c.address for c in shown.plan.changes if c.address not in last)

    def empty(step: Plan) -> None:
        for change in _buckets(step):
            if change.address in last:
                bucket = _bucket(workspace.aws, change)
                observer.stage(f"Emptying {bucket.name}")
                left.emptied = True
                if versions := _make_empty(bucket):
                    observer.note(f"deleted {versions} object versions in {bucket.name}")

    with _Left(workspace, shown.plan, empty_buckets) as left:
        if not (first and last):
            apply_bundle(workspace, shown.saved, observer, lock_timeout=lock_timeout, ready=empty, done=left.add)
            return left.outcome
        for targets in (first, ()):
            step = make_plan(
                workspace,
                observer,
                destroy=True,
                lock_timeout=lock_timeout,
                consents=consents,
                keep=False,
                targets=targets,
                step=True,
            )
            _refuse_not_shown(workspace, step.plan, shown.plan)
            refuse(step.findings, workspace.called)
            assert step.saved is not None, "a plan that is not saved was just refused"
            if not step.plan.empty:
                apply_bundle(workspace, step.saved, observer, lock_timeout=lock_timeout, ready=empty, done=left.add)
        return left.outcome


def _make_empty(bucket: Bucket) -> int:
    """Delete what a bucket holds; returns how many object versions that were.

    Raises:
        InterruptedRunError: A signal asked to stop.
        ToolkitError: S3 refused to delete something.
    """
    requests = Interrupts()
    deleted = 0

    def stop() -> None:
        if requests.requested:
            interrupts.stopping()
            raise InterruptedRunError(
                f"interrupted; {deleted} object versions in {bucket.name} are deleted", hint="That cannot be undone"
            )

    with handled(requests):
        for count in bucket.make_empty():
            deleted += count
            stop()
    stop()
    return deleted


class _Left:
    """Adds up the steps of a destroy and, where one fails, says what is left of all of them."""

    def __init__(self, workspace: Workspace, plan: Plan, empty_buckets: bool) -> None:
        self._workspace = workspace
        self._plan = plan
        self._empty_buckets = empty_buckets
        self._outcome: ApplyOutcome | None = None
        self.emptied = False
        """Whether deleting what a bucket holds has begun."""

    def __enter__(self) -> _Left:
        return self

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, KeyboardInterrupt):
            stopped = InterruptedRunError("interrupted", hint="Nothing further was done")
            self._tell(stopped)
            raise stopped from error
        if isinstance(error, ToolkitError):
            self._tell(error)

    def _tell(self, error: ToolkitError) -> None:
        outcomes = (self._outcome, error.outcome if isinstance(error, TerraformError) else None)
        if not any(outcomes) and not self.emptied:
            return  # nothing was deleted: it stays as it was
        done = {s.address for o in outcomes if o for s in o.completed}
        left = [c.address for c in self._plan.changes if c.address not in done]
        if not left:
            error.problem += "; everything was deleted by then"  # a signal at the very end
            return
        total = len(self._plan.changes)
        error.problem = f"{len(left)} of {total} resources are not deleted: {error.problem}"
        named = joined_lines(["Not deleted:", *(f"  {address}" for address in left)])
        error.detail = f"{named}\n\n{error.detail}" if error.detail else named
        empties = self._empty_buckets or ("BucketNotEmpty" in error.problem and not self._workspace.simulator)
        command = f"toolkit destroy {self._workspace.called}{' --empty-buckets' if empties else ''}"
        cause = (error.hint or "Correct the cause").rstrip(".")
        error.hint = f"{cause}. Then run `{command}`: it deletes what is left."

    @property
    def outcome(self) -> ApplyOutcome:
        """The steps so far as one."""
        assert self._outcome is not None, "a plan that deletes nothing is not destroyed"
        return self._outcome

    def add(self, step: ApplyOutcome) -> None:
        before = self._outcome
        if before is not None:
            step = replace(
                step,
                completed=before.completed + step.completed,
                diagnostics=before.diagnostics + step.diagnostics,
                seconds=before.seconds + step.seconds,
            )
        self._outcome = step


def _refuse_not_shown(workspace: Workspace, step: Plan, shown: Plan) -> None:
    # By now, an address may be that of another bucket than was shown, which must not be emptied.
    known = {(c.address, *_identity(c)) for c in shown.changes}
    new = [c.address for c in step.changes if c.action is not Action.DELETE or (c.address, *_identity(c)) not in known]
    if new:
        raise RefusedError(
            f"the plan now contains changes that were not shown: {', '.join(new)}; what was deleted so far stays "
            "deleted",
            where=workspace.called,
            hint=f"the state was changed by another run: run `toolkit destroy {workspace.called}` again and look at it",
        )


def _identity(change: Change) -> tuple[str, str]:
    """What AWS knows a resource by, as the state has it."""
    return str(change.before.get("id")), str(change.before.get("bucket"))


def _buckets(plan: Plan) -> Iterable[Change]:
    return [c for c in plan.changes if c.type == "aws_s3_bucket" and c.action is Action.DELETE]


def _bucket(session: AwsSession, change: Change) -> Bucket:
    # The state has the bucket's own region; a module call's region is only where the provider asks.
    return Bucket(session, str(change.before["bucket"]), str(change.before.get("region") or change.region))


def _empties_itself(change: Change) -> bool:
    """Whether the provider empties it, past governance mode and legal holds (internal/service/s3/bucket.go)."""
    return change.before.get("force_destroy") is True


def _how_to_empty(change: Change, contents: Contents) -> Iterable[str]:
    name, region = contents.bucket, contents.region
    yield f"{name} ({change.address}): {contents.describe()}"
    yield f"  to keep a copy:  aws s3 sync s3://{name} ./{name} --region {region}"
    query = "{Quiet: `true`, Objects: [Versions, DeleteMarkers][].{Key: Key, VersionId: VersionId}}"
    yield "  to empty it by hand, repeated until it fails for want of objects (the S3 console's Empty does the same):"
    yield (
        f'    aws s3api delete-objects --bucket {name} --region {region} --delete "$(aws s3api list-object-versions '
        f"--bucket {name} --region {region} --no-paginate --query '{query}' --output json)\""
    )
    for key in deciding(change.address, change.component, "force_destroy"):
        yield f"  or let Terraform empty it: `{key}: true` in environment.yaml, apply that, destroy"


def _count(buckets: int) -> str:
    return "1 bucket" if buckets == 1 else f"{buckets} buckets"
