"""Starts, finds and stops the embedded AWS.

In: a state folder (`<project>/.toolkit/sandbox`). Out: a `Sandbox`, and the environment variables that lead Terraform,
its provider and boto3 to it. Never imports moto and never touches the environment of its own process.

Who is alive is decided by the kernel, not by process numbers, which are reused: the server inherits an open file on
which `up` took an exclusive flock, so the lock is held exactly as long as a server lives, hung ones included. The ready
file beside it is written by the holder of that lock, so its pid can be trusted as long as the lock is held.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import ToolkitError, UsageError
from toolkit.interrupts import uninterrupted
from toolkit.variables import Admitted, admit, kept

DEFAULT_ACCOUNT_ID = "123456789012"
"""The account number of AWS's own documentation examples."""

_HEALTH_PATH = "/moto-api/toolkit-health"  # = server.HEALTH_PATH; the server module is not imported here
INSTALL = "pip install '.[sandbox]' in the toolkit's clone"
"""How it is installed."""
ACCOUNTS_PATH = "/moto-api/toolkit-accounts/"
"""Where the server is asked (POST) for a further account, whose number follows."""
ACCOUNT_KEY = "SANDBOX0"
"""An access key of a further account is this and its number: 20 letters and digits, as moto looks for."""
_LOG = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_START_SECONDS = 30.0
_STOP_SECONDS = 5.0


@dataclass(frozen=True)
class Sandbox:
    """A running embedded AWS."""

    endpoint: str
    """`http://127.0.0.1:PORT`; the number, not `localhost`, because bucket names become host names there."""

    pid: int
    port: int
    account_id: str
    """The account that a caller without a key of another one is in."""

    started: str
    """ISO 8601 in UTC."""

    further: tuple[str, ...] = ()
    """Accounts that were added since."""

    @property
    def account_ids(self) -> tuple[str, ...]:
        """All accounts that it simulates."""
        return (self.account_id, *self.further)

    @property
    def accounts(self) -> str:
        """These in words: "account 111122223333"."""
        return f"account{'s' if self.further else ''} {', '.join(self.account_ids)}"


def installed() -> bool:
    """Whether the embedded AWS can be started: moto comes with the extra `sandbox` only."""
    return importlib.util.find_spec("moto") is not None


def up(
    state_dir: Path,
    *,
    account_id: str | None = None,
    port: int = 0,
    owner: int | None = None,
    record: Path | None = None,
) -> Sandbox:
    """The running sandbox of `state_dir`, started if there is none; an account that it lacks is added to it.

    Args:
        state_dir: Created (0700) if absent; holds lock, ready file and `sandbox.log`.
        account_id: The simulated account, 12 digits; None: any of one that runs, DEFAULT_ACCOUNT_ID of a new one.
        port: Port on 127.0.0.1; 0 takes a free one. Ignored when one is running already and 0 is asked.
        owner: Process with which a server that is started here ends, however that one ends; None: with `down` alone.
        record: File in which a server that is started here writes down every request.

    Raises:
        ToolkitError: moto is not installed; the server did not come up; one with another port is running.
        UsageError: The account id is not 12 digits, or there is no process `owner`.
    """
    if account_id is not None and not re.fullmatch(r"[0-9]{12}", account_id):
        raise UsageError(f"{account_id!r} is not an AWS account id", hint="An account id is 12 digits.")
    if owner is not None and not _exists(owner):
        raise UsageError(f"there is no process {owner} that the sandbox could end with")
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    deadline = time.monotonic() + _START_SECONDS
    while True:
        lock = _try_lock(state_dir)
        if lock is not None:
            try:
                # Only a child that inherits the descriptor prolongs the lock; ours ends with this block.
                return _start(state_dir, lock, account_id or DEFAULT_ACCOUNT_ID, port, owner, record)
            finally:
                os.close(lock)
        running = status(state_dir)  # someone else's server, or one that another process is just starting
        if running is not None:
            return _same(state_dir, running, account_id, port)
        if time.monotonic() > deadline:
            raise ToolkitError(
                "a sandbox process exists but does not answer",
                where=str(state_dir / "sandbox.log"),
                hint="Stop it with `toolkit sandbox down`, then start it again.",
            )
        time.sleep(0.05)


