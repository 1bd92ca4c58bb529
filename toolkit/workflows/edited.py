"""environment.yaml as commands edit it: read as it is, shown as a diff, and written whole or not at all.

In: an environment's paths. Out: bytes, and the file. For `adopt`, `release` and `audit --fix`, which hold the lock
while they do.
"""

from __future__ import annotations

from difflib import unified_diff

from toolkit.environment import Environment
from toolkit.environment.source import MAX_BYTES
from toolkit.errors import RefusedError, ToolkitError, UsageError
from toolkit.files import read_regular, write_atomically
from toolkit.interrupts import report, uninterrupted
from toolkit.paths import EnvironmentPaths, Project
from toolkit.workflows.render import render_environments
from toolkit.workflows.workspace import Access


def refuse_trying_out(environment: Environment, access: Access, hint: str) -> None:
    """Refuse to edit a real account's file by what the embedded AWS has: ids, values and states have no place there.

    Raises:
        UsageError: That is asked for.
    """
    if access.sandbox and environment.simulator is None:
        raise UsageError(
            f"environments/{environment.name} is for a real account: nothing of the embedded AWS is written into its "
            "environment.yaml",
            hint=hint,
        )


def read_file(paths: EnvironmentPaths) -> bytes:
    """The file as it is.

    Raises:
        ToolkitError: It cannot be read.
    """
    try:
        return read_regular(paths.file, MAX_BYTES + 1)
    except OSError as e:
        raise ToolkitError(f"cannot be read: {e.strerror}", where=paths.shown) from e


def diff_of(paths: EnvironmentPaths, before: bytes, after: bytes) -> str:
    """What an edit changes, as a unified diff; empty where that is nothing."""
    old, new = (one.decode("utf-8-sig").splitlines(keepends=True) for one in (before, after))
    return "".join(unified_diff(old, new, f"a/{paths.shown}", f"b/{paths.shown}", n=1))


def require_unedited(paths: EnvironmentPaths, read: bytes) -> None:
    """Demand that the file is still what was read before it is overwritten.

    Raises:
        ToolkitError: Somebody has edited it meanwhile; nothing was written.
    """
    if read_file(paths) != read:
        raise ToolkitError("was edited meanwhile; nothing was written", where=paths.shown, hint="run it again")


def write_file(paths: EnvironmentPaths, content: bytes) -> None:
    """Replace the file; its permissions stay."""
    with uninterrupted():
        write_atomically(paths.file, content, mode=paths.file.stat().st_mode & 0o777)
        report(f"{paths.shown} is changed")


def write_agreed(project: Project, paths: EnvironmentPaths, before: bytes, after: bytes, *, agreed: bool) -> None:
    """Replace what was read by what was agreed to, and render it.

    Raises:
        RefusedError: It was not agreed to; nothing was written.
        ToolkitError: Somebody has edited the file meanwhile, and nothing was written; or it cannot be rendered.
    """
    if not agreed:
        raise RefusedError("not approved; nothing was written", where=paths.shown)
    require_unedited(paths, before)
    with uninterrupted():
        write_file(paths, after)
        render_environments(project, (paths.name,), dry=False)
