"""A history of audits: what is written is read back, and nothing broken or of another account is counted."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.audit import history
from toolkit.audit.baseline import read_baseline
from toolkit.audit.history import Coverage, History, read_history
from toolkit.audit.model import Outcome, Result
from toolkit.audit.registry import checks
from toolkit.audit.report import Audit
from toolkit.controls.catalogue import frameworks
from toolkit.errors import RefusedError, ToolkitError
from toolkit.findings import Severity, Status
from toolkit.reports.audit import audit_data

from .conftest import HOME, NOW

ACCOUNT = "123456789012"
ONCE = "iam_rotate_access_key_90_days"


def audit(*outcomes: Outcome, check: str = ONCE, **fields: Any) -> Audit:
    given: dict[str, Any] = {
        "account_id": ACCOUNT,
        "caller": f"arn:aws:iam::{ACCOUNT}:user/audit",
        "environment": None,
        "simulated": False,
        "taken": NOW,
        "home": HOME,
        "regions": (HOME,),
        "off": (),
        "frameworks": tuple(one for one in frameworks() if one.name == "cis-7.0"),
        "results": (Result(checks()[check], HOME, outcomes or (Outcome(Status.FAIL, "example"),), ()),),
        "waivers": (),
        "calls": 1,
        "max_calls": 100,
        **fields,
    }
    return Audit(**given)


def add(folder: Path, found: Audit) -> Path:
    return History(folder).add(audit_data(found))


def read(folder: Path, *, simulated: bool = False) -> History:
    return read_history(folder, ACCOUNT, simulated=simulated)


def test_a_report_is_a_private_file_that_a_baseline_can_be(tmp_path: Path):
    file = add(tmp_path / "audits" / "prod", audit())
    assert file.name.startswith(f"{ACCOUNT}-20261129T120000Z-")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert read_baseline(file).account_id == ACCOUNT
    assert json.loads(file.read_text("utf-8"))["kind"] == "audit"
    assert read(file.parent).latest is not None


def test_there_is_no_history_before_the_first_audit(tmp_path: Path):
    assert read(tmp_path / "audits") == History(tmp_path / "audits")
    assert read(tmp_path) == History(tmp_path)


@given(
    st.lists(
        st.tuples(st.sampled_from(Status), st.one_of(st.none(), st.sampled_from(Severity)), st.text()),
        min_size=1,
        max_size=5,
    )
)
def test_figures_of_a_file_are_those_of_its_audit(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[Status, Severity | None, str]]
):
    """Whatever the evidence says, also in letters that UTF-8 lacks."""
    folder = tmp_path_factory.mktemp("audits")
    found = audit(*(Outcome(status, text, severity=severity) for status, severity, text in said))
    add(folder, found)
    kept = read(folder)
    assert kept.unreadable == ()
    assert kept.points == (found.point,)


def test_the_figures(tmp_path: Path):
    found = audit(Outcome(Status.FAIL, "1"), Outcome(Status.FAIL, "2", severity=Severity.HIGH))
    add(tmp_path, found)
    (point,) = read(tmp_path).points
    assert point.taken == NOW
    assert {one: n for one, n in point.checks.items() if n} == {Status.FAIL: 1}
    assert {one: n for one, n in point.failed.items() if n} == {Severity.MEDIUM: 1, Severity.HIGH: 1}
    assert point.all_failed == 2
    assert point.coverage == {"cis-7.0": Coverage(0, 70)}


def test_points_are_in_the_order_of_time(tmp_path: Path):
    days = [NOW + timedelta(days=day) for day in (3, 1, 2)]
    for taken in days:
        add(tmp_path, audit(taken=taken))
    kept = read(tmp_path)
    assert [point.taken for point in kept.points] == sorted(days)
    assert kept.first is not None
    assert kept.latest is not None
    assert (kept.first.taken, kept.latest.taken) == (min(days), max(days))


def test_audits_of_one_second_lose_none(tmp_path: Path):
    found = [audit(Outcome(Status.FAIL, f"example {n}")) for n in range(20)]
    with ThreadPoolExecutor(8) as pool:
        files = set(pool.map(lambda one: add(tmp_path, one), found))
    assert len(files) == len(read(tmp_path).points) == len(found)


def test_a_history_of_another_account_is_refused(tmp_path: Path):
    add(tmp_path, audit(account_id="111122223333"))
    with pytest.raises(RefusedError, match="this history is of account 111122223333, and the audit is of account 1234"):
        read(tmp_path)


@pytest.mark.parametrize("simulated", [True, False])
def test_the_embedded_aws_and_aws_never_mix(tmp_path: Path, simulated: bool):
    add(tmp_path, audit(simulated=simulated))
    assert len(read(tmp_path, simulated=simulated).points) == 1
    with pytest.raises(RefusedError, match=f"{ACCOUNT}( on the embedded AWS)?, and the audit is of account {ACCOUNT}"):
        read(tmp_path, simulated=not simulated)


def _rename(file: Path, old: str, new: str) -> None:
    file.rename(file.with_name(file.name.replace(old, new)))


def _again(file: Path, content: bytes) -> None:
    """Other content under the name that it would have."""
    file.unlink()
    file.with_name(file.name[:30] + history._digest(content) + ".json").write_bytes(content)


def _with(file: Path, **keys: Any) -> None:
    _again(file, json.dumps({**json.loads(file.read_bytes()), **keys}).encode())


BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "cut off": (lambda f: f.write_bytes(f.read_bytes()[:-10]), "damaged, or edited since it was written"),
    "empty": (lambda f: f.write_bytes(b""), "damaged, or edited since it was written"),
    "edited": (lambda f: f.write_bytes(f.read_bytes().replace(b"fail", b"pass")), "damaged, or edited"),
    "a folder": (lambda f: (f.unlink(), f.mkdir()), "a folder, not a file"),
    "a link": (lambda f: (f.unlink(), f.symlink_to("/etc/passwd")), "a symbolic link, not a file"),
    "renamed": (lambda f: f.rename(f.with_name("latest.json")), "not a file that --history wrote"),
    "another time": (lambda f: _rename(f, "20261129", "20261130"), "its name is not that of the audit in it"),
    "not JSON": (lambda f: _again(f, b"{"), "is not a report of an audit"),
    "another kind": (lambda f: _with(f, kind="plan"), "is a document of kind 'plan', not of an audit"),
    "another version": (lambda f: _with(f, schema_version=99), "a report of schema version 99; this toolkit reads 1"),
    "a key is missing": (lambda f: _with(f, findings=[{}]), "not a whole report of an audit: findings[0].id"),
    "an unknown verdict": (lambda f: _with(f, checks=[{"id": "x", "status": "good"}]), "checks[0].status: 'good'"),
}  # fmt: skip


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_file_is_named_and_not_counted(tmp_path: Path, how: str):
    breaks, why = BROKEN[how]
    add(tmp_path, audit(taken=NOW - timedelta(days=1)))
    breaks(add(tmp_path, audit()))
    kept = read(tmp_path)
    assert [why in line for line in kept.unreadable] == [True], kept.unreadable
    assert kept.unreadable[0].startswith(f"{tmp_path}/")
    assert "\n" not in kept.unreadable[0]
    assert [point.taken for point in kept.points] == [NOW - timedelta(days=1)]
    assert kept.latest == kept.first


def test_other_files_of_the_folder_are_left_alone(tmp_path: Path):
    (tmp_path / "README.md").write_text("audits of prod")
    (tmp_path / ".0123456789abcdef.new").write_text("{")
    assert read(tmp_path) == History(tmp_path)


def test_the_newest_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(history, "MOST", 2)
    for day in range(1, 5):
        add(tmp_path, audit(taken=datetime(2026, 11, day, tzinfo=UTC)))
    assert [point.taken.day for point in read(tmp_path).points] == [3, 4]


def test_a_folder_that_is_none_is_an_error(tmp_path: Path):
    (tmp_path / "audits").write_text("")
    with pytest.raises(ToolkitError, match="the history cannot be read: Not a directory"):
        read(tmp_path / "audits")
