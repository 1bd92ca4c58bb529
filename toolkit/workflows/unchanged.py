"""What proves that an environment's rendered files are what rendering would write, without rendering it.

In: a project, and what earlier commands proved: digests of all that went into a rendering, and of what came out. Out:
whether both still hold. The files of the environment are read and hashed each time, the rendered ones as well: only the
work between the two is left out. What differs in any way is rendered anew.

The proofs are in `.toolkit/` of the project, which is never committed. A file there is used only by the user who wrote
it, where and when it was written: one that came with a commit, an archive or a copy is as if there was none, and so is
one that is damaged or that others could write.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from toolkit import __version__
from toolkit.environment import Environment
from toolkit.environment.companions import companion_text
from toolkit.environment.load import read_text
from toolkit.errors import ToolkitError
from toolkit.files import digest, digests, refuse_links
from toolkit.paths import Project, data_dir
from toolkit.rendering.render import RenderedTree
from toolkit.rendering.tree import as_on_disk, digest_on_disk

_WORTH_IT = 8
"""Environments from which on reading the toolkit's own files takes less than rendering."""
_MAX_BYTES = 64 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_LIBRARIES = ("jinja2", "markupsafe", "pydantic", "pydantic-core", "pyyaml")
"""What rendering is made with besides the toolkit."""


@dataclass(frozen=True)
class Proof:
    """What went into a rendering that left nothing to change, and what came out."""

    inputs: str
    """Digest of the environment's name, its file and those beside it that it names."""
    companions: tuple[str, ...]
    """The names of those."""
    rendered: str
    """Digest of the files that were rendered."""


@dataclass(frozen=True)
class Unchanged:
    """The proofs of a project's environments."""

    project: Project
    basis: str
    """Digest of what goes into every rendering: the toolkit with its templates, modules and lists, its libraries,
    Python, and the day, by which dates in an environment file are judged."""
    known: Mapping[str, Proof]

    @classmethod
    def of(cls, project: Project, count: int) -> Unchanged | None:
        """The project's proofs; None where they are not worth it.

        Args:
            project: Whichever.
            count: Of environments that are rendered.
        """
        if count < _WORTH_IT:
            return None
        basis = _basis()
        return cls(project, basis, _known(_file(project), basis))

    def proof(self, name: str) -> Proof | None:
        """What proves that rendering the environment would change nothing; None where nothing does.

        Raises:
            ToolkitError: Something in the environment is a symbolic link or no file.
        """
        proof = self.known.get(name)
        if proof is None:
            return None
        paths = self.project.environment(name)
        try:
            files = {companion: companion_text(companion, paths.folder) for companion in proof.companions}
            inputs = _inputs(name, read_text(paths.file, paths.shown), files)
            return proof if inputs == proof.inputs and digest_on_disk(paths.rendered) == proof.rendered else None
        except (ToolkitError, ValueError):
            return None  # rendering finds it, too, and says what it is

    def prove(self, environment: Environment, tree: RenderedTree) -> Proof | None:
        """The proof for the next time; None where there is something to warn of, which is then said again."""
        if environment.newer:
            return None
        inputs = _inputs(environment.name, environment.text, environment.files)
        return Proof(inputs, tuple(environment.files), as_on_disk(tree))

    def remember(self, found: Mapping[str, Proof | None]) -> None:
        """Keep the proofs for the next command, if that can be; those of environments that are gone are dropped."""
        latest = {**self.known, **found}
        kept = {name: proof for name in self.project.names if (proof := latest.get(name)) is not None}
        if kept != self.known:
            # Nothing depends on it: the next command takes longer.
            with contextlib.suppress(OSError, ToolkitError):
                _write(_file(self.project), self.project, self.basis, kept)


def _inputs(name: str, text: str, files: Mapping[str, str]) -> str:
    own = {f"environments/{name}/environment.yaml": text, **{f"beside/{file}": files[file] for file in files}}
    return digest({file: hashlib.sha256(content.encode()).hexdigest() for file, content in own.items()})


def _basis() -> str:
    package = Path(__file__).parents[1]
    total = hashlib.sha256(repr((__version__, sys.version, date.today().isoformat())).encode())
    for library in _LIBRARIES:
        total.update(f"{library} {importlib.metadata.version(library)}\n".encode())
    for root in (package, data_dir("templates"), data_dir("modules")):
        total.update(digest(digests(root, _installed(root), follow=True)).encode())
    return total.hexdigest()


def _installed(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root, followlinks=True):
        folders[:] = [name for name in folders if name not in ("__pycache__", "_data", "tests", ".terraform")]
        yield from (Path(folder, name) for name in files if Path(folder, name).is_file())


def _file(project: Project) -> Path:
    return project.root / ".toolkit" / "rendered.json"


def _known(file: Path, basis: str) -> dict[str, Proof]:
    """Proofs in a file that this user wrote there; none where anything about it is unexpected."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            found = os.fstat(descriptor)
            own = found.st_uid == os.geteuid() and not found.st_mode & 0o077 and found.st_nlink == 1
            if not own or not stat.S_ISREG(found.st_mode) or found.st_size > _MAX_BYTES:
                return {}
            data = json.loads(stream.read(_MAX_BYTES))
        if data["written"] != _identity(found) or data["basis"] != basis:
            return {}
        return {name: _proof(entry) for name, entry in data["environments"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _proof(entry: dict[str, Any]) -> Proof:
    proof = Proof(entry["inputs"], tuple(entry["companions"]), entry["rendered"])
    if not all(_DIGEST.match(one) for one in (proof.inputs, proof.rendered)) or len(entry) != 3:
        raise ValueError("not a digest")
    if not all(isinstance(name, str) for name in proof.companions):
        raise ValueError("not the name of a file")
    return proof


def _identity(found: os.stat_result) -> list[int]:
    """What a file has only where and when it was written: no commit or archive brings it."""
    return [found.st_dev, found.st_ino, found.st_mtime_ns]


def _write(file: Path, project: Project, basis: str, proofs: Mapping[str, Proof]) -> None:
    refuse_links(project.root, file)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    temporary = file.parent / f".{secrets.token_hex(8)}.new"
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            now = time.time_ns()
            os.utime(descriptor, ns=(now, now))
            written = _identity(os.fstat(descriptor))  # as fine as this file system keeps times
            data = {"written": written, "basis": basis, "environments": {n: asdict(p) for n, p in proofs.items()}}
            stream.write(json.dumps(data).encode())
            stream.flush()
            os.utime(descriptor, ns=(now, now))
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
