"""Work on many things in several processes: what takes Python's time and asks neither AWS nor Terraform.

Processes, since threads of one share its interpreter. They end with the one that started them: on an interrupt each
finishes what it has begun, and when that one is killed, each notices before it begins the next.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from toolkit.errors import ToolkitError

T = TypeVar("T")
R = TypeVar("R")

_WORTH_A_PROCESS = 16
"""Things for each process at least: below, starting one takes as long as it saves."""
_GARBAGE = 20_000
"""Objects after which a process looks for unreachable ones."""


def each(work: Callable[[T], R], things: Sequence[T], *, jobs: int | None = None) -> list[R]:
    """What `work` returns for each thing, in their order.

    Args:
        work: A function of a module, or a `functools.partial` of one. It runs in another process: what it changes
            there stays there.
        things: What it gets.
        jobs: Processes at most; None for as many as there are processors for this one.

    Raises:
        ToolkitError: A process ended before its work was done.
        Exception: What `work` raised first, by the order of the things; the others' is dropped.
    """
    jobs = min(_processors() if jobs is None else jobs, len(things) // _WORTH_A_PROCESS)
    return [work(thing) for thing in things] if jobs < 2 else _side_by_side(work, things, jobs)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _side_by_side(work: Callable[[T], R], things: Sequence[T], jobs: int) -> list[R]:
    # A fork has all that is imported. Where threads run, or the system's own libraries may start some (macOS), a copy
    # of a process with one of its threads is unsafe.
    forks = sys.platform.startswith("linux") and threading.active_count() == 1
    context = multiprocessing.get_context("fork" if forks else "spawn")
    readers: list[Connection[Any, Any]] = []
    workers = []
    answers: dict[int, tuple[bool, Any]] = {}
    try:
        for first in range(jobs):
            reader, writer = context.Pipe(duplex=False)
            # A fork has the others' pipes, too, which would never break then.
            inherited = (*readers, reader) if forks else ()
            arguments = (work, things[first::jobs], writer, inherited, os.getpid())
            worker = context.Process(target=_work, args=arguments, daemon=True)  # type: ignore[attr-defined]
            readers.append(reader)
            with writer:
                worker.start()
            workers.append(worker)
        received = dict.fromkeys(readers, 0)
        while received:
            for reader in [one for one in wait(list(received)) if isinstance(one, Connection)]:
                try:
                    answers[readers.index(reader) + received[reader] * jobs] = reader.recv()
                    received[reader] += 1
                except EOFError:
                    del received[reader]
    finally:
        for reader in readers:
            reader.close()
        for worker in workers:
            with contextlib.suppress(ProcessLookupError):
                worker.terminate()
            worker.join()
    for index in range(len(things)):
        if index not in answers:
            raise ToolkitError(
                "a process that worked on this ended early: the system may be short of memory",
                where=str(things[index]),
                hint="run the command again for fewer at a time",
            )
        done, value = answers[index]
        if not done:
            raise value
    return [answers[index][1] for index in range(len(things))]


def _work(
    work: Callable[[T], R],
    things: Sequence[T],
    writer: Connection[Any, Any],
    inherited: Sequence[Connection[Any, Any]],
    parent: int,
) -> None:
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the terminal sends it to all; the parent decides
    for reader in inherited:
        reader.close()
    # The command looks for garbage so rarely that what a thousand things leave would pile up. What is imported is no
    # part of that, and looking through it would take the time.
    gc.freeze()
    gc.set_threshold(_GARBAGE)
    with contextlib.suppress(BrokenPipeError):
        for thing in things:
            if stopped.is_set() or os.getppid() != parent:
                return
            try:
                answer: tuple[bool, Any] = (True, work(thing))
            except Exception as e:
                answer = (False, e)
            writer.send(answer)
