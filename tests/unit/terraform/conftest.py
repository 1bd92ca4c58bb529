"""A terraform that does what a test wants: a Python script with Terraform's output and Terraform's manners."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.terraform.binary import Binary
from toolkit.terraform.events import Event
from toolkit.terraform.runner import Runner

PRELUDE = """#!{python}
import json, os, signal, subprocess, sys, time
interrupts = 0
def note(signum, frame):
    global interrupts
    interrupts += 1
signal.signal(signal.SIGINT, note)
def say(kind, **more):
    print(json.dumps({{"type": kind, "@message": "m", **more}}), flush=True)
def hook(kind, address, **more):
    say(kind, hook={{"resource": {{"addr": address}}, "action": "create", **more}})
def summary(operation, add=0):
    say("change_summary", changes={{"add": add, "change": 0, "remove": 0, "import": 0, "operation": operation}})
def error(summary, detail=""):
    say("diagnostic", diagnostic={{"severity": "error", "summary": summary, "detail": detail}})
def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
command = sys.argv[1]
here = {folder!r}
"""


class Fake:
    """Writes the script, and runs it through a real `Runner`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "rendered"
        self.root.mkdir()
        self.scratch = folder / ".toolkit"
        self.path = folder / "terraform"
        self.binary = Binary(self.path, "terraform", "1.11.4")
        self.events: list[Event] = []
        self.commands: list[list[str]] = []

    def does(self, body: str) -> None:
        self.path.write_text(PRELUDE.format(python=sys.executable, folder=str(self.folder)) + body)
        self.path.chmod(0o755)

    def runner(
        self, environ: dict[str, str] | None = None, hook: Callable[[Event], None] | None = None, **more: Any
    ) -> Runner:
        def on_event(event: Event) -> None:
            self.events.append(event)
            if hook is not None:
                hook(event)

        return Runner(
            self.root,
            binary=self.binary,
            scratch=self.scratch,
            environ={"PATH": os.environ["PATH"]} if environ is None else environ,
            on_event=on_event,
            on_command=lambda argv: self.commands.append(list(argv)),
            **more,
        )

    def driver(self, operation: str = "apply") -> list[str]:
        """A command line that runs the same in a process of its own, for tests that kill it."""
        script = self.folder / "driver.py"
        script.write_text(
            "import os, sys\nfrom pathlib import Path\n"
            "from toolkit.terraform.binary import Binary\nfrom toolkit.terraform.runner import Runner\n"
            "from toolkit.errors import ToolkitError\n"
            f"folder = Path({str(self.folder)!r})\n"
            "runner = Runner(folder / 'rendered', binary=Binary(folder / 'terraform', 'terraform', '1.11.4'),\n"
            "    scratch=folder / '.toolkit', environ={'PATH': os.environ['PATH']},\n"
            "    on_event=lambda e: print(e, flush=True))\n"
            "try:\n"
            f"    runner.{operation}(folder / 'plan')\n"
            "except ToolkitError as error:\n"
            "    print(error, flush=True)\n"
            "    sys.exit(error.exit_code)\n"
        )
        return [sys.executable, str(script)]

    def facts(self) -> dict[str, object]:
        """What the script wrote down in facts.json."""
        found: dict[str, object] = json.loads((self.folder / "facts.json").read_text())
        return found


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def gone(pid: int) -> bool:
    """Whether a process has ended; a zombie that nobody has reaped yet has."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(tmp_path)
