"""Writes the dependency lock file for several platforms (`terraform providers lock`)."""

from __future__ import annotations

import re
from pathlib import Path

from toolkit.errors import UsageError
from toolkit.files import write_atomically
from toolkit.paths import Project
from toolkit.terraform.mirror import cli_config
from toolkit.terraform.runner import LOCK_FILE, Runner
from toolkit.variables import admit
from toolkit.workflows.observer import Observer
from toolkit.workflows.scratch import scratch_folder
from toolkit.workflows.workspace import (
    Access,
    binary_of,
    bring_up_to_date,
    heed_provider,
    heed_terraform,
    mirror_of,
    read_environment,
    require_modules,
)

DEFAULT_PLATFORMS = ("linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64")
"""Where people and pipelines usually run Terraform."""


def lock_providers(
    project: Project,
    name: str,
    platforms: tuple[str, ...],
    access: Access,
    observer: Observer,
    *,
    upgrade: bool = False,
) -> Path:
    """Write the lock file; returns its path. Where it fails, the file stays as it was, or there stays none.

    Hashes of other platforms come from the registry, or from a mirror that holds those platforms.

    Args:
        upgrade: Whether to select the newest version of the provider that the rendered files admit, whichever one the
            file names: `terraform init -upgrade`, since `terraform providers lock` keeps the version of the file.

    Raises:
        UsageError: A platform's name is none.
        RefusedError: `unchecked_versions: refuse`, and Terraform or the selected provider is such a version.
        ToolkitError: Terraform cannot get the provider for a platform.
    """
    for platform in platforms:
        if not re.fullmatch(r"[a-z0-9]+_[a-z0-9]+", platform):
            raise UsageError(f"{platform!r} is not a platform", hint="expected OS_ARCH, like linux_amd64")
    paths, environment = read_environment(project, name)
    require_modules(paths, environment)
    bring_up_to_date(paths, environment, observer, may_write=False)
    binary = binary_of(paths, environment, access)
    heed_terraform(paths, environment, binary, observer)
    scratch = scratch_folder(paths, "validate")
    config = cli_config(mirror_of(paths, environment, access), access.environ, scratch, product=binary.product)
    runner = Runner(
        paths.rendered,
        binary=binary,
        scratch=scratch,
        environ=admit(access.environ) | (config if upgrade else {}),
        on_event=observer.event,
        on_command=observer.command,
        called=name,
    )
    file = paths.rendered / LOCK_FILE
    before = file.read_bytes() if file.exists() else None
    try:
        if upgrade:
            observer.stage(f"Selecting the newest provider that {name} admits")
            runner.init(backend=False, upgrade=True)
        else:
            runner.get()
        if selected := upgrade or before is not None:
            heed_provider(paths, environment, observer)
        observer.stage(f"Locking providers of {name} for {', '.join(platforms)}")
        runner.providers_lock(platforms, fs_mirror=access.provider_mirror)
        if not selected:
            heed_provider(paths, environment, observer)
    except BaseException:
        # Of a new version, `init` has recorded this platform alone; a refused version must not stay selected.
        if before is None:
            file.unlink(missing_ok=True)
        elif not file.exists() or file.read_bytes() != before:
            write_atomically(file, before)
        raise
    return file
