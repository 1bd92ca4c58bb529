"""Runs the unit tests on every supported Python that this machine has: `make pythons`.

    .venv/bin/python scripts/pythons.py                 tests/unit on each
    .venv/bin/python scripts/pythons.py -k iam          arguments are pytest's

Each has an environment of its own, build/pythons/3.N, with the dependencies of requirements/dev.txt; delete it after
they change. A Python is looked for on PATH and among those of pyenv.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
MINORS = (11, 12, 13)
"""Of Python 3: the oldest is that of `requires-python`, the newest the last on which the tests were run."""

_IS_ONE = "import ensurepip, sys, venv; print(*sys.version_info[:2], sep='.')"


def find(minor: int, environ: Mapping[str, str]) -> Path | None:
    """Python 3.`minor`, if there is one that runs and can make virtual environments."""
    for candidate in _candidates(minor, environ):
        try:
            done = subprocess.run([candidate, "-c", _IS_ONE], capture_output=True, text=True, check=False, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.stdout.strip() == f"3.{minor}":  # a shim of pyenv is there, too, for a version that is not chosen
            return candidate
    return None


def _candidates(minor: int, environ: Mapping[str, str]) -> Iterator[Path]:
    name = f"python3.{minor}"
    on_path = shutil.which(name, path=environ.get("PATH", os.defpath))
    if on_path:
        yield Path(on_path)
    pyenv = Path(environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/3.{minor}.*/bin/{name}"), reverse=True)


def missing(minor: int) -> str:
    """Why nothing is run with Python 3.`minor`, for people."""
    return f"Python 3.{minor} is not on this machine (looked on PATH and in pyenv)"


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0, or 1 where tests failed on one of them."""
    results = {}
    for minor in MINORS:
        python = find(minor, os.environ)
        if python is None:
            results[minor] = f"skipped: {missing(minor)}"
            continue
        folder = REPOSITORY / "build" / "pythons" / f"3.{minor}"
        if not (folder / ".ready").is_file():
            command = [REPOSITORY / ".ci" / "setup", folder, "requirements/dev.txt"]
            subprocess.run(command, env={**os.environ, "PYTHON": str(python)}, check=True)
        done = subprocess.run([folder / "bin" / "pytest", "tests/unit", *arguments], cwd=REPOSITORY, check=False)
        results[minor] = "passed" if done.returncode == 0 else f"FAILED with exit code {done.returncode}"
    for minor, result in results.items():
        sys.stdout.write(f"Python 3.{minor}: {result}\n")
    return int(any(result.startswith("FAILED") for result in results.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
