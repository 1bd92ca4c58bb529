"""The main job from end to end on an embedded AWS of its own: render, plan, apply, plan again, read back.

In: a project with an environment for the simulator. Out: stages, as they happen. Stops the embedded AWS it started,
whatever happens.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from toolkit.aws.facts import AccountFacts
from toolkit.aws.session import ClientFactory
from toolkit.environment import Environment
from toolkit.errors import ToolkitError, UsageError
from toolkit.paths import Project
from toolkit.reports.view import PlanView
from toolkit.sandbox import control
from toolkit.terraform.outcomes import ApplyOutcome
from toolkit.workflows.apply import apply_bundle, open_bundle
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


def run_demo(project: Project, access: Access, observer: Observer) -> Iterator[PlanView | ApplyOutcome | Proof]:
    """Yields the plan, the outcome of applying it, and the proof.

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
    observer.note(f"account {running.account_id} at {running.endpoint}")
    try:
        workspace = open_workspace(project, NAME, access, observer)
        first = make_plan(workspace, observer)
        yield PlanView(first.plan, first.manifest, first.bundle, first.findings)
        outcome = apply_bundle(workspace, open_bundle(first.bundle, workspace.paths), observer)
        first.bundle.unlink()
        yield outcome
        second = make_plan(workspace, observer)
        second.bundle.unlink()
        observer.stage("Reading the account back through boto3")
        view = PlanView(second.plan, second.manifest, second.bundle, second.findings)
        yield Proof(view, tuple(read_back(workspace)))
    finally:
        if not control.down(folder):
            raise ToolkitError("the embedded AWS ended before the demo did", where=str(folder / "sandbox.log"))
        observer.note("the embedded AWS was stopped")


def read_back(workspace: Workspace) -> Iterator[ReadBack]:
    """What the account has of each enabled component, compared with its settings."""
    environment = workspace.environment
    facts = AccountFacts(ClientFactory(environment, workspace.environ))
    yield from _identity(environment, facts)
    home = environment.regions.home
    if environment.enabled("cloudtrail"):
        trails = facts.trails(home)
        for t in trails:
            good = t.multi_region and t.logging and t.validated and t.encrypted
            words = [
                "all regions" if t.multi_region else "one region",
                "logging" if t.logging else "NOT LOGGING",
                "validated" if t.validated else "not validated",
                "encrypted" if t.encrypted else "not encrypted",
            ]
            yield ReadBack("cloudtrail", home, f"{t.name} → {t.bucket}: {', '.join(words)}", good)
        if not trails:
            yield ReadBack("cloudtrail", home, "no trail", False)
    for region in environment.regions.active:
        if environment.enabled("config"):
            recorders = facts.recorders(region)
            for r in recorders:
                state = "recording" if r.recording else "NOT RECORDING"
                types = "with global types" if r.global_types else "without global types"
                good = r.recording and r.global_types == (region == home) and r.rules > 0
                yield ReadBack("config", region, f"{r.name}: {state} {types}, {r.rules} rules", good)
            if not recorders:
                yield ReadBack("config", region, "no recorder", False)
        if environment.enabled("guardduty"):
            detectors = facts.detectors(region)
            for d in detectors:
                state = "enabled" if d.enabled else "DISABLED"
                yield ReadBack("guardduty", region, f"detector {state}, publishes every {d.frequency}", d.enabled)
            if not detectors:
                yield ReadBack("guardduty", region, "no detector", False)


def _identity(environment: Environment, facts: AccountFacts) -> Iterator[ReadBack]:
    home = environment.regions.home
    wanted = environment.enabled("password_policy")
    if wanted:
        policy = facts.password_policy()
        if policy is None:
            yield ReadBack("password_policy", home, "no password policy", False)
        else:
            settings = wanted.settings.model_dump()
            same = (policy.minimum_length, policy.reuse_prevention, policy.max_age_days) == (
                settings["minimum_password_length"],
                settings["password_reuse_prevention"],
                settings["max_password_age"],
            )
            text = (
                f"at least {policy.minimum_length} characters, {policy.reuse_prevention} passwords remembered, "
                f"expires after {policy.max_age_days} days"
            )
            yield ReadBack("password_policy", home, text, same)
    groups_wanted = environment.enabled("iam_groups")
    if groups_wanted:
        groups = facts.groups()
        names = {g.name for g in groups}
        yield ReadBack("iam_groups", home, ", ".join(sorted(names)) or "no groups", bool(names))
        mfa = environment.enabled("mfa_enforcement")
        if mfa:
            enforced = [g.name for g in groups if mfa.settings.model_dump()["policy_name"] in g.policies]
            text = f"attached to {len(enforced)} of {len(groups)} groups"
            yield ReadBack("mfa_enforcement", home, text, len(enforced) == len(groups) > 0)
