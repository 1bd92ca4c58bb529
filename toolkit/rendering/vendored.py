"""The project's copy of the toolkit's modules: what differs from those that this version ships.

In: the project's modules/. Out: names of files, relative to it, with forward slashes. Writes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from toolkit.files import digests, plain_files
from toolkit.paths import data_dir
from toolkit.rendering.tree import CODE


def is_own(modules: Path) -> bool:
    """Whether the project has no copy, but the toolkit's modules themselves (a clone of the toolkit)."""
    return modules.resolve() == data_dir("modules").resolve()


def different(modules: Path) -> tuple[str, ...]:
    """Files that the toolkit ships and that are missing or other ones in the project.

    Raises:
        ToolkitError: Something in modules/ is a symbolic link, or a pipe or device.
    """
    if is_own(modules):
        return ()
    found = digests(modules, _untested(modules))
    shipped = digests(data_dir("modules"), _shipped(), follow=True)
    return tuple(sorted(name for name, digest in shipped.items() if found.get(name) != digest))


def unexpected(modules: Path) -> tuple[str, ...]:
    """Terraform in the modules that the toolkit ships, `shared/` among them, that it does not ship.

    Modules of other names are the project's own: nothing that is rendered calls them.

    Raises:
        ToolkitError: Something in modules/ is a symbolic link, or a pipe or device.
    """
    found = _code(modules, _untested(modules))
    if is_own(modules):
        return ()
    shipped = _code(data_dir("modules"), _shipped())
    tops = {name.partition("/")[0] for name in shipped}
    return tuple(sorted(name for name in found - shipped if name.partition("/")[0] in tops))


def _code(modules: Path, files: Iterable[Path]) -> set[str]:
    endings = tuple(pattern.removeprefix("*") for pattern in CODE)
    return {file.relative_to(modules).as_posix() for file in files if file.name.endswith(endings)}


def _untested(modules: Path) -> tuple[Path, ...]:
    """Every file but those of modules' own tests, which `init` leaves out: a project without them lacks nothing."""
    above = len(modules.parts)
    return tuple(file for file in plain_files(modules) if "tests" not in file.parts[above:])


def _shipped() -> Iterator[Path]:
    """The same of the installation, whose files may be links into a package manager's cache."""
    for folder, inner, names in os.walk(data_dir("modules")):
        inner[:] = [name for name in inner if name not in (".terraform", "tests")]
        yield from (file for file in map(Path(folder).joinpath, names) if file.is_file())
