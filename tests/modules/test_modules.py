"""Every module by itself: formatted, valid, and its own `terraform test` passes. No account, no simulator.

What `terraform test` found is kept (tests/kept.py): it runs where a file of modules/ differs.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import end_with_tests
from tests.kept import Kept
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
HELPERS = (
    "tests/conftest.py",
    "tests/warm.py",
    "tests/warm_client.py",
    "tests/modules/test_modules.py",
    "tests/provider5/record.py",
)
KEPT, TESTED = Kept("modules", files=("modules", *HELPERS), without=("README.md",)), ADMITTING_5


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


@contextlib.contextmanager
def provider(root: Path, environ: Mapping[str, str], output: Path) -> Iterator[dict[str, str]]:
    """Variables with which Terraform uses one process of the provider that `init` chose.

    Terraform starts a provider for each run of a test, which is most of its work. It configures the process for each
    run; no module has two configurations in the same run.
    """
    (program,) = (root / ".terraform" / "providers").glob("*/hashicorp/aws/*/*/terraform-provider-aws*")
    # By itself, it logs every call, 30 MB of them.
    quiet = dict.fromkeys(("TF_LOG_PROVIDER", *(f"TF_LOG_SDK{part}" for part in _LOGGERS)), "off")
    with output.open("wb") as file:
        process = subprocess.Popen(
            [program.resolve(), "-debug"],
            env={**environ, **quiet},
            stdout=file,
            stderr=file,
            preexec_fn=end_with_tests,  # noqa: PLW1509 (no other thread forks)
        )
    try:
        deadline = time.monotonic() + 60
        while not (found := re.search(r"TF_REATTACH_PROVIDERS='(.+)'", output.read_text("utf-8"))):
            assert process.poll() is None and time.monotonic() < deadline, output.read_text("utf-8")
            time.sleep(0.05)
        yield {"TF_REATTACH_PROVIDERS": found[1]}
    finally:
        process.kill()
        process.wait()


_LOGGERS = ("", "_PROTO", "_MUX", "_FRAMEWORK", "_HELPER_RESOURCE", "_HELPER_SCHEMA")
_RUN = re.compile(r'^run "\w+" \{$', re.M)
_ANY_RUN = re.compile(r"^\s*run\b", re.M)


def write_tests(root: Path, chosen: Iterable[Path]) -> None:
    """In an empty root module, the test files of these modules of root/modules, each run for its module.

    Terraform treats the module of a run as it treats the one of the folder that it tests; one process then loads the
    provider's schema once for all of them, which costs more than all runs of a module.
    """
    (root / "main.tf").touch()  # without one, `init` does nothing
    (root / "tests").mkdir()
    for module in chosen:
        for file in (root / "modules" / module / "tests").glob("*.tftest.hcl"):
            text = file.read_text("utf-8")
            source = f'\n  module {{\n    source = "./modules/{module.as_posix()}"\n  }}\n'
            changed, count = _RUN.subn(lambda found, source=source: found[0] + source, text)
            assert count == len(_ANY_RUN.findall(text)) > 0, f'{file}: not every run starts with: run "name" {{'
            (root / "tests" / f"{'.'.join(module.parts)}.{file.name}").write_text(changed, encoding="utf-8")


def outcomes(root: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """What `terraform test` found of each test file of many modules."""
    terraform(root, dict(environ), "init", "-backend=false", "-input=false")
    with provider(root, environ, root / "provider.log") as started:
        done = subprocess.run(
            ["terraform", "test", "-json"],
            cwd=root,
            env={**environ, **started},
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    files: dict[str, Any] = {}
    for event in events:
        if "@testfile" in event:
            file = files.setdefault(event["@testfile"], {"status": None, "runs": {}, "why": []})
            # Without a status: it has started, it is running.
            if event["type"] == "test_run" and "status" in event["test_run"]:
                file["runs"][event["test_run"]["run"]] = event["test_run"]["status"]
            if event["type"] == "test_file" and "status" in event["test_file"]:
                file["status"] = event["test_file"]["status"]
            if event["type"] == "diagnostic":
                file["why"].append(json.dumps(event["diagnostic"], indent=1))
    general = [e["@message"] for e in events if e["@level"] == "error" and "@testfile" not in e]
    return {"exit": done.returncode, "stderr": done.stderr, "general": general, "files": files}


class Results:
    """What `terraform test` found."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.facts = facts

    def check(self, module: Path) -> None:
        """Each file of the module's tests passed, and each run in it."""
        general = self.facts["general"]
        assert not general, "\n".join([*general, f"exit {self.facts['exit']}", self.facts["stderr"]])
        for file in (REPOSITORY / "modules" / module / "tests").glob("*.tftest.hcl"):
            found = self.facts["files"][f"tests/{'.'.join(module.parts)}.{file.name}"]
            why = "\n".join((f"modules/{module}: {found['status']}", str(found["runs"]), *found["why"]))
            assert found["status"] == "pass", why
            assert set(found["runs"].values()) == {"pass"}, found["runs"]
            assert len(found["runs"]) == len(_RUN.findall(file.read_text("utf-8")))


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Of every module for which this file's `test_module` was chosen; kept are those of all."""
    mine = [i for i in request.session.items if i.path == request.path and isinstance(i, pytest.Function)]
    chosen = [i.callspec.params["module"] for i in mine if i.originalname == "test_module"]

    def run() -> dict[str, Any]:
        root = tmp_path_factory.mktemp("together")
        shutil.copytree(REPOSITORY / "modules", root / "modules", ignore=shutil.ignore_patterns(".terraform*"))
        write_tests(root, chosen)
        return outcomes(root, request.getfixturevalue("environ"))

    return Results(request.module.KEPT.facts(run, whole=chosen == request.module.TESTED))


def test_there_are_modules():
    assert len(MODULES) >= 10


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_module_has_tests(module: Path):
    tests = sorted((REPOSITORY / "modules" / module / "tests").glob("*.tftest.hcl"))
    assert tests, f"modules/{module} has no tests"


@pytest.mark.parametrize("module", ADMITTING_5, ids=str)
def test_module(module: Path, results: Results):
    results.check(module)


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
