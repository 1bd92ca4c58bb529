"""One process of the provider serves a plan and its reading, where that is safe; and it never outlives Terraform."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from toolkit.terraform import one_provider

from .conftest import Fake, gone, wait_for

MODULE = "../../../modules/m"
ADDRESS = "registry.terraform.io/hashicorp/aws"
PROVIDER = """#!{python}
import json, os, pathlib, signal, sys, time
here = pathlib.Path({here!r})
with (here / "started").open("a") as stream:
    print(os.getpid(), sys.argv[1:], os.environ.get("HOME"), file=stream)
def end(signum, frame):
    (here / "ended").touch()
    os._exit(0)
signal.signal(signal.SIGINT, end)
said = {{{address!r}: {{"Protocol": "grpc", "Pid": os.getpid()}}}}
print("Provider started. To attach, set:\\n\\n\\tTF_REATTACH_PROVIDERS='" + json.dumps(said) + "'\\n", flush=True)
while True:
    time.sleep(1)
"""
TERRAFORM = """
told = os.environ.get("TF_REATTACH_PROVIDERS")
with open(here + "/told", "a") as stream:
    print(command, told is not None, file=stream)
if command == "plan":
    open(sys.argv[-1][5:], "w")
    while os.path.exists(here + "/slow"):
        time.sleep(0.01)
elif command == "show":
    print("{}")
else:
    summary("apply")
