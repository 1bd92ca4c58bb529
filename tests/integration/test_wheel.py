"""A wheel built from the repository carries modules and templates, and works where there is no clone."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "pip", "-qq", "wheel", "--no-deps", "--no-build-isolation", "-w", folder, REPOSITORY],
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_it_carries_what_it_needs(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "toolkit/_data/modules/cloudtrail/main.tf",
        "toolkit/_data/templates/components/cloudtrail.tf.j2",
        "toolkit/_data/templates/project/environment.yaml.j2",
        "toolkit/controls/framework_ids.json",
        "toolkit/controls/texts.json",
        "toolkit/plan/settings.json",
        "toolkit/py.typed",
    ):
        assert needed in names
    assert not any(n.startswith(("tests/", "environments/")) or "tftest" in n for n in names)


@pytest.mark.terraform
def test_it_works_outside_of_the_clone(wheel: Path, tmp_path: Path):
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    # The dependencies of this interpreter, but the toolkit of the wheel: its folder comes first.
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_", "TOOLKIT_"))}
    environ["PYTHONPATH"] = str(site)

    def toolkit(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "toolkit", *arguments],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    code = "import toolkit; print(toolkit.__file__)"
    where = subprocess.run(
        [sys.executable, "-c", code], env=environ, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert where.stdout.startswith(str(site))
    toolkit("init", "project")
    toolkit("-C", "project", "new", "prod", "--account-id", "111122223333", "--region", "eu-west-1")
    toolkit("-C", "project", "render", "prod")
    toolkit("-C", "project", "render", "--check")
    assert "valid" in toolkit("-C", "project", "validate")
