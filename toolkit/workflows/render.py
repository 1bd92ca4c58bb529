"""Renders environments, or only says what rendering would change."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.paths import Project
from toolkit.rendering.regions import dropped, refuse_leaving_home
from toolkit.rendering.render import render
from toolkit.rendering.tree import FileChange, compare, write
from toolkit.workflows.guardrails import refuse_policies
from toolkit.workflows.workspace import read_environment, refuse_unexpected


@dataclass(frozen=True)
class RenderResult:
    """What rendering one environment changes."""

    environment: str
    changes: tuple[FileChange, ...]
    warnings: tuple[str, ...] = ()
    """What people should know of the settings, and of what the change leaves behind."""

    @property
    def folder(self) -> str:
        """Folder of the files, relative to the project, as diffs name it."""
        return f"environments/{self.environment}/rendered"

    @property
    def diff(self) -> str:
        """Unified diff of all changes."""
        return "".join(change.diff(self.folder) for change in self.changes)


def render_environments(project: Project, names: tuple[str, ...], *, dry: bool) -> tuple[RenderResult, ...]:
    """Render the named environments; all are read and compared before the first file is written.

    Raises:
        RefusedError: A policy of the organization must not be sent; nothing was written.
        ToolkitError: An environment file is wrong, the home region is left in the change that makes another one home,
            a file is in the way, or Terraform would read one that is not the toolkit's; nothing was written.
    """
    results = []
    for name in names:
        paths, environment = read_environment(project, name)
        refuse_policies(environment, paths.shown)
        refuse_unexpected(paths)
        refuse_leaving_home(environment, paths.rendered)
        changes = compare(render(environment), paths.rendered)
        warnings = (*environment.warnings(paths.shown), *dropped(environment, paths.rendered))
        results.append(RenderResult(name, changes, warnings))
    if not dry:
        for result in results:
            write(result.changes, project.paths(result.environment).rendered)
    return tuple(results)
