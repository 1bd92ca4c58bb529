"""A local state: what it holds, and whether somebody works on it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.errors import ToolkitError
from toolkit.terraform.local_state import LocalState, in_use, read_local_state

HOLD = (
    "import fcntl, sys; f = open(sys.argv[1], 'r+b'); fcntl.lockf(f, fcntl.LOCK_EX); print('held', flush=True); input()"
)


def state(**more: object) -> str:
    found = {"version": 4, "serial": 3, "lineage": "a-b", "outputs": {}, "resources": []}
    return json.dumps({**found, **more})


def test_what_it_holds(tmp_path: Path) -> None:
    file = tmp_path / "terraform.tfstate"
    assert read_local_state(file) is None
    file.write_text("")
    assert read_local_state(file) is None
    file.write_text(state())
    assert read_local_state(file) is None, "after a destroy there is nothing to move"
    file.write_text(state(resources=[{"instances": [{}, {}]}, {"instances": [{}]}]))
    assert read_local_state(file) == LocalState("a-b", 3, 3)
    file.write_text(state(outputs={"a": {"value": 1}}))
    assert read_local_state(file) == LocalState("a-b", 3, 0)


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"version": 3}', '{"version": 4}', state(resources=1)])
def test_what_is_no_state_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "terraform.tfstate"
    file.write_text(text)
    with pytest.raises(ToolkitError, match="not a Terraform state of version 4"):
        read_local_state(file)


def test_a_process_that_holds_it_is_seen_until_it_ends(tmp_path: Path) -> None:
    file = tmp_path / "terraform.tfstate"
    assert in_use(file) is False
    file.write_text(state())
    assert in_use(file) is False
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert in_use(file) is True
    assert in_use(file) is True, "asking must not release or take the lock"
    holder.communicate("\n", timeout=60)
    assert in_use(file) is False
