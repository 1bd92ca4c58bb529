"""Reports of a plan or an audit, as `--report FORMAT=FILE` asks for them.

In: what the option said, later the plan or audit. Out: files, each whole or not there. What the option says is checked
before anything is planned or read, and an earlier report does not outlive that moment: if the command fails, somebody
could take it for the new one. What is not recognisably such a report is never touched.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Generic, TypeVar

from toolkit.errors import ToolkitError, UsageError, or_meant
from toolkit.files import read_regular, write_atomically
from toolkit.reports.format import Format

Subject = TypeVar("Subject")
_STDOUT = 1
_DEVICES = {"-": _STDOUT, "/dev/stdout": _STDOUT, "/dev/stderr": 2}
_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/([0-9]{1,6})")
_OWN = re.compile(r"\.(?:tf|tofu|tfvars)(?:\.json)?$|\.tfstate|\.tfbundle$|\.hcl$|^environment\.ya?ml$", re.IGNORECASE)
"""Names that Terraform or the toolkit reads: a report in such a place would be taken for a state, a bundle, a file of
the configuration."""
_OWN_FOLDERS = frozenset({".toolkit", ".terraform", ".git"})
_BEGINNING = 4 << 20
"""Bytes of a file that are read: every format says in its beginning what it is, however large a report is."""


@dataclass(frozen=True)
class Target(Generic[Subject]):
    """One report to write."""

    name: str
    """That of the format."""
    format: Format[Subject]
    file: Path | None
    """None for an open stream."""
    descriptor: int = _STDOUT
    """The stream, where there is no file."""

    @property
    def printed(self) -> bool:
        """Whether it takes standard output."""
        return self.file is None and self.descriptor == _STDOUT


def targets(
    formats: Mapping[str, Format[Subject]],
    given: Iterable[str],
    *,
    taken: Mapping[Path, str] = MappingProxyType({}),
    as_json: bool = False,
) -> tuple[Target[Subject], ...]:
    """The reports that `FORMAT=FILE` or `FILE` options ask for; earlier reports in their places are deleted.

    Args:
        formats: Name → format; where only a file is named, its ending says which.
        given: The options.
        taken: Files that the same command reads or writes otherwise → what each is, for the error.
        as_json: Whether the same command prints a document on standard output (--json, --format).

    Raises:
        UsageError: No such format, no such folder, two reports for one place, or something that is not a report there;
            nothing was deleted.
    """
    found: list[Target[Subject]] = []
    for option in given:
        target = _target(formats, option)
        if any(_same(target, other) for other in found):
            raise UsageError(f"--report {option}: another report is written there", hint="give each a file of its own")
        for file, what in taken.items():
            if target.file is not None and target.file.resolve() == file.resolve():
                raise UsageError(f"--report {option}: {what}", hint="give each a file of its own")
        if as_json and target.printed:
            raise UsageError(
                f"--report {option}: --json or --format writes to standard output already",
                hint="give the report a file",
            )
        found.append(target)
    for target in found:
        if target.file is not None and _size(target.file):
            target.file.unlink()
    return tuple(found)


def write_reports(subject: Subject, wanted: Iterable[Target[Subject]]) -> tuple[tuple[str, str], ...]:
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
        content = target.format.render(subject).encode("utf-8", "backslashreplace")
        if target.printed:
            printed.append((content.decode(), target.format.errors))
            continue
        try:
            if target.file is not None:
                _write_file(target, target.file, content)
            else:
                with os.fdopen(os.dup(target.descriptor), "wb") as stream:
                    stream.write(content)
        except OSError as e:
            where = str(target.file) if target.file is not None else f"/dev/fd/{target.descriptor}"
            raise ToolkitError(f"the {target.name} report cannot be written: {e.strerror}", where=where) from e
    return tuple(printed)


def _target(formats: Mapping[str, Format[Subject]], option: str) -> Target[Subject]:
    name, file = _named(formats, option)
    known = formats[name]
    descriptor = _DEVICES.get(file)
    if match := _DESCRIPTOR.fullmatch(file):
        descriptor = int(match[1])
    if descriptor is not None:
        if problem := _unusable(descriptor):
            raise UsageError(f"--report {option}: {problem}", hint="name a file, or - for standard output")
        return Target(name, known, None, descriptor)
    path = Path(file)
    if path.is_dir() or file.endswith(os.sep):
        raise UsageError(
            f"--report {option}: a folder, not a file", hint=f"for example {name}={path / 'report'}{known.endings[0]}"
        )
    if not path.parent.is_dir():
        raise UsageError(f"--report {option}: no folder {path.parent}", hint="create it first")
    if problem := _in_the_way(name, known, path):
        raise UsageError(
            f"--report {option}: {problem}",
            hint=f"name another file; only an empty one, or an earlier {name} report, is replaced",
        )
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"--report {option}: {path.parent} cannot be written to", hint="choose another place")
    return Target(name, known, path)


def _named(formats: Mapping[str, Format[Subject]], option: str) -> tuple[str, str]:
    """Format and file of an option; of several endings that fit, the longest names the format (`x.sarif.json`)."""
    hint = f"formats: {', '.join(formats)}"
    name, separator, file = option.partition("=")
    if not separator:
        fits = [
            (len(ending), name)
            for name, one in formats.items()
            for ending in one.endings
            if option.lower().endswith(ending)
        ]
        if fits:
            return max(fits)[1], option
    if not separator or not file:
        endings = ", ".join(ending for one in formats.values() for ending in one.endings)
        raise UsageError(
            f"--report {option!r} is not FORMAT=FILE, nor a file whose ending names a format",
            hint=f"for example markdown=report.md; {hint}; endings: {endings}",
        )
    if name not in formats:
        raise UsageError(f"--report {option}: no format {name!r}" + or_meant(name, tuple(formats)), hint=hint)
    return name, file


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


def _in_the_way(name: str, known: Format[Subject], path: Path) -> str | None:
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
    try:
        # A file that is no UTF-8 is no report; what stands for its bytes then makes it none.
        text = read_regular(path, _BEGINNING, follow=False).decode("utf-8", "replace")
    except OSError as e:
        return f"a file is there that cannot be read ({e.strerror})"
    article = "an" if name.startswith(("a", "html", "o")) else "a"
    return None if known.recognises(text) else f"a file exists that is not {article} {name} report of this toolkit"


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _same(one: Target[Subject], other: Target[Subject]) -> bool:
    if one.file is None or other.file is None:
        return one.file is other.file and one.descriptor == other.descriptor
    return one.file.resolve() == other.file.resolve()


def _write_file(target: Target[Subject], file: Path, content: bytes) -> None:
    # Once more: what has come there since the options were checked is as little to be lost.
    if problem := _in_the_way(target.name, target.format, file):
        raise ToolkitError(f"the {target.name} report cannot be written: {problem}", where=str(file))
    # An empty file as mktemp makes it is nobody else's to read, and stays so.
    mode = stat.S_IMODE(file.stat().st_mode) if file.exists() else None
    write_atomically(file, content, mode=mode)
