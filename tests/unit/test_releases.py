"""Releases of Terraform with a known fault: one list, which the binary's check, doctor and the constraint read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from toolkit.environment.model import TerraformSettings
from toolkit.releases import EXCLUDED, KNOWN_BAD, KnownBad, known_bad
from toolkit.workflows.doctor import examine


@pytest.mark.parametrize("bad", KNOWN_BAD, ids=lambda bad: bad.versions[0])
def test_every_fault_has_a_source_and_a_way_out(bad: KnownBad) -> None:
    assert re.fullmatch(r"https://github\.com/hashicorp/terraform/(issues|pull)/[0-9]+", bad.source)
    assert all(re.fullmatch(r"1\.[0-9]+\.[0-9]+", version) for version in bad.versions)
    assert bad.effect[0].islower()
    assert not bad.effect.endswith(".")
    assert "or newer" in bad.instead or "a newer one" in bad.instead
    assert all(known_bad(f"{version}-rc1") is bad for version in bad.versions)


def test_no_release_has_two_entries() -> None:
    named = [version for bad in KNOWN_BAD for version in bad.versions]
    assert len(named) == len(set(named))
    assert known_bad("1.11.4") is None
    assert known_bad("1.15.5") is None


@pytest.mark.parametrize("bad", KNOWN_BAD, ids=lambda bad: bad.versions[0])
def test_doctor_names_it(bad: KnownBad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "terraform"
    file.write_text(f"#!/bin/sh\necho 'Terraform v{bad.versions[0]}'\n", encoding="utf-8")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (found,) = [one for one in examine(tmp_path, None, None) if one.check == "terraform"]
    assert found.result == ("fail" if bad.refused else "note")
    assert bad.effect in found.found
    assert bad.source in found.found
    assert bad.instead in str(found.hint)
    assert (f"!= {bad.versions[0]}" in TerraformSettings().required_version) == bad.refused


def test_the_schema_s_default_excludes_them() -> None:
    schema = json.loads((Path(__file__).parents[2] / "environments" / "environment.schema.json").read_text("utf-8"))
    assert EXCLUDED in json.dumps(schema)
