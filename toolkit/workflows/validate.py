"""Checks an environment without asking any account: its file, its rendered HCL, and Terraform's own validation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from toolkit.environment import Environment
from toolkit.errors import ToolkitError
from toolkit.fleet.matrix import selects
from toolkit.fleet.pipeline import load_pipeline
from toolkit.paths import EnvironmentPaths, Project
from toolkit.sandbox import control as sandbox
from toolkit.terraform.events import Diagnostic
from toolkit.terraform.mirror import cli_config
from toolkit.terraform.runner import Runner
from toolkit.variables import admit
from toolkit.workflows.explain import explain
from toolkit.workflows.matrix import describe
from toolkit.workflows.observer import Observer
from toolkit.workflows.own_state import refuse_shared_state
from toolkit.workflows.pipeline_bundle import demand_agreement
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


@dataclass(frozen=True)
class Validated:
    """What was found of an environment that is valid.

    Attributes:
        warnings: What the settings want looked at, and warnings of `terraform validate`.
        access_tests: How many access tests it has.
        tested: How many of these were run, and held.
    """

    warnings: tuple[Diagnostic, ...] = ()
    access_tests: int = 0
    tested: int = 0

    @property
    def result(self) -> str:
        """In a few words."""
        left = self.access_tests - self.tested
        return "valid" + (f", but {left} access test{'s were' if left > 1 else ' was'} not run" if left else "")


def validate_environment(project: Project, name: str, access: Access, observer: Observer) -> Validated:
    """Whether it is valid, as far as that can be said without its account.

    Raises:
        RefusedError: The state is another environment's, too.
        RefusedError: An access test fails.
        PipelineFileError: pipeline.yaml is wrong, or says otherwise of saved plans.
        ToolkitError: The file is wrong, rendered/ is out of date (exit code 3), or Terraform finds errors.
    """
    paths, environment = read_environment(project, name)
    require_modules(paths, environment)
    written = load_pipeline(project.root)
    if selects(written, describe(environment)):
        demand_agreement(written, environment)
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
    tests = len(environment.access_tests)
    tested, untested = 0, tuple[Diagnostic, ...]()
    if tests and sandbox.installed():
        _test_access(project, paths, environment, access, observer)
        tested = tests
    elif tests:
        untested = (_untested(paths, environment),)
        observer.warning(f"{untested[0].summary}: {untested[0].detail}")
    # Shown already, with the rendered files.
    newer = [Diagnostic("warning", text, "", None, None, None, None) for text in environment.warnings(paths.shown)]
    return Validated((*newer, *advice, *diagnostics, *untested), tests, tested)


def _test_access(
    project: Project, paths: EnvironmentPaths, environment: Environment, access: Access, observer: Observer
) -> None:
    from toolkit.workflows.access import of_values
    from toolkit.workflows.access_tests import require_access
    from toolkit.workflows.rendered_values import values_of

    name = environment.name
    values = values_of(paths, environment, access, observer)
    observer.stage(f"Testing who may do what in {name}")
    answers = require_access(of_values(project, paths, environment, values, f"the rendered files of {name}"))
    count = len(environment.access_tests)
    observer.note(f"{count} access test{'s hold' if count > 1 else ' holds'} ({answers} answers)")


def _untested(paths: EnvironmentPaths, environment: Environment) -> Diagnostic:
    """That nothing was tested, since there is no embedded AWS to plan on: never taken for a test that holds."""
    count, line = len(environment.access_tests), environment.lines.get(("access_tests",), 1)
    return Diagnostic(
        "warning",
        f"{paths.shown}:{line}: {count} access test{'s were' if count > 1 else ' was'} not run",
        "validate runs them on the embedded AWS, which needs moto, and that is not installed; `plan` and `apply` test "
        f"the plan itself. To run them here, too: {sandbox.INSTALL}",
        None,
        None,
        None,
        None,
    )


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
