"""The user's repository: which commit a folder is at, and the files of another commit.

In: a folder. Out: commits and ids of files. Reads only, and no network: what a partial clone lacks is not fetched.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import ToolkitError, UsageError, or_meant
from toolkit.variables import kept


def checkout(folder: Path, *inside: str) -> tuple[str | None, bool]:
    """Commit of the checkout, and whether any of these paths differs from it; (None, False) outside of git.

    Args:
        folder: In the checkout.
        *inside: Paths that start at the folder.
    """
    try:
        commit = _git(folder, "rev-parse", "HEAD").decode().strip()
        status = _git(folder, "status", "--porcelain", "--", *inside)
    except (OSError, subprocess.SubprocessError):
        return None, False
    return commit, bool(status.strip())


def tree(folder: Path) -> str | None:
    """Id of the tree of the checkout's commit, which every commit with the same files has; None outside of git."""
    try:
        return _git(folder, "rev-parse", "HEAD^{tree}").decode().strip()
    except (OSError, subprocess.SubprocessError):
        return None


def known_tree(folder: Path) -> str:
    """The same, where it must be known.

    Raises:
        ToolkitError: git does not say; the error has its answer.
    """
    return _answer(folder, "rev-parse", "HEAD^{tree}").decode().strip()


@dataclass(frozen=True)
class Commit:
    """The files that a folder had at a commit."""

    folder: Path
    ref: str
    """How the user calls it."""
    id: str
    files: Mapping[str, str]
    """Path from the folder, with forward slashes → the id of its content."""

    def id_of(self, content: bytes) -> str:
        """The id that git gives this content: the digest of a blob (git-hash-object(1)), by the repository's hash."""
        algorithm = "sha1" if len(self.id) == _SHA1_LENGTH else "sha256"
        return hashlib.new(algorithm, b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()

    def read(self, path: str) -> bytes:
        """The content of one of `files`.

        Raises:
            ToolkitError: The clone does not have it.
        """
        return _answer(self.folder, "cat-file", "blob", self.files[path])

    def ignores(self, path: str) -> bool:
        """Whether .gitignore and its like say that a path is never committed."""
        try:
            _git(self.folder, "check-ignore", "--quiet", "--", path)
        except (OSError, subprocess.SubprocessError):
            return False
        return True


_SHA1_LENGTH = 40


def commit_of(folder: Path, ref: str, *inside: str) -> Commit:
    """The commit that a name means, with the files that some folders had at it.

    Args:
        folder: In the checkout.
        ref: A branch, tag, commit id, or anything else of gitrevisions(7).
        *inside: Paths that start at the folder: only files below these are listed.

    Raises:
        UsageError: The folder is in no repository, or nothing there has that name.
        ToolkitError: git is not installed, does not trust the repository, or lacks a part of it.
    """
    try:
        shallow = _answer(folder, "rev-parse", "--is-shallow-repository").decode().strip() == "true"
    except _GitError as e:
        if "not a git repository" not in e.answer:
            raise
        raise UsageError(
            "not in a git repository, so there is no commit to compare with",
            where=str(folder),
            hint="work in a clone of the project's repository; without git, name the environments",
        ) from e
    try:
        # A name that begins with a dash would be an option.
        commit = (
            b"" if ref.startswith("-") else _answer(folder, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        )
    except _GitError:
        commit = b""
    if not commit:
        names = _answer(folder, "for-each-ref", "--format=%(refname:short)").decode(errors="replace").split()
        raise UsageError(
            f"the repository has no commit {ref!r}{or_meant(ref, names)}",
            where=str(folder),
            hint="this is a shallow clone, without older commits and other branches: fetch the whole history (in a "
            "pipeline, `fetch-depth: 0` of actions/checkout)"
            if shallow
            else "expected a branch, a tag or the id of a commit, like origin/main; `git fetch` gets new ones",
        )
    id_ = commit.decode().strip()
    listed = _answer(folder, "ls-tree", "-r", "-z", id_, "--", *inside).decode(errors="surrogateescape")
    files = {}
    for entry in filter(None, listed.split("\0")):
        # "100644 blob ID<tab>PATH"
        described, _, path = entry.partition("\t")
        files[path] = described.split()[2]
    for path in inside:
        if path in files:
            raise UsageError(
                f"{path} is a submodule, a link or a file at {ref}: the files in it are not in this repository",
                where=str(folder),
                hint="name the environments, or select them by their labels",
            )
    return Commit(folder, ref, id_, files)


class _GitError(ToolkitError):
    """git refused."""

    def __init__(self, folder: Path, answer: str) -> None:
        self.answer = answer
        super().__init__("git cannot read the repository", where=str(folder), detail=answer)


def _answer(folder: Path, *arguments: str) -> bytes:
    try:
        return _git(folder, *arguments)
    except FileNotFoundError as e:
        raise ToolkitError("git is not installed, or not on PATH", hint="install git") from e
    except subprocess.TimeoutExpired as e:
        raise ToolkitError(f"git did not answer within {e.timeout:.0f} seconds", where=str(folder)) from e
    except subprocess.CalledProcessError as e:
        raise _GitError(folder, e.stderr.decode(errors="replace").strip()) from e


def _git(folder: Path, *arguments: str) -> bytes:
    # Within a hook, GIT_DIR names the repository of the hook, which may be another one. Words as git is written in, for
    # those that are looked for.
    environ = kept(os.environ) | {"LC_ALL": "C", "GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0"}
    command = ["git", *arguments]
    return subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=60, env=environ
    ).stdout
