"""Reads the outputs of an applied environment from its state."""

from __future__ import annotations

from typing import Any

from toolkit.errors import UsageError, or_meant
from toolkit.paths import Project
from toolkit.workflows.observer import Observer
from toolkit.workflows.workspace import Access, open_workspace


def read_outputs(project: Project, name: str, only: str | None, access: Access, observer: Observer) -> dict[str, Any]:
    """Output name → value; values that Terraform marks sensitive are "(sensitive value)".

    Raises:
        UsageError: There is no output `only`.
        ToolkitError: The state cannot be read.
    """
    workspace = open_workspace(project, name, access, observer, may_render=False)
    found = {
        key: "(sensitive value)" if entry.get("sensitive") else entry["value"]
        for key, entry in workspace.runner.output().items()
    }
    if only is None:
        return found
    if only not in found:
        raise UsageError(
            f"no output {only!r}" + or_meant(only, tuple(found)),
            where=name,
            hint=f"outputs: {', '.join(found) or 'none: nothing has been applied yet'}",
        )
    return {only: found[only]}
