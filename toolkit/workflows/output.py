"""Reads the outputs of an applied environment from its state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.errors import UsageError, or_meant
from toolkit.paths import Project
from toolkit.workflows.observer import Observer
from toolkit.workflows.workspace import Access, Workspace, open_workspace


@dataclass(frozen=True)
class Outputs:
    """What the state says."""

    values: Mapping[str, Any]
    """Output name → value; values that Terraform marks sensitive are "(sensitive value)"."""
    resources: tuple[str, ...] = ()
    """Addresses of the resources in the state, read only where there are no outputs."""

    @property
    def none(self) -> str:
        """Why there are no outputs, for people."""
        if not self.resources:
            return "nothing is applied"
        count = len(self.resources)
        first = ", ".join(self.resources[:3]) + (", …" if count > 3 else "")
        return f"{count} resource{'s are' if count != 1 else ' is'} left in the state: {first}"


def read_outputs(project: Project, name: str, only: str | None, access: Access, observer: Observer) -> Outputs:
    """The outputs of an applied environment, or one of them.

    Raises:
        UsageError: There is no output `only`.
        ToolkitError: The state cannot be read.
    """
    workspace = open_workspace(project, name, access, observer, may_render=False)
    found = {
        key: "(sensitive value)" if entry.get("sensitive") else entry["value"]
        for key, entry in workspace.runner.output().items()
    }
    outputs = Outputs(found, () if found else tuple(sorted(_resources(workspace))))
    if only is None:
        return outputs
    if only not in found:
        raise UsageError(
            f"no output {only!r}" + or_meant(only, tuple(found)),
            where=name,
            hint=f"outputs: {', '.join(found)}" if found else f"there are none: {outputs.none}",
        )
    return Outputs({only: found[only]})


def _resources(workspace: Workspace) -> Iterator[str]:
    """Addresses of managed resources in the state: an interrupted destroy leaves some without any output."""
    modules = [workspace.runner.show(None).get("values", {}).get("root_module", {})]
    while modules:
        module = modules.pop()
        modules += module.get("child_modules", ())
        yield from (r["address"] for r in module.get("resources", ()) if r["mode"] == "managed")
