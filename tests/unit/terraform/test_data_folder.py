"""Terraform's own notes: whoever changes one, by hand or in a commit, is refused by name, whatever the change is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.errors import ExitCode, ToolkitError
from toolkit.terraform import data_folder

from .conftest import Fake

ROOT = {"Key": "", "Source": "", "Dir": "."}
TRAIL = {"Key": "cloudtrail", "Source": "../../../modules/cloudtrail", "Dir": "../../../modules/cloudtrail"}
BUCKET = {"Key": "cloudtrail.logs", "Source": "../shared/log_bucket", "Dir": "../../../modules/shared/log_bucket"}
MODULES = [BUCKET, ROOT, TRAIL]  # Terraform writes them in no order that means anything

LOCAL = ("local", {"path": "../terraform.tfstate"})
S3: tuple[str, dict[str, Any]] = (
    "s3",
    {
        "bucket": "acme-state", "key": "prod/baseline.tfstate", "region": "eu-west-1", "encrypt": True,
        "use_lockfile": True, "allowed_account_ids": ["111122223333"],
        "assume_role": {"role_arn": "arn:aws:iam::111122223333:role/state"},
    },
)  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "terraform"
    (folder / "modules").mkdir(parents=True)
    return folder


def note_modules(data: Path, modules: Any) -> None:
    data_folder.modules_file(data).write_text(modules if isinstance(modules, str) else json.dumps({"Modules": modules}))


def note_backend(data: Path, kind: str, config: dict[str, Any], **more: Any) -> None:
    """As Terraform 1.11.4 writes it: null for every argument that is not given."""
    unset = {"endpoints": None, "profile": None, "workspace_dir": None, "skip_region_validation": None}
    role = {"assume_role": {**config["assume_role"], "external_id": None}} if "assume_role" in config else {}
    backend = {"type": kind, "config": {**unset, **config, **role}, "hash": 2676510787}
    text = json.dumps({"version": 3, "terraform_version": "1.11.4", "backend": backend, **more})
    data_folder.backend_file(data).write_text(text)


def refused(check: Callable[[], None], where: Path) -> str:
    with pytest.raises(ToolkitError) as caught:
        check()
    assert caught.value.where == str(where)
    assert caught.value.exit_code is ExitCode.ERROR
    assert caught.value.hint
    return caught.value.problem


def test_what_terraform_writes_is_accepted(data: Path):
    data_folder.check_sources(data)
    data_folder.check_backend(data, *S3)
    note_modules(data, MODULES)
    data_folder.check_sources(data)
    for backend in (LOCAL, S3):
        note_backend(data, *backend)
        data_folder.check_backend(data, *backend)


ELSEWHERE = {
    "another folder": ({**TRAIL, "Dir": "../evil"}, "from '../evil' instead of '../../../modules/cloudtrail'"),
    "one in the data folder": ({**TRAIL, "Dir": "../.toolkit/terraform/modules/x"}, "instead of"),
    "an absolute one": ({**TRAIL, "Dir": "/evil"}, "instead of"),
    "the same, spelt otherwise": ({**TRAIL, "Dir": "../../../modules/x/../cloudtrail"}, "instead of"),
    "of a nested module": ({**BUCKET, "Dir": "../../../modules/shared/evil"}, "module cloudtrail.logs would be read"),
    "the root": ({**ROOT, "Dir": "../evil"}, "module root would be read from '../evil'"),
    "a registry": (
        {"Key": "x", "Source": "registry.terraform.io/a/b/aws", "Version": "1.0.0", "Dir": "../.toolkit/x"},
        "module x is loaded from 'registry.terraform.io/a/b/aws', not from the project",
    ),
    "a repository": ({"Key": "x", "Source": "git::https://example.com/x", "Dir": "x"}, "not from the project"),
    "no caller": ({"Key": "gone.x", "Source": "./x", "Dir": "x"}, "module gone.x has no caller"),
    "what no digest covers": (
        {"Key": "x", "Source": "../../../modules/a/.terraform/x", "Dir": "../../../modules/a/.terraform/x"},
        "module x is called from ../../../modules/a/.terraform/x, which no plan's digest covers",
    ),
    "a folder of the project beside modules": (
        {"Key": "cloudtrail.x", "Source": "../../evil", "Dir": "../../../evil"},
        "module cloudtrail.x is called from ../../../evil, which no plan's digest covers",
    ),
    "another project": (
        {"Key": "cloudtrail.x", "Source": "../../../other/modules/x", "Dir": "../../../../other/modules/x"},
        "which no plan's digest covers",
    ),
    "modules itself": ({"Key": "x", "Source": "../../../modules", "Dir": "../../../modules"}, "no plan's digest"),
    "an absolute source": ({"Key": "x", "Source": "/evil", "Dir": "/evil"}, "not from the project"),
}  # fmt: skip


@pytest.mark.parametrize(("module", "problem"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_module_that_leads_elsewhere_is_named(data: Path, module: dict[str, str], problem: str):
    note_modules(data, [*(m for m in MODULES if m["Key"] != module["Key"]), module])
    assert problem in refused(lambda: data_folder.check_sources(data), data_folder.modules_file(data))


GO_READS_OTHERWISE = {
    "a key in another case": json.dumps({"Modules": [{**TRAIL, "dir": "../evil"}]}),
    "a key twice": json.dumps({"Modules": [{**TRAIL, "dir": TRAIL["Dir"]}]}).replace('"dir"', '"Dir"'),
    "another list": '{"Modules":[],"modules":[{"Key":"","Source":"","Dir":"../evil"}]}',
    "a module twice": json.dumps({"Modules": [ROOT, TRAIL, TRAIL]}),
    "an unknown field": json.dumps({"Modules": [{**ROOT, "Path": "x"}]}),
    "a number": json.dumps({"Modules": [{**ROOT, "Dir": 1}]}),
    "no object": "[]",
    "no list": '{"Modules":{}}',
    "no JSON": "x",
    "no text": "\ud800",
    "empty": "",
    "deep": "[" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("text", GO_READS_OTHERWISE.values(), ids=GO_READS_OTHERWISE)
def test_what_terraform_may_read_otherwise_is_refused(data: Path, text: str):
    """Go's reader takes keys in any case, and the last of two."""
    data_folder.modules_file(data).write_bytes(text.encode("utf-8", "surrogatepass"))
    refused(lambda: data_folder.check_sources(data), data_folder.modules_file(data))


