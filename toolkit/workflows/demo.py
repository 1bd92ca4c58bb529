"""The main job from end to end on an embedded AWS of its own: render, plan, apply, plan again, read back.

In: a project with an environment for the simulator. Out: stages, as they happen. Stops the embedded AWS it started,
whatever happens.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from toolkit.aws.inventory import Inventory
from toolkit.environment import Environment
from toolkit.errors import ToolkitError, UsageError
from toolkit.paths import Project
from toolkit.reports.view import PlanView
from toolkit.resources.reading import Live, Unreadable
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
    """What the account has of each enabled component, compared with its settings.

    Raises:
        ToolkitError: Something cannot be read.
    """
    environment = workspace.environment
    inventory = Inventory(workspace.aws)
    home = environment.regions.home

    def every(kind: str, region: str) -> tuple[Live, ...]:
        found = tuple(inventory.every([kind], [region]))
        unreadable = next((one for one in found if isinstance(one, Unreadable)), None)
        if unreadable is not None:
            raise ToolkitError(f"{kind} cannot be read back: {unreadable}")
        return tuple(one for one in found if isinstance(one, Live))

    yield from _identity(environment, every)
    if environment.enabled("cloudtrail"):
        trails = every("aws_cloudtrail", home)
        yield from (_trail(trail, home) for trail in trails)
        if not trails:
            yield ReadBack("cloudtrail", home, "no trail", False)
    for region in environment.regions.active:
        if environment.enabled("config"):
            yield _config(every, region, with_global_types=region == home)
        if environment.enabled("guardduty"):
            detectors = every("aws_guardduty_detector", region)
            for detector in detectors:
                enabled = detector.values["enable"]
                frequency = detector.values["finding_publishing_frequency"]
                text = f"detector {'enabled' if enabled else 'DISABLED'}, publishes every {frequency}"
                yield ReadBack("guardduty", region, text, enabled)
            if not detectors:
                yield ReadBack("guardduty", region, "no detector", False)


Every = Callable[[str, str], tuple[Live, ...]]
"""Terraform type and region → what the account has."""


def _trail(trail: Live, home: str) -> ReadBack:
    values = trail.values
    states = [
        (values["is_multi_region_trail"], "all regions", "one region"),
        (values["enable_logging"], "logging", "NOT LOGGING"),
        (values["enable_log_file_validation"], "validated", "not validated"),
        (bool(values["kms_key_id"]), "encrypted", "not encrypted"),
    ]
    words = ", ".join(good if is_so else bad for is_so, good, bad in states)
    text = f"{values['name']} → {values['s3_bucket_name']}: {words}"
    return ReadBack("cloudtrail", home, text, all(is_so for is_so, _, _ in states))


def _config(every: Every, region: str, *, with_global_types: bool) -> ReadBack:
    """A region has at most one recorder."""
    recorder = next(iter(every("aws_config_configuration_recorder", region)), None)
    if recorder is None:
        return ReadBack("config", region, "no recorder", False)
    statuses = every("aws_config_configuration_recorder_status", region)
    recording = any(status.values["is_enabled"] for status in statuses)
    global_types = recorder.values["recording_group"][0]["include_global_resource_types"]
    rules = len(every("aws_config_config_rule", region))
    state = "recording" if recording else "NOT RECORDING"
    types = "with global types" if global_types else "without global types"
    good = recording and global_types == with_global_types and rules > 0
    return ReadBack("config", region, f"{recorder.key['name']}: {state} {types}, {rules} rules", good)


def _identity(environment: Environment, every: Every) -> Iterator[ReadBack]:
    home = environment.regions.home
    if wanted := environment.enabled("password_policy"):
        policy = next(iter(every("aws_iam_account_password_policy", home)), None)
        if policy is None:
            yield ReadBack("password_policy", home, "no password policy", False)
        else:
            settings = wanted.settings.model_dump()
            names = ("minimum_password_length", "password_reuse_prevention", "max_password_age")
            length, remembered, age = (policy.values[name] for name in names)
            same = all(policy.values[name] == settings[name] for name in names)
            text = f"at least {length} characters, {remembered} passwords remembered, expires after {age} days"
            yield ReadBack("password_policy", home, text, same)
    if environment.enabled("iam_groups"):
        groups = sorted(group.key["name"] for group in every("aws_iam_group", home))
        yield ReadBack("iam_groups", home, ", ".join(groups) or "no groups", bool(groups))
        if mfa := environment.enabled("mfa_enforcement"):
            suffix = f":policy/{mfa.settings.model_dump()['policy_name']}"
            attachments = every("aws_iam_group_policy_attachment", home)
            enforced = {one.key["group"] for one in attachments if one.key["policy_arn"].endswith(suffix)}
            text = f"attached to {len(enforced)} of {len(groups)} groups"
            yield ReadBack("mfa_enforcement", home, text, len(enforced) == len(groups) > 0)
