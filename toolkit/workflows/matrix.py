"""Which jobs a pipeline starts, for which environments, and which of their plans are ready to be applied.

In: the project's files, and reports that plan jobs have written. Out: plain data. No AWS call, no Terraform.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from toolkit.environment import Environment
from toolkit.errors import UsageError
from toolkit.fleet.matrix import Described, Job, apply_matrix, chosen, jobs, plan_matrix, wave_of
from toolkit.fleet.pipeline import load_pipeline
from toolkit.fleet.settings import load_settings
from toolkit.paths import Project
from toolkit.workflows.folded import read_reports
from toolkit.workflows.workspace import read_environment


def described(project: Project) -> tuple[Described, ...]:
    """Every environment of a project, as a pipeline has to know it.

    Raises:
        ToolkitError: An environment.yaml is wrong.
    """
    return tuple(describe(read_environment(project, name)[1]) for name in project.names)


def describe(environment: Environment) -> Described:
    """What a pipeline has to know of an environment."""
    return Described(
        environment.name,
        environment.account_id,
        environment.regions.home,
        len(environment.regions.active),
        environment.labels,
        environment.account_state,
        environment.simulator,
        environment.lines.get(("labels",), 1),
    )


def jobs_of(project: Project, names: Iterable[str] | None, shards: int | None) -> tuple[Job, ...]:
    """The plan jobs of a project's pipeline.

    Args:
        project: The project.
        names: Those environments alone that are selected; None: all of the pipeline.
        shards: Number of jobs; None: what pipeline.yaml says.

    Raises:
        UsageError: An environment is none of the pipeline's; or a matrix does not take so many jobs.
        PipelineFileError: pipeline.yaml, or an environment, is wrong for a pipeline.
    """
    written = load_pipeline(project.root)
    found = chosen(written, described(project))
    if names is not None:
        wanted = set(names)
        found = tuple(one for one in found if one.name in wanted)
    return jobs(found, shards or written.settings.shards)


def planning(project: Project, names: Iterable[str] | None, shards: int | None) -> dict[str, Any]:
    """The matrix of the plan jobs; see `jobs_of`."""
    return plan_matrix(jobs_of(project, names, shards))


def applying(
    project: Project, names: Iterable[str] | None, shards: int | None, reports: Path, wave: int | None
) -> dict[str, Any]:
    """The matrix of the apply jobs: environments whose plan has changes and is not refused.

    Args:
        project: The project.
        names: As for `planning`, to which the reports belong.
        shards: As for `planning`.
        reports: Folder with what the plan jobs have reported.
        wave: Only environments of this wave, from 1; None: of all.

    Raises:
        UsageError: There is no such wave.
        ToolkitError: A report cannot be read.
    """
    made = jobs_of(project, names, shards)
    ready = frozenset(
        one.environment
        for one in read_reports(reports)
        if one.document is not None
        and one.error is None
        and one.document["kind"] == "plan"
        and one.document["changes_pending"]
        and not any(finding["blocks"] for finding in one.document["findings"])
    )
    if wave is not None:
        every = described(project)
        ready &= wave_of(wave, load_settings(project.root), chosen(load_pipeline(project.root), every), every)
    return apply_matrix(made, ready)


def limited(matrix: dict[str, Any], most: int) -> tuple[dict[str, Any], tuple[str, ...]]:
    """As many jobs as a matrix takes, and the environments that are left for another run."""
    kept, left = matrix["include"][:most], matrix["include"][most:]
    return {"include": kept}, tuple(entry["name"] for entry in left)


def members(project: Project, names: Iterable[str]) -> None:
    """Demand that environments are the pipeline's.

    Raises:
        UsageError: One is not.
    """
    found = [one.name for one in chosen(load_pipeline(project.root), described(project))]
    for name in names:
        if name not in found:
            raise UsageError(
                f"{name} is not an environment of the pipeline",
                where="pipeline.yaml",
                hint=f"they are: {', '.join(found)}",
            )
