"""Writes the values that fleet.yaml shares into environment files.

In: a project and names of environments. Out: for each, what was written, and what a person wrote otherwise, which stays
(toolkit.fleet.written). A file that would be wrong with the values is left as it is, and is an error of its environment
alone. No AWS call, no Terraform.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from toolkit.environment import load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.environment.source import Data
from toolkit.environment.splice import SYNCED, Path
from toolkit.environment.text import decoded
from toolkit.errors import ToolkitError, UsageError, or_meant
from toolkit.fleet.settings import FILE_NAME, load_settings
from toolkit.fleet.written import KEPT, Merged, Value, merge, origins
from toolkit.paths import EnvironmentPaths, Project
from toolkit.typed import dotted
from toolkit.visible import joined_lines, shortened
from toolkit.workflows.edited import diff_of, read_file, require_unedited, write_file
from toolkit.workflows.scratch import only_one

_WHENCE = f"from {FILE_NAME}"


@dataclass(frozen=True)
class Synced:
    """One environment's file."""

    environment: str
    file: str
    """As errors name it."""
    values: tuple[Value, ...] = ()
    diff: str = ""
    """What was, or would be, written; empty where that is nothing."""
    no_longer_shared: tuple[str, ...] = ()
    """Settings that an earlier sync wrote, and that stay."""
    error: ToolkitError | None = None
    """Why nothing was written."""


def sync(project: Project, names: Sequence[str], *, dry: bool, overwrite: Collection[str] = ()) -> tuple[Synced, ...]:
    """Write the shared values into environment files.

    Args:
        project: The project.
        names: Of environments.
        dry: Only find out what would be written.
        overwrite: Settings, as dotted paths, that are written whoever wrote what is there.

    Raises:
        UsageError: fleet.yaml shares nothing, or not what `overwrite` says.
        ToolkitError: fleet.yaml is wrong, or cannot be read.
    """
    shared = load_settings(project.root).shared
    if not shared:
        raise UsageError(
            "no shared values", where=FILE_NAME, hint="write them under `shared` (docs/many-environments.md)"
        )
    known = {dotted(path): path for path in shared}
    for setting in overwrite:
        if setting not in known:
            raise UsageError(
                f"--overwrite: {setting!r} is not shared" + or_meant(setting, tuple(known)),
                where=FILE_NAME,
                hint=f"shared: {shortened(tuple(known))}",
            )
    chosen = tuple(known[setting] for setting in overwrite)
    return tuple(_one(project, name, shared, chosen, dry=dry) for name in names)


def _one(project: Project, name: str, shared: Mapping[Path, Data], overwrite: Collection[Path], *, dry: bool) -> Synced:
    shown = f"environments/{name}/environment.yaml"
    try:
        paths = project.environment(name)
        with contextlib.nullcontext() if dry else only_one(paths, "fleet sync"):
            raw = read_file(paths)
            merged = merge(raw, shared, mark=SYNCED, whence=_WHENCE, where=shown, overwrite=overwrite)
            _check(paths, raw, merged)
            if not dry and merged.content != raw:
                require_unedited(paths, raw)
                write_file(paths, merged.content)
    except ToolkitError as e:
        return Synced(name, shown, error=e)
    earlier = (path for path, whose in origins(raw).items() if whose == "synced" and path not in shared)
    return Synced(name, shown, merged.values, diff_of(paths, raw, merged.content), tuple(dotted(p) for p in earlier))


def _check(paths: EnvironmentPaths, raw: bytes, merged: Merged) -> None:
    """Demand that the file is right with the values.

    Raises:
        ToolkitError: It is not, be it because of them or without them.
    """
    try:
        _load(paths, merged.content)
    except EnvironmentFileError as e:
        problems = e.problems
    else:
        return
    _load(paths, raw)
    raise ToolkitError(
        "the shared values do not fit this environment; nothing was written into it",
        where=paths.shown,
        detail=joined_lines(map(str, problems)),
        hint=f"change them in {FILE_NAME}, or write a value of its own into this environment, below a comment "
        f"`{KEPT} REASON`",
    )


def _load(paths: EnvironmentPaths, raw: bytes) -> None:
    load_text(decoded(raw, paths.shown), name=paths.name, shown_as=paths.shown, folder=paths.folder)
