"""One process of the provider for a plan and for reading it, where Terraform would start four, one after the other.

Terraform can use a provider that it has not started (TF_REATTACH_PROVIDERS); this is how the tests of the AWS
provider themselves run. Such a process has one configuration: a second `provider` block would overwrite the first one's
(https://github.com/hashicorp/terraform-plugin-framework/issues/490), so a root with more than one never gets here. Nor
does an apply, which must not depend on a process that is ours.

Terraform does not verify what it has not started. So it is verified here, against the checksum in the lock file, before
it is started. The saved plan has that lock file as always, and an apply of it verifies as always.

In: Terraform's data folder, the root. Out: variables for Terraform, and a descriptor that it must inherit: the provider
ends with the last process that has it open, however that one ends.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolkit.terraform.data_folder import modules_file
from toolkit.terraform.process import end_group

VARIABLE = "TF_REATTACH_PROVIDERS"

_BLOCK = re.compile(r"\bprovider\s+(?:\"[^\"\n]*\"|[\w-]+)\s*\{")
_LOCKED = re.compile(r'^provider "(?P<address>[^"\n]+)" \{\n(?P<body>.*?)^\}', re.MULTILINE | re.DOTALL)
_CHECKSUM = re.compile(r'^ *"h1:([A-Za-z0-9+/=]+)",$', re.MULTILINE)
_SAID = re.compile(rf"^\s*{VARIABLE}='(\{{.*\}})'$", re.MULTILINE)
_START_SECONDS = 30.0
_END_SECONDS = 5.0
_POLL_SECONDS = 0.01
_WATCH = 'exec 3<&0; (read -r _ <&3; kill -INT $$) & exec "$0" -debug </dev/null 3<&-'
"""Beside the provider, a shell waits until no process has the other end of its standard input, then ends it."""


@dataclass(frozen=True)
class Attached:
    """A provider that runs."""

    environ: Mapping[str, str]
    """What Terraform needs besides its own environment."""
    descriptor: int
    """Terraform must inherit it."""


def executable(data: Path, root: Path) -> tuple[str, Path] | None:
    """Address and program of the only provider, verified, if one process of it can do all that the root needs.

    Args:
        data: Terraform's data folder, in which `init` has put providers and the list of modules.
        root: The root module, with its lock file.
    """
    try:
        blocks = 0
        for folder in _folders(data, root):
            for file in folder.iterdir():
                if file.name.endswith((".tf.json", ".tofu", ".tofu.json")):
                    return None
                if file.name.endswith(".tf"):
                    blocks += len(_BLOCK.findall(file.read_text("utf-8")))
        [locked] = _LOCKED.finditer((root / ".terraform.lock.hcl").read_text("utf-8"))
        [package] = (data / "providers").glob("*/*/*/*/*")
        address, kind = locked["address"], locked["address"].rpartition("/")[2]
        [program] = package.glob(f"terraform-provider-{kind}_*")
        if blocks != 1 or str(package.relative_to(data / "providers")).rsplit("/", 2)[0] != address:
            return None
        known = _CHECKSUM.findall(locked["body"])
        return (address, program) if known and _checksum(package.resolve(strict=True)) in known else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _folders(data: Path, root: Path) -> set[Path]:
    """Of the root and every module that is called; Terraform notes none down where none is called."""
    noted = modules_file(data)
    called = json.loads(noted.read_text("utf-8"))["Modules"] if noted.exists() else ()
    return {root, *(Path(os.path.normpath(root / module["Dir"])) for module in called)}


def _checksum(package: Path) -> str:
    """What Terraform calls h1 (golang.org/x/mod/sumdb/dirhash, Hash1)."""
    files = {}
    for folder, _, names in os.walk(package, onerror=_give_up):
        for name in names:
            with (file := Path(folder) / name).open("rb") as stream:
                files[file.relative_to(package).as_posix()] = hashlib.file_digest(stream, "sha256").hexdigest()
    lines = "".join(f"{files[name]}  {name}\n" for name in sorted(files))
    return base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode()


def _give_up(error: OSError) -> None:
    raise error


@contextlib.contextmanager
def attached(address: str, program: Path, root: Path, environ: Mapping[str, str]) -> Iterator[Attached | None]:
    """While this lasts, the provider runs; None where it does not start, and Terraform has to start its own.

    Args:
        address: As the lock file has it.
        program: The provider, verified.
        root: Where Terraform would start it.
        environ: Terraform's environment, which it would get.
    """
    reader, writer = os.pipe()
    with tempfile.TemporaryFile() as out:
        try:
            # What it logs may hold secrets, and in this mode it logs everything.
            process = subprocess.Popen(
                ["/bin/sh", "-c", _WATCH, str(program)],
                cwd=root,
                env={**environ, "TF_LOG_SDK": "OFF", "TF_LOG_PROVIDER": "OFF"},
                stdin=reader,
                stdout=out,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                umask=0o077,
            )
        except OSError:
            os.close(writer)
            yield None
            return
        finally:
            os.close(reader)
        try:
            said = _said(out.fileno(), process)
            usable = said is not None and list(json.loads(said)) == [address]
            yield Attached({VARIABLE: str(said)}, writer) if usable else None
        finally:
            if process.poll() is not None:
                end_group(process.pid)  # what waits must not signal a number that another process may have by now
            os.close(writer)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_SECONDS)
            end_group(process.pid)
            process.wait()


def _said(out: int, process: subprocess.Popen[bytes]) -> str | None:
    """What the provider says Terraform must know; None where it ended or took too long."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        found = _SAID.search(os.pread(out, 1 << 16, 0).decode("utf-8", "replace"))
        if found or ended:
            return found[1] if found else None
        time.sleep(_POLL_SECONDS)
    return None
