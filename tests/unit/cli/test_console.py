"""Words on the terminal: progress on stderr, results on stdout, nothing that a log or a script cannot read."""

from __future__ import annotations

import io
import os
from typing import Any

import pytest

from toolkit.cli import console
from toolkit.errors import ToolkitError
from toolkit.terraform import events as e


class Terminal(io.StringIO):
    """A stream that says it is a terminal of 60 columns."""

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2


def watched(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Makes stderr a terminal; no fixture, since pytest sets stderr again when the test starts."""
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr("os.get_terminal_size", lambda _: os.terminal_size((60, 20)))
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    return stream


def story(progress: console.Progress) -> None:
    with progress:
        progress.stage("Planning prod")
        progress.event(e.PlannedChange("a.b", "create", None, None, None))
        progress.event(e.RefreshComplete("a.b"))
        progress.stage("Applying prod", 2)
        progress.event(e.ApplyStart("data.x.y", "read"))
        progress.event(e.ApplyStart("a.b", "create"))
        progress.event(e.ApplyProgress("a.b", "create", 10))
        progress.event(e.ApplyComplete("a.b", "create", 12))
        progress.event(e.ApplyComplete("a.c", "delete", 0))
        progress.event(e.ApplyErrored("a.d", "update", 1))
        progress.event(e.Notice("something"))
        progress.event(e.TextLine("noise"))
        progress.note("a note")
        progress.warning("a warning")
        progress.command(["terraform", "apply", "a b"])


def test_in_a_log_every_step_is_a_line(capsys: pytest.CaptureFixture[str]):
    story(console.Progress())
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "Planning prod …",
        "Applying prod …",
        "  [0:00] 1 of 2: created a.b (12 s)",
        "  [0:00] 2 of 2: deleted a.c",
        "  [0:00] FAILED update a.d",
        "  something",
        "  a note",
        "Warning: a warning",
    ]
    assert "\x1b" not in err
    assert "\r" not in err


def test_verbose_shows_command_lines_ready_to_paste(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(console.Settings, "verbose", True)
    console.Progress().command(["terraform", "plan", "-out=a b"])
    assert capsys.readouterr().err == "+ terraform plan '-out=a b'\n"


def test_in_a_terminal_one_line_lives_and_is_taken_away(monkeypatch: pytest.MonkeyPatch):
    terminal = watched(monkeypatch)
    story(console.Progress())
    written = terminal.getvalue()
    assert "\r\x1b[KPlanning prod … 0:00 · 1 read\r" in written
    assert "\r\x1b[KApplying prod … 0:00 · 0 of 2 done · a.b create\r" in written
    assert "\r\x1b[KApplying prod … 0:00 · 1 of 2 done · a.b created (12 s)\r" in written
    # What stays are whole lines: each live line is wiped before one is written, and the last one at the end.
    kept = [line.rsplit("\r\x1b[K", 1)[-1] for line in written.split("\n")]
    assert kept == ["  [0:00] FAILED update a.d", "  something", "  a note", "Warning: a warning", ""]
    live = [part.split("\n")[0] for part in written.split("\r\x1b[K")]
    assert max(map(len, live)) < 60


def rows(written: str) -> list[str]:
    """What a terminal shows in the end: a carriage return goes back to the start of the line, which is written over."""
    shown = []
    for line in written.split("\n"):
        cells: list[str] = []
        for part in line.split("\r"):
            cells[: len(part)] = part
        shown.append("".join(cells).rstrip())
    return shown


@pytest.mark.parametrize("by", ["option", "variable"])
def test_without_colour_no_escape_is_written_at_all(monkeypatch: pytest.MonkeyPatch, by: str):
    terminal = watched(monkeypatch)
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("FORCE_COLOR", "1")
    if by == "option":
        monkeypatch.setattr(console.Settings, "no_color", True)
    else:
        monkeypatch.setenv("NO_COLOR", "1")
    story(console.Progress())
    console.show([("bold and red", "bold red")])
    console.show([("dim", "dim")], to_stderr=True)
    console.error_line("x")
    console.print_table(("A", "B"), [("1", "2")])
    console.print_json({"a": 1})
    written = terminal.getvalue()
    assert "\x1b" not in written
    assert "Applying prod … 0:00 · 1 of 2 done" in written, "the live line lives on"
    assert rows(written)[:5] == [
        "  [0:00] FAILED update a.d",
        "  something",
        "  a note",
        "Warning: a warning",
        "bold and red",
    ]


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch):
    terminal = watched(monkeypatch)
    monkeypatch.setenv("TERM", "dumb")
    story(console.Progress())
    assert "\x1b" not in terminal.getvalue()


def test_an_error_is_place_problem_detail_and_next_step(capsys: pytest.CaptureFixture[str]):
    console.show_error(ToolkitError("it broke", where="file:3", detail="one\ntwo", hint="mend it"))
    assert capsys.readouterr().err == "Error: file:3: it broke\n  one\n  two\nNext: mend it\n"
    console.show_error(ToolkitError("it broke"))
    assert capsys.readouterr().err == "Error: it broke\n"


def test_errors_are_red_only_where_colour_is_wanted(monkeypatch: pytest.MonkeyPatch):
    terminal = watched(monkeypatch)
    console.error_line("x")
    assert terminal.getvalue() == "\x1b[1;31mError:\x1b[0m x\n"
    monkeypatch.setattr(console.Settings, "no_color", True)
    console.error_line("y")
    assert terminal.getvalue().endswith("\nError: y\n")


def test_a_table_is_as_wide_as_its_content(capsys: pytest.CaptureFixture[str]):
    console.print_table(("A", "LONGER"), [("wide cell", "x"), ("", "a last cell that runs as far as it likes")])
    assert capsys.readouterr().out == (
        "A          LONGER\nwide cell  x\n           a last cell that runs as far as it likes\n"
    )


def test_json_keeps_letters(capsys: pytest.CaptureFixture[str]):
    console.print_json({"name": "Jörg"})
    assert capsys.readouterr().out == '{\n  "name": "Jörg"\n}\n'


@pytest.mark.parametrize(
    ("typed", "approved"), [("yes\n", True), (" yes \n", True), ("y\n", False), ("YES\n", False), ("", False)]
)
def test_only_the_wanted_word_approves(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, typed: str, approved: bool
):
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert console.ask("Apply this?", wanted="yes") is approved
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "Apply this?\nOnly 'yes' is accepted: "


def test_results_are_plain_where_nobody_sees_colour(capsys: Any):
    console.show([("bold", "bold red")])
    assert capsys.readouterr().out == "bold\n"
