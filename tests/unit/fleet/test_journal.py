"""The journal of a run: what is written stays, what was killed is seen, and nobody else's is taken."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from toolkit.errors import LockedError, RefusedError, ToolkitError, UsageError
from toolkit.fleet import journal as journals
from toolkit.fleet.journal import Journal, State, newest, read, run_names


def ignored(_: str) -> None:
    pass


@contextlib.contextmanager
def begun(root: Path, command: str = "apply", environments: tuple[str, ...] = ("a", "b")) -> Iterator[Journal]:
    with Journal.begun(root, command=command, environments=environments, arguments=["--all"], notice=ignored) as found:
        yield found


def test_a_story_is_read_back(tmp_path: Path):
    with begun(tmp_path) as journal:
        journal.record("a", State.PLANNED, changes=3, bundle="a.tfbundle")
        journal.event("wave", name="canary")
        journal.record("a", State.APPLYING)
        journal.record("a", State.APPLIED, seconds=1.5)
        journal.record("b", State.FAILED, exit_code=1, message="broken")
    story = read(tmp_path, journal.folder)
    assert (story.command, story.environments) == ("apply", ("a", "b"))
    assert {name: entry.state for name, entry in story.latest.items()} == {"a": "applied", "b": "failed"}
    planned = story.last("a", State.PLANNED)
    assert planned is not None and planned.facts == {"changes": 3, "bundle": "a.tfbundle"}
    assert story.last("b", State.PLANNED) is None
    assert story.unfinished == ("b",)
    assert newest(tmp_path, "apply").folder == journal.folder


@pytest.mark.parametrize(
    ("command", "state", "unfinished"),
    [
        ("plan", State.PLANNED, ()),
        ("plan", State.FAILED, ("a",)),
        ("plan", State.SKIPPED, ("a",)),
        ("apply", State.PLANNED, ("a",)),
        ("apply", State.APPROVED, ("a",)),
        ("apply", State.APPLYING, ("a",)),
        ("apply", State.APPLIED, ()),
        ("apply", State.VERIFIED, ()),
        ("apply", State.FAILED, ("a",)),
        ("apply", State.SKIPPED, ("a",)),
        ("audit", State.DONE, ()),
        ("audit", State.FAILED, ("a",)),
        ("drift", None, ("a",)),
    ],
)
def test_what_is_unfinished(tmp_path: Path, command: str, state: State | None, unfinished: tuple[str, ...]):
    with begun(tmp_path, command, ("a",)) as journal:
        if state:
            journal.record("a", state)
    assert read(tmp_path, journal.folder).unfinished == unfinished


def test_everything_is_private(tmp_path: Path):
    with begun(tmp_path) as journal:
        journal.record("a", State.PLANNED)
    assert journal.folder.stat().st_mode & 0o777 == 0o700
    assert {f.name: f.stat().st_mode & 0o777 for f in journal.folder.iterdir()} == {
        "journal.jsonl": 0o600,
        "run.lock": 0o600,
        "commands.lock": 0o600,
    }


def test_every_line_is_on_disk_before_the_next_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with begun(tmp_path) as journal:
        folders = [str(f) for f in (journal.folder, journal.folder.parent, tmp_path / ".toolkit", tmp_path)]
        file = str(journal.folder / "journal.jsonl")
        assert synced == [*folders, file]
        journal.record("a", State.PLANNED)
        assert synced[5:] == [file]


@pytest.mark.parametrize("torn", [b'{"event":"state","environment":"a","sta', b"{", b'{"event":"state"}'])
def test_a_line_that_was_not_written_to_its_end_does_not_count(tmp_path: Path, torn: bytes):
    with begun(tmp_path) as journal:
        journal.record("a", State.PLANNED)
    file = journal.folder / "journal.jsonl"
    file.write_bytes(file.read_bytes() + torn)
    assert read(tmp_path, journal.folder).latest["a"].state is State.PLANNED
    with Journal.resumed(tmp_path, "apply", notice=ignored) as (again, story):
        again.go_on(["--failed"])
        assert story.latest["a"].state is State.PLANNED
        again.record("a", State.APPLYING)
    lines = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert [line["event"] for line in lines] == ["run", "state", "resumed", "state"]


@pytest.mark.parametrize(
    ("number", "line", "why"),
    [
        (2, b"{", "not JSON"),
        (2, b"[]", "not an object"),
        (2, b'{"event":"state","environment":"a","at":"x"}', "'state'"),
        (2, b'{"event":"state","environment":"a","at":"x","state":"melted"}', "'melted' is not a valid State"),
        (1, b'{"event":"state"}', "not the beginning of a journal of format 1"),
        (1, b'{"event":"run","format":2}', "not the beginning of a journal of format 1"),
    ],
)
def test_a_damaged_journal_is_refused(tmp_path: Path, number: int, line: bytes, why: str):
    with begun(tmp_path) as journal:
        journal.record("a", State.PLANNED)
        journal.record("a", State.FAILED)
    file = journal.folder / "journal.jsonl"
    lines = file.read_bytes().splitlines()
    lines[number - 1] = line
    file.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(ToolkitError) as refused:
        read(tmp_path, journal.folder)
    assert refused.value.problem == f"a damaged journal: {why}"
    assert refused.value.where == f"{file}:{number}"
    assert "nothing is applied twice" in str(refused.value.hint)


def test_the_journal_of_another_project_is_refused(tmp_path: Path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    with begun(one) as journal:
        pass
    one.rename(other)
    folder = other / ".toolkit" / "fleet" / journal.folder.name
    with pytest.raises(RefusedError, match="the journal of another project") as refused:
        read(other, folder)
    assert "moved or copied" in str(refused.value.hint)
    before = (folder / "journal.jsonl").read_bytes()
    with (
        pytest.raises(RefusedError),
        Journal.resumed(other, "apply", notice=ignored),
    ):
        pass
    assert (folder / "journal.jsonl").read_bytes() == before


def test_one_command_works_on_a_run(tmp_path: Path):
    with begun(tmp_path) as journal:
        with (
            pytest.raises(LockedError, match="another toolkit command works on this run"),
            Journal.resumed(tmp_path, "apply", notice=ignored),
        ):
            pass
        with begun(tmp_path) as another:  # a new run is another matter
            assert another.folder != journal.folder


@pytest.mark.parametrize("what", ["continued", "newer"])
def test_what_counts_is_read_while_the_run_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str):
    """Another command continues the run, or begins a newer one, before this one holds it."""
    with begun(tmp_path) as first:
        first.record("a", State.FAILED)
    waited = journals._wait_for_orphans

    def meanwhile(folder: Path, notice: Callable[[str], None]) -> None:
        monkeypatch.setattr(journals, "_wait_for_orphans", waited)
        if what == "newer":
            with begun(tmp_path, environments=("c",)) as newer:
                newer.record("c", State.FAILED)
        else:
            with Journal.resumed(tmp_path, "apply", notice=notice) as (journal, _):
                journal.record("a", State.APPLIED)

    monkeypatch.setattr(journals, "_wait_for_orphans", meanwhile)
    with Journal.resumed(tmp_path, "apply", notice=ignored) as (journal, story):
        assert story.folder == journal.folder
        assert story.unfinished == (("b",) if what == "continued" else ("c",))
        assert (journal.folder == first.folder) == (what == "continued")


def _killed(root: Path, end: Path) -> None:
    with Journal.begun(root, command="apply", environments=["a"], arguments=[], notice=ignored) as journal:
        journal.record("a", State.APPLYING)
        wait = f"import pathlib, time\nwhile not pathlib.Path({str(end)!r}).exists(): time.sleep(0.01)"
        subprocess.Popen([sys.executable, "-c", wait], pass_fds=(journal.commands_lock,), start_new_session=True)
        os._exit(9)


@pytest.mark.parametrize("how", ["resumed", "begun"])
def test_the_next_run_waits_for_what_a_killed_one_had_started(tmp_path: Path, how: str):
    process = multiprocessing.get_context("spawn").Process(target=_killed, args=(tmp_path, tmp_path / "end"))
    process.start()
    process.join()
    (name,) = run_names(tmp_path)
    told: list[str] = []

    def notice(text: str) -> None:
        told.append(text)
        (tmp_path / "end").touch()  # only a run that waits is told

    if how == "resumed":
        with Journal.resumed(tmp_path, "apply", notice=notice) as (_, story):
            assert story.latest["a"].state is State.APPLYING
    else:
        with Journal.begun(tmp_path, command="plan", environments=["a"], arguments=[], notice=notice):
            pass
    assert told and f"waiting for the commands that the killed run {name} had started" in told[0]


def test_old_runs_are_deleted_but_none_that_is_worked_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(journals, "KEPT_RUNS", 3)
    with begun(tmp_path) as first:
        for _ in range(4):
            with begun(tmp_path):
                pass
        assert first.folder.name in run_names(tmp_path)
        assert len(run_names(tmp_path)) <= 4
    with begun(tmp_path) as last:
        pass
    assert len(run_names(tmp_path)) == 3
    assert last.folder.name in run_names(tmp_path)


def test_a_run_that_is_not_there(tmp_path: Path):
    with pytest.raises(UsageError, match="no run of `toolkit apply` over many environments was recorded here"):
        newest(tmp_path, "apply")
    with begun(tmp_path, "plan"), pytest.raises(UsageError):
        newest(tmp_path, "apply")


def test_a_run_that_was_killed_before_its_first_line_is_none(tmp_path: Path):
    with begun(tmp_path) as journal:
        pass
    for name, text in (("99990101T000000-0000", b""), ("99990101T000001-0000", b'{"event":"ru')):
        folder = tmp_path / ".toolkit" / "fleet" / name
        folder.mkdir()
        (folder / "journal.jsonl").write_bytes(text)
    assert newest(tmp_path, "apply").folder == journal.folder


def test_links_are_refused(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".toolkit").symlink_to("elsewhere")
    with pytest.raises(ToolkitError, match="a symbolic link"), begun(tmp_path):
        pass
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with begun(tmp_path) as journal:

        def full(*_: object) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(ToolkitError, match="no space is left on the file system"):
            journal.record("a", State.PLANNED)
        monkeypatch.undo()


@pytest.mark.parametrize("made", ["begun", "newest", "run_names", "read"])
def test_a_run_folder_that_is_a_symbolic_link_is_not_followed(tmp_path: Path, made: str):
    root, elsewhere = tmp_path / "one", tmp_path / "elsewhere"
    root.mkdir()
    with begun(root) as journal:
        folder = journal.folder
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    before = {f.name: f.stat().st_mtime_ns for f in elsewhere.iterdir()}
    with pytest.raises(ToolkitError, match="a symbolic link"):
        if made == "begun":
            with begun(root):
                pass
        elif made == "newest":
            newest(root, "apply")
        elif made == "run_names":
            run_names(root)
        else:
            read(root, folder)
    assert {f.name: f.stat().st_mtime_ns for f in elsewhere.iterdir()} == before


@pytest.mark.parametrize(("what", "mode"), [("journal.jsonl", 0o620), ("journal.jsonl", 0o602), (".", 0o770)])
def test_a_journal_that_others_can_write_does_not_count(tmp_path: Path, what: str, mode: int):
    with begun(tmp_path) as journal:
        pass
    (journal.folder / what).chmod(mode)
    with pytest.raises(RefusedError, match="can be written by other users"):
        newest(tmp_path, "apply")


def test_a_journal_of_another_user_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with begun(tmp_path) as journal:
        pass
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(RefusedError, match="belongs to another user"):
        read(tmp_path, journal.folder)


def test_options_are_read_back(tmp_path: Path):
    with begun(tmp_path) as journal:
        assert read(tmp_path, journal.folder).options is None
        journal.event("options", given={"--out": "/x", "--no-render": False})
    assert read(tmp_path, journal.folder).options == {"--out": "/x", "--no-render": False}
    with (journal.folder / "journal.jsonl").open("a") as file:
        file.write('{"event":"options"}\n')
    with pytest.raises(ToolkitError, match="given is missing"):
        read(tmp_path, journal.folder)
