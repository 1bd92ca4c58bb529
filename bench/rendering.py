"""Rendering of 1,000 environments against the same of another commit, in turn, each as a process of its own.

    .venv/bin/python bench/rendering.py                  against the commit before many environments were made quick
    .venv/bin/python bench/rendering.py COMMIT COUNT     against another one, with so many environments

Both sides have the same Python and libraries, and start from the same files; both must write the same. Ratios are
printed pair by pair, of the elapsed and of the CPU time of all of a side's processes, with the peaks of memory.

Environments are those of a fleet: a few kinds of account, each with its own id, contacts and tags, so that no two files
are the same and each region, component and setting occurs.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from timed import Pairs, Run, cpu, in_turn, ratio, timed, wall

REPOSITORY = Path(__file__).resolve().parents[1]
BEFORE = "25cb69c"
"""The commit before many environments were made quick."""
ROUNDS = 3


def run(code: Path, *arguments: str) -> Run:
    """Run the toolkit of a checkout."""
    said = (
        f"import sys; sys.path.insert(0, {str(code)!r}); sys.argv[0] = 'toolkit'\n"
        f"import toolkit; assert toolkit.__file__.startswith({str(code)!r}), toolkit.__file__\n"
        "from toolkit.__main__ import main; main()\n"
    )
    return timed(sys.executable, "-c", said, *arguments, cwd=code)


def project(folder: Path, count: int) -> None:
    """A project of `count` environments.

    Args:
        folder: Where it is made.
        count: How many.
    """
    texts = [
        (REPOSITORY / "environments" / name / "environment.yaml").read_text("utf-8") for name in ("production", "small")
    ]
    for number in range(count):
        text = texts[number % 8 == 7]
        account = next(line for line in text.splitlines() if line.startswith("account_id")).split('"')[1]
        text = text.replace(account, f"{100_000_000_000 + number}").replace("platform@", f"team{number % 37}@")
        text = text.replace("minimum_password_length: 16", f"minimum_password_length: {14 + number % 20}")
        one = folder / "environments" / f"account-{number:04}"
        one.mkdir(parents=True)
        (one / "environment.yaml").write_text(text, "utf-8")


def rendered(folder: Path) -> str:
    """Digest of everything that was rendered."""
    total = hashlib.sha256()
    for file in sorted(folder.glob("environments/*/rendered/*")):
        total.update(f"{file.relative_to(folder)}\n".encode() + file.read_bytes())
    return total.hexdigest()


def show(name: str, pairs: Pairs) -> None:
    """How many times faster ours are than theirs."""
    print(f"{name:<30} elapsed {ratio(pairs, wall, faster=True)}")
    print(f"{'':<30} CPU     {ratio(pairs, cpu, faster=True)}")
    peaks = [max(pair[side].peak for pair in pairs) for side in (0, 1)]
    print(f"{'':<30} largest process {peaks[0]} against {peaks[1]} MiB", flush=True)


def compared(commit: str = BEFORE, count: int = 1000, rounds: int = ROUNDS) -> Iterator[tuple[str, Pairs]]:
    """The comparisons, one after the other.

    Args:
        commit: What is compared with.
        count: Number of environments.
        rounds: Pairs of each.
    """
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        before = root / "before"
        before.mkdir()
        archive = subprocess.run(
            ["git", "archive", commit, "toolkit", "templates", "modules"],
            cwd=REPOSITORY,
            check=True,
            capture_output=True,
        )
        subprocess.run(["tar", "-x", "-C", str(before)], input=archive.stdout, check=True)
        work = root / "project"
        project(work, count)

        def clean() -> None:
            for folder in work.glob("environments/*/rendered"):
                shutil.rmtree(folder)
            no_proofs()

        def no_proofs() -> None:
            (work / ".toolkit" / "rendered.json").unlink(missing_ok=True)

        def side(code: Path, *arguments: str, prepare: Callable[[], None] = lambda: None) -> Callable[[], Run]:
            def once() -> Run:
                prepare()
                return run(code, "-C", str(work), "render", *arguments)

            return once

        clean()
        run(before, "-C", str(work), "render")
        expected = rendered(work)
        clean()
        run(REPOSITORY, "-C", str(work), "render")
        if rendered(work) != expected:
            raise SystemExit("the two sides render different files")

        def pairs(theirs: Callable[[], Run], **ours: Callable[[], Run]) -> Iterator[tuple[str, Pairs]]:
            found = in_turn(rounds, **ours, theirs=theirs)
            return ((name, list(zip(found[name], found["theirs"], strict=True))) for name in ours)

        yield from pairs(
            side(before, "--check"),
            check_with_nothing_proven=side(REPOSITORY, "--check", prepare=no_proofs),
            check_with_all_proven=side(REPOSITORY, "--check"),
        )
        one = "account-0000"
        yield from pairs(side(before, one), render_of_one=side(REPOSITORY, one))
        yield from pairs(side(before, prepare=clean), render_from_nothing=side(REPOSITORY, prepare=clean))


def main(commit: str = BEFORE, count: str = "1000") -> None:
    """Print the report."""
    print(f"{count} environments, against {commit}; {len(os.sched_getaffinity(0))} processors, {ROUNDS} pairs")
    for name, pairs in compared(commit, int(count)):
        show(name.replace("_", " "), pairs)


if __name__ == "__main__":
    main(*sys.argv[1:])
