"""Tells how far an environment meets the frameworks' requirements, from a plan: a saved one, or one made for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from toolkit.audit.attestations import begun, of_topic
from toolkit.audit.registry import checks
from toolkit.components.registry import REGISTRY
from toolkit.controls.catalogue import Framework, frameworks, topics
from toolkit.controls.coverage import Attested, Coverage, coverage, idle
from toolkit.environment import Environment
from toolkit.errors import BadPlanError, UsageError, or_meant
from toolkit.findings.rules import UNCOVERED
from toolkit.paths import Project
from toolkit.plan.model import parse_outcome
from toolkit.reports.coverage import CoverageView
from toolkit.terraform.sealing import Keys
from toolkit.workflows.observer import Observer
from toolkit.workflows.scratch import own_folder
from toolkit.workflows.show import attribution_of, read_bundle
from toolkit.workflows.workspace import Access, Workspace, attribution


def chosen(names: Sequence[str]) -> tuple[Framework, ...]:
    """The frameworks of these names, in the order given, each once.

    Raises:
        UsageError: There is none of a name.
    """
    known = {framework.name: framework for framework in frameworks()}
    for name in names:
        if name not in known:
            raise UsageError(
                f"--framework: no framework {name!r}" + or_meant(name, tuple(known)),
                hint=f"frameworks: {', '.join(known)}",
            )
    return tuple(known[name] for name in dict.fromkeys(names))


def coverage_of_bundle(
    plan: str,
    project: Project | None,
    access: Access,
    keys: Keys,
    wanted: Sequence[Framework],
    name: str | None = None,
) -> CoverageView:
    """Coverage once a saved plan is applied; calls neither AWS, unless the plan is there, nor Terraform.

    Args:
        plan: The bundle, as the user names it.
        project: The project that the command runs in; None outside of any.
        access: How AWS is reached.
        keys: Keys for an encrypted bundle.
        wanted: The frameworks.
        name: The environment that it must be of; None: any.

    Raises:
        BadPlanError: As `show_bundle`; or it is another environment's.
        ToolkitError: The environment's file is wrong.
    """
    bundle, environment = read_bundle(plan, project, access, keys)
    planned = bundle.manifest.environment
    if name is not None and planned != name:
        raise BadPlanError(f"a plan for {planned!r}, not for {name!r}", where=plan, hint=f"name {planned!r}")
    if environment is not None:
        return _view(environment, bundle.plan_json, wanted)
    manifest = bundle.manifest
    resources = parse_outcome(bundle.plan_json, attribution_of(manifest))
    regions = dict.fromkeys((manifest.region, *sorted(resource.region for resource in resources)))
    found = coverage(wanted, resources, tuple(REGISTRY), (), datetime.now(UTC).date(), checked=_checked())
    return CoverageView(
        manifest.environment, manifest.account_id, tuple(regions), tuple(wanted), found, waivers_known=False
    )


def coverage_of_environment(workspace: Workspace, observer: Observer, wanted: Sequence[Framework]) -> CoverageView:
    """Coverage once the environment is applied as it is now; nothing is saved for applying.

    Raises:
        ToolkitError: Terraform failed.
    """
    observer.stage(f"Planning {workspace.environment.name}")
    with own_folder(workspace.scratch, "plan") as own, workspace.runner.with_one_provider():
        file = own / "plan.tfplan"
        workspace.runner.plan(file)
        observer.stage("Reading the plan")
        data = workspace.runner.show(file)
    return _view(workspace.environment, data, wanted)


def _view(environment: Environment, data: Mapping[str, Any], wanted: Sequence[Framework]) -> CoverageView:
    waivers = [w for w in environment.consents.waivers if w.rule is UNCOVERED]
    found: Coverage = coverage(
        wanted,
        parse_outcome(data, attribution(environment)),
        tuple(REGISTRY),
        waivers,
        datetime.now(UTC).date(),
        checked=_checked(),
        attested=_attested(environment),
    )
    return CoverageView(
        environment.name, environment.account_id, environment.regions.active, tuple(wanted), found, idle(waivers)
    )


def _checked() -> frozenset[str]:
    """Topics that an audit checks."""
    return frozenset(name for check in checks().values() for name in (check.id, *check.topics))


def _attested(environment: Environment) -> Mapping[str, Attested]:
    """Topic → what the environment attests of it; of several entries, the one that holds longest."""
    now = datetime.now(UTC)
    found = {topic.name: begun(of_topic(topic, environment), now) for topic in topics()}
    return {name: Attested(own[0].by, date.fromisoformat(own[0].until)) for name, own in found.items() if own}
