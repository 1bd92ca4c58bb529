"""`state restore`: what may be written over what, with a local state and with one in S3 (moto); who waits for it.

Every case runs the whole command's workflow; only Terraform and STS are stand-ins.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from toolkit.cli.main import run
from toolkit.errors import ExitCode, LockedError, ToolkitError
from toolkit.terraform.sealing import VARIABLE, Keys, seal
from toolkit.workflows.doctor import examine
from toolkit.workflows.unsaved import Restored, restore
from toolkit.workflows.workspace import open_workspace

from .conftest import ACCOUNT, LATER, SANDBOX, House

BUCKET, KEY, OWNER = "tf-state", "prod/baseline.tfstate", "123456789012"
S3 = f'backend: {{type: s3, bucket: {BUCKET}, region: eu-central-1, account_id: "{OWNER}"}}'
LINEAGE, OTHER = "0db5a6ad-3e7c-1c11-7ea9-fe1a9d8eb3c0", "11111111-2222-3333-4444-555555555555"
SECRET = "correct horse battery staple"
SEALING = {VARIABLE: "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="}


def state(serial: int = 7, lineage: str = LINEAGE, *, arn: str = f"arn:aws:iam::{ACCOUNT}:group/a") -> bytes:
    resource = {
        "mode": "managed",
        "type": "aws_iam_group",
        "name": "this",
        "instances": [{"attributes": {"arn": arn, "s": SECRET}}],
    }
    found = {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": serial,
        "lineage": lineage,
        "outputs": {},
        "resources": [resource],
    }
    return json.dumps(found, indent=2).encode() + b"\n"


class Place:
    """Where the environment keeps its state."""

    def __init__(self, house: House, s3: Any | None) -> None:
        self.house, self.s3 = house, s3
        self.folder = house.root / "environments" / "prod"
        self.file = self.folder / "errored.tfstate"
        self.local = self.folder / "terraform.tfstate"
        house.write(S3 if s3 else "")
        house.render()

    def put(self, content: bytes) -> None:
        if self.s3:
            self.s3.put_object(Bucket=BUCKET, Key=KEY, Body=content)
        else:
            self.local.write_bytes(content)

    def get(self) -> bytes | None:
        if not self.s3:
            return self.local.read_bytes() if self.local.exists() else None
        try:
            body: bytes = self.s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            return None
        return body

    def restore(self, file: Path | None = None, **environ: str) -> Restored:
        keys = {"AWS_SECRET_ACCESS_KEY": "testing"}
        access = self.house.access(**keys, **environ)
        return restore(self.house.project, "prod", file or self.file, access, self.house)

    def refused(self, file: Path | None = None, **environ: str) -> ToolkitError:
        with pytest.raises(ToolkitError) as caught:
            self.restore(file, **environ)
        assert SECRET not in f"{caught.value} {caught.value.hint} {caught.value.detail}"
        return caught.value


@pytest.fixture(params=["local", "s3"])
def place(request: pytest.FixtureRequest, house: House, callers: object) -> Iterator[Place]:
    if request.param == "local":
        yield Place(house, None)
        return
    with mock_aws():
        s3 = boto3.client("s3", "eu-central-1", aws_access_key_id="testing", aws_secret_access_key="testing")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield Place(house, s3)
        assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{KEY}.tflock"), "its lock is gone"


@pytest.fixture
def local(house: House, callers: object) -> Place:
    return Place(house, None)


@pytest.mark.parametrize(
    "there",
    [None, b"", state(6), state(1), state(6)[:200], state(7)[:-40]],
    ids=["nothing", "an empty file", "one before", "long before", "cut off", "cut off at the same serial"],
)
def test_it_is_put_byte_for_byte_over_what_is_older(place: Place, there: bytes | None):
    if there is not None:
        place.put(there)
    place.file.write_bytes(state())
    done = place.restore()

    assert place.get() == state()
    assert (done.written, done.lineage, done.serial, done.resources) == (True, LINEAGE, 7, 1)
    assert done.removed == (place.file,)
    assert done.left is None
    assert not place.file.exists()
    if place.s3 is None:
        assert stat.S_IMODE(place.local.stat().st_mode) == 0o600
        if there:
            assert done.kept_as is not None
            assert done.kept_as.read_bytes() == there
            assert stat.S_IMODE(done.kept_as.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("there", "why"),
    [
        (state(7, arn="arn:aws:iam::111122223333:group/b"), "a different state of serial 7"),
        (state(8), "a newer state of serial 8"),
        (state(8)[:200], "a newer state of serial 8"),
        (state(6, OTHER), f"another state: lineage {OTHER}"),
        (state(6, OTHER)[:200], f"another state: lineage {OTHER}"),
        (b"not JSON", "not a state"),
        (b"{}", "not a state"),
    ],
    ids=["same serial", "newer", "newer, cut off", "other lineage", "other lineage, cut off", "garbage", "other JSON"],
)
def test_nothing_else_is_written_over(place: Place, there: bytes, why: str):
    place.put(there)
    place.file.write_bytes(state())
    error = place.refused()

    assert error.exit_code is ExitCode.REFUSED
    assert why in error.problem
    assert error.hint
    assert place.get() == there
    assert place.file.read_bytes() == state()


def test_a_second_time_nothing_is_written_and_what_was_left_is_tidied_up(place: Place):
    place.put(state())
    place.file.write_bytes(json.dumps(json.loads(state())).encode())  # as it was printed
    before = place.get()
    done = place.restore()
    assert (done.written, done.removed) == (False, (place.file,))
    assert place.get() == before


def test_a_first_state_without_a_lineage_is_restored_once(place: Place):
    first = state(0, "")
    place.file.write_bytes(first)
    done = place.restore()
    placed = place.get()
    assert json.loads(placed or b"") == {**json.loads(first), "serial": 1, "lineage": done.lineage}
    assert done.lineage
    place.file.write_bytes(first)
    again = place.restore()
    assert (again.written, again.lineage) == (False, done.lineage)
    assert place.get() == placed
    # Over a state that is there it would be a guess.
    place.put(state(1))
    place.file.write_bytes(first)
    assert "another state" in place.refused().problem


def test_a_copy_elsewhere_stays_and_those_that_wait_go(place: Place, tmp_path: Path):
    copy = tmp_path / "copy"
    copy.write_bytes(state())
    place.file.write_bytes(state())
    other = place.folder / "errored.tfstate.2"
    other.write_bytes(state(9))
    done = place.restore(copy)
    assert (done.removed, done.left) == ((place.file,), copy)
    assert copy.read_bytes() == state()
    assert other.read_bytes() == state(9), "another one still waits"


def test_an_encrypted_one_and_a_log(place: Place):
    sealed = place.folder / "errored.tfstate.sealed"
    sealed.write_bytes(seal(state(), "prod", Keys(b"A" * 32)))
    assert "key is missing or another" in place.refused(sealed).problem
    assert place.restore(sealed, **SEALING).removed == (sealed,)
    assert place.get() == state()
    log = place.folder / "errored.tfstate.log"
    log.write_text(
        '{"@level":"info","@message":"x","type":"log"}\n{"@level":"info","@message":"Emergency state dump","state":'
        + json.dumps(json.loads(state(8)))
        + ',"type":"log"}\n'
    )
    assert place.restore(log).serial == 8
    assert json.loads(place.get() or b"") == json.loads(state(8))
    assert not log.exists()


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda f: None, "No such file"),
    "a pipe": (os.mkfifo, "a named pipe"),
    "a folder": (Path.mkdir, "a folder"),
    "a link": (lambda f: f.symlink_to("/dev/zero"), "a symbolic link"),
    "empty": (Path.touch, "not a Terraform state"),
    "garbage": (lambda f: f.write_bytes(b"\xff\x00" * 99), "not a Terraform state"),
    "other JSON": (lambda f: f.write_text('{"version": 4}'), "not a Terraform state"),
    "resources that are none": (
        lambda f: f.write_text('{"version": 4, "serial": 1, "lineage": "a", "resources": [{"instances": "ab"}]}'),
        "not a Terraform state",
    ),
    "an older format": (lambda f: f.write_bytes(state().replace(b'"version": 4', b'"version": 3')), "not a Terraform"),
    "cut off": (lambda f: f.write_bytes(state()[:-9]), "cut off"),
    "a damaged encrypted one": (lambda f: f.write_bytes(b"TFBUNDLE-SEALED-1\n{}\nx"), "cannot be opened"),
}


@pytest.mark.parametrize(("make", "why"), BAD.values(), ids=BAD)
def test_what_is_no_state_is_an_error_at_once(local: Place, make: Callable[[Path], object], why: str):
    make(local.file)
    error = local.refused(**SEALING)
    assert error.exit_code is ExitCode.ERROR
    assert why in error.problem
    assert error.where == str(local.file)
    assert local.get() is None


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_what_lies_where_the_state_belongs_is_looked_at_first(local: Place, make: Callable[[Path], object]):
    local.file.write_bytes(state())
    make(local.local)
    error = local.refused()
    assert "a named pipe" in error.problem or "Is a directory" in error.problem
    assert error.where == str(local.local)
    assert local.file.read_bytes() == state()


def test_another_environments_or_accounts_state_is_refused(local: Place, tmp_path: Path):
    elsewhere = tmp_path / "state"
    elsewhere.write_bytes(state(arn="arn:aws:iam::444455556666:group/a"))
    assert "in account 444455556666, not in 111122223333" in local.refused(elsewhere).problem
    elsewhere.write_bytes(seal(state(), "test", Keys(b"A" * 32)))
    assert "environment 'test', not of 'prod'" in local.refused(elsewhere, **SEALING).problem
    local.house.write(name="test")
    other = local.house.root / "environments" / "test" / "errored.tfstate"
    other.write_bytes(state())
    error = local.refused(other)
    assert "belongs to environment 'test'" in error.problem
    assert error.hint == f"toolkit state restore test {other}"
    tried_out = local.folder / ".toolkit" / "sandbox" / "errored.tfstate"
    tried_out.parent.mkdir(parents=True)
    tried_out.write_bytes(state())
    error = local.refused(tried_out)
    assert "the embedded AWS's" in error.problem
    assert error.hint == f"toolkit state restore prod --sandbox {tried_out}"
    assert local.get() is None
    # The management account's is what ARNs of its organization name, whoever manages them.
    elsewhere.write_bytes(state(arn="arn:aws:organizations::444455556666:policy/o-a/service_control_policy/p-a"))
    assert local.restore(elsewhere).written


def test_a_file_in_no_environments_folder_is_nobodys(local: Place):
    environments = local.folder.parent
    assert "a folder, not a file" in str(local.refused(environments))
    stray = environments / "errored.tfstate"
    stray.write_bytes(state())
    assert local.restore(stray).written
    assert local.get() == state()


def test_while_a_terraform_works_on_it_nothing_is_written(place: Place):
    place.put(state(6))
    place.file.write_bytes(state())
    if place.s3:
        place.s3.put_object(Bucket=BUCKET, Key=f"{KEY}.tflock", Body=b'{"ID": "1", "Who": "ann@host"}')
        error = place.refused()
        place.s3.delete_object(Bucket=BUCKET, Key=f"{KEY}.tflock")
    else:
        hold = (
            "import fcntl, sys; f = open(sys.argv[1], 'r+b'); fcntl.lockf(f, fcntl.LOCK_EX); print(flush=True); input()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", hold, str(place.local)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder:
            assert holder.stdout is not None
            holder.stdout.readline()
            error = place.refused()
            holder.communicate(b"\n")
    assert isinstance(error, LockedError)
    assert place.get() == state(6)
    assert place.file.exists()


def test_another_toolkit_that_runs_terraform_here_is_waited_for(local: Place):
    local.file.write_bytes(state())
    scratch = local.folder / ".toolkit"
    scratch.mkdir()
    with (scratch / "run.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert local.refused().exit_code is ExitCode.LOCKED
    assert local.get() is None


def test_as_long_as_one_waits_whatever_works_on_the_state_is_refused(local: Place, capsys: pytest.CaptureFixture[str]):
    house = local.house
    open_workspace(house.project, "prod", house.access(), house)
    for where in (local.file, local.folder / "rendered" / "errored.tfstate", local.folder / "errored.tfstate.sealed"):
        where.write_bytes(seal(state(), "prod", Keys(b"A" * 32)) if where.suffix == ".sealed" else state())
        house.forget()
        for options in ({}, {"deploys": True}, {"may_render": False}):
            with pytest.raises(LockedError, match="could not be saved and waits here") as caught:
                open_workspace(house.project, "prod", house.access(), house, **options)
            assert caught.value.exit_code is ExitCode.LOCKED
            assert caught.value.where == str(where)
            assert f"toolkit state restore prod {where}" in (caught.value.hint or "")
        assert house.commands == [], "nothing ran"
        # What clears the way may run.
        open_workspace(house.project, "prod", house.access(), house, restores=True)
        (found,) = (f for f in examine(house.root, None, None) if f.check == "state of prod")
        assert found.result == "fail"
        assert f"toolkit state restore prod {where}" in (found.hint or "")
        assert run(["-C", str(house.root), "doctor"]) == ExitCode.ERROR
        assert f"toolkit state restore prod {where}" in capsys.readouterr().err
        where.unlink()
    local.file.write_bytes(state()[:50])
    with pytest.raises(LockedError, match="holds no whole state"):
        open_workspace(house.project, "prod", house.access(), house)


def test_the_key_of_plan_bundles_encrypts_what_is_kept(local: Place):
    """As in the generated pipeline, where only the encrypted file becomes an artifact."""
    house = local.house
    for given, name in (({}, "errored.tfstate"), (SEALING, "errored.tfstate.sealed")):
        workspace = open_workspace(house.project, "prod", house.access(**given), house)
        kept = workspace.unsaved.collect(state().decode()).path
        assert kept == local.folder / name
        assert (SECRET.encode() in kept.read_bytes()) is (given == {})
        assert local.restore(kept, **given).removed == (kept,)
        assert local.get() == state()


def test_with_the_embedded_aws_that_has_ended_its_unsaved_state_is_set_aside(
    house: House, callers: object, running: Callable[..., None]
):
    house.write("simulator: moto")
    house.render()
    file = house.root / "environments" / "prod" / "errored.tfstate"
    running(SANDBOX)
    open_workspace(house.project, "prod", house.access(), house)
    file.write_bytes(state())
    with pytest.raises(LockedError):
        open_workspace(house.project, "prod", house.access(), house)
    running(LATER)
    open_workspace(house.project, "prod", house.access(), house)
    assert not file.exists()
    assert file.with_name("ended-sandbox.errored.tfstate").read_bytes() == state()


def test_the_command_says_what_it_did(
    local: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("PATH", local.house.environ["PATH"])
    local.put(state(6))
    local.file.write_bytes(state())
    assert run(["-C", str(local.house.root), "state", "restore", "prod", str(local.file)]) == 0
    out = capsys.readouterr().out
    assert f"Restored {local.local}: serial 7, 1 resources." in out
    assert f"Deleted {local.file}" in out
    assert SECRET not in out
    local.file.write_bytes(state())
    assert run(["-C", str(local.house.root), "state", "restore", "prod", str(local.file), "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["kind"], done["written"], done["removed"]) == ("state-restore", False, [str(local.file)])
    local.file.write_bytes(state(3))
    assert run(["-C", str(local.house.root), "state", "restore", "prod", str(local.file)]) == ExitCode.REFUSED
    assert "newer state of serial 7" in capsys.readouterr().err


def test_s3_refuses_what_was_written_meanwhile(house: House, callers: object, monkeypatch: pytest.MonkeyPatch):
    """A writer that holds no lock, between reading and writing: If-Match is S3's own check."""
    with mock_aws():
        s3 = boto3.client("s3", "eu-central-1", aws_access_key_id="testing", aws_secret_access_key="testing")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        place = Place(house, s3)
        place.put(state(5))
        place.file.write_bytes(state())
        from toolkit.workflows import unsaved

        real = unsaved._is_there

        def meanwhile(*given: Any) -> bool:
            place.put(state(6))
            return real(*given)

        monkeypatch.setattr(unsaved, "_is_there", meanwhile)
        assert isinstance(place.refused(), LockedError)
        assert place.get() == state(6)
        assert place.file.exists()