def status(state_dir: Path) -> Sandbox | None:
    """The sandbox of `state_dir` if its process lives and answers, else None."""
    if not _locked(state_dir):
        return None
    sandbox = _recorded(state_dir)
    if sandbox is None or _request(sandbox.port, "GET", _HEALTH_PATH) != str(sandbox.pid).encode():
        return None
    return sandbox


def elsewhere(state_dir: Path) -> tuple[tuple[Path, Sandbox], ...]:
    """State folders of other projects whose sandbox runs, with it; none where the system has no /proc (macOS)."""
    found = {}
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError, ValueError, IndexError):  # ended meanwhile, or another user's
            arguments = [os.fsdecode(argument) for argument in file.read_bytes().split(b"\0")]
            if "toolkit.sandbox.server" in arguments:
                folder = Path(arguments[arguments.index("--ready-file") + 1]).parent
                running = status(folder)
                if running is not None and folder != state_dir.resolve():
                    found[folder] = running
    return tuple(sorted(found.items(), key=lambda pair: pair[0]))


def down(state_dir: Path) -> bool:
    """Stop the sandbox of `state_dir`, hung or not; False if none was running.

    Raises:
        ToolkitError: The process could not be ended.
    """
    if not _locked(state_dir):
        (state_dir / "ready.json").unlink(missing_ok=True)
        return False
    # A server that is just starting has no ready file yet: wait for it rather than leave it behind.
    _wait(lambda: _recorded(state_dir) is not None or not _locked(state_dir), _START_SECONDS)
    sandbox = _recorded(state_dir)
    for wanted in (signal.SIGTERM, signal.SIGKILL):
        if sandbox is None or not _locked(state_dir):
            break
        try:
            os.kill(sandbox.pid, wanted)
        except ProcessLookupError:
            break
        _wait(lambda: not _locked(state_dir), _STOP_SECONDS)
    if _locked(state_dir):
        raise ToolkitError(
            "the sandbox process could not be stopped",
            where=str(state_dir),
            hint=f"End process {sandbox.pid} by hand."
            if sandbox
            else f"Find the process that holds {_lock(state_dir)}.",
        )
    (state_dir / "ready.json").unlink(missing_ok=True)
    if sandbox is not None:
        with contextlib.suppress(ChildProcessError):  # reaps it where one process calls both up and down
            os.waitpid(sandbox.pid, os.WNOHANG)
    return True


def reset(sandbox: Sandbox) -> None:
    """Forget everything in the simulated account, state buckets included; local Terraform state must go with it.

    Raises:
        ToolkitError: The sandbox does not answer.
    """
    if _request(sandbox.port, "POST", "/moto-api/reset", timeout=30) is None:
        raise ToolkitError(
            "the sandbox did not answer the reset", where=sandbox.endpoint, hint="Start it with `toolkit sandbox up`."
        )


def environ(sandbox: Sandbox, region: str = "us-east-1", account_id: str | None = None) -> dict[str, str]:
    """Variables that lead Terraform, its AWS provider and boto3 to the sandbox.

    For child processes and clients only, on top of an environment without the caller's own AWS settings: use
    `child_environ` for a complete one.

    Args:
        sandbox: The running one.
        region: Region where nothing else names one.
        account_id: The account to be in; one that the sandbox does not have leads to its first, as does None.
    """
    key = f"{ACCOUNT_KEY}{account_id}" if account_id in sandbox.further else "sandbox"
    return {
        "AWS_ENDPOINT_URL": sandbox.endpoint,
        # s3control puts the account id before the host name; only a proxy gets such a request to 127.0.0.1.
        "HTTP_PROXY": sandbox.endpoint,
        "http_proxy": sandbox.endpoint,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        # A profile's role or endpoint in the caller's own files would lead out of the sandbox again.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def child_environ(
    sandbox: Sandbox, base: Mapping[str, str], region: str = "us-east-1", account_id: str | None = None
) -> Admitted:
    """`base` without anything that could lead out of the sandbox (every AWS_*, proxy exceptions), plus `environ`."""
    inside = admit(base) | environ(sandbox, region, account_id)
    for name in set(inside) - set(environ(sandbox)):
        # AWS_CA_BUNDLE is no way out, and a machine behind a TLS proxy needs it for the Terraform registry.
        aws = name.startswith("AWS_") and name != "AWS_CA_BUNDLE"
        if aws or name.upper() in ("NO_PROXY", "ALL_PROXY"):
            del inside[name]
    return inside


