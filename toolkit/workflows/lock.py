"""Writes the dependency lock file for several platforms (`terraform providers lock`)."""

from __future__ import annotations

import re
from pathlib import Path

from toolkit.errors import UsageError
from toolkit.paths import Project
from toolkit.terraform.runner import LOCK_FILE, Runner
from toolkit.variables import admit
from toolkit.workflows.observer import Observer
from toolkit.workflows.scratch import scratch_folder
from toolkit.workflows.workspace import Access, binary_of, bring_up_to_date, read_environment, require_modules

DEFAULT_PLATFORMS = ("linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64")
"""Where people and pipelines usually run Terraform."""


def lock_providers(project: Project, name: str, platforms: tuple[str, ...], access: Access, observer: Observer) -> Path:
    """Write the lock file; returns its path.

    Hashes of other platforms come from the registry, or from a mirror that holds those platforms.

    Raises:
        UsageError: A platform's name is none.
        ToolkitError: Terraform cannot get the provider for a platform.
    """
    for platform in platforms:
        if not re.fullmatch(r"[a-z0-9]+_[a-z0-9]+", platform):
            raise UsageError(f"{platform!r} is not a platform", hint="expected OS_ARCH, like linux_amd64")
    paths, environment = read_environment(project, name)
    require_modules(paths, environment)
    bring_up_to_date(paths, environment, observer, may_write=False)
    runner = Runner(
        paths.rendered,
        binary=binary_of(paths, environment, access),
        scratch=scratch_folder(paths, "validate"),
        environ=admit(access.environ),
        on_event=observer.event,
        on_command=observer.command,
    )
    observer.stage(f"Locking providers of {name} for {', '.join(platforms)}")
    runner.get()
    runner.providers_lock(platforms, fs_mirror=access.provider_mirror)
    return paths.rendered / LOCK_FILE
