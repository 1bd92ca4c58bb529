"""Ctrl-C, SIGTERM and kill -9 of the CLI in the middle of an apply, with real Terraform and the real provider.

Whatever ends the CLI: the lock is released or said to be held, no process stays behind, and the next apply converges.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.simulator, pytest.mark.terraform]

# Buckets make an apply last: a minute, of which S3's lifecycle takes 55 seconds.
ENVIRONMENT = """\
account_id: "123456789012"
regions: {home: eu-central-1}
simulator: moto
components:
  password_policy: {}
  iam_groups: {}
  config:
    bucket: {force_destroy: true}
"""


@pytest.fixture(scope="module")
def cli(new_project: Callable[..., Any]) -> Iterator[Any]:
    cli = new_project()
    cli.write("busy", ENVIRONMENT)
    cli.run("sandbox", "up")
    yield cli
    cli.run("sandbox", "down")


def start(cli: Any, until: str = "") -> tuple[subprocess.Popen[str], str]:
    """An apply that is in the middle of its work: what it has created, as soon as that is `until` or like it."""
    process = subprocess.Popen(
        cli.command("apply", "busy", "--auto-approve"),
        env=cli.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if made := re.search(rf": created (\S*{until}\S*)", line):
            return process, made[1]
    raise AssertionError(f"the apply ended too early: {process.wait()}")


def left_behind(cli: Any) -> list[str]:
    """Command lines of Terraform and provider processes that work in the project."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            folder = (entry / "cwd").readlink()
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, ValueError):
            continue
        if folder.is_relative_to(cli.root) and "terraform" in words and "sandbox.server" not in words:
            found.append(words)
    return found


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_signals_stop_gracefully_and_of_kill_9_the_next_command_tells(cli: Any):
    for signum, until in ((signal.SIGINT, "aws_s3_bucket_versioning"), (signal.SIGTERM, "")):
        process, made = start(cli, until)
        os.killpg(process.pid, signum)
        _, errors = process.communicate(timeout=180)
        assert process.returncode == 130, errors
        assert "interrupted" in errors.lower()
        assert "Next: " in errors
        assert "Traceback" not in errors
        assert left_behind(cli) == []
        # What was made is in the state, the lock is released, and the rest follows.
        assert made in cli.run("terraform", "busy", "--", "state", "list").stdout.splitlines()
        assert "not locked" in cli.run("unlock", "busy").stdout

    # SIGKILL leaves Terraform to finish, and the next command says so.
    process, _ = start(cli)
    terraform = json.loads((cli.file("busy").parent / ".toolkit" / "run.json").read_text())["terraform_pid"]
    os.kill(terraform, signal.SIGSTOP)  # so that it surely is at work still
    try:
        process.kill()
        process.communicate(timeout=120)
        refused = cli.run("plan", "busy", exits=6)
    finally:
        os.kill(terraform, signal.SIGCONT)
    assert "whose toolkit was killed, is still running since" in refused.stderr, refused.stderr
    deadline = time.monotonic() + 300
    while left_behind(cli):
        assert time.monotonic() < deadline, left_behind(cli)
        time.sleep(0.5)
    done = cli.run("plan", "busy", "--detailed-exitcode")
    assert "No changes" in done.stdout
    assert left_behind(cli) == []
