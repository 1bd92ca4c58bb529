"""Files of a project: written whole or not at all, read only where they are what they seem, and told apart.

A project is reviewed as the files in it. So a symbolic link in it is refused wherever it leads: what lies behind it is
in no review, and may be another thing at the next command. Folders above the project may be links (as macOS's /tmp).
Hard links and bind mounts cannot be told from files and folders, and are not looked for.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from io import BufferedRandom, BufferedReader
from pathlib import Path

from toolkit.errors import UNWRITABLE, ToolkitError
from toolkit.interrupts import uninterrupted

LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that file managers put into folders people look at; neither Terraform nor a module of ours reads one."""

_PROBE = 64 << 10
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def write_atomically(file: Path, content: str | bytes, *, mode: int | None = None) -> None:
    """Replace `file` in one step: whole old content or whole new content, also after a crash.

    Args:
        file: The target; its folder must exist.
        content: Text (written as UTF-8, line ends untouched) or bytes.
        mode: Permission bits of the result; None for those of any new file, as the umask says.

    Raises:
        OSError: It cannot be written; the old file is as it was.
    """
    with written_atomically(file, mode=mode) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


def write_all_atomically(contents: Mapping[Path, str]) -> None:
    """Replace files as `write_atomically` does, the first when all are on the disk: one wait for it instead of many.

    Args:
        contents: Targets, whose folders must exist → their texts.

    Raises:
        OSError: One cannot be written; each file is its whole old or its whole new content.
    """
    waiting = []
    try:
        for file, content in contents.items():
            temporary = _temporary(file)
            descriptor = os.open(temporary, _NEW, 0o666)
            stream = os.fdopen(descriptor, "wb")
            waiting.append((stream, temporary, file))
            stream.write(content.encode())
            stream.flush()
        for stream, _, target in waiting:
            file = target
            os.fsync(stream.fileno())
            stream.close()
        with uninterrupted():  # all of them, once all can be
            for _, temporary, file in waiting:
                temporary.replace(file)
    except BaseException as e:
        for stream, temporary, _ in waiting:
            with contextlib.suppress(OSError):
                stream.close()
            temporary.unlink(missing_ok=True)
        if isinstance(e, OSError) and e.filename is None:
            e.filename = str(file)
        raise


@contextlib.contextmanager
def written_atomically(file: Path, *, mode: int | None = None, replace: bool = True) -> Iterator[BufferedRandom]:
    """As `write_atomically`, for content that is written piece by piece; nothing is replaced if that fails half-way.

    Args:
        file: The target; its folder must exist.
        mode: As there.
        replace: False where nothing may be replaced, also what appears while this one is written.

    Raises:
        FileExistsError: `replace` is False, and something is there.
        OSError: It cannot be written; the old file is as it was.
    """
    temporary = _temporary(file)
    descriptor = os.open(temporary, _NEW, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(descriptor, "w+b") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if mode is not None:
            temporary.chmod(mode)
        if replace:
            temporary.replace(file)
        else:
            _publish(temporary, file)
    except BaseException as e:
        temporary.unlink(missing_ok=True)
        if isinstance(e, OSError) and e.filename is None:
            e.filename = str(file)  # a full disk answers a write without naming the file
        raise


_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


def _temporary(file: Path) -> Path:
    """A name that nobody can have prepared, and that fits where the file's own does."""
    return file.parent / f".{secrets.token_hex(8)}.new"


def _publish(temporary: Path, file: Path) -> None:
    """Give a file its name if that is free, in one step: a rename would replace what has it.

    Raises:
        FileExistsError: It is not.
    """
    try:
        os.link(temporary, file, follow_symlinks=False)
    except FileExistsError:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(file)) from None
    except OSError:  # a file system without hard links
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
        try:
            temporary.replace(file)
        except BaseException:
            file.unlink()
            raise
    else:
        temporary.unlink()


def why_unwritable(folder: Path) -> OSError | None:
    """What the operating system answers who writes there: full, over quota or read-only; None where it takes more."""
    try:
        with tempfile.TemporaryFile(dir=folder) as stream:
            stream.write(bytes(_PROBE))
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as e:
        return OSError(e.errno, e.strerror, str(folder)) if e.errno in UNWRITABLE else None
    return None


