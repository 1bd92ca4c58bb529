"""The server process of the embedded AWS: `python -m toolkit.sandbox.server --ready-file F`.

In: port, account id. Out: an AWS API on 127.0.0.1 whose state lives in this process's memory, and a ready file
(JSON: pid, port, account_id, started, further accounts) once it answers. Stops on SIGTERM or SIGINT, or when its owner
has ended, and removes the ready file. Nothing but `toolkit.sandbox.control` starts it.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import re
import select
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from toolkit.sandbox.control import ACCOUNTS_PATH

HEALTH_PATH = "/moto-api/toolkit-health"
"""Answered by this server, as ACCOUNTS_PATH is, below moto's own reserved prefix, so that no bucket or API can shadow
it."""


def main(argv: list[str] | None = None) -> int:
    """Serve until a signal comes; returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m toolkit.sandbox.server")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--account-id", default="123456789012", help="the simulated account, 12 digits")
    parser.add_argument("--ready-file", type=Path, required=True, help="written when the server answers")
    parser.add_argument("--owner", type=int, help="process with which this one ends")
    parser.add_argument("--record", type=Path, help="file to which every request to AWS is added, one JSON line each")
    arguments = parser.parse_args(argv)

    # moto reads these when it is imported or at its first request; without the first, no AWS managed policy exists.
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    os.environ["MOTO_ACCOUNT_ID"] = arguments.account_id
    # Its images would be made in each region that is read, 1,288 of them in a third of a second; nothing here has any.
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"

    _read_once()
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    from toolkit.sandbox import patches

    patches.apply()
    _find_out_once()
    moto: Callable[..., Iterable[bytes]] = DomainDispatcherApplication(create_backend_app)
    if arguments.record is not None:
        moto = _recorded(moto, arguments.record)
    moto = _one_at_a_time(moto)
    record: dict[str, Any] = {}
    application = _with_own_paths(moto, record, arguments.ready_file)
    server = make_server("127.0.0.1", arguments.port, application, threaded=True, request_handler=MotoRequestHandler)
    os.environ["MOTO_PORT"] = str(server.server_port)

    def stop(_signal: int, _frame: object) -> None:
        # serve_forever runs in this very thread: leaving by an exception is the only way that cannot deadlock.
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    record |= {
        "pid": os.getpid(),
        "port": server.server_port,
        "account_id": arguments.account_id,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "further": [],
    }
    if arguments.owner is not None:
        threading.Thread(target=_end_with, args=(arguments.owner,), daemon=True).start()
    try:
        _write_atomically(arguments.ready_file, json.dumps(record))
        server.serve_forever()
    finally:
        arguments.ready_file.unlink(missing_ok=True)
    return 0


def _end_with(owner: int) -> None:
    """Send this process SIGTERM once `owner` has ended, killed or not; runs in a thread of its own."""
    try:
        if hasattr(os, "pidfd_open"):  # Linux: the very process, whoever gets its number afterwards
            select.select([os.pidfd_open(owner)], [], [])
        else:
            while True:
                os.kill(owner, 0)
                time.sleep(0.5)
    except ProcessLookupError:
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _read_once() -> None:
    """Keep each file of botocore that was read: moto's import reads EC2's three times, one of its largest."""
    from botocore.loaders import JSONFileLoader

    read = cache(JSONFileLoader().load_file)
    JSONFileLoader.load_file = lambda _, path: read(path)  # type: ignore[method-assign, assignment]


def _find_out_once() -> None:
    """Keep what moto finds out anew for every request or service, though it is the same as long as the process lives.

    It looks through its own folder for each request (1 to 2 ms of CPU time), lists the methods of a class for most of
    them, and looks through botocore's folders for each service: two fifths of the work that Terraform's requests cause.
    """
    from moto import backends
    from moto.core import responses, utils

    for module, name in (
        (backends, "list_of_moto_modules"),
        (responses, "method_names_from_class"),
        (utils, "create_loader"),
    ):
        setattr(module, name, _once(getattr(module, name)))


def _once(find_out: Callable[..., Any]) -> Callable[..., Any]:
    @cache
    def found(*arguments: Any) -> Any:
        answer = find_out(*arguments)
        return tuple(answer) if isinstance(answer, (list, Iterator)) else answer

    return found


def _with_own_paths(
    application: Callable[..., Iterable[bytes]], record: dict[str, Any], ready_file: Path
) -> Callable[..., Iterable[bytes]]:
    adding = threading.Lock()

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO") or ""
        account_id = path.removeprefix(ACCOUNTS_PATH)
        if account_id != path and environ["REQUEST_METHOD"] == "POST" and re.fullmatch("[0-9]{12}", account_id):
            with adding:
                if account_id not in (record["account_id"], *record["further"]):
                    record["further"].append(account_id)
                _write_atomically(ready_file, json.dumps(record))
        elif path != HEALTH_PATH:
            return application(environ, start_response)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(os.getpid()).encode()]

    return serve


def _one_at_a_time(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """moto guards nothing that its threads share: it may answer 500 to a call that it has carried out.

    The caller then repeats it, and is told that what it wants to create exists ("dictionary changed size during
    iteration" in the log, EntityAlreadyExists in the apply). A body is read before: a slow sender keeps nobody waiting.
    """
    turn = threading.Lock()

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if length := int(environ.get("CONTENT_LENGTH") or 0):
            environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))
        with turn:
            answer = application(environ, start_response)
            try:
                return [b"".join(answer)]
            finally:
                if (close := getattr(answer, "close", None)) is not None:
                    close()

    return serve


def _recorded(application: Callable[..., Iterable[bytes]], file: Path) -> Callable[..., Iterable[bytes]]:
    """Writes down each request before it is answered, as it came: `scripts/record_actions.py` knows what it says.

    Bodies are in it, and so are secrets: the file is 0600, and for dummy accounts alone.
    """
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    headers = ("AUTHORIZATION", "HOST", "USER_AGENT", "X_AMZ_TARGET", "X_AMZ_COPY_SOURCE")

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read() if environ.get("CONTENT_LENGTH") else b""
        environ["wsgi.input"] = io.BytesIO(body)
        line = {
            "time": time.time(),
            "method": environ["REQUEST_METHOD"],
            "path": environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ.get("PATH_INFO", ""),
            "query": environ.get("QUERY_STRING", ""),
            "headers": {name: environ[f"HTTP_{name}"] for name in headers if f"HTTP_{name}" in environ},
            "content_type": environ.get("CONTENT_TYPE", ""),
            "body": base64.b64encode(body).decode(),
        }
        os.write(descriptor, f"{json.dumps(line)}\n".encode())
        return application(environ, start_response)

    return serve


def _write_atomically(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).replace(path)


if __name__ == "__main__":
    try:
        main()
    except SystemExit as e:
        if e.code:
            raise
        # What it holds is in its memory alone. To take that apart object by object, as Python does at its end, costs
        # as much as a third of the start.
        os._exit(0)
