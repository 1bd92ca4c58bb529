"""Two environments must not have one state: the kinds of backends, and local states that a copied folder has."""

from __future__ import annotations

import json
import shutil
import typing
from pathlib import Path
from typing import Any

import pytest

from toolkit.environment import LocalBackend, S3Backend
from toolkit.environment.model import EnvironmentFile
from toolkit.errors import RefusedError
from toolkit.paths import Project
from toolkit.workflows import own_state
from toolkit.workflows.own_state import refuse_shared_state
from toolkit.workflows.validate import validate_environment
from toolkit.workflows.workspace import open_workspace, read_environment

LOCAL = ""
S3 = "backend: {type: s3, bucket: acme-state, region: eu-west-1, key: baseline/prod}"
DEFAULT = "backend: {type: s3, bucket: acme-state, region: eu-west-1}"


def add(root: Path, name: str, backend: str, *, more: str = "", account: str = "111122223333") -> None:
    folder = root / "environments" / name
    folder.mkdir(parents=True)
    (folder / "environment.yaml").write_text(
        f'account_id: "{account}"\nregions: {{home: eu-central-1}}\n{more}{backend}\ncomponents: {{}}\n'
    )


def check(root: Path, name: str = "prod") -> None:
    project = Project(root)
    paths, environment = read_environment(project, name)
    refuse_shared_state(project, environment, paths.folder / "terraform.tfstate")


def s3(**changed: str) -> str:
    block = {"type": "s3", "bucket": "acme-state", "region": "eu-west-1", "key": "baseline/prod", **changed}
    return f"backend: {json.dumps({k: v for k, v in block.items() if v})}"


KINDS = [
    # prod's, copy's, whether they are one
    (LOCAL, LOCAL, False),
    (LOCAL, S3, False),
    (S3, LOCAL, False),
    (S3, S3, True),
    (S3, s3(), True),
    (S3, s3(bucket="acme-other"), False),
    (S3, s3(key="baseline/copy"), False),
    (S3, s3(key="baseline/Prod"), False),
    (S3, s3(key=""), False),
    # The same bucket, however one gets there and whatever else is said of it.
    (S3, s3(region="us-east-1"), True),
    (S3, s3(account_id="999999999999"), True),
    (S3, s3(role_arn="arn:aws:iam::111122223333:role/state"), True),
    (S3, s3(profile="other"), True),
    (S3, s3(kms_key_id="1234abcd-12ab-34cd-56ef-1234567890ab"), True),
    # Another partition has other buckets.
    (S3, s3(region="cn-north-1"), False),
    # The default key is the environment's own, until another one names it.
    (DEFAULT, DEFAULT, False),
    (DEFAULT, s3(key="prod/baseline.tfstate"), True),
    (s3(key="copy/baseline.tfstate"), DEFAULT, True),
    (s3(key="copy/baseline.tfstate"), s3(key="prod/baseline.tfstate"), False),
    # However the key is written.
    (S3, 'backend:\n  type: s3\n  bucket: acme-state\n  region: eu-west-1\n  key: "baseline\\x2fprod"', True),
    (S3, 'backend:\n  type: s3\n  bucket: acme-state\n  region: eu-west-1\n  key: "baseline/\\\n    prod"', True),
    (s3(key="it's/prod"), "backend: {type: s3, bucket: acme-state, region: eu-west-1, key: 'it''s/prod'}", True),
    (S3, "backend: {type: s3, bucket: acme-state, region: eu-west-1}  # formerly baseline/prod", False),
]


@pytest.mark.parametrize(("prod", "copy", "one"), KINDS, ids=str)
@pytest.mark.parametrize("account", ["111122223333", "444455556666"])
def test_the_kinds_of_backends(tmp_path: Path, prod: str, copy: str, one: bool, account: str):
    add(tmp_path, "prod", prod)
    add(tmp_path, "copy", copy, account=account)
    add(tmp_path, "third", s3(key="third"))
    if not one:
        check(tmp_path)
        return
    key = "copy/baseline.tfstate" if copy == DEFAULT else read_environment(Project(tmp_path), "prod")[1].backend.key  # type: ignore[union-attr]
    with pytest.raises(RefusedError) as refused:
        check(tmp_path)
    assert refused.value.problem.startswith(
        f"the state of prod is at the same place as that of copy, s3://acme-state/{key or 'prod/baseline.tfstate'}:"
    )
    assert refused.value.where == "environments/prod/environment.yaml:3"
    assert "a `backend.key` of its own" in str(refused.value.hint)


def test_every_kind_of_backend_is_tried():
    kinds = typing.get_args(EnvironmentFile.model_fields["backend"].annotation)
    assert set(kinds) == {LocalBackend, S3Backend}, "add the new kind to KINDS"


def test_the_embedded_aws_is_no_other_place(tmp_path: Path):
    """`plan prod --sandbox` would find the simulated state of another environment there."""
    add(tmp_path, "prod", S3)
    add(tmp_path, "copy", S3, more="simulator: moto\n")
    for name in ("prod", "copy"):
        with pytest.raises(RefusedError):
            check(tmp_path, name)


def test_all_of_them_are_named(tmp_path: Path):
    for name in ("prod", "copy", "copy-2"):
        add(tmp_path, name, S3)
    with pytest.raises(RefusedError, match="at the same place as that of copy, copy-2,"):
        check(tmp_path)


