"""Streams without width, letters, room or reader: what cannot be shown is named, and never taken as shown."""

from __future__ import annotations

import ast
import errno
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import IO
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toolkit
from toolkit.__main__ import main
from toolkit.cli import console
from toolkit.cli.main import run
from toolkit.cli.stream import USUAL_WIDTH, OutputError, ReaderGoneError, Stream
from toolkit.errors import ExitCode, ToolkitError
from toolkit.visible import JSON, LOG_WIDTH, PLAIN, XML, columns, escaped, json_text, one_line, wrapped

TEXT = st.text(st.characters(codec="utf-8"), max_size=60)


class Under(io.StringIO):
    """A stream that may be a terminal, and may fail."""

    def __init__(self, *, terminal: bool = False, encoding: str = "utf-8", error: int | None = None) -> None:
        super().__init__()
        self.terminal, self.name_of_encoding, self.error = terminal, encoding, error

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.name_of_encoding

    def isatty(self) -> bool:
        return self.terminal

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")

    def write(self, text: str) -> int:
        if self.error is not None:
            raise OSError(self.error, os.strerror(self.error))
        return super().write(text)


def over(under: Under, *, vital: bool = True) -> Stream:
    return Stream(under, name="standard output", vital=vital)


@pytest.mark.parametrize("told", ["0", "1", "3", "19", "-1", "-80", "x", "", " 80", "1e3", "٣٠", "9" * 5000, None])
@pytest.mark.parametrize("size", [0, 1, 19, None])
def test_a_width_that_is_none_is_80_in_a_terminal(
    monkeypatch: pytest.MonkeyPatch, told: str | None, size: int | None
) -> None:
    def terminal_size(_: int) -> os.terminal_size:
        if size is None:
            raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))
        return os.terminal_size((size, 0))

    monkeypatch.delenv("COLUMNS", raising=False)
    if told is not None:
        monkeypatch.setenv("COLUMNS", told)
    monkeypatch.setattr("os.get_terminal_size", terminal_size)
    monkeypatch.setattr(Under, "fileno", lambda _: 1)
    under = Under(terminal=True)
    assert over(under).width == USUAL_WIDTH
    assert over(Under()).width == LOG_WIDTH
    over(under).line("word " * 40)
    assert under.getvalue().split() == ["word"] * 40
    assert max(map(len, under.getvalue().splitlines())) <= USUAL_WIDTH


@pytest.mark.parametrize(
    ("told", "size", "width"), [("20", 100, 20), ("0", 100, 100), (None, 57, 57), ("300", 57, 300)]
)
def test_a_width_that_is_one_is_used(monkeypatch: pytest.MonkeyPatch, told: str | None, size: int, width: int) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if told is not None:
        monkeypatch.setenv("COLUMNS", told)
    monkeypatch.setattr("os.get_terminal_size", lambda _: os.terminal_size((size, 0)))
    monkeypatch.setattr(Under, "fileno", lambda _: 1)
    assert over(Under(terminal=True)).width == width
    assert over(Under()).width == LOG_WIDTH, "where there is no terminal, COLUMNS says nothing"


@given(st.integers(0, 12), st.lists(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1), min_size=1))
def test_lines_are_broken_between_words_only(indent: int, words: list[str]) -> None:
    line = " " * indent + " ".join(words)
    for width in (20, 40, 80):
        pieces = list(wrapped(line, width))
        assert [w for p in pieces for w in p.split(" ") if w] == words
        for piece in pieces:
            assert columns(piece) <= width or " " not in piece.strip(" "), "only a word by itself is longer than a line"
        assert all(p.startswith(" " * min(indent + 4, width // 2)) for p in pieces[1:])


LETTERS = "Zürich → … │ ✓ “x” 日本 \ud800 👍"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "koi8-r", "utf-8", "utf-16", "shift_jis"])
@pytest.mark.parametrize("how", [PLAIN, JSON, XML])
def test_letters_that_an_encoding_lacks_are_replaced(encoding: str, how: str) -> None:
    under = Under(encoding=encoding)
    text = LETTERS if how == PLAIN else LETTERS.replace("\ud800", "")
    if how == JSON:
        text = json_text({"name": text})
    over(under).document(text + "\n", how)
    written = under.getvalue()
    assert written.encode(encoding).decode(encoding) == written
    assert "?" not in written, "nothing is lost"
    if how == JSON:
        assert json.loads(written) == {"name": LETTERS.replace("\ud800", "")}
    if how == PLAIN and encoding == "ascii":
        assert written == r"""Z\xfcrich -> ... | ok "x" \u65e5\u672c \ud800 \U0001f44d""" + "\n"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EBADF, errno.EDQUOT, errno.EFBIG])
