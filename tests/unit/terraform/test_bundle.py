"""Plan bundles: whole or refused, and applied only under the facts they were made from."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.access import Verdict
from toolkit.access.changes import AccessChanges, Group, Item, Turn
from toolkit.errors import BadPlanError, ToolkitError
from toolkit.files import digest, digests
from toolkit.findings import Finding, Resource, Severity
from toolkit.findings.rules import WEAKENS
from toolkit.terraform import bundle as bundles
from toolkit.terraform.sealing import NO_KEYS, Keys, seal

MANIFEST = bundles.Manifest(
    format=bundles.FORMAT,
    environment="prod",
    simulator=None,
    account_id="123456789012",
    caller_arn="arn:aws:sts::123456789012:assumed-role/plan/x",
    region="eu-central-1",
    backend="s3 state/prod/baseline.tfstate in eu-central-1",
    state_lineage="3f9e",
    state_serial=7,
    rendered_sha256=digest({"environments/prod/rendered/config.tf": "a", "modules/config/main.tf": "b"}),
    files={"environments/prod/rendered/config.tf": "a", "modules/config/main.tf": "b"},
    lock_sha256="b" * 64,
    toolkit_version="0.1.0",
    terraform="terraform 1.11.4",
    git_commit="c" * 40,
    git_tree="d" * 40,
    git_dirty=False,
    run="https://github.com/example/accounts/actions/runs/7",
    created="2026-01-01T00:00:00+00:00",
    expires="2999-01-01T00:00:00+00:00",
    destroy=False,
    empty=False,
    consents=("--allow-weaker=module.x.y.z",),
    signature=None,
)
PLAN_JSON = {"format_version": "1.2", "resource_changes": []}
RESOURCE = Resource("module.x.y.z", "eu-west-1", "y", "arn:aws:y:::z", "123456789012")
FINDINGS = (Finding(WEAKENS, Severity.HIGH, RESOURCE, "length", "s", "24 → 14", "r", "--allow-weaker", "x"),)

ITEM = Item(
    ("s3:DeleteBucket",), "log bucket", ("arn:aws:s3:::logs",), Verdict.DENIED, Verdict.DEPENDS, conditions=("if é",)
)
GAIN = Group(Turn.GAIN, ("group:developers",), ("group developers",), (ITEM,), everything=72, administrator=True)
ACCESS = AccessChanges((GAIN,), (dataclasses.replace(GAIN, turn=Turn.LOSS, gone=True),), ("what x says",))


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    file = tmp_path / "plan.tfplan"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("tfplan", os.urandom(200))
        archive.writestr("tfstate", json.dumps({"lineage": "3f9e", "serial": 7, "resources": ["secret"]}))
    return file


def write(path: Path, manifest: bundles.Manifest, plan_file: Path, keys: Keys = NO_KEYS) -> None:
    bundles.place(path, bundles.pack(manifest, plan_file.read_bytes(), PLAN_JSON, FINDINGS, ACCESS, keys))


@pytest.fixture
def bundle(tmp_path: Path, plan_file: Path) -> Path:
    path = tmp_path / "prod.tfbundle"
    write(path, MANIFEST, plan_file)
    return path


def test_what_is_written_is_read(bundle: Path, plan_file: Path, tmp_path: Path):
    found = bundles.read(bundle)
    assert found.manifest == MANIFEST
    assert found.plan == plan_file.read_bytes()
    assert found.plan_json == PLAN_JSON
    assert found.findings == FINDINGS
    assert found.access == ACCESS
    assert bundle.stat().st_mode & 0o777 == 0o600
    (tmp_path / "scratch").mkdir()
    extracted = found.extract_plan(tmp_path / "scratch")
    assert extracted.read_bytes() == plan_file.read_bytes()
    assert extracted.stat().st_mode & 0o777 == 0o600


def test_encrypted_it_is_read_with_its_key_only(tmp_path: Path, plan_file: Path):
    path = tmp_path / "sealed.tfbundle"
    keys = Keys(bytes(32))
    write(path, MANIFEST, plan_file, keys)
    assert bundles.read(path, keys).manifest == MANIFEST
    assert b"123456789012" not in path.read_bytes()
    with pytest.raises(BadPlanError, match="no key is given"):
        bundles.read(path)


@pytest.mark.parametrize("kms", [True, False])
def test_what_is_encrypted_for_one_environment_is_no_plan_of_another(tmp_path: Path, plan_file: Path, kms: bool):
    """Who may use the key of one account must not make plans for another, whose key has the same alias."""

    class Kms:
        def generate(self, key_id: str) -> tuple[bytes, bytes]:
            return bytes(32), b"e"

        def decrypt(self, encrypted: bytes, key_id: str | None) -> bytes:
            return bytes(32)

    keys = Keys(kms_key_id="alias/plans", data_keys=lambda _: Kms()) if kms else Keys(bytes(32))
    path = tmp_path / "x.tfbundle"
    write(path, MANIFEST, plan_file)
    for environment in ("prod", "dev"):
        sealed = path.with_name("sealed.tfbundle")
        sealed.write_bytes(seal(path.read_bytes(), environment, keys))
        if environment == "prod":
            assert bundles.read(sealed, keys).manifest == MANIFEST
        else:
            with pytest.raises(BadPlanError, match="encrypted for environment 'dev', but a plan for 'prod'"):
                bundles.read(sealed, keys)


@given(data=st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_changed_byte_gives_another_plan(bundle: Path, data: st.DataObject):
    """A changed byte is refused, or is one that says nothing (a time in zip's own headers)."""
    original = bundle.read_bytes()
    whole = bundles.read(bundle)
    position = data.draw(st.integers(0, len(original) - 1))
    changed = bytearray(original)
    changed[position] ^= data.draw(st.integers(1, 255))
    path = bundle.with_name("changed.tfbundle")
    path.write_bytes(changed)
    try:
        found = bundles.read(path)
    except BadPlanError as e:
        assert str(path) in str(e)
        assert "\n" not in e.problem
    else:
        assert dataclasses.replace(found, path=whole.path) == whole


@given(cut=st.integers(0, 2000))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_truncated_one_is_refused(bundle: Path, cut: int):
    data = bundle.read_bytes()
    path = bundle.with_name("cut.tfbundle")
    path.write_bytes(data[: min(cut, len(data) - 1)])
    with pytest.raises(BadPlanError):
        bundles.read(path)


def rewrite(bundle: Path, member: str, change: Any) -> None:
    """Change a member without mending the sums, as a careless edit does."""
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members[member] = change(members[member])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    bundle.write_bytes(buffer.getvalue())


@pytest.mark.parametrize("member", ["manifest.json", "plan.tfplan", "plan.json", "findings.json", "access.json"])
def test_an_edited_member_is_named(bundle: Path, member: str):
    rewrite(bundle, member, lambda data: data + b" ")
    with pytest.raises(BadPlanError, match=f"{member} was changed after planning"):
        bundles.read(bundle)


def test_another_format_says_which(tmp_path: Path, plan_file: Path):
    path = tmp_path / "x.tfbundle"
    write(path, dataclasses.replace(MANIFEST, format=99), plan_file)
    with pytest.raises(BadPlanError, match="a bundle of format 99; this toolkit reads format"):
        bundles.read(path)


def test_what_is_no_bundle_is_told(tmp_path: Path, bundle: Path):
    def said(path: Path) -> str:
        with pytest.raises(BadPlanError) as caught:
            bundles.read(path)
        assert caught.value.hint
        return caught.value.problem

    assert said(tmp_path) == "a folder, not a plan bundle"
    assert "No such file" in said(tmp_path / "nowhere")
    link = tmp_path / "link"
    link.symlink_to(bundle)
    assert said(link) == "a symbolic link, not a plan bundle"
    text = tmp_path / "text"
    text.write_text("hello")
    assert said(text) == "not a plan bundle, truncated or damaged"
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("x", "y")
    assert said(tmp_path / "other.zip") == "a zip file, but not a plan bundle"
    if os.geteuid() != 0:
        bundle.chmod(0)
        assert "Permission denied" in said(bundle)


def test_a_bomb_is_not_unpacked(bundle: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bundles, "MAX_BYTES", 4096)
    rewrite(bundle, "plan.tfplan", lambda _: b"\0" * 100)
    buffer = io.BytesIO()
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, b"\0" * 1_000_000 if name == "plan.tfplan" else data)
    bundle.write_bytes(buffer.getvalue())
    assert len(buffer.getvalue()) < 4096
    with pytest.raises(BadPlanError, match="larger than"):
        bundles.read(bundle)