@pytest.mark.parametrize("text", ["", "backend: [", "- 1\n", "backend: 7\n", "\x00", "backend: {type: s3, key: [1]}\n"])
def test_what_is_wrong_elsewhere_hides_nothing(tmp_path: Path, text: str):
    add(tmp_path, "prod", S3)
    add(tmp_path, "bad", LOCAL)
    (tmp_path / "environments" / "bad" / "environment.yaml").write_text(f"{text}# baseline/prod\n")
    check(tmp_path)
    add(tmp_path, "copy", f"{S3}\nno_such_key: 1")
    with pytest.raises(RefusedError):
        check(tmp_path)


def test_a_thousand_environments_are_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    add(tmp_path, "prod", DEFAULT)
    for number in range(1000):
        add(tmp_path, f"e{number}", DEFAULT)
    parsed: list[str] = []
    monkeypatch.setattr(own_state, "parse", parsed.append)
    check(tmp_path)
    assert parsed == []


def state(root: Path, name: str, *, lineage: str = "1f0c", resources: int = 1, file: str = "terraform.tfstate") -> Path:
    """A local state as Terraform writes it."""
    path = root / "environments" / name / file
    path.parent.mkdir(parents=True, exist_ok=True)
    entries = [{"mode": "managed", "type": "x", "name": f"n{n}", "instances": [{}]} for n in range(resources)]
    content = {"version": 4, "terraform_version": "1.11.4", "serial": 3, "lineage": lineage, "outputs": {}}
    path.write_text(json.dumps({**content, "resources": entries, "check_results": None}, indent=2))
    return path


def test_a_copied_folder_has_the_same_state(tmp_path: Path):
    add(tmp_path, "prod", LOCAL)
    file = state(tmp_path, "prod", resources=100)
    add(tmp_path, "own", LOCAL)
    state(tmp_path, "own", lineage="2e1d")
    check(tmp_path)
    shutil.copytree(tmp_path / "environments" / "prod", tmp_path / "environments" / "copy")
    for name, other in (("prod", "copy"), ("copy", "prod")):
        with pytest.raises(RefusedError) as refused:
            check(tmp_path, name)
        assert refused.value.problem.startswith(f"{name} and {other} have the same state (lineage 1f0c)")
        assert refused.value.where == str(tmp_path / "environments" / name / "terraform.tfstate")
        assert str(tmp_path / "environments" / other / "terraform.tfstate") in str(refused.value.hint)
    check(tmp_path, "own")
    file.unlink()
    check(tmp_path, "copy")


@pytest.mark.parametrize(
    ("mine", "theirs", "one"),
    [
        ({}, {"resources": 0}, False),
        ({"resources": 0}, {}, False),
        ({}, {"file": "terraform.tfstate.migrated-20261129T101500"}, True),
        ({}, {"file": "terraform.tfstate.backup"}, False),
        ({"lineage": ""}, {"lineage": ""}, False),
        ({}, {"lineage": "2e1d"}, False),
    ],
    ids=str,
)
def test_which_local_states_are_one(tmp_path: Path, mine: dict[str, Any], theirs: dict[str, Any], one: bool):
    add(tmp_path, "prod", LOCAL)
    add(tmp_path, "moved", DEFAULT)
    state(tmp_path, "prod", **mine)
    state(tmp_path, "moved", **theirs)
    if one:
        with pytest.raises(RefusedError, match="prod and moved have the same state"):
            check(tmp_path)
    else:
        check(tmp_path)


def test_a_state_that_was_cut_off_is_one_too(tmp_path: Path):
    for name in ("prod", "copy"):
        add(tmp_path, name, LOCAL)
        file = state(tmp_path, name, resources=100)
    file.write_bytes(file.read_bytes()[:3000])
    with pytest.raises(RefusedError, match="prod and copy have the same state"):
        check(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xfe", b'{"version": 3, "lineage": "1f0c"}'])
def test_what_is_no_state_is_left_to_others(tmp_path: Path, content: bytes):
    for name in ("prod", "copy"):
        add(tmp_path, name, LOCAL)
        (tmp_path / "environments" / name / "terraform.tfstate").write_bytes(content)
    check(tmp_path)


def test_nothing_runs(house: Any, callers: list[Any]):
    house.write(S3)
    house.render()
    house.write(S3, name="copy")
    house.project = Project(house.root)  # which does not know the names of before
    with pytest.raises(RefusedError, match="the state of prod is at the same place as that of copy"):
        open_workspace(house.project, "prod", house.access(), house)
    with pytest.raises(RefusedError, match="the state of prod is at the same place as that of copy"):
        validate_environment(house.project, "prod", house.access(), house)
    assert callers == []
    assert house.commands == []
    # Who clears the way after a failure is not stopped.
    open_workspace(house.project, "prod", house.access(), house, initialize=False, restores=True)


def test_a_state_that_is_tried_out_has_its_own_place(tmp_path: Path):
    """`plan prod --sandbox` has its state in the scratch folder, which a copied folder has as well."""
    for name in ("prod", "copy"):
        add(tmp_path, name, LOCAL)
        state(tmp_path, name, file=".toolkit/sandbox/terraform.tfstate")
    check(tmp_path)
    project = Project(tmp_path)
    paths, environment = read_environment(project, "prod")
    with pytest.raises(RefusedError, match="prod and copy have the same state"):
        refuse_shared_state(project, environment, paths.scratch / "sandbox" / "terraform.tfstate")
