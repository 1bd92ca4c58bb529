"""Shows a saved plan bundle again, from the bundle alone."""

from __future__ import annotations

from pathlib import Path

from toolkit.environment import Environment
from toolkit.errors import BadPlanError
from toolkit.paths import Project
from toolkit.plan.model import parse_plan
from toolkit.reports.view import PlanView, lines_of
from toolkit.terraform import bundle as bundles
from toolkit.terraform.sealing import Keys
from toolkit.workflows.workspace import attribution, read_environment


def show_bundle(path: Path, project: Project, keys: Keys) -> PlanView:
    """The view of a bundle.

    Raises:
        BadPlanError: It is no bundle, damaged, not sealed by the given key, or of an environment that the project does
            not have.
        ToolkitError: The environment's file is wrong.
    """
    bundle, environment = read_bundle(path, project, keys)
    plan = parse_plan(bundle.plan_json, attribution(environment))
    return PlanView(plan, bundle.manifest, path, bundle.findings, lines_of(environment))


def read_bundle(path: Path, project: Project, keys: Keys) -> tuple[bundles.Bundle, Environment]:
    """A bundle and the environment that it is for.

    Raises:
        BadPlanError: As `show_bundle`.
        ToolkitError: The environment's file is wrong.
    """
    if not path.exists() and str(path) in project.names:
        last = project.paths(str(path)).scratch / f"plan{bundles.SUFFIX}"
        raise BadPlanError(
            f"{str(path)!r} is an environment, and no plan bundle",
            hint=f"its saved plan: {last}" if last.exists() else f"`toolkit plan {path}` saves one",
        )
    bundle = bundles.read(path, keys)
    name = bundle.manifest.environment
    if name not in project.names:
        raise BadPlanError(
            f"a plan for {name!r}, which is no environment of this project",
            where=str(path),
            hint="show it in the project that it was made in (-C DIR)",
        )
    return bundle, read_environment(project, name)[1]
