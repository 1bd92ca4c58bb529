"""Real Terraform: what it prints is what we read, and no way of stopping us leaves anything behind.

The roots use the built-in provider where possible (0.1 s a command); its local-exec is the way to a long apply.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from toolkit.errors import ExitCode, ToolkitError
from toolkit.sandbox import control
from toolkit.terraform import events, mirror, process, runs
from toolkit.terraform.binary import find_binary
from toolkit.terraform.failures import SavedPlanError, StateLockedError, TerraformError
from toolkit.terraform.runner import Runner

pytestmark = pytest.mark.terraform

SLOW = """
resource "terraform_data" "first" { input = 1 }
resource "terraform_data" "slow" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" { command = "until [ -e go ]; do sleep 0.05; done" }
}
resource "terraform_data" "last" { input = terraform_data.slow.id }
"""


class Root:
    """A root module in a folder of its own, its runner, and a command that applies it in a process of its own."""

    def __init__(self, folder: Path, terraform: Path, text: str, environ: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.rendered = folder / "rendered"
        self.scratch = folder / ".toolkit"
        self.plan = folder / "plan"
        self.rendered.mkdir(parents=True)
        (self.rendered / "main.tf").write_text(text)
        self.terraform = terraform
        base = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
        self.environ = base if environ is None else environ
        self.environ |= mirror.cli_config(None, self.environ, self.scratch)
        self.events: list[events.Event] = []

    def runner(self, scratch: Path | None = None) -> Runner:
        return Runner(
            self.rendered,
            binary=find_binary(str(self.terraform), self.environ),
            scratch=scratch or self.scratch,
            environ=self.environ,
            on_event=self.events.append,
        )

    def apply_elsewhere(self, until: str) -> subprocess.Popen[str]:
        """Apply the plan in another process; returns when its events have mentioned `until`."""
        script = self.folder / "driver.py"
        script.write_text(
            "import os, sys\nfrom pathlib import Path\nfrom toolkit.errors import ToolkitError\n"
            "from toolkit.terraform.binary import find_binary\nfrom toolkit.terraform.runner import Runner\n"
            "from toolkit.variables import Admitted\n"
            f"runner = Runner(Path({str(self.rendered)!r}), binary=find_binary({str(self.terraform)!r}, os.environ),\n"
            f"    scratch=Path({str(self.scratch)!r}), environ=Admitted(os.environ),\n"
            "    on_event=lambda e: print(e, flush=True))\n"
            f"try:\n    runner.apply(Path({str(self.plan)!r}))\n"
            "except ToolkitError as error:\n    print(error, flush=True)\n    sys.exit(error.exit_code)\n"
        )
        command = subprocess.Popen(
            [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=self.environ
        )  # fmt: skip
        assert command.stdout is not None
        for line in command.stdout:
            if until in line:
                return command
        raise AssertionError(f"it ended with {command.wait()} before it said {until}")

    def go(self) -> None:
        """Let an apply of SLOW end, which waits until then."""
        (self.rendered / "go").touch()

    def converge(self) -> None:
        """Plan and apply, then find nothing more to do."""
        self.go()
        self.runner().plan(self.plan)
        assert self.runner().apply(self.plan).finished
        assert not self.runner().plan(self.plan).changes


@pytest.fixture
def root(tmp_path: Path, terraform_binary: Path) -> Callable[..., Root]:
    return lambda text, **more: Root(tmp_path / "env", terraform_binary, text, **more)


def wait_until_idle(scratch: Path) -> None:
    deadline = time.monotonic() + 120
    while runs.active_run(scratch) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def terraform_pid(scratch: Path) -> int:
    run = runs.active_run(scratch)
    assert run is not None and run.terraform_pid is not None
    return run.terraform_pid


def test_from_init_to_an_empty_plan(root: Callable[..., Root]) -> None:
    here = root(
        'variable "secret" {\n  default = "hunter2"\n  sensitive = true\n}\n'
        'resource "terraform_data" "a" { input = var.secret }\noutput "id" { value = terraform_data.a.id }\n'
    )
    runner = here.runner()
    runner.init()
    assert runner.validate() == ()
    planned = runner.plan(here.plan)
    applied = runner.apply(here.plan)

    assert (planned.changes, planned.add, [c.address for c in planned.planned]) == (True, 1, ["terraform_data.a"])
    assert [(step.address, step.action) for step in applied.completed] == [("terraform_data.a", "create")]
    assert runner.output()["id"]["value"]
    assert runner.show(None)["values"]["root_module"]["resources"][0]["address"] == "terraform_data.a"
    assert runner.show(here.plan)["resource_changes"][0]["change"]["actions"] == ["create"]
    assert not runner.plan(here.folder / "second").changes
    with pytest.raises(SavedPlanError):
        runner.apply(here.plan)
    assert not any(b"hunter2" in log.read_bytes() for log in (here.scratch / "logs").iterdir())
    assert not (here.rendered / ".terraform").exists()

    destroying = runner.plan(here.plan, destroy=True)
    assert destroying.destroy == 1
    assert [step.action for step in runner.apply(here.plan).completed] == ["delete"]


def test_errors_carry_terraforms_words_and_the_line(root: Callable[..., Root]) -> None:
    here = root('resource "terraform_data" "a" {\n  inptu = 1\n}\n')
    here.runner().init()
    (found,) = here.runner().validate()

    assert (found.summary, found.place, found.snippet) == ("Unsupported argument", "main.tf:2", "inptu = 1")
    with pytest.raises(TerraformError) as caught:
        here.runner().plan(here.plan)
    assert caught.value.where == "main.tf:2"
    assert "Unsupported argument" in caught.value.problem


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_of_an_apply(root: Callable[..., Root], number: signal.Signals) -> None:
    here = root(SLOW)
    here.runner().init()
    here.runner().plan(here.plan)
    command = here.apply_elsewhere("provision_progress")
    group = terraform_pid(here.scratch)
    command.send_signal(number)

    assert command.wait(120) == ExitCode.INTERRUPTED  # what runs is ended, not awaited
    assert not process.group_alive(group)
    assert runs.active_run(here.scratch) is None
    here.converge()


def test_kill_9_in_the_middle_of_an_apply(root: Callable[..., Root]) -> None:
    here = root(SLOW)
    here.runner().init()
    here.runner().plan(here.plan)
    command = here.apply_elsewhere("provision_progress")
    group = terraform_pid(here.scratch)
    command.kill()
    command.wait()

    with pytest.raises(ToolkitError) as caught:
        here.runner().plan(here.plan)
    assert caught.value.exit_code is ExitCode.LOCKED
    here.go()
    wait_until_idle(here.scratch)
    orphan = runs.finished_orphan(here.scratch)
    assert orphan is not None and orphan.outcome.finished
    assert len(orphan.outcome.completed) == 3
    assert not process.group_alive(group)
    assert not here.runner().plan(here.plan).changes
    assert events.Notice(orphan.describe()) in here.events


def test_a_held_local_state_names_its_holder(root: Callable[..., Root], tmp_path: Path) -> None:
    here = root(SLOW)
    here.runner().init()
    here.runner().plan(here.plan)
    command = here.apply_elsewhere("provision_progress")
    elsewhere = here.runner(scratch=tmp_path / "another clone")
    try:
        elsewhere.init()
        with pytest.raises(StateLockedError) as caught:
            elsewhere.plan(tmp_path / "p")
    finally:
        command.send_signal(signal.SIGINT)
        command.wait(120)
    assert caught.value.exit_code is ExitCode.LOCKED
    assert caught.value.lock.operation == "apply"
    assert "@" in caught.value.lock.who


def test_an_unreachable_registry_without_a_mirror(root: Callable[..., Root]) -> None:
    here = root('terraform {\n  required_providers {\n    null = { source = "hashicorp/null" }\n  }\n}\n')
    here.environ |= {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}

    with pytest.raises(TerraformError) as caught:
        here.runner().init()
    assert caught.value.exit_code is ExitCode.ERROR
    assert caught.value.hint is not None and "TOOLKIT_PROVIDER_MIRROR" in caught.value.hint


@pytest.mark.simulator
def test_a_lock_in_s3_that_a_killed_terraform_left_is_named_and_can_be_released(
    root: Callable[..., Root], sandbox: control.Sandbox
) -> None:
    control.reset(sandbox)
    environ = control.child_environ(sandbox, {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")})
    s3 = boto3.client(
        "s3", "us-east-1", endpoint_url=sandbox.endpoint, aws_access_key_id="a", aws_secret_access_key="b"
    )  # fmt: skip
    s3.create_bucket(Bucket="state-of-a-test")
    backend = (
        'terraform {\n  backend "s3" {\n    bucket = "state-of-a-test"\n    key = "a/terraform.tfstate"\n'
        '    region = "us-east-1"\n    use_lockfile = true\n  }\n}\n'
    )
    here = root(backend + SLOW, environ=environ)
    here.runner().init()
    here.runner().plan(here.plan)
    command = here.apply_elsewhere("provision_progress")
    group = terraform_pid(here.scratch)
    command.kill()
    os.killpg(group, signal.SIGKILL)
    command.wait()
    wait_until_idle(here.scratch)

    with pytest.raises(StateLockedError) as caught:
        here.runner().plan(here.plan)
    assert caught.value.lock.path == "state-of-a-test/a/terraform.tfstate"
    assert any("ended without a result" in e.text for e in here.events if isinstance(e, events.Notice))
    here.runner().force_unlock(caught.value.lock.id)
    here.converge()


AWS = """
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}
provider "aws" {
  region              = "eu-central-1"
  max_retries         = 2
  allowed_account_ids = ["ACCOUNT"]
}
resource "aws_sns_topic" "this" { name = "this" }
"""


@pytest.mark.simulator
def test_the_provider_refuses_another_account(root: Callable[..., Root], sandbox: control.Sandbox) -> None:
    base = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    here = root(AWS.replace("ACCOUNT", "999999999999"), environ=control.child_environ(sandbox, base))
    here.runner().init()

    with pytest.raises(TerraformError) as caught:
        here.runner().plan(here.plan)
    assert caught.value.exit_code is ExitCode.WRONG_ACCOUNT
    assert not here.plan.exists()


@pytest.mark.simulator
def test_a_plan_is_read_with_the_provider_that_made_it(root: Callable[..., Root], sandbox: control.Sandbox) -> None:
    base = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    here = root(AWS.replace("ACCOUNT", "123456789012"), environ=control.child_environ(sandbox, base))
    runner = here.runner()
    runner.init()
    runner.plan(here.plan)

    assert runner.show(here.plan) == here.runner().show(here.plan), "verified again or not, it is the same"

    other = here.folder / "other"
    with runner.with_one_provider():
        assert runner._provider is not None
        (provider,) = json.loads(runner._provider.environ["TF_REATTACH_PROVIDERS"]).values()
        runner.plan(other)
        shown = runner.show(other)
    assert shown == here.runner().show(other), "one process of the provider or four, it is the same"
    assert not process.group_alive(provider["Pid"]) and not Path(provider["Addr"]["String"]).exists()
    here.runner().apply(other)

    (package,) = (here.scratch / "terraform" / "providers").glob("*/*/*/*/*")
    package.unlink()
    package.mkdir()
    (package / "terraform-provider-aws_v5.100.0_x5").write_text("#!/bin/sh\necho pretended\n")
    with pytest.raises(TerraformError, match="checksum"):
        runner.show(here.plan)
    with runner.with_one_provider():
        assert runner._provider is None, "it is not even started"
