"""Reports of a plan, as `--report FORMAT=FILE` asks for them.

In: what the option said, later the plan's view. Out: files, each whole or not there. What the option says is checked
before anything is planned, and a report of an earlier plan does not outlive that moment: if planning fails, somebody
could take it for the new one. What is not recognisably such a report is never touched.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import ToolkitError, UsageError, or_meant
from toolkit.files import write_atomically
from toolkit.reports.registry import FORMATS
from toolkit.reports.view import PlanView

_STDOUT = 1
_DEVICES = {"-": _STDOUT, "/dev/stdout": _STDOUT, "/dev/stderr": 2}
_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/([0-9]{1,6})")
_OWN = re.compile(r"\.(?:tf|tofu|tfvars)(?:\.json)?$|\.tfstate|\.tfbundle$|\.hcl$|^environment\.ya?ml$", re.IGNORECASE)
"""Names that Terraform or the toolkit reads: a report in such a place would be taken for a state, a bundle, a file of
the configuration."""
_OWN_FOLDERS = frozenset({".toolkit", ".terraform", ".git"})
_LARGEST = 64 << 20
"""Bytes up to which a file is looked at: several hundred times the report of a large plan."""


@dataclass(frozen=True)
class Target:
    """One report to write."""

    format: str
    """A name in FORMATS."""
    file: Path | None
    """None for an open stream."""
    descriptor: int = _STDOUT
    """The stream, where there is no file."""

    @property
    def printed(self) -> bool:
        """Whether it takes standard output."""
        return self.file is None and self.descriptor == _STDOUT


def targets(given: Iterable[str], *, out: Path | None = None, as_json: bool = False) -> tuple[Target, ...]:
    """The reports that `FORMAT=FILE` options ask for; earlier reports in their places are deleted.

    Args:
        given: The options.
        out: Where the same command saves a bundle.
        as_json: Whether the same command prints JSON on standard output.

    Raises:
        UsageError: No such format, no such folder, two reports for one place, or something that is not a report there;
            nothing was deleted.
    """
    found: list[Target] = []
    for option in given:
        target = _target(option)
        if any(_same(target, other) for other in found):
            raise UsageError(f"--report {option}: another report is written there", hint="give each a file of its own")
        if out is not None and target.file is not None and target.file.resolve() == out.resolve():
            raise UsageError(f"--report {option}: the plan bundle is saved there", hint="give each a file of its own")
        if as_json and target.printed:
            raise UsageError(
                f"--report {option}: --json writes to standard output already", hint="give the report a file"
            )
        found.append(target)
    for target in found:
        if target.file is not None and _size(target.file):
            target.file.unlink()
    return tuple(found)


def write_reports(view: PlanView, wanted: Iterable[Target]) -> tuple[tuple[str, str], ...]:
    """Write the reports, files first.

    Returns:
        The text for standard output, if one is, and what becomes of letters that it cannot encode (toolkit.visible),
        for the CLI to print.

    Raises:
        ToolkitError: A file cannot be written.
    """
    printed = []
    for target in wanted:
        # A lone surrogate cannot be written as UTF-8; its escape, which is JSON's too, can.
        content = FORMATS[target.format].render(view).encode("utf-8", "backslashreplace")
        if target.printed:
            printed.append((content.decode(), FORMATS[target.format].errors))
            continue
        try:
            if target.file is not None:
                _write_file(target.format, target.file, content)
            else:
                with os.fdopen(os.dup(target.descriptor), "wb") as stream:
                    stream.write(content)
        except OSError as e:
            where = str(target.file) if target.file is not None else f"/dev/fd/{target.descriptor}"
            raise ToolkitError(f"the {target.format} report cannot be written: {e.strerror}", where=where) from e
    return tuple(printed)


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
    descriptor = _DEVICES.get(file)
    if match := _DESCRIPTOR.fullmatch(file):
        descriptor = int(match[1])
    if descriptor is not None:
        if problem := _unusable(descriptor):
            raise UsageError(f"--report {option}: {problem}", hint="name a file, or - for standard output")
        return Target(name, None, descriptor)
    path = Path(file)
    if path.is_dir() or file.endswith(os.sep):
        raise UsageError(f"--report {option}: a folder, not a file", hint=f"for example {name}={path / 'plan'}.{name}")
    if not path.parent.is_dir():
        raise UsageError(f"--report {option}: no folder {path.parent}", hint="create it first")
    if problem := _in_the_way(name, path):
        raise UsageError(
            f"--report {option}: {problem}",
            hint=f"name another file; only an empty one, or an earlier {name} report, is replaced",
        )
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"--report {option}: {path.parent} cannot be written to", hint="choose another place")
    return Target(name, path)


def _unusable(descriptor: int) -> str | None:
    """Why a report cannot be written to a descriptor; None where it can."""
    try:
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        given = os.get_inheritable(descriptor)
    except OSError:
        return f"descriptor {descriptor} is not open"
    # What this process has opened itself (a lock, a log) is not inherited by others, and was not inherited by it.
    if not given:
        return f"descriptor {descriptor} is not one that this command was started with"
    return f"descriptor {descriptor} is open for reading only" if flags & os.O_ACCMODE == os.O_RDONLY else None


def _in_the_way(name: str, path: Path) -> str | None:
    """Why a report must not be written to a path; None where nothing would be lost by it."""
    place = path.parent.resolve() / path.name
    if _OWN.search(path.name) or _OWN_FOLDERS.intersection(place.parts):
        return "Terraform or toolkit keeps files of its own under such a name"
    try:
        info = path.lstat()
    except FileNotFoundError:
        return None
    except OSError as e:
        return str(e.strerror)
    if stat.S_ISLNK(info.st_mode):
        return "a symbolic link is there"
    if not stat.S_ISREG(info.st_mode):
        return "a device, pipe or socket is there"
    if info.st_size == 0:
        return None
    if info.st_size > _LARGEST:
        return f"a file exists that is not a {name} report of this toolkit"
    try:
        # A file that is no UTF-8 is no report; what stands for its bytes then makes it none.
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError as e:
        return f"a file is there that cannot be read ({e.strerror})"
    return None if FORMATS[name].recognises(text) else f"a file exists that is not a {name} report of this toolkit"


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _same(one: Target, other: Target) -> bool:
    if one.file is None or other.file is None:
        return one.file is other.file and one.descriptor == other.descriptor
    return one.file.resolve() == other.file.resolve()


def _write_file(name: str, file: Path, content: bytes) -> None:
    # Once more: what has come there since the options were checked is as little to be lost.
    if problem := _in_the_way(name, file):
        raise ToolkitError(f"the {name} report cannot be written: {problem}", where=str(file))
    # An empty file as mktemp makes it is nobody else's to read, and stays so.
    mode = stat.S_IMODE(file.stat().st_mode) if file.exists() else None
    write_atomically(file, content, mode=mode)
