"""Rendering many environments: as if each were rendered alone, and what is wrong with one hides no other."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from toolkit.environment.load import EnvironmentFileError
from toolkit.errors import RefusedError, ToolkitError, UsageError
from toolkit.workflows import render as rendering
from toolkit.workflows.render import render_environments

from .conftest import House

COUNT = 40
NAMES = tuple(f"e{n:02}" for n in range(COUNT))


@pytest.fixture
def many(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    shutil.rmtree(house.project.modules)
    for n, name in enumerate(NAMES):
        house.write(f"default_tags: {{Number: n{n}}}", name=name)
    monkeypatch.setattr("os.fsync", lambda _: None)
    return house


def trees(house: House) -> dict[str, bytes]:
    files = sorted((house.root / "environments").glob("*/rendered/*"))
    return {str(file.relative_to(house.root)): file.read_bytes() for file in files}


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_many_are_rendered_as_each_alone(many: House, jobs: int):
    alone = {name: render_environments(many.project, (name,), dry=True) for name in NAMES}
    checked = render_environments(many.project, NAMES, dry=True, jobs=jobs)
    assert trees(many) == {}
    found = render_environments(many.project, NAMES, dry=False, jobs=jobs)
    assert [(result,) for result in found] == list(alone.values())
    assert checked == found
    assert not any(result.changes for result in render_environments(many.project, NAMES, dry=True, jobs=jobs))
    after = trees(many)
    assert len(after) == sum(len(result.changes) for result in found)
    for result in found:
        for change in result.changes:
            assert after[f"{result.folder}/{change.name}"].decode() == change.new


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("dry", [True, False])
def test_what_is_wrong_with_one_hides_no_other(many: House, jobs: int, dry: bool):
    many.write("default_tags: 1", name="e03")
    (many.root / "environments" / "e30" / "rendered").mkdir()
    (many.root / "environments" / "e30" / "rendered" / "versions.tf").write_text("# mine\n")
    (many.root / "environments" / "e31" / "link").symlink_to("environment.yaml")
    found = {result.environment: result for result in render_environments(many.project, NAMES, dry=dry, jobs=jobs)}
    failed = {name: result.error for name, result in found.items() if result.error}
    assert list(failed) == ["e03", "e30", "e31"]
    assert isinstance(failed["e03"], EnvironmentFileError)
    assert "default_tags" in str(failed["e03"].detail)
    assert all(not found[name].changes for name in failed)
    assert all(result.changes for name, result in found.items() if name not in failed)
    written = {Path(name).parts[1] for name in trees(many)} - {"e30"}
    assert written == (set() if dry else {*NAMES} - {*failed})
    assert [f.name for f in (many.root / "environments" / "e30" / "rendered").iterdir()] == ["versions.tf"]


def test_a_defect_that_one_meets_is_its_error(many: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("TOOLKIT_DEBUG", raising=False)
    real = rendering.render

    def broken(environment: Any) -> Any:
        if environment.name == "e03":
            raise KeyError("surprise")
        return real(environment)

    monkeypatch.setattr(rendering, "render", broken)
    found = render_environments(many.project, NAMES, dry=False, jobs=1)
    assert [(r.environment, str(r.error)) for r in found if r.error] == [
        ("e03", "internal error: KeyError: 'surprise'")
    ]
    monkeypatch.setenv("TOOLKIT_DEBUG", "1")
    with pytest.raises(KeyError):
        render_environments(many.project, NAMES, dry=False, jobs=1)


def test_an_unknown_name_or_a_foreign_module_stops_all(many: House):
    with pytest.raises(UsageError, match="did you mean 'e03'"):
        render_environments(many.project, (*NAMES, "e033"), dry=False)
    (many.root / "modules" / "shared").mkdir(parents=True)
    (many.root / "modules" / "shared" / "evil.tf").write_text("")
    with pytest.raises(ToolkitError, match="does not ship"):
        render_environments(many.project, NAMES, dry=False)
    assert trees(many) == {}


def test_one_alone_raises_its_error(many: House):
    many.write("default_tags: 1", name="e03")
    with pytest.raises(EnvironmentFileError):
        render_environments(many.project, ("e03",), dry=False)
    with pytest.raises(EnvironmentFileError):
        render_environments(many.project, ("e03", "e03"), dry=False)


def test_none_is_nothing(many: House):
    assert render_environments(many.project, (), dry=False) == ()


def test_policies_that_must_not_be_sent_stop_their_environment_alone(many: House):
    text = '{organization: {service_control_policies: {own: {file: own.json, targets: ["222233334444"]}}}}'
    many.write(name="e03", components=text)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*", "X": 1}]}
    (many.root / "environments" / "e03" / "own.json").write_text(json.dumps(policy))
    found = render_environments(many.project, NAMES, dry=False)
    assert [(r.environment, type(r.error)) for r in found if r.error] == [("e03", RefusedError)]
    assert not (many.root / "environments" / "e03" / "rendered").exists()


def test_each_is_rendered_once(many: House):
    names = ("e05", "e01", "e05")
    assert [result.environment for result in render_environments(many.project, names, dry=True)] == ["e05", "e01"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_what_cannot_be_written_is_the_error_of_its_environment(many: House):
    folder = many.root / "environments" / "e03"
    folder.chmod(0o500)
    try:
        found = render_environments(many.project, NAMES, dry=False)
    finally:
        folder.chmod(0o700)
    assert [r.environment for r in found if r.error] == ["e03"]
