"""Bytes of a YAML file that people write → its text.

In: bytes, or a file, which need not be there. Out: the text without a byte order mark.
"""

from __future__ import annotations

from pathlib import Path

from toolkit.environment.source import MAX_BYTES
from toolkit.errors import ToolkitError
from toolkit.files import read_regular


def decoded(raw: bytes, where: str) -> str:
    """The text of a file's bytes.

    Args:
        raw: UTF-8, with or without a byte order mark.
        where: How errors name the file.

    Raises:
        ToolkitError: It is not UTF-8.
    """
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = raw.count(b"\n", 0, e.start) + 1
        raise ToolkitError("not UTF-8", where=f"{where}:{line}", hint="save the file as UTF-8") from e


def read(file: Path, where: str, *, usual: str) -> str | None:
    """The text of a file; None if it is not there.

    Args:
        file: The file.
        where: How errors name it.
        usual: How long such a file usually is, for the error about a larger one.

    Raises:
        ToolkitError: It cannot be read, is too large or not UTF-8.
    """
    try:
        raw = read_regular(file, MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as e:
        raise ToolkitError(f"cannot be read: {e.strerror}", where=where) from e
    if len(raw) > MAX_BYTES:
        raise ToolkitError(f"larger than {MAX_BYTES} bytes", where=where, hint=usual)
    return decoded(raw, where)
