"""Shows a saved plan bundle again, from the bundle alone: in any folder, also where its project is not.

Only one that is saved in S3 needs its project, whose credentials read it.
"""

from __future__ import annotations

from pathlib import Path

from toolkit.components.registry import REGISTRY
from toolkit.environment import Environment
from toolkit.errors import BadPlanError
from toolkit.paths import Project, environment_name
from toolkit.plan.model import Attribution, parse_plan
from toolkit.regions import PARTITION_OF
from toolkit.reports.view import PlanView, lines_of
from toolkit.terraform import bundle as bundles
from toolkit.terraform.sealing import Keys
from toolkit.workflows.hand_over import content_of
from toolkit.workflows.workspace import Access, read_environment


def show_bundle(plan: str, project: Project | None, access: Access, keys: Keys) -> PlanView:
    """The view of a bundle.

    Raises:
        BadPlanError: It is no bundle, damaged, or not sealed by the given key.
        ToolkitError: The environment's file is wrong.
    """
    bundle, environment = read_bundle(plan, project, access, keys)
    shown = parse_plan(bundle.plan_json, attribution_of(bundle.manifest))
    lines = lines_of(environment) if environment is not None else {}
    return PlanView(shown, bundle.manifest, bundle.path, bundle.findings, lines, access=bundle.access)


def attribution_of(manifest: bundles.Manifest) -> Attribution:
    """Which module label of a bundle belongs to which component and region, whatever regions its environment has."""
    return Attribution(tuple(REGISTRY), tuple(PARTITION_OF), manifest.region)


def read_bundle(
    plan: str, project: Project | None, access: Access, keys: Keys
) -> tuple[bundles.Bundle, Environment | None]:
    """A bundle and the environment that it is for; None for that outside of the environment's project.

    Raises:
        BadPlanError: As `show_bundle`.
        ToolkitError: The environment's file is wrong.
    """
    name = environment_name(plan)
    if project is not None and not Path(plan).is_file() and name in project.names:
        last = project.paths(name).scratch / f"plan{bundles.SUFFIX}"
        raise BadPlanError(
            f"{plan!r} is an environment, not a plan bundle",
            hint=f"its saved plan: {last}" if last.exists() else f"`toolkit plan {name}` saves one",
        )
    bundle = bundles.parse(*content_of(plan, project, access), keys)
    if project is None or bundle.manifest.environment not in project.names:
        return bundle, None
    environment = read_environment(project, bundle.manifest.environment)[1]
    # Another project may have an environment of that name.
    return bundle, environment if environment.account_id == bundle.manifest.account_id else None
