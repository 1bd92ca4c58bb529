"""Exact renderings: what a reviewer reads is pinned byte by byte.

After a wanted change: `UPDATE_GOLDEN=1 .venv/bin/pytest tests/golden`, and read the diff.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from toolkit.environment import AssumeRole, Credentials, Regions, S3Backend, TerraformSettings, load_environment
from toolkit.environment.model import EnvironmentFile
from toolkit.rendering.render import HEADER, PAGE_HEADER, render

REPOSITORY = Path(__file__).parents[2]
SHIPPED = sorted(p.parent.name for p in (REPOSITORY / "environments").glob("*/environment.yaml"))
EVERYTHING = Path(__file__).parent / "everything"
PROVIDER_6 = Path(__file__).parent / "provider6"
PINNED = [pytest.param(folder, id=folder.name) for folder in (EVERYTHING, PROVIDER_6)]


def rendered(folder: Path) -> dict[str, str]:
    return dict(render(load_environment(folder / "environment.yaml", name=folder.name)))


def on_disk(folder: Path) -> dict[str, str]:
    return {f.name: f.read_text("utf-8") for f in sorted((*folder.glob("*.tf"), *folder.glob("*.md")))}


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_environments_are_rendered_as_committed(name: str):
    folder = REPOSITORY / "environments" / name
    assert rendered(folder) == on_disk(folder / "rendered"), "run `toolkit render`"


def test_everything_has_every_key():
    """But `simulator`, which goes with no credentials; it is in the environment that is for it."""
    given = yaml.safe_load((EVERYTHING / "environment.yaml").read_text("utf-8"))
    assert set(given) == {*EnvironmentFile.model_fields, "components"} - {"simulator"}
    for key, model in (
        ("regions", Regions),
        ("terraform", TerraformSettings),
        ("backend", S3Backend),
        ("credentials", Credentials),
    ):
        assert set(given[key]) == set(model.model_fields), key
    assert set(given["credentials"]["assume_role"]) == set(AssumeRole.model_fields)


@pytest.mark.parametrize("folder", PINNED)
def test_every_construct_renders_as_pinned(folder: Path):
    tree = rendered(folder)
    golden = folder / "rendered"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.mkdir(exist_ok=True)
        for name, text in tree.items():
            (golden / name).write_text(text, encoding="utf-8")
    assert tree == on_disk(golden)


@pytest.mark.terraform
def test_terraform_fmt_has_nothing_to_mend(tmp_path: Path):
    for folder in (EVERYTHING, PROVIDER_6, *(REPOSITORY / "environments" / name for name in SHIPPED)):
        (tmp_path / folder.name).mkdir()
        for name, text in rendered(folder).items():
            (tmp_path / folder.name / name).write_text(text, encoding="utf-8")
    environ = {**os.environ, "TF_CLI_CONFIG_FILE": os.devnull}
    command = ["terraform", "fmt", "-check", "-diff", "-recursive", "."]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_same_bytes_in_every_process():
    code = """
import pathlib, sys
from toolkit.environment import AssumeRole, Credentials, Regions, S3Backend, TerraformSettings, load_environment
from toolkit.environment.model import EnvironmentFile
from toolkit.rendering.render import render
folder = pathlib.Path(sys.argv[1])
tree = render(load_environment(folder / "environment.yaml", name=folder.name))
sys.stdout.write(repr(sorted(tree.items())))
"""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code, str(EVERYTHING)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_every_file_says_where_it_comes_from_and_no_time():
    for name, text in rendered(EVERYTHING).items():
        first, second, *_ = text.splitlines()
        if name.endswith(".md"):
            assert first.startswith(f"{PAGE_HEADER}environments/everything/environment.yaml and templates/pages/"), name
        else:
            assert first == f"{HEADER}environments/everything/environment.yaml"
        assert "toolkit render everything" in second
        assert text.endswith("\n")
        assert "\n\n\n" not in text
        assert not any(line.endswith(" ") for line in text.splitlines()), name


def test_a_requirement_is_not_claimed_where_the_value_does_not_meet_it():
    weak = rendered(EVERYTHING)["password_policy.tf"]
    assert re.search(r"minimum_password_length +\= 8$", weak, re.M)
    assert "2.8" not in weak
    assert "2.9" in weak
