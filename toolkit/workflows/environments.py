"""Lists a project's environments: what a pipeline needs to start a job for each.

In: the environment.yaml files. Out: plain data. No AWS call, no Terraform.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from toolkit.environment.load import read_account_state, read_labels
from toolkit.paths import Project
from toolkit.rendering.render import backend_arguments
from toolkit.workflows.processes import each
from toolkit.workflows.workspace import read_environment


def list_environments(project: Project, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """What pipelines and people need to know of environments.

    Returns:
        Per environment: name, account_id (12 digits), account_state (None: ACTIVE, or not known), labels, home_region,
        regions (the active ones, home included), retiring, backend ({"type": "local"} or {"type": "s3", "bucket",
        "key", "region"}), simulator ("moto" or None).

    Raises:
        ToolkitError: An environment.yaml is wrong.
    """
    return each(partial(_described, project), names)


def labels_of(project: Project) -> Callable[[str], Mapping[str, str]]:
    """A function that reads the labels of an environment, each file once.

    It raises:
        ToolkitError: The file is not YAML, or its labels are wrong.
    """

    @cache
    def read(name: str) -> Mapping[str, str]:
        paths = project.environment(name)
        return read_labels(paths.file, shown_as=paths.shown)

    return read


def state_of(project: Project, name: str) -> str | None:
    """Why the account of an environment cannot be used ("SUSPENDED"), as its file says; None where it can."""
    return read_account_state(project.environment(name).file)


def _described(project: Project, name: str) -> dict[str, Any]:
    environment = read_environment(project, name)[1]
    arguments = backend_arguments(environment)
    place = {key: arguments[key] for key in ("bucket", "key", "region") if key in arguments}
    return {
        "name": environment.name,
        "account_id": environment.account_id,
        "account_state": environment.account_state,
        "labels": environment.labels,
        "home_region": environment.regions.home,
        "regions": list(environment.regions.active),
        "retiring": list(environment.regions.retiring),
        "backend": {"type": environment.backend.type, **place},
        "simulator": environment.simulator,
    }
