"""A provider that Terraform has just verified is not read whole again, and any other is."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from toolkit.errors import ToolkitError

from .conftest import Fake

PROVIDER = """\
provider "registry.terraform.io/hashicorp/{name}" {{
  version     = "1.0.0"
  constraints = "~> 1.0"
"""
CHECKSUMS = """\
  hashes = [
    "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "zh:0000000000000000000000000000000000000000000000000000000000000000",
  ]
"""
LOCK = '# This file is maintained automatically by "terraform init".\n\n' + "\n".join(
    PROVIDER.format(name=name) + CHECKSUMS + "}\n" for name in ("aws", "time")
)
SHOW = """
import json
if command == "plan":
    open(sys.argv[-1][5:], "w")
    if os.path.exists("fails"):
        sys.exit(1)
else:
    lock = ".terraform.lock.hcl"
    print(json.dumps({"cwd": os.getcwd(), "lock": open(lock).read() if os.path.exists(lock) else None}))
"""


class Root:
    """A root whose providers are links into a mirror, as `init` leaves them."""

    def __init__(self, fake: Fake) -> None:
        fake.does(SHOW)
        self.runner = fake.runner()
        self.folder = fake.root
        self.lock = fake.root / ".terraform.lock.hcl"
        self.lock.write_text(LOCK)
        self.plan = fake.folder / "own" / "plan.tfplan"
        self.plan.parent.mkdir()
        self.mirror = fake.folder / "mirror"
        self.links = []
        for name in ("aws", "time"):
            package = self.mirror / name
            package.mkdir(parents=True)
            (package / "provider").write_text("#!verified")
            link = fake.scratch / "terraform/providers/registry.terraform.io/hashicorp" / name / "1.0.0/linux_amd64"
            link.parent.mkdir(parents=True)
            link.symlink_to(package)
            self.links.append(link)

    def show(self) -> dict[str, str | None]:
        return self.runner.show(self.plan)


@pytest.fixture
def root(fake: Fake) -> Root:
    return Root(fake)


def test_the_same_packages_are_not_verified_twice(root: Root):
    root.runner.plan(root.plan)
    for _ in range(2):
        shown = root.show()

        assert shown["cwd"] != str(root.folder)
        assert shown["lock"] == LOCK.replace(CHECKSUMS, "")
    assert [f.name for f in root.plan.parent.iterdir()] == ["plan.tfplan"], "the folder of its own is gone"
    assert root.lock.read_text() == LOCK


def test_the_state_is_shown_where_it_is(root: Root):
    root.runner.plan(root.plan)
    assert root.runner.show(None)["cwd"] == str(root.folder)


def same_size_and_time(root: Root) -> None:
    file = root.mirror / "aws" / "provider"
    before = file.stat()
    file.write_text("#!replaced")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def another_file_in_its_place(root: Root) -> None:
    other = root.mirror / "other"
    other.write_text("#!replaced")
    other.replace(root.mirror / "aws" / "provider")


def one_more_file(root: Root) -> None:
    (root.mirror / "time" / "more").touch()


def one_file_less(root: Root) -> None:
    (root.mirror / "time" / "provider").unlink()


def another_package(root: Root) -> None:
    (root.mirror / "other").mkdir()
    (root.mirror / "other" / "provider").write_text("#!verified")
    root.links[0].unlink()
    root.links[0].symlink_to(root.mirror / "other")


def no_package(root: Root) -> None:
    root.links[1].unlink()


def a_dangling_link(root: Root) -> None:
    (root.mirror / "time").rename(root.mirror / "gone")


def another_lock(root: Root) -> None:
    root.lock.write_text(LOCK.replace("h1:AA", "h1:AB"))


def no_lock(root: Root) -> None:
    root.lock.unlink()


@pytest.mark.parametrize(
    "change",
    [
        same_size_and_time,
        another_file_in_its_place,
        one_more_file,
        one_file_less,
        another_package,
        no_package,
        a_dangling_link,
        another_lock,
        no_lock,
    ],
)
def test_whatever_changes_after_the_plan_is_verified_again(root: Root, change: Callable[[Root], None]):
    root.runner.plan(root.plan)
    change(root)
    shown = root.show()

    assert shown["cwd"] == str(root.folder)
    assert shown["lock"] == (root.lock.read_text() if root.lock.exists() else None)


@pytest.mark.parametrize(
    "lock",
    [
        pytest.param(LOCK.replace(CHECKSUMS, "", 1), id="one provider without checksums"),
        pytest.param(LOCK.replace(CHECKSUMS, ""), id="none with checksums"),
        pytest.param(LOCK.replace(CHECKSUMS, "  hashes = []\n"), id="empty lists"),
        pytest.param(LOCK.replace("\n", "\r\n"), id="another form than Terraform's own"),
    ],
)
def test_a_lock_file_that_may_not_have_been_used_is_left_to_terraform(root: Root, lock: str):
    root.lock.write_bytes(lock.encode())
    root.runner.plan(root.plan)
    assert root.show()["cwd"] == str(root.folder)


def test_a_plan_of_somebody_else_is_verified(root: Root):
    assert root.show()["cwd"] == str(root.folder)


def test_a_plan_that_failed_verifies_nothing(root: Root):
    (root.folder / "fails").touch()
    with pytest.raises(ToolkitError):
        root.runner.plan(root.plan)
    assert root.show()["cwd"] == str(root.folder)
