"""What is known of a run whose toolkit was killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from toolkit.errors import ExitCode, LockedError
from toolkit.terraform import events
from toolkit.terraform.outcomes import Step
from toolkit.terraform.runs import RunLock, active_run, finished_orphan

from .conftest import Fake, gone, wait_for

LONG_APPLY = """
if command == "apply":
    hook("apply_start", "a.one")
    hook("apply_complete", "a.one", elapsed_seconds=1)
    hook("apply_start", "a.two")
    until(lambda: os.path.exists(here + "/finish"), 30)
    hook("apply_complete", "a.two", elapsed_seconds=2)
    summary("apply", add=2)
"""


def killed(fake: Fake, until: str = "a.two") -> int:
    """Start an apply in a toolkit of its own, kill -9 that toolkit in the middle; the pid of the fake Terraform."""
    command = subprocess.Popen(fake.driver(), stdout=subprocess.PIPE, text=True)
    assert command.stdout is not None
    line = ""
    while until not in line:
        line = command.stdout.readline()
    command.kill()
    assert command.wait(60) == -signal.SIGKILL
    pid: int = json.loads((fake.scratch / "run.json").read_text())["terraform_pid"]
    return pid


def test_after_kill_9_terraform_goes_on_and_the_next_command_says_so(fake: Fake, tmp_path: Path) -> None:
    fake.does(LONG_APPLY)
    pid = killed(fake)
    run = active_run(fake.scratch)

    assert run is not None
    assert (run.operation, run.terraform_pid, run.toolkit_alive) == ("apply", pid, False)
    assert finished_orphan(fake.scratch) is None
    with pytest.raises(LockedError) as caught:
        fake.runner().plan(tmp_path / "p")
    assert caught.value.exit_code is ExitCode.LOCKED
    assert f"Terraform process {pid} on {socket.gethostname()}" in caught.value.problem
    assert caught.value.hint is not None and f"kill -INT {pid}" in caught.value.hint

    (tmp_path / "finish").touch()
    wait_for(lambda: active_run(fake.scratch) is None)
    orphan = finished_orphan(fake.scratch)
    assert orphan is not None
    assert orphan.outcome.completed == (Step("a.one", "create", 1), Step("a.two", "create", 2))
    assert "Terraform went on and finished it (2 done)" in orphan.describe()

    fake.runner().init()
    assert events.Notice(orphan.describe()) in fake.events
    assert finished_orphan(fake.scratch) is None


def test_an_orphan_that_died_too_is_told_apart(fake: Fake) -> None:
    fake.does(LONG_APPLY)
    pid = killed(fake)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: active_run(fake.scratch) is None)
    orphan = finished_orphan(fake.scratch)

    assert orphan is not None
    assert "ended without a result (1 done, 1 unfinished)" in orphan.describe()


def test_an_orphan_that_failed_says_why(fake: Fake) -> None:
    fake.does('hook("apply_start", "a.two"); until(lambda: os.path.exists(here + "/finish"))\n'
              'hook("apply_errored", "a.two"); error("AccessDenied"); sys.exit(1)')  # fmt: skip
    killed(fake)
    (fake.folder / "finish").touch()
    wait_for(lambda: active_run(fake.scratch) is None)
    orphan = finished_orphan(fake.scratch)

    assert orphan is not None
    assert "failed (0 done, 1 failed): AccessDenied" in orphan.describe()


def test_providers_of_a_dead_terraform_do_not_hold_the_lock_for_ever(fake: Fake) -> None:
    fake.does(
        'if command == "apply":\n'
        # A provider keeps open whatever Terraform inherited, as Go's os/exec lets it.
        '    child = subprocess.Popen(["sleep", "60"], close_fds=False)\n'
        '    json.dump({"child": child.pid}, open(here + "/facts.json", "w"))\n'
        '    hook("apply_start", "a.two"); until(lambda: False, 30)'
    )
    pid = killed(fake)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: gone(pid))
    child = int(str(fake.facts()["child"]))
    assert not gone(child)
    assert active_run(fake.scratch) is not None

    fake.runner().init()
    assert gone(child)


def test_two_commands_at_once_are_told_apart_from_an_orphan(fake: Fake) -> None:
    fake.does("")
    with RunLock(fake.scratch) as lock:
        lock.record("apply", Path("o"), Path("e"), os.getpid())
        run = active_run(fake.scratch)
        assert run is not None and run.toolkit_alive
        with pytest.raises(LockedError, match=f"toolkit process {os.getpid()}"):
            fake.runner().init()
    assert active_run(fake.scratch) is None
    fake.runner().init()


def test_a_record_of_another_host_is_not_judged(fake: Fake) -> None:
    fake.does("")
    fake.scratch.mkdir()
    (fake.scratch / "run.json").write_text(
        json.dumps(
            {
                "operation": "apply",
                "host": "elsewhere",
                "started": "2026-01-01T00:00:00+00:00",
                "toolkit_pid": 1,
                "terraform_pid": 1,
                "stdout": "/nowhere",
                "stderr": "/nowhere",
            }
        )
    )
    fake.runner().init()

    (notice,) = [e.text for e in fake.events if isinstance(e, events.Notice)]
    assert "on elsewhere; whether Terraform still runs there cannot be seen from here" in notice


@pytest.mark.parametrize("text", ["", "{", "[]", '{"operation": 1}', "null"])
def test_a_broken_record_is_no_record(fake: Fake, text: str) -> None:
    fake.does("")
    fake.scratch.mkdir()
    (fake.scratch / "run.json").write_text(text)

    assert finished_orphan(fake.scratch) is None
    fake.runner().init()


def test_reading_commands_do_not_wait_for_a_run(fake: Fake) -> None:
    fake.does('print("{}")')
    with RunLock(fake.scratch):
        assert fake.runner().output() == {}