DEMANDED = {
    "simulator": "moto",
    "account_id": "111122223333",
    "backend": "local",
    "state_lineage": "other",
    "state_serial": 8,
    "lock_sha256": "",
    "toolkit_version": "0.2.0",
    "terraform": "opentofu 1.10.0",
}


@pytest.mark.parametrize(("field", "now"), DEMANDED.items())
def test_the_fact_that_differs_is_named_with_both_values(bundle: Path, field: str, now: Any):
    found = bundles.read(bundle)
    facts = {name: getattr(MANIFEST, name) for name in DEMANDED}
    found.verify(facts)
    with pytest.raises(BadPlanError) as caught:
        found.verify({**facts, field: now})
    assert caught.value.problem.startswith(f"{field} differs: planned with ")
    assert "nothing was applied" in str(caught.value.hint)


def test_an_expired_one_is_refused(tmp_path: Path, plan_file: Path):
    path = tmp_path / "x.tfbundle"
    old = dataclasses.replace(MANIFEST, expires="2026-01-02T00:00:00+00:00")
    write(path, old, plan_file)
    with pytest.raises(BadPlanError, match="the plan expired at 2026-01-02"):
        bundles.read(path).verify({})


def test_of_a_plans_state_only_lineage_and_serial_leave(plan_file: Path):
    assert bundles.state_of(plan_file) == ("3f9e", 7)
    plan_file.write_bytes(b"no zip")
    with pytest.raises(BadPlanError):
        bundles.state_of(plan_file)


