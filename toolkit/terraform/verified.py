"""Provider packages that Terraform has just verified, and need not read whole again for the next command.

Terraform hashes every package (700 MB for the AWS provider, half a second) at the start of every command, and compares
with the checksums in .terraform.lock.hcl. `show` of a plan that this process has just made starts the same packages. If
their files are still the very same, so is what was verified: no file's content changes without its inode or its time of
change, which nobody can set. Terraform itself relies on less within one command, which may last an hour: it verifies at
the start, and starts a provider several times.

In: Terraform's data folder and the lock file. Out: something to compare later, and a lock file without checksums, with
which Terraform does not look.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_CHECKSUMS = re.compile(r"^ *hashes = \[\n(?: *\"[^\"\n]*\",\n)+ *\]\n", re.MULTILINE)
_PROVIDER = re.compile(r"^provider ", re.MULTILINE)


@dataclass(frozen=True)
class Packages:
    """What was verified, if the command that began after this was taken succeeded."""

    lock: str
    """Text of the lock file."""
    files: tuple[tuple[str, tuple[int, ...]], ...]
    """(path, (device, inode, size, time of modification, time of change)) of every file; times in nanoseconds."""

    @property
    def lock_without_checksums(self) -> str:
        """The lock file with the same providers and versions."""
        return _CHECKSUMS.sub("", self.lock)


def packages(data: Path, lock: Path) -> Packages | None:
    """The packages as they are now; None where it cannot be told that Terraform verifies every one of them.

    Args:
        data: Terraform's data folder (TF_DATA_DIR).
        lock: The root's .terraform.lock.hcl.
    """
    try:
        text = lock.read_bytes().decode()
        found = []
        # HOST/NAMESPACE/TYPE/VERSION/PLATFORM, which may be a link into a mirror.
        for package in sorted((data / "providers").glob("*/*/*/*/*")):
            for folder, _, names in os.walk(package.resolve(strict=True), onerror=_give_up):
                for name in sorted(names):
                    file = Path(folder) / name
                    s = file.stat()
                    found.append((str(file), (s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns)))
    except (OSError, UnicodeDecodeError):
        return None
    if not found or len(_CHECKSUMS.findall(text)) != len(_PROVIDER.findall(text)):
        return None
    return Packages(text, tuple(found))


def _give_up(error: OSError) -> None:
    raise error
