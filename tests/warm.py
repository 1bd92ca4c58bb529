"""Commands of the toolkit without the second that their imports take: each is a fork of a process that has them all.

It is a process of its own all the same, with its own streams, environment and working directory, and it ends as Python
does. What such a process has before its first line (an interpreter's options, PYTHON* variables, closed streams) it
cannot have, and that a module lacks an import, it does not show: tests of those start `python -m toolkit`.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import os
import pkgutil
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn

from tests import warm_client


def given(environ: Mapping[str, str]) -> dict[str, str]:
    """What an interpreter looks at before it runs anything."""
    return {name: value for name, value in environ.items() if name.startswith("PYTHON")}


def end_with_parent() -> None:
    """In a child: SIGTERM for it when its parent is killed (Linux), so that its Terraform stops, too."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG, prctl(2)


class Warm:
    """Runs commands on a server."""

    def __init__(self, address: str) -> None:
        self.address = address
        """Of the server's socket."""

    def run(
        self, arguments: Sequence[str], environ: Mapping[str, str], *, timeout: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Like subprocess.run of `toolkit ARGUMENTS`, with what it wrote as text."""
        if sys.platform != "linux" or given(environ) != given(os.environ):
            return subprocess.run(
                [sys.executable, "-m", "toolkit", *arguments],
                env=environ,
                capture_output=True,
                text=True,
                check=False,
                timeout=timeout,
                preexec_fn=end_with_parent,
            )
        command = ["toolkit", *arguments]
        with (
            open(os.devnull, "rb") as stdin,  # noqa: PTH123
            tempfile.TemporaryFile("w+") as out,
            tempfile.TemporaryFile("w+") as err,
        ):
            descriptors = (stdin.fileno(), out.fileno(), err.fileno())
            connection = warm_client.called(self.address, arguments, environ, descriptors)
            process = warm_client.number(connection)
            connection.settimeout(timeout)
            try:
                code = warm_client.number(connection)
            except TimeoutError:
                os.kill(process, signal.SIGKILL)
                raise subprocess.TimeoutExpired(command, timeout or 0) from None
            finally:
                connection.close()
            assert code is not None, "the server of tests/warm.py has ended"
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(command, code, out.read(), err.read())


@contextlib.contextmanager
def warm() -> Iterator[Warm]:
    """A server, which ends with the block or with this process."""
    folder = tempfile.mkdtemp(prefix="warm")  # a socket's name has 100 bytes at most
    address = f"{folder}/socket"
    try:
        with subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.warm", address],
            stdout=subprocess.PIPE,
            preexec_fn=end_with_parent,  # noqa: PLW1509
        ) as server:
            try:
                assert server.stdout is not None
                assert server.stdout.readline() == b"ready\n"
                yield Warm(address)
            finally:
                server.terminate()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def serve(address: str) -> NoReturn:
    """Answer calls until a signal ends this process."""
    import toolkit
    from toolkit.cli import main

    for module in pkgutil.walk_packages(toolkit.__path__, "toolkit."):
        # What a command imports only for the server of the embedded AWS, it imports by itself.
        if not module.name.startswith("toolkit.sandbox."):
            importlib.import_module(module.name)
    main._command()
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(address)
        listener.listen(64)
        os.write(1, b"ready\n")
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                end_with_parent()
                listener.close()
                _attend(connection)
            connection.close()
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:  # those that have ended
                    pass


def _attend(connection: socket.socket) -> NoReturn:
    length, descriptors, _, _ = socket.recv_fds(connection, 4, 3)
    request = connection.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL)
    directory, count, *words = map(os.fsdecode, request.split(b"\0"))
    if process := os.fork():
        for descriptor in descriptors:
            os.close(descriptor)
        _answer(connection, process)
        _, status = os.waitpid(process, 0)
        _answer(connection, os.waitstatus_to_exitcode(status))
        os._exit(0)
    end_with_parent()
    connection.close()
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(word.split("=", 1) for word in words[int(count) :])
    sys.argv[:] = ["toolkit", *words[: int(count)]]
    os._exit(_ended())


def _ended() -> int:
    """Run the command, and do what an interpreter does at its end but for taking apart what all commands share."""
    from toolkit.__main__ import main

    try:
        main()
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else int(e.code is not None)
    except BaseException:  # main() ends with SystemExit
        traceback.print_exc()
        code = 1
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return code


def _answer(connection: socket.socket, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):
        connection.sendall(number.to_bytes(4, "big", signed=True))


if __name__ == "__main__":
    serve(sys.argv[1])
