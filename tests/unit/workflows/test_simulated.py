"""The state of the embedded AWS and that of a real account: neither is ever taken for the other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import RefusedError, ToolkitError, UsageError
from toolkit.sandbox.control import Sandbox
from toolkit.workflows.bootstrap import bootstrap
from toolkit.workflows.workspace import open_workspace

ACCOUNT = "111122223333"
MOTO = "simulator: moto"
S3 = "backend: {type: s3, bucket: acme-state, region: eu-west-1}"
LATER = Sandbox("http://127.0.0.1:5555", 43, 5555, ACCOUNT, "2026-01-01T01:00:00+00:00")
STATE = json.dumps({"version": 4, "lineage": "a", "serial": 7, "outputs": {}, "resources": [{"instances": [{}]}]})

pytestmark = pytest.mark.usefixtures("running")


def opened(house: Any, *, sandbox: bool = False) -> Any:
    return open_workspace(house.project, "prod", house.access(sandbox=sandbox), house)


@pytest.fixture
def state(house: Any, callers: list[Any], running: Any) -> Path:
    """A state that was made on the embedded AWS, of an environment that is for a real account by now."""
    house.write(MOTO)
    state: Path = opened(house).local_state
    state.write_text(STATE)
    house.write()
    house.forget()
    callers.clear()
    return state


@pytest.mark.parametrize("scratch", ["kept", "deleted"])
@pytest.mark.parametrize("backend", ["", S3], ids=["local", "s3"])
def test_it_is_not_used_for_a_real_account(house: Any, callers: list[Any], state: Path, backend: str, scratch: str):
    house.write(backend)
    if scratch == "deleted":
        shutil.rmtree(state.parent / ".toolkit")
    with pytest.raises(
        RefusedError, match=f"made on the embedded AWS and says nothing about account {ACCOUNT}"
    ) as told:
        opened(house)
    assert told.value.where == str(state)
    assert f"mv {state} {state}.ended-sandbox" in str(told.value.hint)
    assert callers == [], "nobody is asked before that"
    assert house.commands == []
    assert state.read_text() == STATE


def test_nor_is_it_moved_into_a_real_bucket(house: Any, state: Path, monkeypatch: pytest.MonkeyPatch):
    house.write(S3)
    monkeypatch.setattr("toolkit.workflows.bootstrap.state_clients", lambda *_: pytest.fail("AWS was asked"))
    with pytest.raises(RefusedError, match="made on the embedded AWS"):
        bootstrap(house.project, "prod", house.access(), house, lambda _: True)


def test_once_it_is_moved_away_the_next_state_is_the_real_accounts(house: Any, state: Path):
    state.rename(state.with_name("terraform.tfstate.ended-sandbox"))
    opened(house)
    assert house.commands == ["init"]
    state.write_text(STATE)
    opened(house)
    assert state.read_text() == STATE
    # And that one is not taken for the embedded AWS's.
    house.write(MOTO)
    with pytest.raises(RefusedError, match="it may be a real account's"):
        opened(house)
    assert state.read_text() == STATE


def test_without_the_scratch_folder_it_is_still_known_as_the_simulators(house: Any, state: Path):
    """Whoever starts afresh is not told that it may be a real account's."""
    shutil.rmtree(state.parent / ".toolkit")
    house.write(MOTO)
    opened(house)
    assert state.with_name("terraform.tfstate.ended-sandbox").read_text() == STATE


def test_with_the_simulator_back_in_the_file_it_goes_on(house: Any, state: Path):
    with pytest.raises(RefusedError):
        opened(house)
    house.write(MOTO)
    opened(house)
    assert state.read_text() == STATE


@pytest.mark.usefixtures("state")
def test_trying_out_beside_it_is_another_matter(house: Any):
    assert opened(house, sandbox=True).local_state.parent.name == "sandbox"


@pytest.mark.usefixtures("callers")
def test_a_state_left_in_the_simulators_bucket_is_not_planned_anew(house: Any, running: Callable[[Any], None]):
    """Terraform's question about migrating protects; only where no state can be left behind, it is not asked."""
    house.write(S3)
    opened(house, sandbox=True)
    house.write()
    house.forget()
    workspace = opened(house, sandbox=True)
    assert house.commands == ["init"]
    assert "-reconfigure" not in house.asked[-1]["arguments"]
    assert any(a.startswith("-backend-config=path=") for a in house.asked[-1]["arguments"])
    # With the embedded AWS, what was in its bucket has ended.
    house.write(S3)
    record = workspace.scratch / "terraform" / "terraform.tfstate"
    record.write_text(json.dumps({"backend": {"type": "s3"}}))
    running(LATER)
    house.write()
    house.forget()
    opened(house, sandbox=True)
    assert "-reconfigure" in house.asked[-1]["arguments"]


def test_a_bucket_is_made_only_for_a_state_in_s3(house: Any):
    with pytest.raises(UsageError):
        bootstrap(house.project, "prod", house.access(), house, lambda _: True)


def test_a_broken_state_is_told_not_overlooked(house: Any, state: Path):
    state.write_text("{")
    with pytest.raises(ToolkitError, match="not a Terraform state"):
        opened(house)
