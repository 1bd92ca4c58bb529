"""Finds the Terraform or OpenTofu executable and learns what it is.

In: a name or path and the environment to search. Out: a `Binary`, new enough for what the rendered HCL uses.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from toolkit.errors import ToolkitError
from toolkit.releases import known_bad
from toolkit.variables import admit

MINIMUM = (1, 10)
"""First release of either product whose S3 backend locks without DynamoDB (`use_lockfile`)."""

_INSTALL = (
    "Install Terraform >= 1.10 (https://developer.hashicorp.com/terraform/install) or OpenTofu >= 1.10 "
    "(https://opentofu.org/docs/intro/install/) and put it on PATH, or name its path."
)
_SECONDS = 30


@dataclass(frozen=True)
class Binary:
    """An executable that was asked for its version."""

    path: Path
    product: Literal["terraform", "opentofu"]
    version: str


def find_binary(name: str | None, environ: Mapping[str, str]) -> Binary:
    """The executable called `name` ("terraform", "tofu", or a path), looked up on the PATH of `environ`.

    None is terraform, or tofu where only that is there. A saved plan records which one made it, so that the other never
    applies it.

    Raises:
        ToolkitError: It is absent, not executable, neither Terraform nor OpenTofu, older than 1.10, or a Terraform
            that `toolkit.releases` refuses.
    """
    environ = admit(environ)
    path = _locate(name or _default(environ), environ)
    try:
        answer = subprocess.run(
            [path, "version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
            # As for the commands to come: a version manager must choose the same one. TF_CLI_ARGS is not among it.
            env={**environ, "CHECKPOINT_DISABLE": "1"},
        )
    except subprocess.TimeoutExpired as error:
        raise ToolkitError(f"`version` gave no answer in {_SECONDS} s", where=str(path), hint=_INSTALL) from error
    except OSError as error:
        raise ToolkitError(f"cannot be run: {error.strerror}", where=str(path), hint=_INSTALL) from error
    # Plain `version`, because the JSON does not tell OpenTofu from Terraform. Warnings may stand before the line.
    found = re.search(r"^(Terraform|OpenTofu) v(\d+)\.(\d+)\.(\S+)", answer.stdout, re.MULTILINE)
    if found is None:
        raise ToolkitError("is neither Terraform nor OpenTofu", where=str(path), hint=_INSTALL)
    product, major, minor, rest = found.groups()
    version = f"{major}.{minor}.{rest}"
    if (int(major), int(minor)) < MINIMUM:
        raise ToolkitError(
            f"{product} {version} is too old: 1.10 or newer is needed for state locking in S3",
            where=str(path),
            hint=_INSTALL,
        )
    bad = known_bad(version) if product == "Terraform" else None
    if bad and bad.refused:
        raise ToolkitError(
            f"Terraform {version} {bad.effect} ({bad.source})",
            where=str(path),
            hint=f"Install another release: {bad.instead}.",
        )
    return Binary(path, "terraform" if product == "Terraform" else "opentofu", version)


def _default(environ: Mapping[str, str]) -> str:
    search = environ.get("PATH", os.defpath)
    only_tofu = shutil.which("terraform", path=search) is None and shutil.which("tofu", path=search) is not None
    return "tofu" if only_tofu else "terraform"


def _locate(name: str, environ: Mapping[str, str]) -> Path:
    if os.sep in name:
        path = Path(name).expanduser()
        if not path.is_file():
            raise ToolkitError("no such file", where=name, hint=_INSTALL)
        if not os.access(path, os.X_OK):
            raise ToolkitError("is not executable", where=name, hint=f"Run `chmod +x {name}`, or name another binary.")
        return path.resolve()
    on_path = shutil.which(name, path=environ.get("PATH", os.defpath))
    if on_path is None:
        other = {"terraform": "tofu", "tofu": "terraform"}.get(name)
        there = other and shutil.which(other, path=environ.get("PATH", os.defpath))
        also = f" `{other}` is there: choose it in the environment's `terraform` settings." if there else ""
        raise ToolkitError(f"`{name}` is not on PATH", hint=_INSTALL + also)
    return Path(on_path)