"""


class Root:
    """A root with one provider block, and a package that is what the lock file says."""

    def __init__(self, fake: Fake) -> None:
        fake.does(TERRAFORM)
        self.fake, self.root, self.folder = fake, fake.root, fake.folder
        self.data = fake.scratch / "terraform"
        self.plan = fake.folder / "own" / "plan.tfplan"
        self.plan.parent.mkdir()
        self.module = fake.folder.parents[1] / "modules" / "m"
        self.module.mkdir(parents=True)
        (self.module / "main.tf").write_text("# Its provider is the root's.\n")
        (self.root / "providers.tf").write_text('provider "aws" {\n}\n')
        (self.data / "modules").mkdir(parents=True)
        listed = [{"Key": "", "Source": "", "Dir": "."}, {"Key": "m", "Source": MODULE, "Dir": MODULE}]
        (self.data / "modules" / "modules.json").write_text(json.dumps({"Modules": listed}))
        self.package = fake.folder / "mirror"
        self.package.mkdir()
        link = self.data / "providers" / ADDRESS / "5.100.0" / "linux_amd64"
        link.parent.mkdir(parents=True)
        link.symlink_to(self.package)
        self.program = self.package / "terraform-provider-aws_v5.100.0_x5"
        self.provides()

    def provides(self, text: str = PROVIDER, address: str = ADDRESS) -> None:
        self.program.write_text(text.format(python=sys.executable, here=str(self.folder), address=address))
        self.program.chmod(0o755)
        self.locks(one_provider._checksum(self.package))

    def locks(self, checksum: str, more: str = "") -> None:
        hashes = f'  hashes = [\n    "h1:{checksum}",\n  ]\n' if checksum else ""
        text = f'provider "{ADDRESS}" {{\n  version     = "5.100.0"\n{hashes}}}\n{more}'
        (self.root / ".terraform.lock.hcl").write_text(text)

    def run(self, **more: str) -> list[str]:
        """Plan, show, show again once it is over; what each was told."""
        runner = self.fake.runner({"PATH": os.environ["PATH"], "HOME": "/home/me", **more})
        with runner.with_one_provider():
            runner.plan(self.plan)
            runner.show(self.plan)
        runner.show(self.plan)
        return (self.folder / "told").read_text().splitlines()

    @property
    def provider(self) -> int:
        return int((self.folder / "started").read_text().split()[0])

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()


@pytest.fixture
def root(tmp_path: Path) -> Root:
    folder = tmp_path / "environments" / "prod"
    folder.mkdir(parents=True)
    return Root(Fake(folder))


def test_plan_and_show_share_one_process_and_nothing_else_gets_it(root: Root):
    assert root.run() == ["plan True", "show True", "show False"]

    started = (root.folder / "started").read_text().splitlines()
    assert [line.split(" ", 1)[1] for line in started] == ["['-debug'] /home/me"]
    assert root.has("ended")


def test_a_failed_plan_ends_it(root: Root):
    root.fake.does("sys.exit(1)\n")
    with pytest.raises(Exception, match="plan"):
        root.run()
    assert root.has("ended")


def _two_blocks(root: Root) -> None:
    (root.root / "more.tf").write_text('provider "aws" {\n  alias = "us_east_1"\n}\n')


def _block_of_a_module(root: Root) -> None:
    (root.module / "main.tf").write_text("/* own */ provider aws  {\n}\n")


def _json(root: Root) -> None:
    (root.root / "more.tf.json").write_text("{}")


def _no_module(root: Root) -> None:
    (root.module / "main.tf").unlink()
    root.module.rmdir()


def _no_checksum(root: Root) -> None:
    root.locks("")


def _second_provider(root: Root) -> None:
    root.locks(one_provider._checksum(root.package), 'provider "registry.terraform.io/hashicorp/time" {\n}\n')


def _changed(root: Root) -> None:
    with root.program.open("a") as stream:
        stream.write("# one byte\n")


def _one_more_file(root: Root) -> None:
    (root.package / "LICENSE").write_text("")


def _another_version_is_there_too(root: Root) -> None:
    (root.data / "providers" / ADDRESS / "5.99.0" / "linux_amd64").mkdir(parents=True)


@pytest.mark.parametrize(
    "change",
    [
        _two_blocks,
        _block_of_a_module,
        _json,
        _no_module,
        _no_checksum,
        _second_provider,
        _changed,
        _one_more_file,
        _another_version_is_there_too,
    ],
)
def test_otherwise_none_is_started(root: Root, change: Callable[[Root], None]):
    change(root)
    assert root.run() == ["plan False", "show False", "show False"]
    assert not root.has("started")


def test_none_is_started_while_terraform_logs(root: Root):
    assert root.run(TF_LOG="INFO")[0] == "plan False"
    assert not root.has("started")


def test_one_that_ends_at_once_is_not_used(root: Root):
    root.provides("#!/bin/sh\necho flag provided but not defined: -debug\nexit 2\n")
    assert root.run() == ["plan False", "show False", "show False"]


def test_one_that_speaks_of_another_provider_is_not_used(root: Root):
    root.provides(address="registry.terraform.io/hashicorp/time")
    assert root.run() == ["plan False", "show False", "show False"]
    assert root.has("ended")


def test_one_that_ignores_the_request_to_end_is_ended(root: Root, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(one_provider, "_END_SECONDS", 0.1)
    root.provides(PROVIDER.replace("os._exit(0)", "pass"))
    root.run()
    assert gone(root.provider)


def test_it_lives_as_long_as_terraform_when_the_toolkit_is_killed(root: Root):
    (root.folder / "slow").touch()
    driver = root.folder / "driver.py"
    driver.write_text(
        "import os\nfrom pathlib import Path\n"
        "from toolkit.terraform.binary import Binary\nfrom toolkit.terraform.runner import Runner\n"
        f"folder = Path({str(root.folder)!r})\n"
        "runner = Runner(folder / 'rendered', binary=Binary(folder / 'terraform', 'terraform', '1.11.4'),\n"
        "    scratch=folder / '.toolkit', environ={'PATH': os.environ['PATH']})\n"
        "with runner.with_one_provider():\n    runner.plan(folder / 'own' / 'plan.tfplan')\n"
    )
    process = subprocess.Popen([sys.executable, str(driver)], cwd=Path(__file__).parents[3])
    wait_for(lambda: root.has("told"))
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.3)
    assert not gone(root.provider), "Terraform still needs it"

    (root.folder / "slow").unlink()
    wait_for(lambda: gone(root.provider))
