"""Every module by itself: formatted, valid, and its own `terraform test` passes. No account, no simulator."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.provider5.record import newer_modules
from toolkit.terraform.mirror import cli_config

pytestmark = pytest.mark.terraform

REPOSITORY = Path(__file__).parents[2]
# Any folder with Terraform in it, so that a module which lacks a piece fails instead of being left out.
MODULES = sorted(
    {
        p.parent.relative_to(REPOSITORY / "modules")
        for p in (REPOSITORY / "modules").rglob("*.tf")
        if ".terraform" not in p.parts
    }
)
ADMITTING_5 = [m for m in MODULES if REPOSITORY / "modules" / m not in newer_modules()]
"""Those that the real provider can run here; tests/provider6 runs every one."""


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of modules/, since `terraform init` leaves files behind."""
    copy = tmp_path_factory.mktemp("modules") / "modules"
    shutil.copytree(REPOSITORY / "modules", copy, ignore=shutil.ignore_patterns(".terraform*"))
    return copy


@pytest.fixture(scope="session")
def environ(tmp_path_factory: pytest.TempPathFactory, chosen_terraform: dict[str, str]) -> dict[str, str]:
    """A clean clone's: nothing set but a CLI configuration that is not there; the toolkit finds the provider."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_", "TOOLKIT_"))}
    plain |= {"CHECKPOINT_DISABLE": "1", "AWS_EC2_METADATA_DISABLED": "true", "GOGC": "400"}
    plain["TF_CLI_CONFIG_FILE"] = str(REPOSITORY / "no-such-file")
    return plain | chosen_terraform | cli_config(None, plain, tmp_path_factory.mktemp("cli"))


def terraform(folder: Path, environ: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        ["terraform", *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, f"terraform {' '.join(arguments)} in {folder.name}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_there_are_modules():
    assert len(MODULES) >= 10


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_module_has_tests(module: Path):
    tests = sorted((REPOSITORY / "modules" / module / "tests").glob("*.tftest.hcl"))
    assert tests, f"modules/{module} has no tests"


@pytest.mark.parametrize("module", ADMITTING_5, ids=str)
def test_module(module: Path, modules: Path, environ: dict[str, str]):
    folder = modules / module
    terraform(folder, environ, "init", "-backend=false", "-input=false")
    # `terraform test` validates the module first; a separate `validate` would only load the provider once more.
    summary = terraform(folder, environ, "test", "-no-color").strip().splitlines()[-1]
    assert summary.startswith("Success!"), summary
    assert " 0 failed" in summary, summary


def test_everything_is_formatted():
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-recursive", "-diff", "modules", "environments"],
        cwd=REPOSITORY,
        env={**os.environ, "TF_CLI_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
