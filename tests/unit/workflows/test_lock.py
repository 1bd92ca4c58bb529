"""What `toolkit lock` leaves behind, and which versions it selects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import RefusedError, ToolkitError
from toolkit.terraform.runner import LOCK_FILE
from toolkit.workflows.lock import lock_providers

LOCK = """provider "registry.terraform.io/hashicorp/aws" {{
  version = "{}"
}}
"""
SELECTS = """
if arguments[0] == "init" or arguments[:2] == ["providers", "lock"]:
    # As Terraform: `providers lock` keeps the version of a file.
    file = pathlib.Path(".terraform.lock.hcl")
    if arguments[0] == "init" or not file.exists():
        file.write_text((here / "newest").read_text())
if arguments[:2] == ["providers", "lock"] and (here / "fails").exists():
    sys.exit("Error: Could not retrieve providers for locking")
"""
CHECKED, KEPT, UNCHECKED = "6.69.1", "5.100.0", "6.70.0"


@pytest.fixture
def house(house: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """One whose Terraform selects a version."""
    monkeypatch.setattr("toolkit.workflows.lock.cli_config", lambda *_, **__: {})
    terraform = house.tools / "terraform"
    terraform.write_text(terraform.read_text() + SELECTS)
    return house


def lock(house: Any, setting: str, newest: str, before: str | None, *, upgrade: bool) -> Path:
    """Run it where the lock file names `before`; returns the file."""
    house.write(f"terraform: {{unchecked_versions: {setting}}}")
    file = house.render() / LOCK_FILE
    (house.tools / "newest").write_text(LOCK.format(newest))
    if before:
        file.write_text(LOCK.format(before))
    lock_providers(house.project, "prod", ("linux_amd64",), house.access(), house, upgrade=upgrade)
    return file


def left(house: Any) -> str | None:
    file = house.root / "environments" / "prod" / "rendered" / LOCK_FILE
    return file.read_text() if file.exists() else None


@pytest.mark.parametrize("upgrade", [False, True])
@pytest.mark.parametrize("before", [None, KEPT])
def test_where_it_fails_the_file_is_as_it_was(house: Any, before: str | None, upgrade: bool):
    (house.tools / "fails").touch()
    with pytest.raises(ToolkitError, match="Could not retrieve providers"):
        lock(house, "refuse", CHECKED, before, upgrade=upgrade)
    assert left(house) == (before and LOCK.format(before))


SELECTED = [(None, False), (None, True), (KEPT, True)]
"""What the file names before, and whether --upgrade is given, where the newest version gets selected."""


@pytest.mark.parametrize(("before", "upgrade"), SELECTED)
def test_an_unchecked_provider_is_refused_and_does_not_stay_selected(house: Any, before: str | None, upgrade: bool):
    with pytest.raises(RefusedError, match=r"The AWS provider 6\.70\.0 is newer than what was checked") as caught:
        lock(house, "refuse", UNCHECKED, before, upgrade=upgrade)
    assert str(caught.value.where).startswith("environments/prod/environment.yaml:")
    assert left(house) == (before and LOCK.format(before))


@pytest.mark.parametrize(("before", "upgrade"), SELECTED)
def test_it_is_warned_of_once(house: Any, before: str | None, upgrade: bool):
    assert lock(house, "warn", UNCHECKED, before, upgrade=upgrade).read_text() == LOCK.format(UNCHECKED)
    (warning,) = house.warnings
    assert warning.startswith("the AWS provider 6.70.0 is newer")


def test_a_kept_version_is_heeded_before_every_platform_is_fetched(house: Any):
    with pytest.raises(RefusedError):
        lock(house, "refuse", UNCHECKED, UNCHECKED, upgrade=False)
    assert house.commands == ["get"]
    assert left(house) == LOCK.format(UNCHECKED)


@pytest.mark.parametrize("upgrade", [False, True])
def test_an_unchecked_terraform_selects_nothing(house: Any, upgrade: bool):
    (house.tools / "version").write_text("1.16.1")
    with pytest.raises(RefusedError, match=r"Terraform 1\.16\.1 is newer"):
        lock(house, "refuse", CHECKED, None, upgrade=upgrade)
    assert house.commands == []
    assert lock(house, "warn", CHECKED, None, upgrade=upgrade).exists()
    (warning,) = house.warnings
    assert warning.startswith("Terraform 1.16.1 is newer")


@pytest.mark.parametrize(("before", "upgrade"), SELECTED)
def test_a_checked_version_is_selected_in_silence(house: Any, before: str | None, upgrade: bool):
    assert lock(house, "refuse", CHECKED, before, upgrade=upgrade).read_text() == LOCK.format(CHECKED)
    assert house.warnings == []
