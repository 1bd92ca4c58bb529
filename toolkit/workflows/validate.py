"""Checks an environment without asking any account: its file, its rendered HCL, and Terraform's own validation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from toolkit.environment import Environment
from toolkit.errors import ToolkitError
from toolkit.paths import EnvironmentPaths, Project
from toolkit.terraform.events import Diagnostic
from toolkit.terraform.mirror import cli_config
from toolkit.terraform.runner import Runner
from toolkit.variables import admit
from toolkit.workflows.explain import explain
from toolkit.workflows.observer import Observer
from toolkit.workflows.own_state import refuse_shared_state
from toolkit.workflows.scratch import local_state_file, scratch_folder
from toolkit.workflows.workspace import (
    Access,
    binary_of,
    bring_up_to_date,
    heed_provider,
    heed_terraform,
    mirror_of,
    read_environment,
    require_modules,
    warn_of_other_modules,
)


def validate_environment(project: Project, name: str, access: Access, observer: Observer) -> tuple[Diagnostic, ...]:
    """What the settings want looked at, and warnings of `terraform validate`.

    Raises:
        RefusedError: The state is another environment's, too.
        RefusedError: An access test fails.
        ToolkitError: The file is wrong, rendered/ is out of date (exit code 3), or Terraform finds errors.
    """
    paths, environment = read_environment(project, name)
    require_modules(paths, environment)
    refuse_shared_state(project, environment, local_state_file(paths, paths.scratch))
    warn_of_other_modules(paths, environment, observer)
    bring_up_to_date(paths, environment, observer, may_write=False)
    binary = binary_of(paths, environment, access)
    heed_terraform(paths, environment, binary, observer)
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
    advice = tuple(_advice(paths, environment, datetime.now(UTC).date()))
    for found in advice:
        observer.warning(f"{found.summary} {found.detail}".rstrip())
    observer.stage(f"Validating {name}")
    runner.init(backend=False)
    heed_provider(paths, environment, observer)
    diagnostics = runner.validate()
    errors = [d for d in diagnostics if d.severity == "error"]
    if errors:
        raise ToolkitError(
            f"Terraform finds {len(errors)} error{'s' if len(errors) != 1 else ''} in the rendered files",
            where=paths.shown,
            detail="\n".join(explain(d, paths, environment) for d in errors),
            hint="change the settings named above, then `toolkit render` and validate again",
        )
    if environment.access_tests:
        from toolkit.workflows.access import of_values
        from toolkit.workflows.access_tests import require_access
        from toolkit.workflows.rendered_values import values_of

        values = values_of(paths, environment, access, observer)
        observer.stage(f"Testing who may do what in {name}")
        tested = require_access(of_values(project, paths, environment, values, f"the rendered files of {name}"))
        observer.note(f"{tested} access tests hold")
    # Shown already, with the rendered files.
    newer = [Diagnostic("warning", text, "", None, None, None, None) for text in environment.warnings(paths.shown)]
    return (*newer, *advice, *diagnostics)


def _advice(paths: EnvironmentPaths, environment: Environment, today: date) -> Iterator[Diagnostic]:
    """What people should look at in the environment file, whatever Terraform says of it."""

    def warning(line: int, text: str, detail: str = "", address: str | None = None) -> Diagnostic:
        return Diagnostic("warning", f"{paths.shown}:{line}: {text}", detail, address, None, None, None)

    for key, component, own, count in environment.overridden_tags():
        yield warning(
            environment.lines.get(("default_tags", key), 1),
            f"default_tags.{key} is not set on {count} resource{'' if count == 1 else 's'} of {component.name}, whose "
            f"own tag {' or '.join(own)} takes its place",
        )
    for waiver, line in environment.expired_waivers(today):
        yield warning(
            line,
            f"the waiver of {waiver.rule} for {', '.join(waiver.subject)} expired on {waiver.expires}.",
            "It consents to nothing; remove it, or review its reason and set a later date",
        )
    for component, found in environment.advice(today):
        yield warning(
            environment.lines.get(("components", component.name, *found.setting), 1),
            found.summary,
            f"{found.evidence}; {found.remedy}",
            f"module.{component.name}.{found.resource}",
        )
