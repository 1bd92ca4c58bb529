"""Renders environments, or only says what rendering would change."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial

from toolkit.environment import Environment
from toolkit.errors import ToolkitError, internal_error
from toolkit.paths import Project
from toolkit.rendering.regions import dropped, refuse_leaving_home
from toolkit.rendering.render import RenderedTree, render
from toolkit.rendering.tree import FileChange, compare, write
from toolkit.workflows.guardrails import refuse_policies
from toolkit.workflows.processes import each
from toolkit.workflows.unchanged import Proof, Unchanged
from toolkit.workflows.workspace import read_environment, refuse_unexpected


@dataclass(frozen=True)
class RenderResult:
    """What rendering one environment changes."""

    environment: str
    changes: tuple[FileChange, ...] = ()
    warnings: tuple[str, ...] = ()
    """What people should know of the settings, and of what the change leaves behind."""
    error: ToolkitError | None = None
    """Why nothing was rendered, or not all was written; None where everything was."""

    @property
    def folder(self) -> str:
        """Folder of the files, relative to the project, as diffs name it."""
        return f"environments/{self.environment}/rendered"

    @property
    def diff(self) -> str:
        """Unified diff of all changes."""
        return "".join(change.diff(self.folder) for change in self.changes)


def render_environments(
    project: Project, names: tuple[str, ...], *, dry: bool, jobs: int | None = None
) -> tuple[RenderResult, ...]:
    """Render the named environments, each by itself: what is wrong with one says nothing of another.

    Args:
        project: The project.
        names: Of its environments; each is rendered once.
        dry: Write nothing.
        jobs: Processes at most; None for as many as there are processors.

    Returns:
        A result for each name, in their order. Where there are several, an error stands in its environment's result.

    Raises:
        UsageError: No environment has one of the names; nothing was written.
        RefusedError: A policy of the organization must not be sent; nothing was written.
        ToolkitError: modules/ has Terraform that the toolkit does not ship, and nothing was written. Of one environment
            alone also: its file is wrong, the home region is left in the change that makes another one home, a file is
            in the way, or Terraform would read one that is not the toolkit's.
    """
    names = tuple(dict.fromkeys(names))
    if len(names) < 2:
        return tuple(_render(project, name, dry=dry, alone=True)[0] for name in names)
    for name in names:
        if name not in project.names:
            project.environment(name)  # raises with the nearest name
    refuse_unexpected(project.modules)
    unchanged = Unchanged.of(project, len(names))
    found = each(partial(_result, project, unchanged, dry=dry), names, jobs=jobs)
    if unchanged is not None:
        unchanged.remember({result.environment: proof for result, proof in found})
    return tuple(result for result, _ in found)


def _result(
    project: Project, unchanged: Unchanged | None, name: str, *, dry: bool
) -> tuple[RenderResult, Proof | None]:
    """One of many environments, and what proves next time that nothing of it has changed."""
    try:
        if unchanged is None:
            return _render(project, name, dry=dry)[0], None
        if (proof := unchanged.proof(name)) is not None:
            return RenderResult(name), proof
        result, environment, tree = _render(project, name, dry=dry)
        return result, None if dry and result.changes else unchanged.prove(environment, tree)
    except ToolkitError as e:
        return RenderResult(name, error=e), None
    except Exception as e:
        if os.environ.get("TOOLKIT_DEBUG"):
            raise
        return RenderResult(name, error=internal_error(e)), None


def _render(
    project: Project, name: str, *, dry: bool, alone: bool = False
) -> tuple[RenderResult, Environment, RenderedTree]:
    paths, environment = read_environment(project, name)
    refuse_policies(environment, paths.shown)
    if alone:
        refuse_unexpected(project.modules)
    refuse_leaving_home(environment, paths.rendered)
    tree = render(environment)
    changes = compare(tree, paths.rendered)
    warnings = (*environment.warnings(paths.shown), *dropped(environment, paths.rendered))
    if not dry:
        write(changes, paths.rendered)
    return RenderResult(name, changes, warnings), environment, tree
