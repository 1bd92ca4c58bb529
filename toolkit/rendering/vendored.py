"""The project's copy of the toolkit's modules: what differs from those that this version ships.

In: the project's modules/. Out: names of files, relative to it, with forward slashes. Writes nothing.
"""

from __future__ import annotations

import filecmp
import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from toolkit.paths import data_dir
from toolkit.rendering.tree import CODE


def is_own(modules: Path) -> bool:
    """Whether the project has no copy, but the toolkit's modules themselves (a clone of the toolkit)."""
    return modules.resolve() == data_dir("modules").resolve()


def different(modules: Path) -> tuple[str, ...]:
    """Files that the toolkit ships and that are missing or other ones in the project."""
    shipped = data_dir("modules")
    names = (name for module in shipped.iterdir() if module.is_dir() for name in _code(shipped, module.name))
    return tuple(
        name
        for name in sorted(names)
        if not ((modules / name).is_file() and filecmp.cmp(shipped / name, modules / name, shallow=False))
    )


def unexpected(modules: Path, components: Iterable[str]) -> tuple[str, ...]:
    """Files in these components' modules that Terraform reads and the toolkit does not ship, and links to folders.

    A link's content is in no digest: it could change after the review. Modules of other names are the project's own.
    """
    if is_own(modules):
        return ()
    shipped = data_dir("modules")
    found = (name for component in components for name in {*_code(modules, component)} - {*_code(shipped, component)})
    return tuple(sorted(found))


def _code(modules: Path, component: str) -> Iterator[str]:
    """Terraform's files of a module and of those in it, tests apart; folders that are links, as `NAME/`."""
    top = modules / component
    if top.is_symlink():
        yield f"{component}/"
        return
    for folder, inner, files in os.walk(top):
        here = Path(folder).relative_to(modules).as_posix()
        inner[:] = [name for name in inner if name not in (".terraform", "tests")]
        yield from (f"{here}/{name}/" for name in inner if (Path(folder) / name).is_symlink())
        yield from (f"{here}/{name}" for name in files if any(fnmatchcase(name, pattern) for pattern in CODE))