def test_output_that_cannot_be_written_is_named(number: int) -> None:
    stream = over(Under(error=number))
    for _ in range(2):  # and again, whoever caught it
        with pytest.raises(OutputError, match="cannot write to standard output: ") as caught:
            stream.line("x")
        assert caught.value.exit_code is ExitCode.ERROR
    assert ("it is closed" if number == errno.EBADF else os.strerror(number)) in str(caught.value)


def test_a_reader_that_has_gone_is_no_matter_of_room() -> None:
    with pytest.raises(ReaderGoneError):
        over(Under(error=errno.EPIPE)).write("x\n")


def test_progress_that_nobody_sees_stops_nothing_but_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", over(Under(error=errno.EIO), vital=False))
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    with console.Progress() as progress:
        progress.stage("Applying")
        progress.warning("x")
    with pytest.raises(
        ToolkitError, match=r"the question could not be shown: .*Input/output error; nothing was applied"
    ):
        console.ask("Apply this?", wanted="yes")


@given(TEXT, TEXT)
def test_what_is_shown_is_one_line_and_loses_nothing(text: str, other: str) -> None:
    shown = one_line(text)
    assert shown.isprintable() or not text.isprintable()
    assert not set(shown) & set("\r\n\x1b\x9b\u2028\u2029\u202e\u2066\u200b\x85\x0b\x0c")
    if "\\" not in text:
        assert shown.encode("latin-1", "backslashreplace").decode("unicode_escape") == text
    assert escaped(f"{text}\n").endswith("\n")
    assert json.loads(json_text({text: other})) == {text: other}
    assert one_line(json_text({text: other}).replace("\n", "")) == json_text({text: other}).replace("\n", "")


COMMANDS = (["components"], ["--help"], ["--version"])
"""Each in a process of its own, with what the interpreter makes of its streams before and after."""
OTHERS = (["components", "--json"], ["schema"], ["sandbox", "up", "-h"])
"""What differs in these is what is written, so that this process is enough."""
FULL = "No space left on device"


def of_shell(arguments: list[str], redirection: str, **environ: str) -> tuple[int, str]:
    """Exit code of the toolkit and its stderr, with stdout redirected by a shell."""
    command = f'"$0" -m toolkit "$@" {redirection}'
    done = subprocess.run(
        ["/bin/bash", "-c", f"set -o pipefail; {command}", sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environ},
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_stdout_without_room_is_named_and_ends_with_1(arguments: list[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full, which is Linux's always full device")
    code, err = of_shell(arguments, ">/dev/full")
    assert code == ExitCode.ERROR
    assert err.startswith(f"Error: cannot write to standard output: {FULL}\nNext: ")
    assert len(err.splitlines()) == 2, "no word of the interpreter's when it ends"


def of_run(arguments: list[str], stdout: IO[str]) -> tuple[int, str]:
    """The same in this process, with a stream of its own as stdout."""
    err = io.StringIO()
    with stdout, patch("sys.stdout", stdout), patch("sys.stderr", err):
        return run(arguments), err.getvalue()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EBADF, errno.EPIPE])
@pytest.mark.parametrize("arguments", OTHERS, ids=" ".join)
def test_what_is_written_by_others_meets_the_same(arguments: list[str], number: int) -> None:
    code, err = of_run(arguments, Under(error=number))
    assert code == ExitCode.ERROR
    reason = "it is closed" if number == errno.EBADF else FULL
    assert err == (
        ""
        if number == errno.EPIPE
        else f"Error: cannot write to standard output: {reason}\n"
        "Next: the output is incomplete: send it to a terminal, or to a file that has room for it\n"
    )


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_closed_stdout_is_named_and_ends_with_1(arguments: list[str]) -> None:
    assert of_shell(arguments, ">&-") == (
        ExitCode.ERROR,
        "Error: cannot write to standard output: it is closed\n"
        "Next: the output is incomplete: send it to a terminal, or to a file that has room for it\n",
    )


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_reader_that_goes_away_is_no_error_to_speak_of(arguments: list[str]) -> None:
    code, err = of_shell(arguments, "| (exec <&-; sleep 0.2)")
    assert err == ""
    assert code in (ExitCode.OK, ExitCode.ERROR)


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "<&-", "<&- 2>&-"])
def test_results_do_not_need_the_other_streams(redirection: str) -> None:
    # What both write is the same stream's; the one that reads every component takes thrice the time.
    code, _ = of_shell(["components"] if redirection == "<&- 2>&-" else ["--help"], redirection)
    assert code == ExitCode.OK


