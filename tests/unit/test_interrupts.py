"""What a signal does to a process of the toolkit, wherever it is (toolkit/interrupts.py)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from toolkit import interrupts
from toolkit.aws.facts import side_by_side
from toolkit.aws.state_object import StateObject
from toolkit.environment import S3Backend
from toolkit.errors import ToolkitError
from toolkit.interrupts import report, reported, uninterrupted
from toolkit.workflows import scratch
from toolkit.workflows.scratch import own_folder

BACKEND = S3Backend(type="s3", bucket="tf-state", region="eu-west-1")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """Signals are handled as in a process of the toolkit, and time stands still."""
    clock = Clock()
    monkeypatch.setattr(interrupts, "time", clock)
    before = {number: signal.signal(number, signal.default_int_handler) for number in SIGNALS}
    interrupts.forget()
    interrupts.begin()
    yield clock
    for number, handler in before.items():
        signal.signal(number, handler)
    interrupts.forget()


def send(number: signal.Signals = signal.SIGTERM) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", SIGNALS)
def test_each_stops_what_runs(clock: Clock, number: signal.Signals):
    with pytest.raises(KeyboardInterrupt):
        send(number)


def test_the_same_keypress_twice_does_not_cut_off_the_cleaning_up_a_later_one_does(clock: Clock):
    with pytest.raises(KeyboardInterrupt):
        send(signal.SIGINT)
    clock.now += interrupts.GRACE_SECONDS - 0.1
    send(signal.SIGINT)
    send(signal.SIGHUP)
    clock.now += 0.2
    with pytest.raises(KeyboardInterrupt):
        send(signal.SIGTERM)


def test_what_is_ignored_stays_ignored(clock: Clock):
    """`nohup toolkit …` goes on without its terminal, and `toolkit … &` of a script without its Ctrl-C."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    interrupts.begin()
    send(signal.SIGHUP)
    send(signal.SIGINT)
    interrupts.begin(always=True)
    send(signal.SIGHUP)
    with pytest.raises(KeyboardInterrupt):
        send(signal.SIGINT)


def test_a_step_is_done_whole(clock: Clock):
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        with uninterrupted():
            send()
            assert interrupts.waits()
            done.append(1)
        done.append(2)
    assert done == [1, 2]
    with uninterrupted():
        pass  # nothing waits any more


def test_a_later_signal_cuts_off_a_step_that_takes_long(clock: Clock):
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        send()
        clock.now += interrupts.GRACE_SECONDS
        send()
        pytest.fail("it waits for the network")


def test_an_error_on_its_way_says_more_and_is_not_replaced(clock: Clock):
    with pytest.raises(ToolkitError, match="the state"), uninterrupted():
        send()
        raise ToolkitError("the state could not be saved")


def test_a_step_of_another_thread_is_no_step_of_the_main_thread(clock: Clock):
    inside, end = threading.Event(), threading.Event()

    def work() -> None:
        with uninterrupted():
            inside.set()
            end.wait(60)

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        assert inside.wait(60)
        with pytest.raises(KeyboardInterrupt):
            send()
        end.set()
        future.result(60)


def test_what_was_done_is_known_in_order(clock: Clock):
    steps: list[str] = []
    report("the bucket is made")
    report(lambda: ", ".join(steps))
    report(lambda: None)
    assert reported() == ("the bucket is made",)
    steps += ["a", "b"]
    assert reported() == ("the bucket is made", "a, b")


@pytest.mark.parametrize("step", ["mkdtemp", "open", "flock", "rmtree", "close"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_no_folder_of_a_command_outlives_it(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, when: str
):
    """Plans in it hold secrets in the clear."""
    modules = {"mkdtemp": scratch.tempfile, "rmtree": scratch.shutil, "flock": scratch.fcntl}
    module: Any = modules.get(step, scratch.os)
    own = getattr(module, step)

    def interrupted(*arguments: Any, **options: Any) -> Any:
        if when == "before":
            send()
        result = own(*arguments, **options)
        if when == "after":
            send()
        return result

    with pytest.raises(KeyboardInterrupt), monkeypatch.context() as patch:
        patch.setattr(module, step, interrupted)
        with own_folder(tmp_path, "plan") as folder:
            (folder / "plan.tfplan").write_text("secret")
    assert list(tmp_path.glob("plan-*")) == []


class S3:
    """Gets a signal with a request."""

    def __init__(self, at: str) -> None:
        self.at = at
        self.asked: list[str] = []

    def _asked(self, name: str) -> None:
        self.asked.append(name)
        if name == self.at:
            send()

    def put_object(self, *, Key: str, **_: Any) -> None:  # noqa: N803 - boto3's
        self._asked(f"put {Key}")

    def delete_object(self, *, Key: str, **_: Any) -> None:  # noqa: N803 - boto3's
        self._asked(f"delete {Key}")


@pytest.mark.parametrize("at", ["put k.tflock", "put k", "delete k.tflock"])
def test_no_lock_of_a_state_outlives_its_holder(clock: Clock, at: str):
    """Also if the signal comes while S3 answers: the lock may be there by then."""
    client = S3(at)
    with pytest.raises(KeyboardInterrupt):
        StateObject(client, BACKEND, key="k", owner="111122223333").place(b"{}")
    assert client.asked == ["put k.tflock", "put k", "delete k.tflock"]


def test_reads_that_have_begun_are_told_to_stop(clock: Clock):
    """Else an interrupt waits for all calls of all lists that are being read."""
    begun, stopped = threading.Barrier(3), threading.Event()
    why: list[str] = []

    def ask(number: int) -> bool:
        begun.wait(60)
        if number == 0:
            send()
        return stopped.wait(60)

    def stop(reason: str) -> None:
        why.append(reason)
        stopped.set()

    with pytest.raises(KeyboardInterrupt):
        side_by_side(ask, range(3), 3, stop)
    assert why == ["interrupted"]


START = """
import os, signal, sys
import toolkit.__main__ as command
class Loads:
    def find_spec(self, name, *_):
        if name == "toolkit.cli.main":
            os.kill(os.getpid(), signal.{name})
sys.meta_path.insert(0, Loads())
sys.argv = ["toolkit", "render"]
command.main()
"""


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_before_the_command_line_is_read_is_no_traceback(number: signal.Signals):
    done = subprocess.run(
        [sys.executable, "-c", START.format(name=number.name)], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Error: interrupted\n")