OTHER_BACKENDS = {
    "another bucket": {**S3[1], "bucket": "evil"},
    "another key": {**S3[1], "key": "other/baseline.tfstate"},
    "another region": {**S3[1], "region": "eu-west-2"},
    "no lock": {**S3[1], "use_lockfile": False},
    "a number for true": {**S3[1], "encrypt": 1},
    "any account": {name: value for name, value in S3[1].items() if name != "allowed_account_ids"},
    "another role": {**S3[1], "assume_role": {"role_arn": "arn:aws:iam::999999999999:role/x"}},
    "an endpoint": {**S3[1], "endpoints": {"s3": "https://example.com"}},
    "a profile": {**S3[1], "profile": "x"},
}


@pytest.mark.parametrize("config", OTHER_BACKENDS.values(), ids=OTHER_BACKENDS)
def test_another_backend_is_refused_by_the_argument(data: Path, config: dict[str, Any]):
    note_backend(data, "s3", config)
    (name,) = (n for n in {**S3[1], **config} if config.get(n) is not S3[1].get(n))
    problem = refused(lambda: data_folder.check_backend(data, *S3), data_folder.backend_file(data))
    assert f"the backend's {name} is " in problem


def test_another_kind_of_backend_is_refused(data: Path):
    note_backend(data, *LOCAL)
    problem = refused(lambda: data_folder.check_backend(data, *S3), data_folder.backend_file(data))
    assert problem == "the state would be kept in a backend 'local' instead of 's3'"
    note_backend(data, *LOCAL, Backend={"type": "local", "config": {"path": "/evil"}})
    assert "a key is repeated" in refused(
        lambda: data_folder.check_backend(data, *LOCAL), data_folder.backend_file(data)
    )


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(name=st.sampled_from(sorted(S3[1])), value=_JSON)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_other_value_of_any_argument_is_accepted(data: Path, name: str, value: Any):
    config = {**S3[1], name: value}
    note = {"backend": {"type": "s3", "config": config}}
    data_folder.backend_file(data).write_text(json.dumps(note))
    if json.dumps(value, sort_keys=True) == json.dumps(S3[1][name], sort_keys=True):
        data_folder.check_backend(data, *S3)
    else:
        refused(lambda: data_folder.check_backend(data, *S3), data_folder.backend_file(data))


def test_folders_of_providers_are_refused(data: Path):
    (data / "plugin_path").write_text('["/evil"]')
    assert "providers" in refused(lambda: data_folder.check_sources(data), data / "plugin_path")


@pytest.mark.parametrize("name", ["modules/modules.json", "terraform.tfstate"])
def test_a_note_that_is_no_file_is_not_waited_for(data: Path, name: str):
    os.mkfifo(data / name)
    check = data_folder.check_sources if "modules" in name else lambda d: data_folder.check_backend(d, *S3)
    assert refused(lambda: check(data), data / name) == "cannot be read: a named pipe, not a file"


COMMANDS: dict[str, Callable[[Any, Path], object]] = {
    "init": lambda runner, plan: runner.init(),
    "validate": lambda runner, plan: runner.validate(),
    "plan": lambda runner, plan: runner.plan(plan),
    "apply": lambda runner, plan: runner.apply(plan),
    "show": lambda runner, plan: runner.show(plan),
    "output": lambda runner, plan: runner.output(),
    "state pull": lambda runner, plan: runner.state_version(),
    "get": lambda runner, plan: runner.get(),
    "providers lock": lambda runner, plan: runner.providers_lock(["linux_amd64"]),
    "force-unlock": lambda runner, plan: runner.force_unlock("x"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_follows_such_a_note(fake: Fake, tmp_path: Path, command: str):
    """Also one that is changed between two commands of one run."""
    fake.does('open(here + "/ran", "w")\nprint("{}")')
    data = fake.scratch / "terraform"
    (data / "modules").mkdir(parents=True)
    runner = fake.runner(backend=LOCAL)
    note_modules(data, [ROOT, {**TRAIL, "Dir": "../evil"}])
    with pytest.raises(ToolkitError, match="module cloudtrail would be read from"):
        COMMANDS[command](runner, tmp_path / "plan")
    note_modules(data, MODULES)
    if command != "init":
        note_backend(data, "local", {"path": "../other.tfstate"})
        with pytest.raises(ToolkitError, match="the backend's path is"):
            COMMANDS[command](runner, tmp_path / "plan")
    assert not (tmp_path / "ran").exists()
