"""`audit --report`: every format says every verdict, and a report replaces only one of the very format and kind."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.cli import audit_commands
from toolkit.cli.audit_commands import audit as command
from toolkit.cli.main import run
from toolkit.documents import json_at
from toolkit.errors import UsageError
from toolkit.reports.audit_registry import FORMATS
from toolkit.reports.registry import FORMATS as OF_PLANS
from toolkit.reports.view import PlanView
from toolkit.workflows import audit as workflow
from toolkit.workflows.report import targets, write_reports

from .audits import ACCOUNT, every


@pytest.fixture
def audited(monkeypatch: pytest.MonkeyPatch) -> None:
    account = SimpleNamespace(caller=SimpleNamespace(account_id=ACCOUNT), clients=SimpleNamespace(simulated=False))
    monkeypatch.setattr(audit_commands, "account_of", lambda *_, **__: account)
    monkeypatch.setattr(workflow, "audit", lambda *_, baseline=None, **__: replace(every(), baseline=baseline))


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_is_written_by_the_name_or_the_ending_of_its_format(
    audited: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    named = tmp_path / "named"
    ended = [tmp_path / f"ended{ending}" for ending in FORMATS[name].endings]
    given = [f"{name}={named}", *map(str, ended)]
    assert command(account_id=ACCOUNT, report=given) == 2
    assert {file.read_bytes() for file in (named, *ended)} == {FORMATS[name].render(every()).encode()}
    assert capsys.readouterr().out.startswith("Audit of ")


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_on_standard_output_is_there_alone(
    audited: None, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    command(account_id=ACCOUNT, report=[f"{name}=-"])
    out, err = capsys.readouterr()
    assert out == FORMATS[name].render(every())
    assert err.startswith("Audit of ")


@pytest.mark.parametrize("name", FORMATS)
def test_only_a_report_of_the_format_and_of_an_audit_is_replaced(tmp_path: Path, later: PlanView, name: str) -> None:
    found = every()
    places = {f"audit as {other}": form.render(found) for other, form in FORMATS.items()}
    places |= {f"plan as {other}": form.render(later) for other, form in OF_PLANS.items()}
    for what, text in places.items():
        file = tmp_path / "report"
        file.write_bytes(text.encode())
        if what == f"audit as {name}":
            write_reports(found, targets(FORMATS, [f"{name}={file}"]))
            continue
        with pytest.raises(UsageError, match=f"not an? {name} report of this toolkit"):
            targets(FORMATS, [f"{name}={file}"])
        assert file.read_bytes() == text.encode()
    for other, form in OF_PLANS.items():
        assert not form.recognises(FORMATS[name].render(found)), f"a plan as {other} would replace it"


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_is_replaced_however_large_it_is(tmp_path: Path, name: str) -> None:
    """The report of a large account is larger than any limit: its beginning says what it is."""
    file = tmp_path / "report"
    text = FORMATS[name].render(every())
    file.write_bytes(text.encode().rstrip().rstrip(b"]}"))
    # What a report of 50,000 findings is longer by, in a form that takes no room.
    os.truncate(file, 96 << 20)
    (target,) = targets(FORMATS, [f"{name}={file}"])
    write_reports(every(), (target,))
    assert file.read_bytes() == text.encode()


@pytest.mark.parametrize("name", FORMATS)
def test_what_ends_before_it_says_what_it_is_stays(tmp_path: Path, name: str) -> None:
    file = tmp_path / "report"
    content = FORMATS[name].render(every()).encode()
    for length in (1, 5, 20):
        file.write_bytes(content[:length])
        with pytest.raises(UsageError, match=f"not an? {name} report of this toolkit"):
            targets(FORMATS, [f"{name}={file}"])
        assert file.read_bytes() == content[:length]


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ('{"a": [1, {"b": "x"}], "c"', ("a",), [1, {"b": "x"}]),
        (' {"a":{"b" : [ {"c":true', ("a", "b", 0, "c"), True),
        ("[7, 8", (0,), 7),
        ('{"a": 1', ("b",), ValueError),
        ('{"a": {"b": ', ("c",), ValueError),
        ('{"a" 1}', ("a",), ValueError),
        ('{"a": 1 "b": 2}', ("b",), ValueError),
        ("", ("a",), ValueError),
        ("7", (0,), ValueError),
        ('{"a": 1}', ("b",), LookupError),
        ("{}", ("b",), LookupError),
        ("[]", (0,), LookupError),
    ],
)
def test_a_value_is_read_from_the_beginning_of_json(text: str, path: tuple[Any, ...], value: Any) -> None:
    if isinstance(value, type):
        with pytest.raises(value):
            json_at(text, *path)
    else:
        assert json_at(text, *path) == value


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"report": ["audit.jsn"]}, "'audit.jsn' is not FORMAT=FILE, nor a file whose ending names a format"),
        ({"report": ["jsno=x"]}, "no format 'jsno'; did you mean 'json'"),
        ({"report": ["json=-"], "output_format": "markdown"}, "--json or --format writes to standard output already"),
        ({"report": ["json=x", "x"]}, "'x' is not FORMAT=FILE"),
        ({"report": ["text=-"], "envs": ["production"], "fix": True, "yes": True}, "--fix and a report both write"),
    ],
)
def test_what_is_wrong_with_a_report_is_said_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], problem: str
) -> None:
    def read(*_: Any, **__: Any) -> None:
        raise AssertionError("the account was read")

    monkeypatch.setattr(audit_commands, "account_of", read)
    with pytest.raises(UsageError, match=problem):
        command(**{"account_id": ACCOUNT, **given})


def test_a_report_never_takes_the_place_of_the_baseline(audited: None, tmp_path: Path) -> None:
    file = tmp_path / "audit.json"
    file.write_text(FORMATS["json"].render(every()), "utf-8")
    with pytest.raises(UsageError, match="the baseline is read from there"):
        command(account_id=ACCOUNT, report=[str(file)], baseline=file)
    later = tmp_path / "later.json"
    assert command(account_id=ACCOUNT, report=[str(later)], baseline=file) == 1
    assert json.loads(later.read_text("utf-8"))["baseline"]["changes"]["new"] == 0


def test_help_names_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(("audit", "--help")) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert [name for name in FORMATS if name not in out.partition("Also write the audit as")[2]] == []
