"""A project with a fake Terraform that notes what it was asked, and a fake STS answer: nothing leaves this process."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.aws.identity import CallerIdentity
from toolkit.aws.session import AwsSession
from toolkit.paths import Project
from toolkit.rendering.render import render
from toolkit.rendering.tree import compare, write
from toolkit.sandbox.control import Sandbox
from toolkit.workflows.observer import Observer
from toolkit.workflows.workspace import Access, read_environment

ACCOUNT = "111122223333"
TERRAFORM = """#!{python} -IS
import os, sys
arguments = sys.argv[1:]
names = ("AWS_", "TF_", "TOOLKIT_", "HTTP_PROXY", "http_proxy", "no_proxy", "NO_PROXY")
environ = {{k: v for k, v in os.environ.items() if k.startswith(names)}}
with open({folder!r} + "/asked", "a") as log:
    log.write(repr({{"arguments": arguments, "environ": environ, "cwd": os.getcwd()}}) + "\\n")
if arguments == ["version"]:  # by far the most: without an import
    print("Terraform v" + open({folder!r} + "/version").read())
    sys.exit()
import json, pathlib
here = pathlib.Path({folder!r})
if arguments[0] == "init":
    data = pathlib.Path(os.environ["TF_DATA_DIR"])
    data.mkdir(parents=True, exist_ok=True)
    text = pathlib.Path("backend.tf").read_text()
    kind = "s3" if 'backend "s3"' in text else "local"
    # Its literals are JSON, too.
    given = dict(x.split(" = ") for x in text.splitlines() if x[4:5].isalpha() and " = " in x and x[-1] != "{{")
    config = {{name.strip(): json.loads(value) for name, value in given.items()}}
    over = [a.split("=", 2)[1:] for a in arguments if a.startswith("-backend-config=")]
    note = {{"backend": {{"type": kind, "config": {{**config, **dict(over), "unset": None}}}}}}
    (data / "terraform.tfstate").write_text(json.dumps(note))
    (data / "modules").mkdir(exist_ok=True)
    (data / "modules" / "modules.json").write_text(json.dumps({{"Modules": [{{"Key": "", "Source": "", "Dir": "."}}]}}))
    pathlib.Path(".terraform.lock.hcl").touch()
elif arguments[0] == "validate":
    print((here / "validate.json").read_text())
"""


class House(Observer):
    """A project in a folder, what its Terraform was asked, and what was told on the way."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.project = Project(root)
        self.told: list[str] = []
        self.warnings: list[str] = []
        self.tools = root / "tools"
        self.tools.mkdir()
        (self.tools / "version").write_text("1.11.4")
        terraform = self.tools / "terraform"
        terraform.write_text(TERRAFORM.format(python=sys.executable, folder=str(self.tools)))
        terraform.chmod(0o755)
        self.environ = {"PATH": str(self.tools), "HOME": str(root), "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}
        for name in ("password_policy", "config"):
            (root / "modules" / name).mkdir(parents=True)
            (root / "modules" / name / "main.tf").write_text(f"# {name}\n")

    def write(self, more: str = "", *, name: str = "prod", components: str = "{password_policy: {}}") -> None:
        """Write an environment file."""
        file = self.root / "environments" / name / "environment.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'account_id: "{ACCOUNT}"\nregions: {{home: eu-central-1}}\n{more}\ncomponents: {components}\n')

    def render(self, name: str = "prod") -> Path:
        """Render it; returns rendered/."""
        paths, environment = read_environment(self.project, name)
        write(compare(render(environment), paths.rendered), paths.rendered)
        return paths.rendered

    def access(self, *, sandbox: bool = False, **environ: str) -> Access:
        """Access with a process environment in which `environ` stands, too."""
        return Access(sandbox=sandbox, environ={**self.environ, **environ})

    @property
    def asked(self) -> list[dict[str, Any]]:
        """Every call of Terraform: arguments, cwd, and the part of its environment that leads somewhere."""
        log = self.tools / "asked"
        return [ast.literal_eval(line) for line in log.read_text().splitlines()] if log.exists() else []

    @property
    def commands(self) -> list[str]:
        """The commands that Terraform was asked, without `version`."""
        return [call["arguments"][0] for call in self.asked if call["arguments"] != ["version"]]

    def forget(self) -> None:
        """Forget what was asked and told."""
        (self.tools / "asked").unlink(missing_ok=True)
        self.told.clear()

    def stage(self, text: str, steps: int | None = None) -> None:
        self.told.append(text)

    def note(self, text: str) -> None:
        self.told.append(text)

    def warning(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture
def house(tmp_path: Path) -> House:
    found = House(tmp_path)
    found.write()
    return found


@pytest.fixture
def callers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Answers for STS that the account is the environment's; gives the process environments it was asked with."""
    asked: list[dict[str, str]] = []

    def check(session: AwsSession) -> CallerIdentity:
        asked.append(dict(session.environ))
        return CallerIdentity(session.account_id, "arn:aws:iam::111122223333:user/ann")

    monkeypatch.setattr("toolkit.workflows.workspace.check_account", check)
    return asked


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sandbox | None], None]:
    """Says which embedded AWS runs; buckets asked of it are taken to be made."""
    monkeypatch.setattr("toolkit.workflows.workspace.ensure_simulated_bucket", lambda *_: None)

    def say(found: Sandbox | None) -> None:
        monkeypatch.setattr("toolkit.workflows.workspace.sandbox.status", lambda _: found)

    say(SANDBOX)
    return say


SANDBOX = Sandbox("http://127.0.0.1:5555", 42, 5555, ACCOUNT, "2026-01-01T00:00:00+00:00")
LATER = Sandbox("http://127.0.0.1:5555", 43, 5555, ACCOUNT, "2026-01-01T01:00:00+00:00")


@pytest.fixture(autouse=True)
def no_provider_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the provider comes from is another test's matter, and differs between machines."""
    monkeypatch.setattr("toolkit.workflows.workspace.cli_config", lambda *_, **__: {})
    monkeypatch.setattr("toolkit.workflows.validate.cli_config", lambda *_, **__: {})
