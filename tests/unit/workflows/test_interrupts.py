"""SIGINT, SIGTERM and SIGHUP at any moment of a command: what is left of it, and whether what it says is true.

A signal comes when a function of the toolkit is called for the first time, so nothing here depends on how fast the
machine is. Some moments of each command are tried; INTERRUPT_EVERY=1 tries each of them, in some minutes.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import toolkit
from toolkit import interrupts
from toolkit.access.changes import NO_CHANGES
from toolkit.cli.main import run

from .conftest import House

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
HERE = str(Path(toolkit.__file__).parent)
EVERY = int(os.environ.get("INTERRUPT_EVERY", "0"))
NEW = ["--account-id", "111122223333", "--region", "eu-west-1", "--profile", "minimal"]

# A shell starts in a tenth of the time that Python takes.
TERRAFORM = """#!/bin/sh
case "$1 $2" in
version*) echo "Terraform v1.11.4" ;;
init*)
  mkdir -p "$TF_DATA_DIR/modules"
  cp "{here}/modules.json" "$TF_DATA_DIR/modules/"
  cp "{here}/backend.json" "$TF_DATA_DIR/terraform.tfstate"
  touch .terraform.lock.hcl ;;
plan*)
  for one; do case "$one" in -out=*) cp "{here}/plan.zip" "${{one#-out=}}" ;; esac; done
  exit 2 ;;
show*) cat "{here}/plan.json" ;;
validate*) echo '{{"diagnostics": []}}' ;;
"state pull") cat "{here}/state.json" ;;
apply*)
  echo '{{"type": "apply_start", "hook": {{"resource": {{"addr": "terraform_data.a"}}, "action": "create"}}}}'
  touch "{here}/applied"
  echo '{{"type": "apply_complete", "hook": {{"resource": {{"addr": "terraform_data.a"}}, "action": "create"}}}}' ;;
esac
"""
STATE = {"version": 4, "lineage": "3f9e", "serial": 7, "resources": []}
CREATED = {"actions": ["create"], "before": None, "after": {}, "after_unknown": {}}
PLAN = {
    "format_version": "1.2",
    "terraform_version": "1.11.4",
    "resource_changes": [
        {
            "address": "terraform_data.a",
            "mode": "managed",
            "type": "terraform_data",
            "name": "a",
            "provider_name": "terraform.io/builtin/terraform",
            "change": CREATED,
        }
    ],
}


@pytest.fixture
def begun() -> Iterator[None]:
    """As a process of the toolkit has it."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    interrupts.forget()
    for number in SIGNALS:
        signal.signal(number, signal.default_int_handler)  # whoever runs the tests may ignore one
    interrupts.begin()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    interrupts.forget()


@pytest.fixture
def quick(house: House, callers: Any, monkeypatch: pytest.MonkeyPatch) -> House:
    """A project whose Terraform and judgement take no time."""
    files = {
        "modules.json": {"Modules": [{"Key": "", "Source": "", "Dir": "."}]},
        "backend.json": {"backend": {"type": "local", "config": {"path": "../terraform.tfstate"}}},
        "state.json": STATE,
        "plan.json": PLAN,
    }
    for name, data in files.items():
        (house.tools / name).write_text(json.dumps(data))
    with zipfile.ZipFile(house.tools / "plan.zip", "w") as archive:
        for member in ("tfstate", "tfstate-prev"):
            archive.writestr(member, json.dumps(STATE))
    (house.tools / "terraform").write_text(TERRAFORM.format(here=house.tools))
    house.render()
    for name in ("toolkit.workflows.apply", "toolkit.workflows.judge"):
        monkeypatch.setattr(f"{name}.judge_plan", lambda *_, **__: ((), NO_CHANGES))
    for name, value in house.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{house.tools}:{os.environ['PATH']}:/usr/bin:/bin")
    return house


class Moment:
    """Sends a signal at the n-th function that is called for the first time; tells how many there are if it is none."""

    def __init__(self, at: int | None, number: signal.Signals) -> None:
        self.at, self.number, self.place = at, number, ""
        self.seen: set[object] = set()

    def __enter__(self) -> Moment:
        sys.setprofile(self)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event != "call" or code in self.seen or not code.co_filename.startswith(HERE) or code.co_name[0] == "<":
            return
        if code.co_name != "flush":  # called where a stream is freed, and there Python drops what is raised
            self.seen.add(code)
            if len(self.seen) == self.at:
                sys.setprofile(None)
                self.place = f"{code.co_filename}:{code.co_firstlineno} {code.co_name}"
                os.kill(os.getpid(), self.number)


