"""Writing files so that nobody ever sees half of one, and telling whether they are still the same."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from toolkit.errors import UNWRITABLE

_PROBE = 64 << 10


def write_atomically(file: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    """Replace `file` in one step: whole old content or whole new content, also after a crash.

    Args:
        file: The target; its folder must exist.
        content: Text (written as UTF-8, line ends untouched) or bytes.
        mode: Permission bits of the result.

    Raises:
        OSError: It cannot be written; the old file is as it was.
    """
    data = content.encode() if isinstance(content, str) else content
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(mode)
        temporary.replace(file)
    except BaseException as e:
        temporary.unlink(missing_ok=True)
        if isinstance(e, OSError) and e.filename is None:
            e.filename = str(file)  # a full disk answers a write without naming the file
        raise


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


def digests(root: Path, files: Iterable[Path]) -> dict[str, str]:
    """Files' names (relative to `root`, with forward slashes) → SHA-256 of their contents."""
    return {file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def digest(files: Mapping[str, str]) -> str:
    """SHA-256 over what `digests` gave, whatever the order and the checkout path."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{len(name)}:{name}:{files[name]}\n".encode())
    return total.hexdigest()