def _start(state_dir: Path, lock: int, account_id: str, port: int, owner: int | None, record: Path | None) -> Sandbox:
    if not installed():
        raise ToolkitError(
            "the embedded AWS needs moto, which is not installed",
            hint=f"install it: {INSTALL}",
        )
    ready = state_dir / "ready.json"
    ready.unlink(missing_ok=True)
    log = state_dir / "sandbox.log"
    arguments = ["--port", str(port), "--account-id", account_id, "--ready-file", str(ready.resolve())]
    if owner is not None:
        arguments += ["--owner", str(owner)]
    if record is not None:
        arguments += ["--record", str(record.resolve())]
    # Neither AWS_* nor MOTO_* may change what it simulates; Python's own variables say where its packages are.
    python = {name: value for name, value in os.environ.items() if name.startswith("PYTHON") or name == "VIRTUAL_ENV"}
    clean = {n: v for n, v in {**kept(os.environ), **python}.items() if not n.startswith(("AWS_", "TF_"))}
    found: list[Sandbox] = []

    def answers() -> bool:
        sandbox = _recorded(state_dir)
        if sandbox is not None and _request(sandbox.port, "GET", _HEALTH_PATH) is not None:
            found.append(sandbox)
        return bool(found) or process.poll() is not None

    with contextlib.ExitStack() as starting, os.fdopen(os.open(log, _LOG, 0o600), "wb") as output:
        with uninterrupted():
            process = subprocess.Popen(
                [sys.executable, "-m", "toolkit.sandbox.server", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C in the terminal is for the command, not for the server
                cwd=state_dir,
                env=clean,
                pass_fds=(lock,),
            )
            starting.callback(_end_unless, found, process)
        _wait(answers, _START_SECONDS)
    if not found:
        lines = log.read_text(errors="replace").strip().splitlines()
        raise ToolkitError(
            f"the embedded AWS did not start: {lines[-1] if lines else 'it said nothing'}",
            where=str(log),
            hint="Another program may use the port; without --port a free one is taken." if port else None,
        )
    process.returncode = 0  # detached on purpose; None would make Popen warn that its child still runs
    return found[0]


def _end_unless(found: list[Sandbox], process: subprocess.Popen[bytes]) -> None:
    if not found and process.poll() is None:
        process.kill()
        process.wait()


def _same(state_dir: Path, running: Sandbox, account_id: str | None, port: int) -> Sandbox:
    if port not in (0, running.port):
        raise ToolkitError(
            f"a sandbox is already running on port {running.port}",
            where=running.endpoint,
            hint="Stop it with `toolkit sandbox down` (what it holds is lost), then start it on the port you want.",
        )
    if account_id is None or account_id in running.account_ids:
        return running
    added = _request(running.port, "POST", f"{ACCOUNTS_PATH}{account_id}")
    found = _recorded(state_dir)
    if added is None or found is None or account_id not in found.account_ids:
        raise ToolkitError(
            f"the sandbox that runs did not take account {account_id}",
            where=running.endpoint,
            hint="Stop it with `toolkit sandbox down` (what it holds is lost), then start it again.",
        )
    return found


def _recorded(state_dir: Path) -> Sandbox | None:
    try:
        record = json.loads((state_dir / "ready.json").read_text(encoding="utf-8"))
        port = int(record["port"])
        further = tuple(str(account_id) for account_id in record.get("further", ()))
        return Sandbox(
            f"http://127.0.0.1:{port}",
            int(record["pid"]),
            port,
            str(record["account_id"]),
            str(record["started"]),
            further,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _lock(state_dir: Path) -> Path:
    return state_dir / "sandbox.lock"


def _try_lock(state_dir: Path) -> int | None:
    descriptor = os.open(_lock(state_dir), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _locked(state_dir: Path) -> bool:
    """Whether a server holds the lock; asked for a shared one, so that two askers don't see each other."""
    try:
        descriptor = os.open(_lock(state_dir), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    return True


def _wait(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)


def _request(port: int, method: str, path: str, timeout: float = 5) -> bytes | None:
    # http.client rather than urllib: it knows no proxies, and the caller's may well be set.
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        body = response.read()
        return body if response.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