def test_a_digest_knows_names_and_contents_but_not_the_place(tmp_path: Path):
    for place in ("here", "there"):
        (tmp_path / place / "m").mkdir(parents=True)
        (tmp_path / place / "a.tf").write_text("1")
        (tmp_path / place / "m" / "b.tf").write_text("2")

    def of(place: str) -> str:
        root = tmp_path / place
        return digest(digests(root, root.rglob("*.tf")))

    assert of("here") == of("there")
    (tmp_path / "there" / "m" / "b.tf").rename(tmp_path / "there" / "m" / "c.tf")
    assert of("here") != of("there")


def test_the_files_that_differ_are_named(bundle: Path):
    found = bundles.read(bundle)
    whole = MANIFEST.files
    found.verify_files(whole)
    with pytest.raises(BadPlanError) as caught:
        found.verify_files({"modules/config/main.tf": "c", "modules/config/x.tf": "d"})
    assert caught.value.problem == (
        "the files are not those that it was made from "
        "(changed: modules/config/main.tf; missing: environments/prod/rendered/config.tf; added: modules/config/x.tf)"
    )
    with pytest.raises(BadPlanError, match=r"added: m/0\.tf, m/1\.tf, m/2\.tf and 97 more"):
        found.verify_files({**whole, **{f"m/{i}.tf": "" for i in range(100)}})


def test_what_a_new_bundle_may_replace(bundle: Path, tmp_path: Path, plan_file: Path):
    assert bundles.is_bundle(bundle)
    sealed = tmp_path / "sealed.tfbundle"
    write(sealed, MANIFEST, plan_file, Keys(bytes(32)))
    assert bundles.is_bundle(sealed)
    other = tmp_path / "other"
    for content in (b"", b"hello", b"PK\x03\x04", bundle.read_bytes()[:-30], plan_file.read_bytes()):
        other.write_bytes(content)
        assert not bundles.is_bundle(other)
    assert not bundles.is_bundle(tmp_path)


def test_a_name_that_no_bundle_can_hold_is_told(tmp_path: Path):
    name = b"\xff.tf"
    (tmp_path / "m").mkdir()
    try:
        descriptor = os.open(os.fsencode(tmp_path / "m") + b"/" + name, os.O_CREAT | os.O_WRONLY)
    except OSError:
        pytest.skip("this file system has no such names")
    os.close(descriptor)
    with pytest.raises(ToolkitError, match="a file name that is not UTF-8") as caught:
        digests(tmp_path, (tmp_path / "m").iterdir())
    assert str(caught.value.where).endswith("\\udcff.tf")
