"""A disk that is full, over quota or read-only is named as such, whoever meets it: Python, Terraform, both at once."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from toolkit.cli.main import run
from toolkit.errors import UNWRITABLE, ExitCode, ToolkitError, unwritable
from toolkit.files import why_unwritable, write_atomically
from toolkit.terraform.events import Diagnostic
from toolkit.terraform.failures import explain
from toolkit.terraform.local_state import read_local_state

ERRORS = sorted(UNWRITABLE)
NAMES = [errno.errorcode[number] for number in ERRORS]


def answer(number: int, file: str | None = None) -> OSError:
    return OSError(number, os.strerror(number), file) if file else OSError(number, os.strerror(number))


@pytest.mark.parametrize("number", ERRORS, ids=NAMES)
def test_it_is_named_with_its_place_and_next_step(number: int):
    error = unwritable(answer(number), "/project")
    assert error is not None
    assert (error.problem, error.where) == (UNWRITABLE[number], "/project")
    assert error.hint
    named = unwritable(answer(number, "/project/file"), "/project")
    assert named is not None
    assert named.where == "/project/file"


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES, errno.EPIPE])
def test_nothing_else_is_taken_for_it(number: int):
    assert unwritable(answer(number)) is None


@pytest.mark.parametrize("number", ERRORS, ids=NAMES)
@pytest.mark.parametrize("step", ["open", "write"])
def test_no_command_calls_it_a_defect(
    number: int, step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    folder = tmp_path / "environments" / "prod"
    folder.mkdir(parents=True)
    (folder / "environment.yaml").write_text(
        'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents:\n  password_policy: {}\n'
    )

    opened = os.open

    def refuse(*_: Any, **__: Any) -> Any:
        raise answer(number)

    def refuse_new(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        return refuse() if flags & os.O_CREAT else opened(path, flags, *rest, **more)

    monkeypatch.setattr(*{"open": ("os.open", refuse_new), "write": ("os.fsync", refuse)}[step])
    assert run(["-C", str(tmp_path), "render", "prod"]) == ExitCode.ERROR
    err = capsys.readouterr().err
    assert UNWRITABLE[number] in err or os.strerror(number) in err
    assert "defect" not in err
    assert "internal error" not in err
    assert "Next:" in err


@pytest.mark.parametrize("number", ERRORS, ids=NAMES)
def test_where_nobody_expected_it_neither(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def refuse() -> Any:
        raise answer(number, "/project/file")

    monkeypatch.setattr("toolkit.cli.options.project", refuse)
    assert run(["validate"]) == ExitCode.ERROR
    err = capsys.readouterr().err
    assert f"Error: /project/file: {UNWRITABLE[number]}\nNext: " in err


def test_the_file_is_named_though_a_full_disk_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(_descriptor: int) -> None:
        raise answer(errno.ENOSPC)

    (tmp_path / "file").write_text("old")
    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(OSError, match="No space left") as caught:
        write_atomically(tmp_path / "file", "new")
    assert caught.value.filename == str(tmp_path / "file")
    assert [f.name for f in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "old"
    found = why_unwritable(tmp_path)
    assert found is not None
    assert (found.errno, found.filename) == (errno.ENOSPC, str(tmp_path))


def test_a_folder_that_takes_more_is_no_problem(tmp_path: Path):
    assert why_unwritable(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


# As Terraform 1.11.4 and the provider say it; the words at the end are Go's.
SAID = [
    ("Failed to write plan file", "The plan file could not be written: write plan.tfplan: {}."),
    ("Error acquiring the state lock", "Error message: open ../.terraform.tfstate.lock.info: {}"),
    ("Failed to install provider", "Error while installing hashicorp/aws v5.100.0: write /tmp/terraform-provider: {}"),
]


@pytest.mark.parametrize("number", ERRORS, ids=NAMES)
@pytest.mark.parametrize(("summary", "detail"), SAID, ids=[s for s, _ in SAID])
def test_terraform_met_it(number: int, summary: str, detail: str):
    said = Diagnostic("error", summary, detail.format(os.strerror(number).lower()), None, None, None, None)
    error = explain("plan", diagnostics=(said,), stderr="", returncode=1, interrupted=False)
    assert UNWRITABLE[number] in error.problem
    assert summary in error.problem
    assert "free some space" in (error.hint or "").lower()


@pytest.mark.parametrize("number", ERRORS, ids=NAMES)
def test_terraforms_own_words_are_lost_to_it(number: int):
    error = explain(
        "plan", diagnostics=(), stderr="", returncode=1, interrupted=False, blocked=answer(number, "/project/logs")
    )
    assert error.where == "/project/logs"
    assert UNWRITABLE[number] in error.problem
    assert error.hint


def test_a_local_state_that_was_cut_off_is_said_to_be(tmp_path: Path):
    file = tmp_path / "terraform.tfstate"
    file.write_text(
        '{\n  "version": 4,\n  "terraform_version": "1.11.4",\n  "serial": 12,\n  "lineage": "a-b",\n  "out'
    )
    with pytest.raises(ToolkitError, match=r"serial 12\) was cut off while it was written") as caught:
        read_local_state(file)
    assert "toolkit state restore" in (caught.value.hint or "")
