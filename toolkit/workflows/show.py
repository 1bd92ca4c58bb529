"""Shows a saved plan bundle again, from the bundle alone."""

from __future__ import annotations

from pathlib import Path

from toolkit.environment import Environment
from toolkit.errors import BadPlanError
from toolkit.paths import Project
from toolkit.plan.model import parse_plan
from toolkit.reports.view import PlanView, lines_of
from toolkit.terraform import bundle as bundles
from toolkit.workflows.keys import bundle_keys
from toolkit.workflows.workspace import Access, attribution, read_environment


def show_bundle(path: Path, project: Project, access: Access) -> PlanView:
    """The view of a bundle.

    Raises:
        BadPlanError: It is no bundle, damaged, or of an environment that the project does not have.
        ToolkitError: The environment's file is wrong.
    """
    bundle, environment = read_bundle(path, project, access)
    plan = parse_plan(bundle.plan_json, attribution(environment))
    return PlanView(plan, bundle.manifest, path, bundle.findings, lines_of(environment))


def read_bundle(path: Path, project: Project, access: Access) -> tuple[bundles.Bundle, Environment]:
    """A bundle and the environment that it is for.

    Raises:
        BadPlanError: It is no bundle, damaged, or of an environment that the project does not have.
        ToolkitError: The environment's file is wrong.
    """
    if not path.exists() and str(path) in project.names:
        last = project.paths(str(path)).scratch / f"plan{bundles.SUFFIX}"
        raise BadPlanError(
            f"{str(path)!r} is an environment, and no plan bundle",
            hint=f"its saved plan: {last}" if last.exists() else f"`toolkit plan {path}` saves one",
        )
    bundle = bundles.read(path, bundle_keys(project, access))
    name = bundle.manifest.environment
    if name not in project.names:
        raise BadPlanError(
            f"a plan for {name!r}, which is no environment of this project",
            where=str(path),
            hint="show it in the project that it was made in (-C DIR)",
        )
    return bundle, read_environment(project, name)[1]
