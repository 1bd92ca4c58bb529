"""Terraform's diagnostics, led back to the setting of environment.yaml that they come from.

In: a Diagnostic and the environment. Out: text: Terraform's own words, the rendered file and line, and below them the
component's setting with its line.
"""

from __future__ import annotations

import posixpath
import re

from toolkit.environment import Environment
from toolkit.paths import EnvironmentPaths
from toolkit.terraform.events import Diagnostic
from toolkit.visible import joined_lines
from toolkit.workflows.workspace import attribution


def explain(diagnostic: Diagnostic, paths: EnvironmentPaths, environment: Environment) -> str:
    """One diagnostic as people read it: lines, of which Terraform's own stand further in than ours."""
    kind = "Error" if diagnostic.severity == "error" else "Warning"
    lines = [f"{kind}: {diagnostic.summary}"]
    place = diagnostic.place
    if place:
        # Files of modules/ are seen from rendered/; people see them from the project.
        shown = posixpath.normpath(f"environments/{environment.name}/rendered/{place}") if diagnostic.file else place
        lines.append(f"  at {shown}")
    if diagnostic.address and diagnostic.address != place:
        lines.append(f"  with {diagnostic.address}")
    lines += [f"    {line}" for line in diagnostic.detail.split("\n") if line.strip()]
    setting = setting_of(diagnostic, paths, environment)
    if setting:
        lines.append(f"  set by {setting}")
    return joined_lines(lines)


def setting_of(diagnostic: Diagnostic, paths: EnvironmentPaths, environment: Environment) -> str | None:
    """ "environments/prod/environment.yaml:12 components.config.frequency": what leads to a diagnostic, or None."""
    component = None
    if diagnostic.address:
        component, _ = attribution(environment).of(diagnostic.address)
    name = (diagnostic.file or "").removesuffix(".tf")
    in_root_file = "/" not in name and environment.enabled(name) is not None
    if component is None and in_root_file:
        component = name
    enabled = environment.enabled(component) if component else None
    if component is None or enabled is None:
        return None
    path: tuple[str | int, ...] = ("components", component)
    if in_root_file and diagnostic.line:
        argument = _argument(paths, diagnostic.file or "", diagnostic.line)
        # Other arguments are wired by the template; there is nothing to set.
        path = (*path, argument) if argument in type(enabled.settings).model_fields else path
    # A setting left at its default has no line of its own; its component's block has.
    line = environment.lines.get(path) or environment.lines.get(path[:2], 1)
    default = "" if path in environment.lines else " (at its default)"
    return f"{paths.shown}:{line} {'.'.join(map(str, path))}{default}"


def _argument(paths: EnvironmentPaths, file: str, line: int) -> str:
    """The module argument that stands at a line of a rendered file, or "" where it is none."""
    try:
        text = (paths.rendered / file).read_text("utf-8").splitlines()[line - 1]
    except (OSError, IndexError):
        return ""
    match = re.match(r" {2}([a-z_][a-z0-9_]*) +=", text)
    return match[1] if match else ""
