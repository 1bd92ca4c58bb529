"""Reports of a plan, as `--report FORMAT=FILE` asks for them.

In: what the option said, later the plan's view. Out: files, each whole or not there. What the option says is checked
before anything is planned, and a report of an earlier plan does not outlive that moment: if planning fails, somebody
could take it for the new one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import ToolkitError, UsageError, or_meant
from toolkit.files import write_atomically
from toolkit.reports.registry import FORMATS
from toolkit.reports.view import PlanView


@dataclass(frozen=True)
class Target:
    """One report to write."""

    format: str
    """A name in FORMATS."""
    file: Path | None
    """None for standard output."""


def targets(given: Iterable[str]) -> tuple[Target, ...]:
    """The reports that `FORMAT=FILE` options ask for; regular files that stand in their places are deleted.

    Raises:
        UsageError: No such format, no such folder, or two reports for one place.
    """
    found: list[Target] = []
    for option in given:
        target = _target(option)
        if any(_same(target, other) for other in found):
            raise UsageError(
                f"--report {option}: another report goes there already", hint="give each a file of its own"
            )
        found.append(target)
    for target in found:
        if target.file is not None and target.file.is_file():
            target.file.unlink()
    return tuple(found)


def write_reports(view: PlanView, wanted: Iterable[Target]) -> str | None:
    """Write the reports.

    Returns:
        The one for standard output, for the CLI to print; None where none is.

    Raises:
        ToolkitError: A file cannot be written.
    """
    printed = None
    for target in wanted:
        # A lone surrogate cannot be written as UTF-8; its escape, which is JSON's too, can.
        content = FORMATS[target.format](view).encode("utf-8", "backslashreplace")
        if target.file is None:
            printed = content.decode()
            continue
        try:
            _write(target.file, content)
        except OSError as e:
            raise ToolkitError(
                f"the {target.format} report cannot be written: {e.strerror}", where=str(target.file)
            ) from e
    return printed


def _target(option: str) -> Target:
    name, separator, file = option.partition("=")
    known = ", ".join(FORMATS)
    if not separator or not file:
        raise UsageError(
            f"--report {option!r} is not FORMAT=FILE", hint=f"for example markdown=plan.md; formats: {known}"
        )
    if name not in FORMATS:
        raise UsageError(
            f"--report {option}: no format {name!r}" + or_meant(name, tuple(FORMATS)),
            hint=f"formats: {known}",
        )
    if file == "-":
        return Target(name, None)
    path = Path(file)
    if path.is_dir():
        raise UsageError(f"--report {option}: a folder, not a file", hint=f"for example {name}={path / 'plan'}.{name}")
    if not path.parent.is_dir():
        raise UsageError(f"--report {option}: no folder {path.parent}", hint="make it first")
    if not os.access(path if path.exists() and not path.is_file() else path.parent, os.W_OK):
        raise UsageError(f"--report {option}: {path.parent} cannot be written to", hint="choose another place")
    return Target(name, path)


def _same(one: Target, other: Target) -> bool:
    if one.file is None or other.file is None:
        return one.file is other.file
    return one.file.resolve() == other.file.resolve()


def _write(file: Path, content: bytes) -> None:
    if file.exists() and not file.is_file():
        # A pipe or a device, as a shell's >(command) gives: nothing that could be replaced.
        file.write_bytes(content)
    else:
        write_atomically(file, content)
