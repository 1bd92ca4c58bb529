"""When a lock's holder is provably dead: the proof holds, and fails as soon as any of its parts is missing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from toolkit.terraform.locks import StateLock, parse_lock
from toolkit.terraform.runs import Run, held_state_at
from toolkit.workflows.unlock import why_dead

START = datetime(2025, 3, 4, 12, 0, 0, tzinfo=UTC)


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


def lock(created: float = 2, who: str = "ann@host") -> StateLock:
    data = {"ID": "1", "Operation": "OperationTypeApply", "Who": who, "Created": at(created).replace("+00:00", "Z")}
    return parse_lock(json.dumps(data).encode())


def run(tmp_path: Path, *events: tuple[float, str], host: str = "host") -> Run:
    log = tmp_path / "apply.out"
    log.write_text("".join(json.dumps({"@timestamp": at(s), "type": kind}) + "\n" for s, kind in events))
    return Run("apply", host, START.isoformat(), 1, 2, log, tmp_path / "apply.err")


def test_the_lock_of_a_killed_run_on_this_host(tmp_path: Path) -> None:
    killed = run(tmp_path, (0, "version"), (3, "apply_start"), (5, "apply_complete"))
    assert held_state_at(killed) == START + timedelta(seconds=5)
    assert why_dead(lock(), (killed,), "host") is not None


@pytest.mark.parametrize(
    ("held", "host", "events"),
    [
        (lock(who="ann@elsewhere"), "host", [(3, "apply_start")]),
        (lock(who="host"), "elsewhere", [(3, "apply_start")]),
        (lock(), "other", [(3, "apply_start")]),  # the record is of another host than this
        (lock(created=-1), "host", [(3, "apply_start")]),  # older than the run
        (lock(created=4), "host", [(3, "apply_start")]),  # made after the run's last sign of life
        (lock(), "host", [(3, "version")]),  # it never held the state as far as it tells
        (lock(), "host", []),
    ],
)
def test_without_every_part_of_the_proof_people_decide(
    tmp_path: Path, held: StateLock, host: str, events: list[tuple[float, str]]
) -> None:
    killed = run(tmp_path, *events, host="other" if host == "other" else "host")
    assert why_dead(held, (killed,), "host" if host == "other" else host) is None


def test_no_killed_run_proves_nothing() -> None:
    assert why_dead(lock(), (), "host") is None


def test_a_log_that_is_gone_or_garbled_proves_nothing(tmp_path: Path) -> None:
    killed = run(tmp_path)
    killed.stdout.write_text('no json\n{"type": "apply_start"}\n{"type": "apply_start", "@timestamp": "soon"}\n[]\n')
    assert held_state_at(killed) is None
    killed.stdout.unlink()
    assert held_state_at(killed) is None
