"""A state that Terraform could not save: in Terraform's own words (1.11.4), both ways, through a real `Runner`.

The diagnostics and the dump are as `terraform apply -json` prints them when the bucket of the state has gone, and when
the disk is full. The state is short, and holds a secret that must turn up in the kept file and nowhere else.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import ExitCode, ToolkitError
from toolkit.terraform import events, process, unsaved
from toolkit.terraform.failures import TerraformError, TerraformInterruptedError, UnsavedStateError
from toolkit.terraform.local_state import state_id
from toolkit.terraform.runs import finished_orphan
from toolkit.terraform.sealing import VARIABLE, Keys, is_sealed, sealed_for, unseal
from toolkit.terraform.unsaved import ERRORED, SEALED, Kept, UnsavedStates, named, scrub, state_in

from .conftest import Fake, wait_for

SECRET = "correct horse battery staple"
LINEAGE = "0db5a6ad-3e7c-1c11-7ea9-fe1a9d8eb3c0"
STATE = {
    "version": 4,
    "terraform_version": "1.11.4",
    "serial": 7,
    "lineage": LINEAGE,
    "outputs": {},
    "resources": [
        {
            "mode": "managed",
            "type": "aws_iam_group",
            "name": "this",
            "instances": [{"attributes": {"secret": SECRET, "arn": "arn:aws:iam::111122223333:group/a", "n": 1.10}}],
        }
    ],
    "check_results": None,
}
WRITTEN = json.dumps(STATE, indent=2) + "\n"
GONE = (
    "Error saving state: failed to upload state: operation error S3: PutObject, https response error StatusCode: 404, "
    "api error NoSuchBucket: The specified bucket does not exist"
)
FULL = (
    "Error saving state: Failed to write state: An error occured while writing the serialized state: write "
    "../terraform.tfstate: no space left on device."
)
BACKED_UP = (
    "The error shown above has prevented Terraform from writing the updated state to the configured backend. To allow "
    'for recovery, the state has been written to the file "errored.tfstate" in the current working directory.\n\n'
    'Running "terraform apply" again at this point will create a forked state, making it harder to recover.\n\n'
    "To retry writing this state, use the following command:\n    terraform state push errored.tfstate\n"
)
PRINTED = (
    "The errors shown above prevented Terraform from writing the updated state to\nthe configured backend and from "
    "creating a local backup file. As a fallback,\nthe raw state data is printed above as a JSON object.\n\nTo retry "
    "writing this state, copy the state data (from the first { to the last } inclusive) and save it into a local file "
    "called errored.tfstate, then run the following command:\n    terraform state push errored.tfstate\n"
)
DUMP = (
    '{"@level":"info","@message":"Emergency state dump","@module":"terraform.ui",'
    '"@timestamp":"2026-11-28T18:52:32.650000Z","state":' + json.dumps(STATE, separators=(",", ":")) + ',"type":"log"}'
)
DID = 'hook("apply_start", "a.one"); hook("apply_complete", "a.one", elapsed_seconds=1)\n'
LOCK_STAYED = "The lock could not be deleted\n\nTerraform acquires a lock when accessing your state."


def writes(text: str = WRITTEN, detail: str = GONE) -> str:
    """Terraform, whose backend fails, and that keeps the state beside the configuration."""
    return (
        f"{DID}open('errored.tfstate', 'w').write({text!r})\n"
        f"error('Failed to save state', {detail!r}); error('Failed to persist state to backend', {BACKED_UP!r})\n"
        f"error('Error releasing the state lock', {LOCK_STAYED!r})\nsys.exit(1)\n"
    )


def prints(dump: str = DUMP, left: str = "") -> str:
    """Terraform on a full disk: what it can write is cut off, and it prints the state."""
    return (
        f"{DID}open('errored.tfstate', 'w').write({left!r})\nerror('Failed to save state', {FULL!r})\n"
        f"error('Failed to create local state file', 'Error creating local state file for recovery: {FULL}')\n"
        f"print({dump!r}, flush=True)\nerror('Failed to persist state to backend', {PRINTED!r})\nsys.exit(1)\n"
    )


@pytest.fixture(autouse=True)
def nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsaved, "_ELSEWHERE", ())


def failed(fake: Fake, body: str, environ: dict[str, str] | None = None) -> TerraformError:
    fake.does(body)
    with pytest.raises(TerraformError) as caught:
        fake.runner({"PATH": os.environ["PATH"], **(environ or {})}).apply(fake.folder / "plan")
    return caught.value


def told(error: ToolkitError) -> str:
    return "\n".join(filter(None, (str(error), error.detail, error.hint)))


def logs(fake: Fake) -> str:
    return "".join(f.read_text() for f in (fake.scratch / "logs").iterdir())


def kept_at(error: TerraformError) -> Path:
    assert isinstance(error, UnsavedStateError)
    assert error.kept.path is not None
    return error.kept.path


@pytest.mark.parametrize(
    "body", [writes(), prints(), prints(left=WRITTEN[:100])], ids=["written", "printed", "cut off"]
)
def test_the_state_is_kept_and_the_error_says_what_happened_where_and_what_to_do(fake: Fake, body: str) -> None:
    error = failed(fake, body)

    kept = kept_at(error)
    assert kept == fake.folder / ERRORED
    assert json.loads(kept.read_bytes()) == STATE
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert not (fake.root / ERRORED).exists()
    assert error.exit_code is ExitCode.ERROR
    assert "the state could NOT be saved: what it did (1 done) is in the account, but not recorded" in error.problem
    assert str(kept) in error.problem
    assert f"toolkit state restore ENV {kept}" in (error.hint or "")
    assert "  create a.one" in (error.detail or "")
    said = told(error)
    for wrong in ("is in the state", "lan again", "state push", SECRET, LINEAGE):
        assert wrong not in said
    assert SECRET not in logs(fake)
    assert SECRET not in repr(fake.events)


def test_the_first_step_is_that_of_the_cause(fake: Fake) -> None:
    hint = failed(fake, prints()).hint or ""
    assert hint.startswith("Free some space. ")
    assert "\n" not in hint, "it is shown as one line"
    assert hint.rpartition("Restore it with: ")[2].startswith("toolkit state restore ")
    (fake.folder / ERRORED).unlink()
    expired = "Error saving state: failed to upload state: api error ExpiredToken: The provided token has expired."
    hint = failed(fake, writes(detail=expired)).hint or ""
    assert hint.startswith("Sign in again. ")
    assert "toolkit unlock ENV" in hint, "its lock stayed, too"


def test_the_digits_of_a_printed_state_stay() -> None:
    event = events.parse(DUMP.replace('"n":1.1', '"n":1.10'))
    assert isinstance(event, events.StateDump)
    assert '"n":1.10' in event.state


def test_terraforms_word_for_a_file_is_not_taken_for_the_file(fake: Fake) -> None:
    """In a folder where it may not create files, it says that it has written one (filesystem.go, writeState)."""
    error = failed(fake, writes().replace("open('errored.tfstate', 'w')", "open(os.devnull, 'w')"))

    assert isinstance(error, UnsavedStateError)
    assert error.kept == Kept(None)
    assert "could not be kept anywhere either, and is lost" in error.problem
    assert "`imports`" in (error.hint or "")
    assert "state restore" not in told(error)


def test_a_part_of_a_state_is_named_and_stays(fake: Fake) -> None:
    error = failed(fake, writes(text=WRITTEN[:120]))

    assert isinstance(error, UnsavedStateError)
    assert error.kept == Kept(None, fake.root / ERRORED)
    assert f"cut off while it was written, is in {fake.root / ERRORED}" in (error.detail or "")
    assert (fake.root / ERRORED).read_text() == WRITTEN[:120]


@pytest.mark.parametrize("body", [writes(), prints()], ids=["written", "printed"])
def test_with_the_pipelines_key_only_an_encrypted_one_is_kept(fake: Fake, body: str) -> None:
    error = failed(fake, body, {VARIABLE: "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="})

    kept = kept_at(error)
    assert kept == fake.folder / SEALED
    content = kept.read_bytes()
    assert is_sealed(content)
    assert sealed_for(content) == fake.folder.name
    assert json.loads(unseal(content, "", Keys(b"A" * 32))) == STATE
    assert "(encrypted)" in error.problem
    assert [f for f in fake.folder.rglob("*") if f.is_file() and SECRET.encode() in f.read_bytes()] == [fake.path]


def test_a_wrong_key_loses_nothing(fake: Fake) -> None:
    assert json.loads(kept_at(failed(fake, writes(), {VARIABLE: "short"})).read_bytes()) == STATE


def refusing(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """Folders on a full disk, for the test runs as root, which modes do not stop."""
    real_atomic, real_temporary = unsaved.write_atomically, unsaved.tempfile.mkstemp

    def atomic(file: Path, content: bytes, *, mode: int) -> None:
        if file.parent in folders:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real_atomic(file, content, mode=mode)

    def temporary(**options: Any) -> tuple[int, str]:
        if options["dir"] in folders:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real_temporary(**options)

    monkeypatch.setattr(unsaved, "write_atomically", atomic)
    monkeypatch.setattr(unsaved.tempfile, "mkstemp", temporary)


def test_the_first_place_that_takes_it_and_found_there_again(
    fake: Fake, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    refusing(monkeypatch, fake.folder, first)
    environ = {"TMPDIR": str(first), "HOME": str(second)}
    kept = kept_at(failed(fake, prints(), environ))

    assert kept.parent == second
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert SECRET not in logs(fake)
    here = UnsavedStates(fake.folder.name, folder=fake.folder, rendered=fake.root, environ=environ)
    assert here.waiting() == (kept,)
    other = UnsavedStates(fake.folder.name, folder=fake.folder / "other", rendered=fake.root, environ=environ)
    assert other.waiting() == (), "another checkout's"


def test_where_nothing_takes_it_the_log_is_kept_and_holds_it(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(monkeypatch, fake.folder)
    kept = kept_at(failed(fake, prints()))

    assert kept == fake.folder / f"{ERRORED}.log"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(state_in(kept.read_bytes()) or b"") == STATE
    assert UnsavedStates(fake.folder.name, folder=fake.folder, rendered=fake.root, environ={}).waiting() == (kept,)


def test_an_interrupted_apply_says_so_first_too(fake: Fake) -> None:
    runner = fake.runner(hook=lambda e: runner.interrupt() if isinstance(e, events.ApplyStart) else None)
    fake.does(DID + "until(lambda: interrupts)\n" + writes().removeprefix(DID))
    with pytest.raises(TerraformInterruptedError) as caught:
        runner.apply(fake.folder / "plan")

    assert caught.value.exit_code is ExitCode.INTERRUPTED
    assert "was interrupted, and the state could NOT be saved" in caught.value.problem
    assert f"toolkit state restore ENV {fake.folder / ERRORED}" in (caught.value.hint or "")
    assert "lan again" not in told(caught.value)


def test_an_apply_that_failed_otherwise_keeps_its_next_step(fake: Fake) -> None:
    error = failed(fake, DID + "error('creating IAM Group', 'AccessDenied'); sys.exit(1)")
    assert not isinstance(error, UnsavedStateError)
    assert "are in the state" in (error.hint or "")


def test_nothing_is_applied_where_there_is_no_room_to_say_what_was(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int, _size: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(process, "_reserve", full)
    fake.does("open(here + '/ran', 'w')")
    with pytest.raises(ToolkitError, match="no space is left on the file system") as caught:
        fake.runner().apply(fake.folder / "plan", reserve=1 << 20)
    assert caught.value.where == str(fake.scratch / "logs")
    assert not (fake.folder / "ran").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="fallocate(2) is Linux's")
def test_room_is_put_aside_while_it_runs_and_given_back(fake: Fake) -> None:
    fake.does("json.dump(os.fstat(1).st_blocks * 512, open(here + '/facts.json', 'w'))")
    fake.runner().apply(fake.folder / "plan", reserve=1 << 20)
    assert int(str(fake.facts())) >= 1 << 20
    assert all(f.stat().st_blocks * 512 < 1 << 16 for f in (fake.scratch / "logs").iterdir())


def test_a_printed_state_never_stays_in_a_log_wherever_it_was_cut_off(tmp_path: Path) -> None:
    """Whatever was written before the disk was full, no part of the state stays, and what follows is still read."""
    before = (
        '{"@level":"info","@message":"m","type":"apply_start","hook":{"resource":{"addr":"a"},"action":"create"}}\n'
    )
    after = '{"@level":"error","@message":"m","type":"diagnostic","diagnostic":{"severity":"error","summary":"Next"}}\n'
    log = tmp_path / "log"
    begin = DUMP.index('"state":')
    for cut in range(len(DUMP) + 1):
        content = before + DUMP[:cut] + ("\n" if cut == len(DUMP) else "") + after
        log.write_text(content)
        scrub(log)
        clean = log.read_text()
        assert len(clean) <= len(content)
        assert clean.startswith(before)
        assert clean.endswith(after)
        assert "version" not in clean, cut
        if cut > begin + len('"state":'):
            assert "taken out" in clean
        last = events.parse(clean.splitlines()[-1])
        last = last.rest if isinstance(last, events.Torn) else last
        assert isinstance(last, events.DiagnosticEvent)
        assert last.diagnostic.summary == "Next"
        # The same line as it is read while Terraform runs: no text that could be shown.
        for line in content.splitlines():
            event = events.parse(line)
            assert not isinstance(event, events.TextLine), cut
            assert SECRET not in repr(event)


def test_a_toolkit_that_was_killed_leaves_the_state_to_the_next_one(fake: Fake) -> None:
    fake.does(DID + "open(here + '/running', 'w'); until(lambda: os.path.exists(here + '/go'))\n" + prints())
    with subprocess.Popen(fake.driver(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as driver:
        wait_for((fake.folder / "running").exists)
        driver.kill()
    (fake.folder / "go").touch()
    wait_for(lambda: finished_orphan(fake.scratch) is not None)

    from toolkit.errors import LockedError
    from toolkit.workflows.unsaved import refuse_unsaved

    here = UnsavedStates(fake.folder.name, folder=fake.folder, rendered=fake.root, environ={})
    for _ in range(2):  # told again until it is restored
        with pytest.raises(LockedError, match="waits here") as caught:
            refuse_unsaved(here, fake.scratch, "ENV")
        assert caught.value.where == str(fake.folder / ERRORED)
        assert f"toolkit state restore ENV {fake.folder / ERRORED}" in (caught.value.hint or "")
    assert json.loads((fake.folder / ERRORED).read_bytes()) == STATE
    assert SECRET not in logs(fake)


FOUND: dict[str, Callable[[Path], object]] = {
    "a state": lambda f: f.write_text(WRITTEN),
    "a part of one": lambda f: f.write_text(WRITTEN[:50]),
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
    "a link": lambda f: f.symlink_to("nowhere"),
}


@pytest.mark.parametrize("make", FOUND.values(), ids=FOUND)
@pytest.mark.parametrize("where", ["rendered", "."])
def test_whatever_lies_there_is_seen_and_never_overwritten(
    fake: Fake, make: Callable[[Path], object], where: str
) -> None:
    file = (fake.folder / where / ERRORED).resolve(strict=False)
    here = UnsavedStates(fake.folder.name, folder=fake.folder, rendered=fake.root, environ={})
    file.touch()
    assert here.waiting() == (), "an empty one holds nothing"
    file.unlink()
    make(file)
    assert here.waiting() == (file,)
    if where == ".":
        kept = here.collect(json.dumps(STATE)).path
        assert kept == fake.folder / f"{ERRORED}.2"
        assert set(here.waiting()) == {file, kept}
    else:  # whatever blocks Terraform's own file
        kept = here.collect(json.dumps(STATE)).path
        assert kept == fake.folder / ERRORED
    assert kept is not None
    assert json.loads(kept.read_bytes()) == STATE


def test_a_first_state_that_has_no_lineage_yet_gets_one_that_follows_from_it() -> None:
    first = WRITTEN.replace(LINEAGE, "").replace('"serial": 7', '"serial": 0')
    state, found = named(first.encode())

    assert (found.serial, found.resources) == (1, 1)
    assert len(found.lineage) == len(LINEAGE)
    assert json.loads(state) == {**STATE, "serial": 1, "lineage": found.lineage}
    assert named(first.encode()) == (state, found), "the same each time"
    assert named(state) == (state, found)
    assert named(WRITTEN.encode())[0] == WRITTEN.encode(), "one that has a lineage stays byte for byte"


@pytest.mark.parametrize("cut", range(0, len(WRITTEN) - 2, 7))
def test_a_part_of_a_state_is_never_a_state(cut: int) -> None:
    part = WRITTEN[:cut].encode()
    assert state_in(part) is None
    found = state_id(part)
    assert found is None or (not found.whole and (found.lineage, found.serial) == (LINEAGE, 7))
    assert (found is not None) == (LINEAGE + '"' in WRITTEN[:cut])


def test_a_state_that_cannot_be_read_is_not_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ERRORED).write_text(WRITTEN)

    def failing(*_: object, **__: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(unsaved, "read_regular", failing)
    states = UnsavedStates("prod", folder=tmp_path, rendered=tmp_path, environ={})
    assert states.collect(None) == Kept(None, tmp_path / ERRORED)
    assert (tmp_path / ERRORED).read_text() == WRITTEN
