"""The values of what an environment renders to, without its account.

In: an environment whose rendered files are up to date. Out: the planned resources that carry permissions. Terraform and
the real provider plan a copy of the rendered files, with an empty state, on an embedded AWS of this command alone:
nothing of the real account is read, and no credentials are needed. `import` blocks are left out, since there is nothing
to import there. What was planned once is kept in the scratch folder until something that Terraform reads changes.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from toolkit import __version__
from toolkit.environment import Environment, LocalBackend
from toolkit.errors import ToolkitError
from toolkit.files import digest, read_regular, write_atomically
from toolkit.paths import EnvironmentPaths, Project
from toolkit.plan.access import TYPES
from toolkit.sandbox import control as sandbox
from toolkit.terraform.mirror import cli_config
from toolkit.terraform.runner import Runner
from toolkit.workflows.observer import Observer
from toolkit.workflows.scratch import scratch_folder
from toolkit.workflows.trial import trial
from toolkit.workflows.workspace import (
    Access,
    admitted_environ,
    binary_of,
    bring_up_to_date,
    heed_terraform,
    mirror_of,
    read_environment,
    require_modules,
    simulated_profiles,
    sources,
)

_TRIAL = ".access-"
_KEPT = "rendered.json"
_MOST = 64 << 20


def rendered_values(
    project: Project, name: str, access: Access, observer: Observer
) -> tuple[EnvironmentPaths, Environment, Mapping[str, Any]]:
    """An environment, and what Terraform plans for it: JSON as `show -json` has it, of types that carry permissions.

    Raises:
        ToolkitError: The file is wrong, the rendered files are out of date (exit code 3), or Terraform fails.
    """
    paths, environment = read_environment(project, name)
    return paths, environment, values_of(paths, environment, access, observer)


def values_of(
    paths: EnvironmentPaths, environment: Environment, access: Access, observer: Observer
) -> Mapping[str, Any]:
    """As `rendered_values`, of an environment that has been read."""
    require_modules(paths, environment)
    bring_up_to_date(paths, environment, observer, may_write=False)
    binary = binary_of(paths, environment, access)
    heed_terraform(paths, environment, binary, observer)
    folder = scratch_folder(paths, "access")
    facts = (digest(sources(paths)), f"{binary.product} {binary.version}", __version__, environment.account_id)
    stamp = hashlib.sha256("\0".join(facts).encode()).hexdigest()
    with _alone(folder):
        kept = _kept(folder / _KEPT, stamp)
        if kept is None:
            kept = _planned(paths, environment, access, folder, observer)
            write_atomically(folder / _KEPT, json.dumps({"stamp": stamp, "planned": kept}), mode=0o600)
    return kept


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One command at a time; another one waits, and finds what this one planned."""
    descriptor = os.open(folder / "access.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _kept(file: Path, stamp: str) -> dict[str, Any] | None:
    """What an earlier command planned of the same files; None where there is nothing, or it cannot be read."""
    try:
        data = json.loads(read_regular(file, _MOST, follow=False))
        planned = data["planned"] if data["stamp"] == stamp else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return planned if isinstance(planned, dict) else None


def _planned(
    paths: EnvironmentPaths, environment: Environment, access: Access, folder: Path, observer: Observer
) -> dict[str, Any]:
    observer.stage(f"Planning what {environment.name} renders to, on the embedded AWS")
    state = folder / "aws"
    binary, mirror = binary_of(paths, environment, access), mirror_of(paths, environment, access)
    try:
        running = sandbox.up(state, account_id=environment.account_id, owner=os.getpid())
        environ = sandbox.child_environ(
            running,
            admitted_environ(environment, replace(access, sandbox=True)),
            environment.regions.home,
            environment.account_id,
        )
        profiles = simulated_profiles(replace(environment, backend=LocalBackend(type="local")), environ)
        if profiles:
            write_atomically(folder / "aws-config", profiles, mode=0o600)
            environ["AWS_CONFIG_FILE"] = str(folder / "aws-config")
        with trial(paths, _TRIAL) as copy:
            (copy.rendered / "imports.tf").unlink(missing_ok=True)
            override = 'terraform {\n  backend "local" {\n    path = "terraform.tfstate"\n  }\n}\n'
            (copy.rendered / "backend_override.tf").write_text(override, encoding="utf-8")
            runner = Runner(
                copy.rendered,
                binary=binary,
                scratch=folder,
                environ=environ | cli_config(mirror, access.environ, folder, product=binary.product),
                on_event=observer.event,
                on_command=observer.command,
                called=environment.name,
            )
            try:
                runner.init(reconfigure=True)
                with runner.with_one_provider():
                    runner.plan(copy.rendered / "plan.tfplan")
                    data = runner.show(copy.rendered / "plan.tfplan")
            except ToolkitError as e:
                other = "if they can only be planned with the account, plan that and use the bundle: --plan BUNDLE"
                e.hint = f"{e.hint}; {other}" if e.hint else other
                raise
    finally:
        sandbox.down(state)
    return carrying(data)


def carrying(data: Mapping[str, Any]) -> dict[str, Any]:
    """Of a plan's JSON, what carries permissions."""
    return {
        "format_version": data["format_version"],
        "terraform_version": data.get("terraform_version", ""),
        "resource_changes": [
            {key: one[key] for key in ("address", "mode", "type", "name", "change") if key in one}
            for one in data.get("resource_changes", ())
            if one.get("mode") == "managed" and one["type"] in TYPES
        ],
    }
