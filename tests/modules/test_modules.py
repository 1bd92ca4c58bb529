"""Every module by itself: formatted, valid, and its own `terraform test` passes. No account, no simulator."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import end_with_tests
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


_ALIAS = re.compile(r"^ *(?:alias|configuration_aliases) *=", re.M)


def configures_one_provider(folder: Path) -> bool:
    """Whether a module and its tests have no second configuration of the provider."""
    files = (*folder.glob("*.tf"), *folder.glob("tests/*.tftest.hcl"))
    return not any(_ALIAS.search(file.read_text("utf-8")) for file in files)


@pytest.fixture(scope="session")
def running(
    environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Path], dict[str, str]]]:
    """Variables with which Terraform uses the provider that `init` chose, of which one process serves every module.

    Terraform starts a provider for each run of a test, which is most of its work. One process has one configuration:
    where there are several, Terraform starts it as always.
    """
    started: dict[Path, tuple[subprocess.Popen[bytes], dict[str, str]]] = {}

    def use(folder: Path) -> dict[str, str]:
        (program,) = (folder / ".terraform" / "providers").glob("*/hashicorp/aws/*/*/terraform-provider-aws*")
        program = program.resolve()
        if program not in started:
            output = tmp_path_factory.mktemp("provider") / "output"
            with output.open("wb") as file:
                process = subprocess.Popen(
                    [program, "-debug"],
                    env=environ,
                    stdout=file,
                    stderr=file,
                    preexec_fn=end_with_tests,  # noqa: PLW1509 (no other thread forks)
                )
            deadline = time.monotonic() + 60
            while not (found := re.search(r"TF_REATTACH_PROVIDERS='(.+)'", output.read_text("utf-8"))):
                assert process.poll() is None and time.monotonic() < deadline, output.read_text("utf-8")
                time.sleep(0.05)
            started[program] = process, {"TF_REATTACH_PROVIDERS": found[1]}
        return started[program][1]

    yield use
    for process, _ in started.values():
        process.kill()
        process.wait()


def test_there_are_modules():
    assert len(MODULES) >= 10


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_module_has_tests(module: Path):
    tests = sorted((REPOSITORY / "modules" / module / "tests").glob("*.tftest.hcl"))
    assert tests, f"modules/{module} has no tests"


@pytest.mark.parametrize("module", ADMITTING_5, ids=str)
def test_module(module: Path, modules: Path, environ: dict[str, str], running: Callable[[Path], dict[str, str]]):
    folder = modules / module
    terraform(folder, environ, "init", "-backend=false", "-input=false")
    started = running(folder) if configures_one_provider(folder) else {}
    # `terraform test` validates the module first; a separate `validate` would only load the provider once more.
    summary = terraform(folder, environ | started, "test", "-no-color").strip().splitlines()[-1]
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
