"""A rendered tree on disk: compared, shown as a diff, written.

In: RenderedTree and the folder rendered/. Out: the same files in the folder, each written atomically. Overwrites and
deletes only what carries the generated-file header; what a person put there stays and is reported.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from toolkit.errors import ToolkitError
from toolkit.files import plain_files, read_regular, write_atomically
from toolkit.rendering.render import HEADERS, RenderedTree

CODE = ("*.tf", "*.tf.json", "*.tofu", "*.tofu.json")
"""Files of a module that Terraform or OpenTofu reads; for the latter, x.tofu even stands in for x.tf."""

TESTS = ("*.tftest.hcl", "*.tftest.json", "*.tofutest.hcl", "*.tofutest.json")
"""Files of a root module and of its tests/ whose modules `init` fetches, from wherever they say."""

READ = (*CODE, *TESTS, "*.auto.tfvars", "*.auto.tfvars.json", "terraform.tfvars", "terraform.tfvars.json")
"""Files of a root module that they read unasked."""


@dataclass(frozen=True)
class FileChange:
    """One file that differs from what is rendered now."""

    name: str
    old: str | None
    """Content on disk; None where the file is new."""
    new: str | None
    """Content rendered now; None where the file is no longer rendered."""

    @property
    def action(self) -> str:
        """ "create", "update" or "delete"."""
        return "create" if self.old is None else "delete" if self.new is None else "update"

    def diff(self, folder: str) -> str:
        """Unified diff, as `git diff` would show it."""
        name = f"{folder}/{self.name}"
        lines = difflib.unified_diff(
            (self.old or "").splitlines(keepends=True),
            (self.new or "").splitlines(keepends=True),
            "/dev/null" if self.old is None else f"a/{name}",
            "/dev/null" if self.new is None else f"b/{name}",
        )
        return "".join(lines)


def compare(tree: RenderedTree, folder: Path) -> tuple[FileChange, ...]:
    """What writing `tree` to `folder` would change, sorted by name.

    Raises:
        ToolkitError: A file in the way is not generated, Terraform would read one that nobody rendered, or something
            is a symbolic link or no file.
    """
    others = foreign(tree, folder)
    changes = []
    for name, new in tree.items():
        file = folder / name
        old = _read(file) if file.exists() else None
        if old is not None and not old.startswith(HEADERS):
            raise ToolkitError(
                "not a generated file, but rendering would write one of this name",
                where=str(file),
                hint="move it away; your own Terraform belongs in a separate root module",
            )
        if old != new:
            changes.append(FileChange(name, old, new))
    for file in _generated(folder):
        if file.name not in tree:
            changes.append(FileChange(file.name, _read(file), None))
    if others:
        raise ToolkitError(
            f"rendered/ contains Terraform files that are not generated: {', '.join(others)}",
            where=str(folder),
            hint="move it out: Terraform would apply it with the baseline, though environment.yaml does not say so",
        )
    return tuple(sorted(changes, key=lambda c: c.name))


def foreign(tree: RenderedTree, folder: Path) -> tuple[str, ...]:
    """Names of files in `folder` that nobody generated but Terraform or OpenTofu would load.

    Raises:
        ToolkitError: Something in it is a symbolic link, or a pipe or device.
    """
    names = [file.relative_to(folder).as_posix() for file in plain_files(folder)]
    read = [n for n in names if "/" not in n and any(fnmatchcase(n, pattern) for pattern in READ)]
    tests = [n for n in names if n.startswith("tests/") and any(fnmatchcase(n, pattern) for pattern in TESTS)]
    # Rendering deletes what it once wrote; a header in any other kind of file is somebody's copy of it.
    ours = {*tree, *(file.name for file in _generated(folder))}
    return tuple(sorted(name for name in (*read, *tests) if name not in ours))


def write(changes: tuple[FileChange, ...], folder: Path) -> None:
    """Carry out `compare`'s changes; new content first, deletions last.

    Raises:
        ToolkitError: A file cannot be written; files before it are written, each whole.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for change in changes:
            if change.new is not None:
                write_atomically(folder / change.name, change.new)
        for change in changes:
            if change.new is None:
                (folder / change.name).unlink()
    except OSError as e:
        raise ToolkitError(f"cannot write: {e.strerror}", where=e.filename or str(folder)) from e


def _generated(folder: Path) -> Iterator[Path]:
    for file in sorted((*folder.glob("*.tf"), *folder.glob("*.md"))):
        if file.is_file() and _read(file).startswith(HEADERS):
            yield file


def _read(file: Path) -> str:
    try:
        # Bytes: to Python every kind of line end is the same, to HCL a lone CR ends no comment.
        return read_regular(file, follow=False).decode("utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise ToolkitError(f"cannot be read: {e}", where=str(file)) from e
