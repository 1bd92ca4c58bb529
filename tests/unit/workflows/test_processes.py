"""Work in several processes: the same answers in the same order, and no process outlives the one that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from toolkit.environment.load import EnvironmentFileError
from toolkit.environment.source import Problem
from toolkit.errors import ToolkitError
from toolkit.workflows import processes
from toolkit.workflows.processes import each

THINGS = list(range(100))


def doubled(number: int) -> tuple[int, int]:
    time.sleep(0.001 * (number % 3))
    return 2 * number, os.getpid()


def wrong(number: int) -> int:
    if number >= 40:
        raise EnvironmentFileError("environment.yaml", [Problem(number, "regions", "wrong", "right")])
    return number


def large(number: int) -> str:
    return "x" * 200_000 + str(number)


def dies(number: int) -> int:
    if number == 57:
        os._exit(9)
    return number


@pytest.fixture(params=["fork", "spawn"])
def method(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "fork" and not sys.platform.startswith("linux"):
        pytest.skip("forks on Linux only")
    # Which of the two it is depends on threads, and the test runner may have some.
    count = 1 if request.param == "fork" else 2
    monkeypatch.setattr(threading, "active_count", lambda: count)
    return str(request.param)


def test_answers_come_in_the_order_of_the_things(method: str):
    found = each(doubled, THINGS, jobs=3)
    assert [number for number, _ in found] == [2 * number for number in THINGS]
    pids = {pid for _, pid in found}
    assert len(pids) == 3
    assert os.getpid() not in pids


@pytest.mark.parametrize(("count", "jobs"), [(0, 4), (1, 4), (31, 4), (100, 1)])
def test_few_things_start_no_process(count: int, jobs: int):
    assert {pid for _, pid in each(doubled, THINGS[:count], jobs=jobs)} <= {os.getpid()}


def test_the_first_error_by_the_order_of_the_things_is_raised_whole(method: str):
    with pytest.raises(EnvironmentFileError) as caught:
        each(wrong, THINGS, jobs=3)
    assert [problem.line for problem in caught.value.problems] == [40]
    assert caught.value.where == "environment.yaml"
    assert caught.value.detail == "environment.yaml:40: regions: wrong; expected right"


def test_answers_may_be_larger_than_a_pipe(method: str):
    assert each(large, THINGS, jobs=2) == [large(number) for number in THINGS]


def test_a_process_that_dies_is_told(method: str):
    with pytest.raises(ToolkitError, match="ended early") as caught:
        each(dies, THINGS, jobs=3)
    assert caught.value.where == "57"


def test_as_many_processes_as_processors(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(processes, "_processors", lambda: 2)
    assert len({pid for _, pid in each(doubled, THINGS)}) == 2


RUN = """
import os, sys, time
from pathlib import Path
from toolkit.workflows import processes

def slow(number):
    Path(sys.argv[1], str(os.getpid())).touch()
    time.sleep(0.05)
    Path(sys.argv[1], f"done-{number}").touch()
    return "x" * 100_000

processes.each(slow, list(range(2000)), jobs=3)
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("to_all", [False, True], ids=["parent", "group"])
def test_no_process_outlives_its_parent(tmp_path: Path, sent: signal.Signals, to_all: bool):
    command = [sys.executable, "-c", textwrap.dedent(RUN), str(tmp_path)]
    run = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    while sum(file.name.isdigit() for file in tmp_path.iterdir()) < 3:
        assert run.poll() is None
        time.sleep(0.02)
    (os.killpg if to_all else os.kill)(run.pid, sent)
    run.wait(60)
    workers = [int(file.name) for file in tmp_path.iterdir() if file.name.isdigit()]
    until = time.monotonic() + 60
    while alive := [pid for pid in workers if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < until, alive
        time.sleep(0.02)
    done = sum(file.name.startswith("done") for file in tmp_path.iterdir())
    assert done < 1000
