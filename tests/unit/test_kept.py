"""A kept story is believed only as long as nothing differs that it rests on (tests/kept.py)."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import kept
from tests.kept import ROOT, Kept

NOT_HASHED = {
    "adoption": "no kept story adopts anything",
    "audit": "judges what was read: tests/unit/audit; a story about audits names it",
    "aws": "reads accounts: tests/unit/aws, and test_main_job; a story about readings names it",
    "cli": "reads options and prints: test_main_job runs the same commands each time",
    "environment": "ends in what is rendered, which has a digest",
    "evidence": "packs what an audit read; a story about evidence names it",
    "fleet": "no kept story is about many environments",
    "permissions": "names the actions that Terraform needs: the embedded AWS allows all",
    "rendering": "ends in what is rendered, which has a digest",
    "reports": "formats: stories read JSON, which has a schema",
    "snapshots": "no kept story reads one",
    "terraform": "starts Terraform and reads what it says: test_main_job and test_runner do so each time",
    "workflows": "bring the parts together, in test_main_job each time; a story names those that decide what it finds",
}
"""Folder of the toolkit → why a story that runs its commands may rest on nothing in it."""
FILES = sorted(
    str(file.relative_to(ROOT))
    for file in (ROOT / "tests").rglob("*.py")
    if "from tests.kept import" in file.read_text("utf-8") and file != Path(__file__)
)
RECORDS = ROOT / "tests" / "kept"
TREE = {
    "modules/trail/main.tf": "resource {}",
    "modules/trail/policies/new_kind.json": "{}",
    "modules/trail/README.md": "# Trail",
    "modules/trail/.terraform/providers/x": "x",
    "requirements/dev.txt": "moto==5.2.5 \\\n    --hash=sha256:0\nannotated_types==1\n",
    "tests/test_story.py": "",
    "toolkit/errors.py": "",
    "toolkit/cli/main.py": "from toolkit.plan import x",
    "toolkit/plan/__init__.py": "",
    "toolkit/plan/model.py": "from toolkit.iam.words import x\nif x:\n    from toolkit import (\n        lists)\n",
    "toolkit/iam/words.py": "",
    "toolkit/iam/words.json": "[]",
    "toolkit/lists/regions.json": "[]",
    "toolkit/sandbox/patches/s3.py": "",
}


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """Of a small tree, where every version is known."""
    for name, text in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    for name in ("UPDATE_APPLIED", "RUN_KEPT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(kept, "versions", lambda _: "1.11.4")
    return Kept(
        "story",
        files=("modules", "tests/test_story.py"),
        without=("README.md",),
        toolkit=("plan", "sandbox"),
        more=lambda: {"rendered": (tmp_path / "rendered").read_text() if (tmp_path / "rendered").exists() else ""},
        root=tmp_path,
    )


def touch(story: Kept, name: str) -> None:
    (story.root / name).parent.mkdir(parents=True, exist_ok=True)
    with (story.root / name).open("a") as file:
        file.write(" ")


@pytest.mark.parametrize(
    "name",
    [
        "modules/trail/main.tf",
        "modules/trail/policies/new_kind.json",
        "modules/trail/new.tf",
        "modules/new/main.tf",
        "tests/test_story.py",
        "toolkit/errors.py",
        "toolkit/new.py",
        "toolkit/plan/model.py",
        "toolkit/plan/new.py",
        "toolkit/iam/words.py",
        "toolkit/iam/words.json",
        "toolkit/lists/regions.json",
        "toolkit/sandbox/patches/s3.py",
        "toolkit/sandbox/patches/new.py",
        "rendered",
    ],
)
def test_it_is_told_again_after_a_change_in_what_it_rests_on(story: Kept, name: str):
    before = story.digests()
    touch(story, name)
    after = story.digests()
    assert before is not None
    assert after is not None
    assert after != before


def test_renaming_deleting_and_moving_text_between_files_are_changes(story: Kept):
    seen = [story.digests()]
    main = story.root / "modules/trail/main.tf"
    other = main.with_name("other.tf")
    main.rename(other)
    seen.append(story.digests())
    main.write_text("resource")
    other.write_text(" {}")
    seen.append(story.digests())
    main.unlink()
    seen.append(story.digests())
    # A content may look like the next file's.
    other.write_text("a\ntrail/other2.tf \nb")
    seen.append(story.digests())
    other.write_text("a")
    other.with_name("other2.tf").write_text("b")
    seen.append(story.digests())
    assert all(one not in seen[:index] for index, one in enumerate(seen))
    (story.root / "tests/test_story.py").unlink()
    with pytest.raises(FileNotFoundError):
        story.digests()


@pytest.mark.parametrize(
    "name",
    ["modules/trail/README.md", "modules/trail/.terraform/x", "toolkit/plan/__pycache__/x.pyc", "toolkit/cli/main.py"],
)
def test_it_is_not_told_again_for_what_it_does_not_rest_on(story: Kept, name: str):
    before = story.digests()
    touch(story, name)
    assert story.digests() == before


def test_versions_are_those_of_every_program_and_package(story: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    aws = tmp_path / "mirror" / "registry.terraform.io" / "hashicorp" / "aws"
    (aws / "5.100.0").mkdir(parents=True)
    installed = {"moto": "5.2.5", "annotated-types": "1"}
    terraform = ["1.11.4"]

    def found() -> Iterator[SimpleNamespace]:
        return (SimpleNamespace(metadata={"Name": name}, version=version) for name, version in installed.items())

    told = lambda *_, **__: SimpleNamespace(stdout=json.dumps({"terraform_version": terraform[0]}))  # noqa: E731
    monkeypatch.setattr(kept, "choose", lambda *_: SimpleNamespace(mirror=tmp_path / "mirror"))
    monkeypatch.setattr(kept.shutil, "which", lambda _: "terraform")
    monkeypatch.setattr(kept.metadata, "distributions", found)
    monkeypatch.setattr(kept.subprocess, "run", told)
    seen = [kept.versions(tmp_path)]
    assert {"1.11.4", "5.100.0", "moto 5.2.5", "annotated_types 1"} <= set(str(seen[0]).splitlines())
    installed["moto"] = "5.2.6"
    seen.append(kept.versions(tmp_path))
    terraform[0] = "1.11.5"
    seen.append(kept.versions(tmp_path))
    (aws / "5.101.0").mkdir()
    seen.append(kept.versions(tmp_path))
    del installed["moto"]
    seen.append(kept.versions(tmp_path))
    monkeypatch.setenv("NEWEST_TERRAFORM", "1")
    seen.append(kept.versions(tmp_path))
    assert len(set(seen)) == len(seen)
    monkeypatch.setattr(kept, "choose", lambda *_: SimpleNamespace(mirror=None))
    assert kept.versions(tmp_path) is None


def telling(*facts: Any) -> tuple[Callable[[], Any], list[Any]]:
    """A story that finds these facts, one each time, and what it has found so far."""
    told: list[Any] = []

    def run() -> Any:
        told.append(facts[len(told)])
        return told[-1]

    return run, told


def test_facts_are_kept_until_something_differs(story: Kept, monkeypatch: pytest.MonkeyPatch):
    run, told = telling({"n": 1}, {"n": 2}, {"n": 3}, {"n": 4})
    with pytest.warns(UserWarning, match="renew it: make kept"):
        assert story.facts(run) == {"n": 1}  # there is no record
    monkeypatch.setenv("UPDATE_APPLIED", "1")
    assert story.facts(run) == {"n": 2}
    assert story.facts(run) == {"n": 2}
    monkeypatch.delenv("UPDATE_APPLIED")
    assert story.facts(run) == {"n": 2}
    assert len(told) == 2
    touch(story, "modules/trail/main.tf")
    with pytest.warns(UserWarning, match=re.escape("story.json is of another modules;")):
        assert story.facts(run) == {"n": 3}
    monkeypatch.setattr(kept, "versions", lambda _: None)
    assert story.facts(run) == {"n": 4}  # with an unknown provider, nothing is believed


def test_a_story_that_finds_something_else_rests_on_more_than_has_a_digest(
    story: Kept, monkeypatch: pytest.MonkeyPatch
):
    run, told = telling({"n": 1}, {"n": 1}, {"n": 2}, {"n": 2})
    monkeypatch.setenv("UPDATE_APPLIED", "1")
    story.facts(run)
    monkeypatch.delenv("UPDATE_APPLIED")
    monkeypatch.setenv("RUN_KEPT", "1")
    assert story.facts(run) == {"n": 1}
    with pytest.raises(AssertionError, match="other facts, and no digest differs"):
        story.facts(run)
    assert len(told) == 3


def test_a_record_that_was_put_together_from_two_is_not_believed(story: Kept, monkeypatch: pytest.MonkeyPatch):
    """As git merges a branch that changed a module with one that changed the test: no run had both."""
    monkeypatch.setenv("UPDATE_APPLIED", "1")
    story.facts(lambda: {"n": 1})
    first = json.loads(story.record.read_text())
    touch(story, "tests/test_story.py")
    story.facts(lambda: {"n": 1})
    monkeypatch.delenv("UPDATE_APPLIED")
    second = json.loads(story.record.read_text())
    touch(story, "modules/trail/main.tf")
    merged = {**second["digests"], "modules": (story.digests() or {})["modules"]}
    assert merged == story.digests()
    for seal in (first["seal"], second["seal"]):
        story.record.write_text(json.dumps({**second, "digests": merged, "seal": seal}))
        with pytest.warns(UserWarning, match="renew it"):
            assert story.facts(lambda: {"n": 2}) == {"n": 2}


def test_nothing_is_kept_of_a_tree_that_changed_meanwhile(story: Kept, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("UPDATE_APPLIED", "1")
    with pytest.raises(AssertionError, match="something changed while the story ran"):
        story.facts(lambda: touch(story, "modules/trail/main.tf") or {"n": 1})
    assert not story.record.exists()


def test_what_a_part_of_a_story_finds_or_one_that_failed_is_not_kept(story: Kept, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("UPDATE_APPLIED", "1")
    with pytest.warns(UserWarning):
        story.facts(lambda: {"exit": 0}, whole=False)
        assert story.facts(lambda: {"exit": 1}) == {"exit": 1}
    assert not story.record.exists()


def stories() -> dict[str, dict[str, Kept]]:
    """File → its stories by name."""
    found = {}
    for file in FILES:
        module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
        own = [one for one in vars(module).values() if isinstance(one, Kept)]
        found[file] = {one.record.stem: one for one in own}
    return found


def helpers(file: str) -> set[str]:
    """Files of the repository, but for the toolkit and this mechanism, that a file imports, and those that they do."""
    found: set[str] = set()
    for line in re.finditer(
        r"^from ((?:tests|bench|scripts)[\w.]*|\.[\w.]*) import ([\w, ]+)", (ROOT / file).read_text(), re.M
    ):
        start = Path(file).parent if line[1].startswith(".") else Path()
        folder = start.joinpath(*line[1].strip(".").split("."))
        names = [folder, *(folder / name for name in re.findall(r"\w+", line[2]))]
        found |= {f"{name}.py" for name in names if (ROOT / f"{name}.py").is_file()}
    found -= {"tests/kept.py"}
    return found | {inner for name in found for inner in helpers(name)}


def test_each_story_rests_on_its_test_with_all_helpers_and_is_renewed_and_run_with_the_others():
    listed = subprocess.run(["make", "-n", "kept"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for file, own in stories().items():
        assert own, file
        assert any(file.startswith(name) for name in listed.split()), f"{file} is missing in KEPT of the Makefile"
        for name, one in own.items():
            assert {file, "tests/conftest.py", *helpers(file)} <= set(one.files), name
    names = [name for own in stories().values() for name in own]
    assert sorted(names) == sorted(file.stem for file in RECORDS.iterdir())


def test_each_folder_of_the_toolkit_has_a_digest_or_a_reason():
    folders = {folder.name for folder in (ROOT / "toolkit").iterdir() if any(folder.glob("*.py"))}
    assert NOT_HASHED.keys() <= folders
    for own in stories().values():
        for name, one in own.items():
            if "modules" in one.files and one.toolkit not in ((), ("sandbox",)):
                hashed = set(one.imported())
                assert folders - hashed <= NOT_HASHED.keys(), name