FEW = ("ascii", "latin-1", "cp1252")


@pytest.mark.parametrize("arguments", [["components", "password_policy"], ["components", "--json"], ["--help"]])
def test_a_stream_of_few_letters_is_no_error(arguments: list[str]) -> None:
    for encoding, errors in ((e, how) for e in FEW for how in ("surrogateescape", "strict")):
        stdout = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=errors)
        assert of_run(arguments, stdout) == (ExitCode.OK, ""), encoding


def test_the_interpreters_stream_of_few_letters_is_no_error() -> None:
    arguments = ["components", "password_policy"]
    assert of_shell(arguments, ">/dev/null", PYTHONIOENCODING="ascii:strict") == (ExitCode.OK, "")


def test_streams_are_given_back() -> None:
    before = sys.stdin, sys.stdout, sys.stderr
    assert run(["--version"]) == ExitCode.OK
    assert (sys.stdin, sys.stdout, sys.stderr) == before


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o077, 0o777])
def test_what_is_written_is_never_others_to_write_and_always_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], umask: int
) -> None:
    monkeypatch.setattr("sys.argv", ["toolkit", "init", str(tmp_path / "p"), "--pipeline", "none"])
    monkeypatch.setattr("gc.freeze", lambda: None)
    monkeypatch.setattr("gc.set_threshold", lambda _: None)
    before = os.umask(umask)
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        os.umask(before)
    assert ended.value.code == ExitCode.OK, capsys.readouterr()
    written = list((tmp_path / "p").glob("*")) + list((tmp_path / "p").glob("environments/*"))
    assert len(written) >= 4
    for path in written:
        assert path.stat().st_mode & 0o022 == 0
        assert path.stat().st_mode & 0o600 == 0o600


def test_nothing_passes_the_streams_by() -> None:
    """Whatever writes elsewhere than in toolkit.cli.stream could show a name of AWS's as it is."""
    package = Path(toolkit.__file__).parent
    texts = {file: file.read_text("utf-8") for file in package.rglob("*.py")}
    found = {
        str(file.relative_to(package))
        for file, text in texts.items()
        if re.search(r"\bsys\b", text) and re.search(r"stdout|stderr", text)  # most have neither to parse
        for node in ast.walk(ast.parse(text))
        if (isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr", "__stdout__", "__stderr__"))
        and isinstance(node.value, ast.Name)
        and node.value.id == "sys"
    }
    assert found == {"__main__.py", "cli/stream.py"}
    echoes = [file for file, text in texts.items() if re.search(r"typer\.(?:echo|secho)|click\.", text)]
    assert [f.name for f in echoes] == ["app.py"], "the version, which is the toolkit's own word"


@pytest.mark.parametrize("told", ["0", "1", "-1", "x"])
def test_help_breaks_no_word_for_a_width_that_is_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    shown = []
    for columns_told in ("80", told):
        monkeypatch.setenv("COLUMNS", columns_told)
        assert run(["plan", "--help"]) == ExitCode.OK
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]
