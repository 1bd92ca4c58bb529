"""Finds what was changed in the account outside of Terraform since the last apply.

In: a Workspace. Out: the changes, from the state as applied to the account as it is now, and, counted apart from them,
what the repository has pending. One plan as always tells what differs and what of it Terraform would put back. Where
something does, a second one that does not ask AWS compares the configuration with the state, and so is what is pending
and nothing else. Changes neither the account nor the state. What Terraform never made (a new user, another trail) is
not in the state and cannot be seen this way: `with_unmanaged` scans the account for it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from toolkit.components.registry import REGISTRY
from toolkit.errors import ToolkitError
from toolkit.findings import worst_first
from toolkit.paths import Project
from toolkit.plan.drift import judge_drift
from toolkit.plan.model import Change, parse_drift
from toolkit.reports.drift import Drift
from toolkit.workflows.discover import discover, of_workspace, unmanaged_in
from toolkit.workflows.observer import Observer
from toolkit.workflows.scratch import own_folder
from toolkit.workflows.workspace import Workspace


def find_drift(workspace: Workspace, observer: Observer, *, lock_timeout: str = "0s") -> Drift:
    """Compare the account with the state.

    Raises:
        ToolkitError: There is no state to compare with, Terraform failed, or the state is locked.
    """
    runner, name = workspace.runner, workspace.environment.name
    _, serial = runner.state_version()
    if serial == 0:
        # "No drift" would be a false comfort: a scheduled job with a wrong state key would report it for ever.
        raise ToolkitError(
            "there is no state to compare the account with: nothing was applied from here yet",
            where=workspace.backend,
            hint=f"`toolkit apply {workspace.called}` applies it; if it was applied before, check `backend`",
        )
    at = datetime.now(UTC).replace(microsecond=0).isoformat()
    observer.stage(f"Comparing {name} with its state")
    # Not for applying: nobody has judged or reviewed it. A folder of its own: two at once must not read each other's.
    with own_folder(workspace.scratch, "drift") as own:
        plan_file = own / "drift.tfplan"
        changes: tuple[Change, ...] = ()
        with runner.with_one_provider():
            planned = pending = runner.plan(plan_file, lock_timeout=lock_timeout)
            if planned.drift:
                observer.stage("Reading what has changed")
                changes = parse_drift(runner.show(plan_file), workspace.attribution)
        if changes:
            observer.stage(f"Counting pending changes of {name}")
            pending = runner.plan(plan_file, refresh=False, lock_timeout=lock_timeout)
    return Drift(
        environment=name,
        called=workspace.called,
        account_id=workspace.caller.account_id,
        simulator=workspace.simulator,
        at=at,
        state_serial=serial,
        changes=changes,
        findings=worst_first(judge_drift(changes, REGISTRY, workspace.called)),
        pending=pending,
        warnings=planned.diagnostics,
    )


def with_unmanaged(project: Project, workspace: Workspace, drift: Drift, observer: Observer) -> Drift:
    """The drift, with what the account has in its enabled regions and the state does not.

    Raises:
        ToolkitError: Which regions are enabled, or the state, cannot be read.
    """
    snapshot = discover(of_workspace(project, workspace), "enabled", observer)
    return replace(drift, unmanaged=unmanaged_in(workspace, snapshot), unreadable=snapshot.unreadable)
