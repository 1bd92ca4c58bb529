"""What people meet when something is missing or wrong around the toolkit: a short error, its exit code, no more."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.terraform

REAL = """\
account_id: "111122223333"
regions: {home: eu-central-1}
components:
  password_policy: {}
"""


@pytest.fixture(scope="module")
def cli(new_project: Callable[..., Any]) -> Any:
    cli = new_project()
    cli.write("real", REAL)
    cli.write("pretend", REAL + "simulator: moto\n")
    cli.run("render")
    return cli


def told(cli: Any, *arguments: str, exits: int, environ: dict[str, str] | None = None) -> str:
    """The error of a command that has to fail, which is short and says what to do."""
    errors: str = cli.run(*arguments, exits=exits, environ=environ).stderr
    message = errors[errors.index("Error: ") :]
    assert len(message.splitlines()) <= 12, message
    assert "Next: " in message
    return message


def test_no_credentials(cli: Any):
    started = time.monotonic()
    assert "no usable AWS credentials" in told(cli, "plan", "real", exits=5)
    assert time.monotonic() - started < 60, "it waits for a metadata service that is not there"


def test_no_such_profile(cli: Any):
    cli.write("profiled", REAL + "credentials: {profile: nobody}\n")
    assert "nobody" in told(cli, "plan", "profiled", exits=5)


def test_no_terraform(cli: Any, tmp_path: Path):
    message = told(cli, "plan", "real", exits=1, environ={**cli.environ, "PATH": str(tmp_path)})
    assert "terraform" in message
    assert "https://" in message


def test_no_embedded_aws(cli: Any):
    message = told(cli, "plan", "pretend", exits=1)
    assert "toolkit sandbox up --account-id 111122223333" in message


def test_a_mirror_that_is_none(cli: Any, tmp_path: Path):
    message = told(cli, "validate", "real", "--provider-mirror", str(tmp_path), exits=1)
    assert str(tmp_path) in message


def test_an_unreachable_registry_without_a_mirror(cli: Any, tmp_path: Path):
    """The user's own configuration says: ask the registry; and the registry is not there."""
    configuration = tmp_path / "own.tfrc"
    configuration.write_text("provider_installation {\n  direct {}\n}\n")
    nowhere = "http://127.0.0.1:9"
    environ = {
        **cli.environ,
        "TF_CLI_CONFIG_FILE": str(configuration),
        "HTTPS_PROXY": nowhere,
        "TF_REGISTRY_DISCOVERY_RETRY": "0",
        "TF_REGISTRY_CLIENT_TIMEOUT": "3",
    }
    message = told(cli, "validate", "real", exits=1, environ=environ)
    assert "mirror" in message


def test_a_broken_environment_stops_everything(cli: Any):
    cli.write("broken", REAL.replace("home", "hom"))
    for command in (
        ("render", "broken"),
        ("validate", "broken"),
        ("plan", "broken"),
        ("apply", "broken", "--auto-approve"),
    ):
        assert "environments/broken/environment.yaml:2" in told(cli, *command, exits=1)
    assert not (cli.root / "environments" / "broken" / "rendered").exists()
    cli.file("broken").unlink()


def test_questions_need_a_terminal(cli: Any):
    assert "--auto-approve" in told(cli, "apply", "pretend", exits=64)
    assert "--auto-approve" in told(cli, "destroy", "pretend", exits=64)


def test_another_workspace_would_be_another_state(cli: Any):
    message = told(cli, "validate", "real", exits=4, environ={**cli.environ, "TF_WORKSPACE": "other"})
    assert "TF_WORKSPACE" in message


def test_modules_that_are_missing(new_project: Callable[..., Any], tmp_path: Path):
    cli = new_project()
    cli.write("real", REAL)
    cli.run("render")
    (cli.root / "modules").rename(tmp_path / "modules")
    assert "toolkit init" in told(cli, "validate", "real", exits=1)