@dataclass(frozen=True)
class Case:
    arguments: tuple[str, ...]
    changed: Callable[[Path], bool] = lambda _: False
    """Whether the command has changed what its message must tell."""
    told: str = ""
    """How it tells that."""
    moments: int = 2


CASES = {
    "apply": Case(
        ("apply", "prod", "--auto-approve"),
        lambda root: (root / "tools" / "applied").exists(),
        r"terraform apply (had finished|was interrupted)|the plan is applied \(1 done\)|1 created",
        5,
    ),
    "plan": Case(
        ("plan", "prod", "--out", "out.tfbundle"), lambda root: (root / "out.tfbundle").exists(),
        "[Ss]aved as out.tfbundle", 4,
    ),
    "destroy": Case(
        ("destroy", "prod", "--auto-approve"),
        lambda root: (root / "tools" / "applied").exists(),
        r"terraform apply (had finished|was interrupted)|the plan is applied \(1 done\)|was deleted by then|1 created",
        3,
    ),
    "drift": Case(("drift", "prod")),
    "validate": Case(("validate", "prod")),
    "sync": Case(
        ("fleet", "sync", "--all"),
        lambda root: "team" in (root / "environments" / "prod" / "environment.yaml").read_text(),
        "prod/environment.yaml is changed|add labels.team",
    ),
}  # fmt: skip

if EVERY:
    CASES |= {
        "lock": Case(("lock", "prod")),
        "render": Case(("render", "prod")),
        "new": Case(("new", "two", *NEW)),
        "init": Case(("init", "elsewhere")),
        "pipeline": Case(("pipeline", "github")),
    }


def locked(root: Path) -> list[str]:
    found = []
    for file in root.glob("environments/*/.toolkit/**/*.lock"):
        with file.open() as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                found.append(str(file))
    return found


def left(root: Path) -> list[str]:
    """What a command must not leave: folders with plans, copies, half-written files."""
    wanted = re.compile(r"run\.json|(plan|apply|drift|adopt|show)-[^.]*|\..*\.new|\.(adopt|access)-.*|run[^.]+")
    return [str(one) for one in root.glob("**/*") if wanted.fullmatch(one.name) and "/logs/" not in str(one)]


@pytest.mark.usefixtures("begun")
@pytest.mark.parametrize("name", CASES)
def test_a_signal_at_any_moment_leaves_nothing_and_is_reported_truly(
    quick: House, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    case, root = CASES[name], quick.root
    monkeypatch.chdir(root)
    (root / "fleet.yaml").write_text("shared: {labels: {team: a}}\n")
    kept = {one: one.read_bytes() for one in root.glob("**/*") if one.is_file()}

    def once(at: int | None, number: signal.Signals) -> tuple[int, Moment, str]:
        for one in [one for one in root.glob("**/*") if one.is_file() and one not in kept]:
            one.unlink()
        for one, content in kept.items():
            if not one.exists() or one.read_bytes() != content:
                one.write_bytes(content)
        try:
            with Moment(at, number) as moment:
                code = run(case.arguments)
        except KeyboardInterrupt:  # at its very beginning or end
            code = 130
            print("Error: interrupted")  # as toolkit.__main__ has it
        out, err = capsys.readouterr()
        return code, moment, out + err

    once(None, signal.SIGINT)  # the first time, more is imported
    code, moment, said = once(None, signal.SIGINT)
    assert code == 0, said
    every = len(moment.seen) + 1
    assert re.search(case.told, said), said
    moments = range(1, every, EVERY) if EVERY else [every * n // (case.moments + 1) for n in range(1, case.moments + 1)]
    wrong = []
    for at in moments:
        code, moment, said = once(at, SIGNALS[at % len(SIGNALS)])
        true = re.search(case.told, said) if case.changed(root) else "nterrupted" in said
        if code != 130 or not true or "Traceback" in said or "internal error" in said or left(root) or locked(root):
            wrong.append(f"{moment.number.name} at {moment.place}: {code} {left(root)} {locked(root)}\n{said}")
    assert not wrong, "\n\n".join(wrong)
