"""Checks an environment without asking any account: its file, its rendered HCL, and Terraform's own validation."""

from __future__ import annotations

from datetime import UTC, datetime

from toolkit.errors import ToolkitError
from toolkit.paths import Project
from toolkit.terraform.events import Diagnostic
from toolkit.terraform.mirror import cli_config
from toolkit.terraform.runner import Runner
from toolkit.variables import admit
from toolkit.workflows.explain import explain
from toolkit.workflows.observer import Observer
from toolkit.workflows.scratch import scratch_folder
from toolkit.workflows.workspace import (
    Access,
    binary_of,
    bring_up_to_date,
    mirror_of,
    read_environment,
    require_modules,
)


def validate_environment(project: Project, name: str, access: Access, observer: Observer) -> tuple[Diagnostic, ...]:
    """What the settings want looked at, and warnings of `terraform validate`.

    Raises:
        ToolkitError: The file is wrong, rendered/ is out of date (exit code 3), or Terraform finds errors.
    """
    paths, environment = read_environment(project, name)
    require_modules(paths, environment)
    bring_up_to_date(paths, environment, observer, may_write=False)
    binary = binary_of(paths, environment, access)
    # A data folder of its own: without a backend, so that neither state nor credentials are needed.
    scratch = scratch_folder(paths, "validate")
    mirror = mirror_of(paths, environment, access)
    runner = Runner(
        paths.rendered,
        binary=binary,
        scratch=scratch,
        environ=admit(access.environ) | cli_config(mirror, access.environ, scratch, product=binary.product),
        on_event=observer.event,
        on_command=observer.command,
    )
    advice = []
    for key, component, own, count in environment.overridden_tags():
        line = environment.lines.get(("default_tags", key), 1)
        text = (
            f"{paths.shown}:{line}: default_tags.{key} is not set on {count} resource{'' if count == 1 else 's'} of "
            f"{component.name}, whose own tag {' or '.join(own)} takes its place"
        )
        observer.warning(text)
        advice.append(Diagnostic("warning", text, "", None, None, None, None))
    for component, found in environment.advice(datetime.now(UTC).date()):
        line = environment.lines.get(("components", component.name, *found.setting), 1)
        text = f"{paths.shown}:{line}: {found.summary}"
        observer.warning(f"{text} {found.evidence}; {found.remedy}")
        address = f"module.{component.name}.{found.resource}"
        advice.append(Diagnostic("warning", text, f"{found.evidence}; {found.remedy}", address, None, None, None))
    observer.stage(f"Validating {name}")
    runner.init(backend=False)
    diagnostics = runner.validate()
    errors = [d for d in diagnostics if d.severity == "error"]
    if errors:
        raise ToolkitError(
            f"Terraform finds {len(errors)} error{'s' if len(errors) != 1 else ''} in the rendered files",
            where=paths.shown,
            detail="\n".join(explain(d, paths, environment) for d in errors),
            hint="change the settings named above, then `toolkit render` and validate again",
        )
    return (*advice, *diagnostics)
