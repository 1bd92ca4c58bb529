"""The tables of what was run with which version name the versions and environments that the code and the tests have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from toolkit import versions
from toolkit.aws_lists import aws_list

REPOSITORY = Path(__file__).parents[3]
TEXT = (REPOSITORY / "docs" / "not-proven.md").read_text("utf-8")


def table(heading: str) -> list[list[str]]:
    """Rows of the first table below a heading, the headings first."""
    section = TEXT.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in (lines[0], *lines[2:])]


VERSIONS, PYTHONS = "Versions of Terraform and of the AWS provider", "Versions of Python"


@pytest.mark.parametrize("heading", [VERSIONS, PYTHONS])
def test_every_cell_says_something(heading: str) -> None:
    first, *rows = table(heading)
    assert len(rows) >= 3
    assert all(len(row) == len(first) and all(row) for row in rows)


def test_the_versions_are_those_that_were_checked() -> None:
    first, *rows = table(VERSIONS)
    terraform = versions.TERRAFORM
    assert first[1:] == [f"Terraform {terraform.lowest}", f"Terraform {terraform.highest}", "OpenTofu"]
    assert {row[3] for row in rows} <= {"never run", "never"}, "then releases.py and this page say more of OpenTofu"
    named = {version for row in rows for version in re.findall(r"^Provider ([0-9.]+[0-9])", row[0])}
    assert named - {"6"} == {versions.PROVIDER.lowest, versions.PROVIDER.highest}
    newest = (REPOSITORY / "tests" / "integration" / "test_newest_terraform.py").read_text("utf-8")
    assert f'VERSION = "{terraform.highest}"' in newest
    assert aws_list("backend_regions").source == f"Terraform {terraform.lowest}"
    assert aws_list("regions").source == f"AWS provider {versions.PROVIDER.lowest}"


def test_environments_that_are_named_are_there() -> None:
    named = set(re.findall(r"`environments/(\w+)`", TEXT))
    assert named
    assert [name for name in named if not (REPOSITORY / "environments" / name).is_dir()] == []


def test_every_version_of_python_has_a_column() -> None:
    script = (REPOSITORY / "scripts" / "pythons.py").read_text("utf-8")
    (minors,) = re.findall(r"^MINORS = \((.*)\)$", script, re.M)
    assert table(PYTHONS)[0][1:] == [f"3.{minor}" for minor in minors.split(", ")]
