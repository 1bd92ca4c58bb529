"""The main job from end to end on an embedded AWS of its own: render, plan, apply, plan again, read back, audit.

In: a project with an environment for the simulator. Out: stages, as they happen. Stops the embedded AWS it started,
whatever happens.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from toolkit.audit.report import Audit
from toolkit.aws.inventory import Inventory
from toolkit.controls.catalogue import DEFAULT_FRAMEWORK
from toolkit.errors import ToolkitError, UsageError
from toolkit.paths import Project
from toolkit.reports.view import PlanView
from toolkit.resources.reading import Live, Unreadable
from toolkit.sandbox import control
from toolkit.terraform.outcomes import ApplyOutcome
from toolkit.workflows.apply import apply_bundle
from toolkit.workflows.audit import audit, chosen
from toolkit.workflows.coverage import chosen as frameworks
from toolkit.workflows.discover import of_workspace
from toolkit.workflows.observer import Observer
from toolkit.workflows.plan import make_plan
from toolkit.workflows.workspace import Access, Workspace, open_workspace, read_environment, sandbox_folder

NAME = "sandbox"
"""The environment that the demo applies."""


@dataclass(frozen=True)
class ReadBack:
    """What one component left in the account, as AWS itself answers."""

    component: str
    region: str
    found: str
    as_set: bool
    """Whether that is what the environment asks for."""


@dataclass(frozen=True)
class Proof:
    """The end of the demo."""

    second_plan: PlanView
    read_back: tuple[ReadBack, ...]

    @property
    def complete(self) -> bool:
        """Whether a second plan is empty and every component was found as the environment sets it."""
        return self.second_plan.plan.empty and all(r.as_set for r in self.read_back)


def run_demo(project: Project, access: Access, observer: Observer) -> Iterator[PlanView | ApplyOutcome | Proof | Audit]:
    """Yields the plan, the outcome of applying it, the proof, and an audit of the regions that the baseline governs.

    Raises:
        UsageError: The environment is not for the simulator, or an embedded AWS runs already.
        ToolkitError: A step failed.
    """
    _, environment = read_environment(project, NAME)
    if environment.simulator is None:
        raise UsageError(f"the environment {NAME} is not for the simulator", hint="it needs `simulator: moto`")
    folder = sandbox_folder(project)
    if control.status(folder) is not None:
        raise UsageError(
            "an embedded AWS is running already, and the demo wants an empty account",
            hint="stop it with `toolkit sandbox down`, then run the demo again",
        )
    observer.stage("Starting the embedded AWS")
    # With this process it ends, too, if that is killed and cannot stop it.
    running = control.up(folder, account_id=environment.account_id, owner=os.getpid())
    observer.note(f"{running.accounts} at {running.endpoint}")
    try:
        workspace = open_workspace(project, NAME, access, observer)
        first = make_plan(workspace, observer, keep=False)
        yield PlanView(first.plan, first.manifest, first.bundle, first.findings, access=first.access)
        assert first.saved is not None, "the demo's plan has no blocking finding"
        outcome = apply_bundle(workspace, first.saved, observer)
        yield outcome
        second = make_plan(workspace, observer, keep=False)
        observer.stage("Reading the account back through boto3")
        view = PlanView(second.plan, second.manifest, second.bundle, second.findings, access=second.access)
        yield Proof(view, tuple(read_back(workspace)))
        account = of_workspace(project, workspace)
        yield audit(account, chosen(), environment.regions.active, frameworks([DEFAULT_FRAMEWORK]), observer)
    finally:
        if not control.down(folder):
            raise ToolkitError("the embedded AWS ended before the demo did", where=str(folder / "sandbox.log"))
        observer.note("the embedded AWS was stopped")


def read_back(workspace: Workspace) -> Iterator[ReadBack]:
    """What the account has of each enabled component, compared with its settings.

    Raises:
        ToolkitError: Something cannot be read.
    """
    environment = workspace.environment
    inventory = Inventory(workspace.aws)

    def every(kind: str, region: str) -> tuple[Live, ...]:
        found = tuple(inventory.every([kind], [region]))
        unreadable = next((one for one in found if isinstance(one, Unreadable)), None)
        if unreadable is not None:
            raise ToolkitError(f"{kind} cannot be read back: {unreadable}")
        return tuple(one for one in found if isinstance(one, Live))

    for enabled in environment.components:
        reads = enabled.component.read_back
        for seen in reads(enabled.settings, environment.place, every) if reads is not None else ():
            yield ReadBack(enabled.component.name, seen.region, seen.found, seen.as_set)
