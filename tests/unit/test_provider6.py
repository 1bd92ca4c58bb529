"""Version 6 of the provider has every resource and attribute that the modules use: checked by name, never run."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "tests" / "provider6"
FACTS: dict[str, Any] = json.loads((FOLDER / "facts.json").read_text("utf-8"))
FILES = sorted(f for f in (REPOSITORY / "modules").rglob("*.tf") if ".terraform" not in f.parts)

_spec = importlib.util.spec_from_file_location("provider6_hcl", FOLDER / "hcl.py")
assert _spec
assert _spec.loader
hcl = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(hcl)


def missing(file: Path) -> list[str]:
    """What a file names and version 6 does not have."""
    found = []
    for kind, name, line in hcl.names(file):
        known = FACTS["names"].get(kind)
        if known is None:
            found.append(f"{file}:{line}: {kind} is not in facts.json: run `python tests/provider6/record.py`")
        elif name and name not in known.split():
            found.append(f"{file}:{line}: {kind} has no {name} in {FACTS['provider']}")
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(REPOSITORY)))
def test_version_6_has_what_a_module_uses(file: Path):
    assert missing(file) == []


def test_the_facts_are_of_version_6_and_of_nothing_unused():
    assert FACTS["provider"].startswith("6.")
    used = {kind for file in FILES for kind, _, _ in hcl.names(file)}
    assert set(FACTS["names"]) == used


def test_modules_admit_both_versions():
    for file in (REPOSITORY / "modules").rglob("versions.tf"):
        assert re.search(r'version\s+= ">= 5\.100, < 7"', file.read_text("utf-8")), file


BROKEN = """resource "aws_iam_group" "this" {
  nam = "x"
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_iam_gruop" "this" {
  name = data.aws_region.current.nome
  tags = {
    anything = "goes"
  }
}
"""


def test_what_version_6_lacks_is_seen(tmp_path: Path):
    file = tmp_path / "main.tf"
    file.write_text(BROKEN)
    found = [line.removeprefix(f"{file}:") for line in missing(file)]
    assert found == [
        "2: aws_iam_group has no nam in " + FACTS["provider"],
        "8: aws_iam_gruop is not in facts.json: run `python tests/provider6/record.py`",
        f"9: data.aws_region has no nome in {FACTS['provider']}",
        "9: aws_iam_gruop is not in facts.json: run `python tests/provider6/record.py`",
        "10: aws_iam_gruop is not in facts.json: run `python tests/provider6/record.py`",
    ]