def read_regular(file: Path, limit: int = -1, *, follow: bool = True) -> bytes:
    """Content of a regular file, of which anything else would be a wait without end (a pipe, a terminal) or no content.

    Args:
        file: What to read.
        limit: Bytes at most; the rest is not read.
        follow: False where the file itself must be no symbolic link.

    Raises:
        OSError: It is not there or cannot be read, or is something else, which `strerror` then names.
    """
    with open_regular(file, follow=follow) as stream:
        return stream.read(limit)


@contextlib.contextmanager
def open_regular(file: Path, *, follow: bool = True) -> Iterator[BufferedReader]:
    """The same for content that is read piece by piece.

    Raises:
        OSError: As there.
    """
    _require_regular(file.stat() if follow else file.lstat(), file)
    # Looked at once more when it is open: it may be another one by now. O_NONBLOCK, since opening a pipe waits as well.
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
    with os.fdopen(descriptor, "rb") as stream:
        _require_regular(os.fstat(descriptor), file)
        yield stream


def _require_regular(found: os.stat_result, file: Path) -> None:
    if stat.S_ISREG(found.st_mode):
        return
    if stat.S_ISLNK(found.st_mode):
        raise OSError(errno.ELOOP, "a symbolic link, not a file", str(file))
    kind = next((words for test, words in _KINDS if test(found.st_mode)), "something else")
    raise OSError(errno.EISDIR if stat.S_ISDIR(found.st_mode) else errno.EINVAL, f"{kind}, not a file", str(file))


def refuse_links(root: Path, *inside: Path) -> None:
    """Demand that no step from a project's folder to any of these paths is a symbolic link.

    Args:
        root: The project's folder; it and the folders above it may be links.
        inside: Paths below it; what is not there is no link.

    Raises:
        ToolkitError: One is; the error names it and where it leads.
    """
    for path in inside:
        step = root
        for name in path.relative_to(root).parts:
            step /= name
            if step.is_symlink():
                raise _link(step)


def plain_files(folder: Path, skip: Collection[str] = (".terraform",)) -> Iterator[Path]:
    """Every file in a folder of a project and in the folders in it, sorted by path.

    Args:
        folder: Where to look; nothing where it is not there.
        skip: Names of folders that are left out.

    Raises:
        ToolkitError: The folder is a symbolic link, or in it is one, or a pipe, a device or a socket; or a folder in it
            cannot be read.
    """
    if folder.is_symlink():
        raise _link(folder)
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    except OSError as e:
        raise ToolkitError(f"cannot be read: {e.strerror}", where=str(folder)) from e
    for entry in entries:
        path = folder / entry.name
        if entry.is_symlink():
            raise _link(path)
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in skip:
                yield from plain_files(path, skip)
        elif entry.is_file(follow_symlinks=False):
            yield path
        else:
            mode = entry.stat(follow_symlinks=False).st_mode
            kind = next((words for test, words in _KINDS if test(mode)), "something else")
            raise ToolkitError(
                f"{kind}, not a file", where=str(path), hint="move it out of the project: nothing here can read it"
            )


def _link(path: Path) -> ToolkitError:
    return ToolkitError(
        f"a symbolic link to {path.readlink()}",
        where=str(path),
        hint=f"an editor has unsaved changes of {path.name[2:]}: save it, or quit the editor"
        if path.name.startswith(".#")  # how Emacs marks a file that somebody edits
        else "put the file or folder itself there: a project must contain what is reviewed with it. To work in another "
        "checkout, name it with -C DIR",
    )


def digests(root: Path, files: Iterable[Path], *, follow: bool = False) -> dict[str, str]:
    """Files' names (relative to `root`, with forward slashes) → SHA-256 of their contents.

    Args:
        root: What the names start from.
        files: Files below it.
        follow: True for files of the installation, which package managers may link.

    Raises:
        ToolkitError: One cannot be read, is no regular file, or has a name that is not UTF-8.
    """
    found = {}
    for file in files:
        name = file.relative_to(root).as_posix()
        try:
            name.encode()
            with open_regular(file, follow=follow) as stream:
                found[name] = hashlib.file_digest(stream, "sha256").hexdigest()
        except UnicodeEncodeError as e:
            where = str(file).encode(errors="backslashreplace").decode()
            raise ToolkitError("a file name that is not UTF-8", where=where, hint="rename the file") from e
        except OSError as e:
            raise ToolkitError(f"cannot be read: {e.strerror}", where=str(file)) from e
    return found


def digest(files: Mapping[str, str]) -> str:
    """SHA-256 over what `digests` gave, whatever the order and the checkout path."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{len(name)}:{name}:{files[name]}\n".encode())
    return total.hexdigest()
