"""Stands for `toolkit` in tests of runs over many environments: plans and applies in a world of files.

`world/ENV.json` says how an environment behaves; `world/ENV.state` is its state (a serial); `world/ENV.applied` gets a
line per apply; `world/calls` one per command. A bundle is a serial, and what is odd about it ("0 empty=yes"). Stops
gracefully on SIGINT, holds a lock per environment while it runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import itertools
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

root, command, name, *rest = sys.argv[sys.argv.index("-C") + 1 :]
while command.startswith("-"):  # global options
    command, name, *rest = (name, *rest)
world = Path(root) / "world"
bundle = Path(name)
if command == "show":
    name = bundle.stem
options = dict(itertools.pairwise(rest))


def end(code: int, document: dict[str, Any] | None = None) -> NoReturn:
    if document is not None:
        print(json.dumps(document))
    with (world / "calls").open("a") as calls:
        calls.write(f"{command} {name} {code} {time.monotonic()}\n")
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
        with contextlib.suppress(OSError):
            os.write(fd, json.dumps({**told, "done": step}).encode() + b"\n")
        if time.monotonic() >= deadline:
            return
        time.sleep(0.02)


def bundled(bundle: Path) -> tuple[int, dict[str, str]]:
    serial, *odd = bundle.read_text().split()
    return int(serial), dict(word.split("=") for word in odd)


def plan(pending: bool, **odd: Any) -> dict[str, Any]:
    change = {"address": "module.x.aws_y.z", "type": "aws_y", "action": "create", "component": "x", "region": ""}
    return {
        "kind": "plan",
        "environment": name,
        "rendered_sha256": hashlib.sha256().hexdigest(),  # of no files
        "account_id": json.loads((world / f"{name}.json").read_text()).get("account", "123456789012"),
        "region": "eu-west-1",
        "changes_pending": pending,
        "moves_home": json.loads((world / f"{name}.json").read_text()).get("moves_home", False),
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
    signal.signal(signal.SIGINT, interrupted)
    behaviour = json.loads((world / f"{name}.json").read_text())
    with (world / "calls").open("a") as calls:
        calls.write(f"begin {command} {name} {time.monotonic()}\n")
    lock = os.open(world / f"{name}.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fail(6, "the environment is in use")
    state = world / f"{name}.state"
    serial = int(state.read_text()) if state.exists() else 0
    broken = behaviour.get(command)
    print(f"working on {name}", file=sys.stderr)
    try:
        work({"stage": command}, behaviour.get("seconds", 0.0))
        if isinstance(broken, str):
            os.kill(os.getpid(), getattr(signal, broken))
            time.sleep(5)
        if broken and (not isinstance(broken, dict) or broken.get("serial", serial) == serial):
            fail(broken if isinstance(broken, int) else broken["code"], f"{command} of {name} is broken")
        if command == "show":
            if not bundle.read_text():
                fail(7, "damaged")
            odd = bundled(bundle)[1]
            # Of a saved plan it is not known whether it moves the home region.
            end(0, plan(odd.pop("empty", None) is None, **odd, moves_home=False))
        if command == "plan":
            pending = behaviour.get("always") or serial < behaviour.get("wanted", 1)
            Path(options.get("--reference", options["--out"])).write_text(str(serial))
            end(2 if pending else 0, plan(bool(pending)))
        if command == "apply":
            planned, odd = bundled(Path(options["--plan"]))
            if planned != serial:
                fail(7, "the plan is stale")
            if "empty" in odd:
                end(0, {"kind": "apply", "completed": [], "seconds": 0})
            with (world / f"{name}.applied").open("a") as applied:
                applied.write(f"{serial + 1}\n")
            state.write_text(str(serial + 1))
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
