"""Where things are: the product's own files, and the project that is worked on.

In: a starting folder. Out: paths. Creates nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath

from toolkit.errors import ToolkitError, UsageError, or_meant
from toolkit.files import plain_files, refuse_links
from toolkit.visible import shortened

MODULES = "../../../modules"
"""Where modules/ is, seen from environments/NAME/rendered."""

ENVIRONMENT_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?\Z")
"""Names a folder, a state key and a Terraform comment: nothing that could leave any of them."""


def environment_name(given: str) -> str:
    """The name in what shells complete: `prod/`, `environments/prod`, `environments/prod/environment.yaml`.

    Anything else is given back as it is, for an error to name it.
    """
    parts = PurePosixPath(given).parts
    parts = parts[:-1] if len(parts) > 1 and parts[-1] == "environment.yaml" else parts
    parts = parts[1:] if len(parts) > 1 and parts[0] == "environments" else parts
    return parts[0] if len(parts) == 1 and parts[0] not in ("/", "..") else given


def no_environment(name: str, known: Sequence[str]) -> UsageError:
    """The error about a name that no environment has.

    Args:
        name: What was given.
        known: The names of all environments.
    """
    return UsageError(
        f"no environment {name!r}" + or_meant(name, tuple(known)),
        where="environments/",
        hint=f"environments: {shortened(known) or 'none yet; `toolkit new ENV` makes one'}",
    )


@cache
def data_dir(kind: str) -> Path:
    """The product's `modules` or `templates`: inside the package of a wheel, beside it in a clone."""
    package = Path(__file__).resolve().parent
    for candidate in (package / "_data" / kind, package.parent / kind):
        if candidate.is_dir():
            return candidate
    raise ToolkitError(f"the installation lacks its {kind}/", where=str(package), hint="install the toolkit again")


@dataclass(frozen=True)
class EnvironmentPaths:
    """The places of one environment."""

    project: Path
    name: str

    @property
    def folder(self) -> Path:
        """environments/NAME."""
        return self.project / "environments" / self.name

    @property
    def file(self) -> Path:
        """environments/NAME/environment.yaml, the only file written by hand."""
        return self.folder / "environment.yaml"

    @property
    def rendered(self) -> Path:
        """environments/NAME/rendered: the root module, committed and reviewed."""
        return self.folder / "rendered"

    @property
    def scratch(self) -> Path:
        """environments/NAME/.toolkit: Terraform's data, plans, logs; 0700 and never committed."""
        return self.folder / ".toolkit"

    def refuse_links(self) -> None:
        """Demand that the environment, with everything in its folder, lies in the project itself; see `toolkit.files`.

        Providers are left out, which Terraform links from a mirror and compares with the lock file.

        Raises:
            ToolkitError: Something is a symbolic link, or a pipe, a device or a socket.
        """
        refuse_links(self.project, self.folder, self.project / "modules")
        for _ in plain_files(self.folder, skip=(".terraform", "providers")):
            pass

    @property
    def shown(self) -> str:
        """environment.yaml as errors and headers name it: relative to the project, with forward slashes."""
        return f"environments/{self.name}/environment.yaml"


@dataclass(frozen=True)
class Project:
    """A folder with environments/ (and, rendered HCL refers to it, modules/)."""

    root: Path

    @classmethod
    def find(cls, start: Path) -> Project:
        """The nearest folder at or above `start` that has environments/.

        Raises:
            ToolkitError: There is none.
        """
        found = cls.around(start)
        if found is None:
            raise ToolkitError(
                "not in a toolkit project: no environments/ here or in any folder above",
                where=str(start.resolve()),
                hint="`toolkit init DIR` lays out a project; -C DIR works in one elsewhere",
            )
        return found

    @classmethod
    def around(cls, start: Path) -> Project | None:
        """As `find`; None where there is none.

        Raises:
            UsageError: There is no such folder.
        """
        start = start.resolve()
        if not start.is_dir():
            raise UsageError("no such folder", where=str(start))
        folders = (start, *start.parents)
        return next((cls(folder) for folder in folders if (folder / "environments").is_dir()), None)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all environments, sorted.

        Raises:
            ToolkitError: environments/ is a symbolic link.
        """
        refuse_links(self.root, self.root / "environments")
        found = (f.parent.name for f in (self.root / "environments").glob("*/environment.yaml"))
        return tuple(sorted(name for name in found if ENVIRONMENT_NAME.match(name)))

    def environment(self, name: str) -> EnvironmentPaths:
        """The paths of an existing environment.

        Raises:
            UsageError: No environment has that name.
            ToolkitError: Something in it is a symbolic link or no file.
        """
        found = self.paths(name) if ENVIRONMENT_NAME.match(name) else None
        if found is None or name not in self.names:
            raise no_environment(name, self.names)
        return found

    def paths(self, name: str) -> EnvironmentPaths:
        """The paths an environment of that name has or would have.

        Raises:
            UsageError: The name could leave its folder or is no name.
            ToolkitError: It is there, and something in it is a symbolic link or no file.
        """
        if not ENVIRONMENT_NAME.match(name):
            raise UsageError(
                f"{name!r} is not an environment name",
                hint="expected 1 to 64 of a-z, 0-9, - and _, starting and ending with a letter or digit",
            )
        found = EnvironmentPaths(self.root, name)
        found.refuse_links()
        return found

    @property
    def modules(self) -> Path:
        """The project's modules/, which rendered HCL refers to."""
        return self.root / "modules"
