"""Stands for `toolkit` in tests of runs over many environments: plans and applies in a world of files.

`world/ENV.json` says how an environment behaves; `world/ENV.state` is its state (a serial); `world/ENV.applied` gets a
line per apply; `world/calls` one per command. A bundle is a serial, and what is odd about it ("0 empty=yes"). Stops
gracefully on SIGINT, holds a lock per environment while it runs.
"""

from __future__ import annotations

import _json
import _signal
import fcntl
import itertools
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

# It runs hundreds of times, and imports would take longer than all the rest: json has those of re, signal has those of
# enum, and pathlib and typing have more. `python -IS` leaves out what the interpreter imports by itself.
# ruff: noqa: PTH110, PTH119, PTH122, PTH123, RUF012, SIM105

root, command, name, *rest = sys.argv[sys.argv.index("-C") + 1 :]
while command.startswith("-"):  # global options
    command, name, *rest = (name, *rest)
world = f"{root}/world"
bundle = name
if command == "show":
    name = os.path.splitext(os.path.basename(bundle))[0]
options = dict(itertools.pairwise(rest))


class Reading:
    """How json reads."""

    strict = True
    object_hook = object_pairs_hook = parse_constant = None
    parse_float, parse_int = float, int
    memo: dict[str, str] = {}


scan = _json.make_scanner(Reading)


def dumps(value: Any) -> str:
    if isinstance(value, str):
        return str(_json.encode_basestring_ascii(value))
    if isinstance(value, dict):
        return "{" + ", ".join(f"{dumps(key)}: {dumps(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(dumps, value)) + "]"
    return "null" if value is None else str(value).lower()


def read(file: str) -> str:
    with open(file, encoding="utf-8") as stream:
        return stream.read()


def write(file: str, text: str, mode: str = "w") -> None:
    with open(file, mode, encoding="utf-8") as stream:
        stream.write(text)


def end(code: int, document: dict[str, Any] | None = None) -> NoReturn:
    if document is not None:
        print(dumps(document))
    write(f"{world}/calls", f"{command} {name} {code} {time.monotonic()}\n", "a")
    sys.exit(code)


def fail(code: int, message: str) -> NoReturn:
    word = {4: "refused", 5: "wrong-account", 6: "locked", 7: "bad-plan", 130: "interrupted"}.get(code, "error")
    more = {"exit_code": code, "message": message, "where": None, "detail": None, "next": "see"}
    end(code, {"schema_version": 1, "kind": "error", "code": word, **more})


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def work(told: dict[str, Any], seconds: float) -> None:
    fd = int(os.environ["TOOLKIT_EVENTS_FD"])
    os.set_blocking(fd, False)
    deadline = time.monotonic() + seconds
    step = 0
    while True:
        step += 1
        try:
            os.write(fd, dumps({**told, "done": step}).encode() + b"\n")
        except OSError:
            pass
        if time.monotonic() >= deadline:
            return
        time.sleep(0.02)


def bundled(file: str) -> tuple[int, dict[str, str]]:
    serial, *odd = read(file).split()
    return int(serial), dict(word.split("=") for word in odd)


NO_FILES = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""SHA-256 of nothing."""


def behaves() -> dict[str, Any]:
    found: dict[str, Any] = scan(read(f"{world}/{name}.json"), 0)[0]
    return found


def plan(pending: bool, **odd: Any) -> dict[str, Any]:
    change = {"address": "module.x.aws_y.z", "type": "aws_y", "action": "create", "component": "x", "region": ""}
    return {
        "kind": "plan",
        "environment": name,
        "rendered_sha256": NO_FILES,
        "account_id": behaves().get("account", "123456789012"),
        "region": "eu-west-1",
        "changes_pending": pending,
        "moves_home": behaves().get("moves_home", False),
        "expires": "2099-01-01T00:00:00+00:00",
        "summary": {"add": int(pending)},
        "changes": [{**change, "imported": False, "previous_address": None, "attributes": []}] if pending else [],
        "outputs": [],
        "findings": [],
        "irreversible": [],
        "cost": {"lines": []},
        **odd,
    }


def controls(uncovered: list[str]) -> dict[str, Any]:
    found = {one: "uncovered" if one in uncovered else "provisioned" for one in ("1.1", "1.2")}
    more = {"why": "w", "topics": ["t"], "related": {"fsbp": ["IAM.1"]}}
    requirements = [{"id": one, "status": status, "titles": [one], **more} for one, status in found.items()]
    counts = {"provisioned": 2 - len(uncovered), "uncovered": len(uncovered)}
    framework = {"name": "cis-7.0", "title": "CIS", "counts": counts, "requirements": requirements}
    return {"kind": "controls", "environment": name, "account_id": "1", "frameworks": [framework]}


def main() -> NoReturn:
    _signal.signal(_signal.SIGINT, interrupted)
    behaviour = behaves()
    write(f"{world}/calls", f"begin {command} {name} {time.monotonic()}\n", "a")
    lock = os.open(f"{world}/{name}.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fail(6, "the environment is in use")
    state = f"{world}/{name}.state"
    serial = int(read(state)) if os.path.exists(state) else 0
    broken = behaviour.get(command)
    print(f"working on {name}", file=sys.stderr)
    try:
        work({"stage": command}, behaviour.get("seconds", 0.0))
        if isinstance(broken, str):
            os.kill(os.getpid(), getattr(_signal, broken))
            time.sleep(5)
        if broken and (not isinstance(broken, dict) or broken.get("serial", serial) == serial):
            fail(broken if isinstance(broken, int) else broken["code"], f"{command} of {name} is broken")
        if command == "show":
            if not read(bundle):
                fail(7, "damaged")
            odd = bundled(bundle)[1]
            # Of a saved plan it is not known whether it moves the home region.
            end(0, plan(odd.pop("empty", None) is None, **odd, moves_home=False))
        if command == "plan":
            pending = behaviour.get("always") or serial < behaviour.get("wanted", 1)
            write(options.get("--reference", options["--out"]), str(serial))
            end(2 if pending else 0, plan(bool(pending)))
        if command == "apply":
            planned, odd = bundled(options["--plan"])
            if planned != serial:
                fail(7, "the plan is stale")
            if "empty" in odd:
                end(0, {"kind": "apply", "completed": [], "seconds": 0})
            write(f"{world}/{name}.applied", f"{serial + 1}\n", "a")
            write(state, str(serial + 1))
            end(0, {"kind": "apply", "completed": [{}], "seconds": 1})
        if command == "audit":
            findings = [{"rule": "r", "status": "fail", "severity": "high", "change": "new", "blocks": True}]
            worse = "--baseline" in options and behaviour.get("worse")
            end(
                2 if worse else behaviour.get("audits", 0),
                {"kind": "audit", "checks": [], "findings": findings if worse else []},
            )
        if command == "controls":
            end(0, controls(behaviour.get("uncovered", [])))
        end(behaviour.get("ends", 0), {"kind": command, "changes": [], "findings": []})
    except KeyboardInterrupt:
        fail(130, "interrupted")


main()
