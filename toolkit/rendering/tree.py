"""A rendered tree on disk: compared, shown as a diff, written.

In: RenderedTree and the folder rendered/. Out: the same files in the folder, each written atomically. Overwrites and
deletes only what carries the generated-file header; what a person put there stays and is reported.
"""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from toolkit.errors import ToolkitError
from toolkit.files import digest, digests, plain_files, read_regular, write_all_atomically
from toolkit.interrupts import uninterrupted
from toolkit.rendering.render import HEADERS, RenderedTree

CODE = ("*.tf", "*.tf.json", "*.tofu", "*.tofu.json")
"""Files of a module that Terraform or OpenTofu reads; for the latter, x.tofu even stands in for x.tf."""

TESTS = ("*.tftest.hcl", "*.tftest.json", "*.tofutest.hcl", "*.tofutest.json")
"""Files of a root module and of its tests/ whose modules `init` fetches, from wherever they say."""

READ = (*CODE, *TESTS, "*.auto.tfvars", "*.auto.tfvars.json", "terraform.tfvars", "terraform.tfvars.json")
"""Files of a root module that they read unasked."""

_PAGES = "*.md"


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
    others, generated = _foreign(tree, folder)
    changes = []
    for name, new in tree.items():
        file = folder / name
        old = generated[name] if name in generated else _read(file) if file.exists() else None
        if old is not None and not old.startswith(HEADERS):
            raise ToolkitError(
                "not a generated file, but rendering would write one of this name",
                where=str(file),
                hint="move it away; your own Terraform belongs in a separate root module",
            )
        if old != new:
            changes.append(FileChange(name, old, new))
    changes += [FileChange(name, old, None) for name, old in generated.items() if name not in tree]
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
    return _foreign(tree, folder)[0]


def _foreign(tree: RenderedTree, folder: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    """The same, and what was found on the way: the generated files."""
    names = [name for name in _names(folder) if _loaded(name)]
    # Rendering deletes what it once wrote; a header in any other kind of file is somebody's copy of it.
    generated = _generated(folder)
    return tuple(sorted(name for name in names if name not in tree and name not in generated)), generated


def _names(folder: Path) -> list[str]:
    """Every file in `folder` and its folders: relative to it, with forward slashes."""
    start = len(folder.parts)
    return ["/".join(file.parts[start:]) for file in plain_files(folder)]


def _loaded(name: str) -> bool:
    """Whether Terraform or OpenTofu would load a file of that name, given relative to the root module."""
    patterns = READ if "/" not in name else TESTS if name.startswith("tests/") else ()
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def as_on_disk(tree: RenderedTree) -> str:
    """What `digest_on_disk` says where `compare` has nothing to change: a digest of everything that it looks at."""
    return digest({name: hashlib.sha256(text.encode()).hexdigest() for name, text in tree.items()})


def digest_on_disk(folder: Path) -> str:
    """Digest of all files in `folder` that `compare` looks at, so also of one that should not be there.

    Raises:
        ToolkitError: Something is a symbolic link or no file, or cannot be read.
    """
    names = [name for name in _names(folder) if _loaded(name) or ("/" not in name and fnmatchcase(name, _PAGES))]
    return digest(digests(folder, [folder / name for name in names]))


def write(changes: tuple[FileChange, ...], folder: Path) -> None:
    """Carry out `compare`'s changes; new content first, deletions last.

    Raises:
        ToolkitError: A file cannot be written; each is its whole old or its whole new content.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with uninterrupted():
            write_all_atomically({folder / change.name: change.new for change in changes if change.new is not None})
            for change in changes:
                if change.new is None:
                    (folder / change.name).unlink()
    except OSError as e:
        raise ToolkitError(f"cannot write: {e.strerror}", where=e.filename or str(folder)) from e


def _generated(folder: Path) -> dict[str, str]:
    """Name → content of each file that a rendering wrote, sorted by name."""
    files = sorted((*folder.glob("*.tf"), *folder.glob(_PAGES)))
    found = {file.name: _read(file) for file in files if file.is_file()}
    return {name: text for name, text in found.items() if text.startswith(HEADERS)}


def _read(file: Path) -> str:
    try:
        # Bytes: to Python every kind of line end is the same, to HCL a lone CR ends no comment.
        return read_regular(file, follow=False).decode("utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise ToolkitError(f"cannot be read: {e}", where=str(file)) from e
