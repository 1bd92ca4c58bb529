"""Four accounts in one command, with real Terraform on the embedded AWS: a canary, a sabotage, and kills."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from toolkit.sandbox import control

pytestmark = [pytest.mark.simulator, pytest.mark.terraform]

ACCOUNTS = {"canary": "123456789012", "blue": "111122223333", "green": "444455556666", "red": "555555555555"}
ENVIRONMENT = """\
account_id: "{account_id}"
regions: {{home: eu-central-1}}
simulator: moto
labels: {{ring: {ring}}}
components:
  password_policy: {{}}
"""
FLEET = """\
waves:
  - name: canary
    where: {ring: canary}
"""


def sandbox(cli: Any, *names: str) -> None:
    """An embedded AWS with the accounts of these environments, the first one's first."""
    for name in names:
        ring = "canary" if name == "canary" else "rest"
        cli.write(name, ENVIRONMENT.format(account_id=ACCOUNTS[name], ring=ring))
    cli.run("sandbox", "up", *(word for name in names for word in ("--account-id", ACCOUNTS[name])))


def journal(cli: Any) -> list[dict[str, Any]]:
    """Lines of the newest run."""
    newest = max((cli.root / ".toolkit" / "fleet").iterdir(), key=lambda folder: folder.name)
    return [json.loads(line) for line in (newest / "journal.jsonl").read_text().splitlines()]


def story(cli: Any, name: str) -> list[str]:
    """What became of an environment, step by step."""
    return [line["state"] for line in journal(cli) if line.get("environment") == name]


def states(found: Any) -> dict[str, str]:
    return {one["environment"]: one["state"] for one in found["environments"]}


def test_a_sabotaged_canary_stops_what_follows_until_it_is_mended(new_project: Callable[..., Any]):
    cli = new_project()
    sandbox(cli, *ACCOUNTS)
    (cli.root / "fleet.yaml").write_text(FLEET)
    planned = cli.json("plan", "--all", "--out", f"{cli.root}/plans/")
    assert states(planned) == dict.fromkeys(sorted(ACCOUNTS), "planned")
    assert all(one["changes_pending"] for one in planned["environments"])
    # Somebody gives the canary's account a password policy that its plan would overwrite.
    iam = cli.client("iam")
    iam.update_account_password_policy(MinimumPasswordLength=64)
    stopped = cli.json("apply", "--all", "--plan", f"{cli.root}/plans/", exits=4)
    assert states(stopped) == {"canary": "failed", "blue": "skipped", "green": "skipped", "red": "skipped"}
    errors = {one["environment"]: one["error"] for one in stopped["environments"]}
    assert errors["canary"]["phase"] == "apply"
    assert errors["red"]["message"] == "wave canary is not complete"
    assert not list((cli.root / "environments").glob("*/terraform.tfstate"))

    iam.delete_account_password_policy()
    done = cli.json("apply", "--failed", "--auto-approve")
    assert states(done) == {"canary": "verified", "blue": "applied", "green": "applied", "red": "applied"}
    assert story(cli, "canary") == [
        *("planned", "approved", "applying", "failed"),
        *("planned", "approved", "applying", "applied", "verified"),
    ]
    for name in ("blue", "green", "red"):
        # The plan that was saved is the one that was applied.
        assert story(cli, name) == ["planned", "approved", "skipped", "approved", "applying", "applied"]
    assert [line["event"] for line in journal(cli) if line["event"] != "state"] == [
        *("run", "wave", "end"),
        *("resumed", "wave", "wave", "end"),
    ]
    # Nothing is left, and nothing is applied twice.
    again = cli.json("apply", "--failed", "--auto-approve")
    assert states(again) == states(done)
    assert all(one["seconds"] == 0 for one in again["environments"])
    cli.run("sandbox", "down")


def left_behind(cli: Any) -> list[str]:
    """Command lines of processes that work in the project: commands, Terraform, providers."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            folder = (entry / "cwd").readlink()
        except (OSError, ValueError):
            continue
        if (folder.is_relative_to(cli.root) or f"-C {cli.root} " in words) and "sandbox.server" not in words:
            found.append(words)
    return found


def password_length(cli: Any, name: str) -> int:
    """That of an environment's account."""
    running = control.status(cli.root / ".toolkit" / "sandbox")
    assert running is not None
    own = control.environ(running, account_id=ACCOUNTS[name])
    iam = boto3.client(
        "iam",
        "eu-central-1",
        endpoint_url=running.endpoint,
        aws_access_key_id=own["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=own["AWS_SECRET_ACCESS_KEY"],
    )
    return int(iam.get_account_password_policy()["PasswordPolicy"]["MinimumPasswordLength"])


@pytest.fixture
def two(new_project: Callable[..., Any]) -> Iterator[Any]:
    cli = new_project()
    sandbox(cli, "canary", "green")
    yield cli
    cli.run("sandbox", "down")


KILLS = int(os.environ.get("FLEET_KILLS", "1"))
"""`make soak` sets more."""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize("seed", range(KILLS))
def test_a_run_that_is_killed_at_any_moment_is_completed_by_the_next(two: Any, seed: int):
    chance = random.Random(seed)
    kill = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)[seed % 3]
    process = subprocess.Popen(
        two.command("apply", "--all", "--auto-approve"),
        env=two.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    runs = two.root / ".toolkit" / "fleet"
    while not any(f.stat().st_size for f in runs.glob("*/journal.jsonl")) and process.poll() is None:
        time.sleep(0.05)
    time.sleep(chance.uniform(0, 20))
    os.kill(process.pid, kill)
    _, errors = process.communicate(timeout=120)
    assert process.returncode in (0, 130, -signal.SIGKILL), errors
    assert "Traceback" not in errors
    # Whatever was running: the next command waits for it, and completes the run.
    done = two.json("apply", "--failed", "--auto-approve")
    assert set(states(done).values()) <= {"applied", "verified"}
    assert left_behind(two) == []
    # Each account has what its state has, no lock is left, and nothing is pending.
    for name in ("canary", "green"):
        assert "is not locked" in two.run("unlock", name).stdout
        state = json.loads((two.root / "environments" / name / "terraform.tfstate").read_text())
        (policy,) = (one for one in state["resources"] if one["mode"] == "managed")
        (instance,) = policy["instances"]
        assert (instance.get("status"), instance["attributes"]["minimum_password_length"]) == (None, 14)
        assert password_length(two, name) == 14
