"""A copy of an environment's rendered files, beside them, that Terraform plans instead.

In: an environment's paths. Out: paths whose rendered files are in a folder of this run alone, from where modules/ is as
far away. The copy goes with the run; what killed runs left goes with the next one, since the caller has a lock.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import ToolkitError
from toolkit.files import refuse_links
from toolkit.interrupts import uninterrupted
from toolkit.paths import EnvironmentPaths


@dataclass(frozen=True)
class Trial(EnvironmentPaths):
    """An environment whose rendered files are in a folder beside `rendered`."""

    place: Path

    @property
    def rendered(self) -> Path:
        """environments/NAME/.adopt-…, of this run alone."""
        return self.place


@contextlib.contextmanager
def trial(paths: EnvironmentPaths, prefix: str) -> Iterator[Trial]:
    """A copy of the rendered files that goes with the run; of killed runs, too: the caller has the only one's lock.

    Args:
        paths: The environment's.
        prefix: How the folder's name begins; .gitignore has it.

    Raises:
        ToolkitError: It cannot be made, or something in the environment's folder is a symbolic link.
    """
    refuse_links(paths.project, paths.folder)
    for left in paths.folder.glob(f"{prefix}*"):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
    paths.refuse_links()
    place = None
    with contextlib.ExitStack() as made:
        try:
            with uninterrupted():
                place = Path(tempfile.mkdtemp(prefix=prefix, dir=paths.folder))  # 0700 by definition
                made.callback(uninterrupted()(shutil.rmtree), place, ignore_errors=True)
            if paths.rendered.is_dir():
                shutil.copytree(paths.rendered, place, symlinks=True, dirs_exist_ok=True)
        except OSError as e:
            raise ToolkitError(
                f"a copy of the rendered files cannot be made: {e.strerror or e}",
                where=str(place or paths.folder),
                hint="Terraform plans in a copy in the environment's folder: it must be writable and the disk not full",
            ) from e
        yield Trial(paths.project, paths.name, place)
