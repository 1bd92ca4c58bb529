"""Shows a saved plan bundle again, from the bundle alone."""

from __future__ import annotations

from pathlib import Path

from toolkit.paths import Project
from toolkit.plan.findings import Finding
from toolkit.plan.model import parse_plan
from toolkit.reports.view import PlanView, lines_of
from toolkit.terraform import bundle as bundles
from toolkit.workflows.keys import bundle_keys
from toolkit.workflows.workspace import Access, attribution, read_environment


def show_bundle(path: Path, project: Project, access: Access) -> PlanView:
    """The view of a bundle.

    Raises:
        BadPlanError: It is no bundle or damaged.
        ToolkitError: The project has no such environment.
    """
    bundle = bundles.read(path, bundle_keys(project, access))
    _, environment = read_environment(project, bundle.manifest.environment)
    findings = tuple(Finding.from_data(f) for f in bundle.findings)
    plan = parse_plan(bundle.plan_json, attribution(environment))
    return PlanView(plan, bundle.manifest, path, findings, lines_of(environment))
