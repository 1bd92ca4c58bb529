"""Facts of stories that cost minutes, kept with the digests of everything that they rest on.

A story runs Terraform and says what it found, as JSON; tests assert on that. tests/kept/NAME.json has the facts of the
last run, and a digest of each input at that time. While all digests are those of the tree, the tests assert on the
kept facts; where one differs, the story runs, and with UPDATE_APPLIED=1 (`make kept`) what it finds is kept. RUN_KEPT=1
(`make soak`) always runs it, and where no digest differs it must find the same facts: otherwise it rests on something
that has no digest.

Only stories about HCL and the embedded AWS are kept. What is rendered has a digest, not the Python that renders it; so
have modules/, the test and its helpers, Terraform, the provider, each pinned package, and of the toolkit's Python the
folders that compute the facts with all that these import. tests/unit/test_kept.py says why the others have none.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

from toolkit.environment import load_text
from toolkit.files import write_atomically
from toolkit.rendering.render import render
from toolkit.terraform.mirror import choose

ROOT = Path(__file__).parents[1]
_CACHES = re.compile(r"\.terraform|\.toolkit|__pycache__|.*\.(pyc|tfstate.*)$")
_IMPORT = re.compile(r"^\s*(?:from|import) toolkit\b(?:.*\(\n[^)]*|.*)", re.M)


def rendered(name: str, text: str) -> str:
    """What the toolkit renders from an environment file, as one text."""
    return json.dumps(dict(render(load_text(text, name=name, shown_as=name))), sort_keys=True)


def versions(root: Path = ROOT) -> str | None:
    """Of all programs and packages that take part; None where the provider's is not known before Terraform runs."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_", "TOOLKIT_"))}  # as stories have it
    mirror = choose(None, plain).mirror
    if mirror is None or shutil.which("terraform") is None:
        return None
    providers = sorted(p.name for p in (mirror / "registry.terraform.io" / "hashicorp" / "aws").iterdir())
    command = ["terraform", "version", "-json"]
    told = subprocess.run(command, env={**plain, "CHECKPOINT_DISABLE": "1"}, capture_output=True, check=True).stdout
    installed = {_named(one.metadata["Name"]): one.version for one in metadata.distributions()}
    pinned = re.findall(r"^([\w.-]+)(?:\[.*?\])?==", (root / "requirements" / "dev.txt").read_text("utf-8"), re.M)
    found = [json.loads(told)["terraform_version"], *providers, f"Python {sys.version_info[:2]}"]
    found += [f"{name} {installed.get(_named(name))}" for name in pinned]
    return "\n".join([*found, f"newest: {os.environ.get('NEWEST_TERRAFORM')}"])


def _named(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def sealed(digests: Mapping[str, str], facts: Any) -> dict[str, Any]:
    """A record; two that git merged line by line into one have no seal that fits: nobody ran that."""
    text = json.dumps([digests, facts], sort_keys=True)
    return {"digests": digests, "facts": facts, "seal": sha256(text.encode()).hexdigest()}


@dataclass(frozen=True)
class Kept:
    """A story whose facts are kept in tests/kept/NAME.json, with what they rest on."""

    name: str
    files: Sequence[str]
    """Files and folders, the test and its helpers among them."""
    without: Sequence[str] = ()
    """Names of files and folders, at any depth of those, that it does not rest on."""
    toolkit: Sequence[str] = ()
    """Folders of the toolkit that compute its facts; what they import is added, and every module without a folder."""
    more: Callable[[], Mapping[str, str]] = dict
    """Makes other texts, by what they are."""
    root: Path = ROOT

    @property
    def record(self) -> Path:
        return self.root / "tests" / "kept" / f"{self.name}.json"

    def digests(self) -> dict[str, str] | None:
        """Input → its digest; None where one of them is not known."""
        if (programs := versions(self.root)) is None:
            return None
        texts = {"versions of programs and packages": programs.encode()}
        texts |= {what: text.encode() for what, text in self.more().items()}
        texts |= {name: b"".join(self._files(name, self.without)) for name in self.files}
        for name in self.imported():
            kind = "toolkit/*.py" if name.endswith(".py") else f"toolkit/{name}"
            texts[kind] = texts.get(kind, b"") + b"".join(self._files(f"toolkit/{name}"))
        return {name: sha256(text).hexdigest()[:32] for name, text in sorted(texts.items())}

    def imported(self) -> list[str]:
        """What the story rests on in toolkit/: folders, and each module that is in none."""
        found: set[str] = set()
        folder = self.root / "toolkit"
        new = {*self.toolkit, *(p.name for p in folder.glob("*.py") if p.name != "__main__.py")} if self.toolkit else ()
        while new:
            found |= set(new)
            code = b"".join(part for name in new for part in self._files(f"toolkit/{name}")).decode("utf-8", "replace")
            named = re.findall(r"\w+", " ".join(_IMPORT.findall(code)))
            new = {name for name in named if (folder / name).is_dir()} - found
        return sorted(found)

    def _files(self, name: str, without: Sequence[str] = ()) -> Iterator[bytes]:
        """Name, size and content of each file; a file that is not there is an error."""
        path = self.root / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            inner = file.relative_to(path).parts or (path.name,)
            if file.is_dir() or any(part in without or _CACHES.match(part) for part in inner):
                continue
            content = file.read_bytes()
            yield f"\n{'/'.join(inner)} {len(content)}\n".encode()
            yield content

    def facts(self, run: Callable[[], Any], *, whole: bool = True) -> Any:
        """The kept facts, or those that `run` finds now: kept are those of a whole story that did not fail (`exit`)."""
        now = self.digests()
        kept = json.loads(self.record.read_text("utf-8")) if self.record.exists() else {"digests": {}, "facts": None}
        same = now is not None and kept == sealed(now, kept["facts"])
        if same and not os.environ.get("RUN_KEPT"):
            return kept["facts"]
        found = json.loads(json.dumps(run()))
        whole = whole and not (isinstance(found, dict) and found.get("exit"))
        if os.environ.get("UPDATE_APPLIED") and whole:
            assert now is not None, "the version of the provider is not known before Terraform runs: use a mirror"
            assert now == self.digests(), "something changed while the story ran: run it again"
            self.record.parent.mkdir(exist_ok=True)
            # Several workers may tell one story.
            write_atomically(self.record, json.dumps(sealed(now, found), indent=1, sort_keys=True) + "\n")
        elif same and whole:
            assert found == kept["facts"], f"{self.record.name}: other facts, and no digest differs"
        elif now is not None:
            other = sorted(n for n in now.keys() | kept["digests"] if now.get(n) != kept["digests"].get(n))
            warnings.warn(
                f"{self.record.name} is of another {', '.join(other) or 'run'}; renew it: make kept", stacklevel=2
            )
        return found
