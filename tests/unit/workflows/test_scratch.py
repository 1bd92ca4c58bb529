"""The scratch folder: nobody else reads it, and what killed commands leave in it does not stay."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from toolkit.paths import EnvironmentPaths
from toolkit.terraform.outcomes import PlanOutcome
from toolkit.terraform.runs import RunLock
from toolkit.workflows.drift import find_drift
from toolkit.workflows.lock import lock_providers
from toolkit.workflows.observer import Observer
from toolkit.workflows.scratch import own_folder, scratch_folder, sweep
from toolkit.workflows.validate import validate_environment
from toolkit.workflows.workspace import Workspace, open_workspace

HOLDER = """
import pathlib, sys, time
from toolkit.workflows.scratch import own_folder
with own_folder(pathlib.Path(sys.argv[1]), "plan") as folder:
    (folder / "plan.tfplan").write_text("secret")
    print(folder, flush=True)
    time.sleep(60)
"""


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
def paths(tmp_path: Path) -> EnvironmentPaths:
    found = EnvironmentPaths(tmp_path, "prod")
    found.folder.mkdir(parents=True)
    return found


@pytest.mark.parametrize("umask", [0o022, 0o000])
def test_it_is_private_all_the_way(paths: EnvironmentPaths, umask: int):
    before = os.umask(umask)
    try:
        inner = scratch_folder(paths, "validate")
    finally:
        os.umask(before)
    assert inner == paths.scratch / "validate"
    assert mode(inner) == mode(paths.scratch) == 0o700


def test_one_that_others_could_read_is_made_private(paths: EnvironmentPaths):
    paths.scratch.mkdir(mode=0o755)
    scratch_folder(paths)
    assert mode(paths.scratch) == 0o700


@pytest.mark.parametrize("command", ["validate", "lock"])
def test_commands_without_an_account_keep_it_private(house: Any, command: str):
    house.render()
    (house.tools / "validate.json").write_text('{"diagnostics": []}')
    if command == "validate":
        validate_environment(house.project, "prod", house.access(), house)
    else:
        lock_providers(house.project, "prod", ("linux_amd64",), house.access(), house)
    scratch = house.root / "environments" / "prod" / ".toolkit"
    assert mode(scratch) == mode(scratch / "validate") == 0o700


def test_modules_are_known_before_providers_are_locked(house: Any):
    """Terraform locks nothing in a root whose modules nobody has installed, be it never or not since one was added."""
    house.render()
    lock_providers(house.project, "prod", ("linux_amd64",), house.access(), house)
    assert house.commands == ["get", "providers"]


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """The folder of a command that was killed, in the scratch folder `tmp_path`."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    folder = Path(holder.stdout.readline().strip())
    try:
        assert mode(folder) == 0o700
        assert sweep(tmp_path) == 0, "its owner lives"
        assert (folder / "plan.tfplan").exists()
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    return folder


def test_what_a_killed_command_left_is_deleted(tmp_path: Path, killed: Path):
    assert killed.exists()
    with own_folder(tmp_path, "apply") as mine:
        assert sweep(tmp_path) == 1
        assert mine.exists()
    assert not killed.exists()
    assert not mine.exists()
    assert sweep(tmp_path) == 0


def test_not_while_its_terraform_goes_on_alone(tmp_path: Path, killed: Path):
    with RunLock(tmp_path):
        assert sweep(tmp_path) == 0
        assert killed.exists()
    assert sweep(tmp_path) == 1


def test_other_things_stay(tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "plan-link").symlink_to(elsewhere)
    (tmp_path / "plan-file").write_text("x")
    (tmp_path / "logs").mkdir()
    assert sweep(tmp_path) == 0
    assert {"elsewhere", "plan-link", "plan-file", "logs"} <= {f.name for f in tmp_path.iterdir()}


@pytest.mark.usefixtures("callers")
def test_the_next_command_does_it_and_says_so(house: Any):
    open_workspace(house.project, "prod", house.access(), house)
    left = house.root / "environments" / "prod" / ".toolkit" / "plan-abc"
    left.mkdir()
    (left / "plan.tfplan").write_text("secret")
    open_workspace(house.project, "prod", house.access(), house)
    assert not left.exists()
    assert "deleted what a killed command had left in the scratch folder" in house.told


class Runner:
    """Another `drift` begins while this one reads its plan."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.files: list[Path] = []

    def state_version(self) -> tuple[str, int]:
        return "a", 1

    def with_one_provider(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def plan(self, out: Path, **_: Any) -> PlanOutcome:
        out.write_text("")
        self.files.append(out)
        if len(self.files) == 1:
            find_drift(workspace(self), Observer())
        assert out.exists(), "somebody else's command took it away"
        return cast(PlanOutcome, SimpleNamespace(drift=(), diagnostics=()))


def workspace(runner: Runner) -> Workspace:
    return cast(
        Workspace,
        SimpleNamespace(
            runner=runner,
            environment=SimpleNamespace(name="prod"),
            scratch=runner.scratch,
            called="prod",
            caller=SimpleNamespace(account_id="123456789012"),
            simulator=None,
            backend="local",
        ),
    )


def test_two_drifts_at_once_do_not_share_a_file(tmp_path: Path):
    runner = Runner(tmp_path)
    find_drift(workspace(runner), Observer())
    assert len(set(runner.files)) == 2
    assert not list(tmp_path.rglob("*.tfplan"))
