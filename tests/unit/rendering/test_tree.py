"""Rendered files on disk: what is written, deleted and left, and that nobody ever sees half of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.errors import ToolkitError
from toolkit.rendering import tree as trees
from toolkit.rendering.render import HEADER, PAGE_HEADER

OLD, NEW = f"{HEADER}x\nold\n", f"{HEADER}x\nnew\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "rendered"
    found.mkdir()
    return found


def put(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.tf").write_text(text)


def test_each_file_is_created_updated_deleted_or_left(folder: Path):
    put(folder, same=NEW, changed=OLD, gone=OLD)
    found = trees.compare({"same.tf": NEW, "changed.tf": NEW, "added.tf": NEW}, folder)
    assert [(c.name, c.action) for c in found] == [
        ("added.tf", "create"),
        ("changed.tf", "update"),
        ("gone.tf", "delete"),
    ]
    trees.write(found, folder)
    assert {f.name: f.read_text() for f in folder.iterdir()} == dict.fromkeys(
        ("same.tf", "changed.tf", "added.tf"), NEW
    )
    assert trees.compare({"same.tf": NEW, "changed.tf": NEW, "added.tf": NEW}, folder) == ()
    assert {f.stat().st_mode & 0o777 for f in folder.iterdir()} == {0o644}


def test_the_diff_is_one_that_git_applies(folder: Path):
    put(folder, changed=OLD, gone=OLD)
    created, updated, deleted = (
        c.diff("environments/x/rendered") for c in trees.compare({"added.tf": NEW, "changed.tf": NEW}, folder)
    )
    assert created.startswith("--- /dev/null\n+++ b/environments/x/rendered/added.tf\n@@ -0,0 +1,2 @@\n+")
    assert updated == (
        "--- a/environments/x/rendered/changed.tf\n+++ b/environments/x/rendered/changed.tf\n"
        f"@@ -1,2 +1,2 @@\n {HEADER}x\n-old\n+new\n"
    )
    assert deleted.startswith("--- a/environments/x/rendered/gone.tf\n+++ /dev/null\n")


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_are_part_of_a_file(folder: Path, end: str):
    """With a lone CR, the line after a comment would be part of the comment to Terraform, and not applied."""
    (folder / "a.tf").write_bytes(NEW.replace("\n", end).encode())
    trees.write(trees.compare({"a.tf": NEW}, folder), folder)
    assert (folder / "a.tf").read_bytes() == NEW.encode()


def test_nothing_that_a_person_made_is_touched(folder: Path):
    (folder / "README.md").write_text("mine")
    assert trees.compare({}, folder) == ()
    put(folder, own="mine")
    with pytest.raises(ToolkitError, match="not a generated file"):
        trees.compare({"own.tf": NEW}, folder)
    with pytest.raises(ToolkitError, match=r"that are not generated: own\.tf"):
        trees.compare({}, folder)
    assert (folder / "own.tf").read_text() == "mine"


@pytest.mark.parametrize(
    "name",
    ["own.tf", "own_override.tf", "own.tf.json", "own.tofu", "own.tofu.json", "x.auto.tfvars", "x.auto.tfvars.json",
     "terraform.tfvars", "terraform.tfvars.json"],
)  # fmt: skip
def test_what_terraform_would_load_is_named(folder: Path, name: str):
    (folder / name).write_text("mine")
    assert trees.foreign({"a.tf": NEW}, folder) == (name,)


@pytest.mark.parametrize("name", ["own.tf.json", "own.tofu", "x.auto.tfvars"])
def test_a_copied_header_makes_no_generated_file(folder: Path, name: str):
    """Rendering would not delete it, and Terraform would load it."""
    (folder / name).write_text(NEW)
    assert trees.foreign({}, folder) == (name,)


def test_what_terraform_does_not_load_is_not_named(folder: Path):
    for name in ("README.md", "own.tf.txt", ".terraform.lock.hcl", "x.tfvars", "notes.json"):
        (folder / name).write_text("mine")
    put(folder, old=OLD)
    assert trees.foreign({}, folder) == ()


def test_a_file_that_is_no_text_is_told(folder: Path):
    (folder / "a.tf").write_bytes(b"\xff\xfe")
    with pytest.raises(ToolkitError, match="cannot be read"):
        trees.compare({"a.tf": NEW}, folder)


def test_a_folder_in_the_way_is_told(folder: Path):
    (folder / "a.tf").mkdir()
    with pytest.raises(ToolkitError, match=r"cannot be read: .*a folder, not a file"):
        trees.compare({"a.tf": NEW}, folder)


def test_a_write_that_fails_leaves_whole_files(folder: Path, monkeypatch: pytest.MonkeyPatch):
    put(folder, a=OLD, b=OLD, gone=OLD)
    found = trees.compare({"a.tf": NEW, "b.tf": NEW}, folder)
    replace = Path.replace

    def full(self: Path, target: Path) -> Path:
        if Path(target).name == "b.tf":
            raise OSError(28, "No space left on device", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ToolkitError, match="cannot write: No space left on device"):
        trees.write(found, folder)
    # New content first, deletions last; no temporary file stays.
    assert {f.name: f.read_text() for f in folder.iterdir()} == {"a.tf": NEW, "b.tf": OLD, "gone.tf": OLD}


def test_no_file_is_replaced_before_all_are_on_the_disk(folder: Path, monkeypatch: pytest.MonkeyPatch):
    put(folder, a=OLD, b=OLD)
    synced: list[int] = []

    def full(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ToolkitError, match="cannot write: No space left on device") as caught:
        trees.write(trees.compare({"a.tf": NEW, "b.tf": NEW}, folder), folder)
    assert caught.value.where == str(folder / "b.tf")
    assert {f.name: f.read_text() for f in folder.iterdir()} == {"a.tf": OLD, "b.tf": OLD}


def test_the_folder_is_made(tmp_path: Path):
    folder = tmp_path / "new" / "rendered"
    trees.write(trees.compare({"a.tf": NEW}, folder), folder)
    assert (folder / "a.tf").read_text() == NEW


def test_a_file_where_the_folder_should_be_is_told(tmp_path: Path):
    (tmp_path / "rendered").write_text("mine")
    with pytest.raises(ToolkitError):
        trees.write((trees.FileChange("a.tf", None, NEW),), tmp_path / "rendered")
    assert (tmp_path / "rendered").read_text() == "mine"


def test_pages_are_written_and_deleted_like_terraform_files_and_other_peoples_are_left(folder: Path):
    old, new = f"{PAGE_HEADER}x -->\nold\n", f"{PAGE_HEADER}x -->\nnew\n"
    (folder / "gone.md").write_text(old)
    (folder / "README.md").write_text("# Ours\n")
    found = trees.compare({"page.md": new}, folder)
    assert [(c.name, c.action) for c in found] == [("gone.md", "delete"), ("page.md", "create")]
    trees.write(found, folder)
    assert {f.name for f in folder.iterdir()} == {"page.md", "README.md"}
    with pytest.raises(ToolkitError, match="not a generated file"):
        trees.compare({"README.md": new}, folder)
