"""A wheel built from the repository carries modules and templates, and works where there is no clone."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]


def _pythons() -> Any:
    spec = importlib.util.spec_from_file_location("pythons", REPOSITORY / "scripts" / "pythons.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PYTHONS = _pythons()
# What a version in between lacks or warns of, one of its neighbours does, too.
OTHERS = [
    pytest.param(minor, marks=() if minor in (PYTHONS.MINORS[0], PYTHONS.MINORS[-1]) else pytest.mark.soak)
    for minor in PYTHONS.MINORS
    if minor != sys.version_info.minor
]


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
    toolkit(
        "-C", "project", "new", "prod", "--account-id", "111122223333", "--region", "eu-west-1", "--profile", "minimal"
    )
    toolkit("-C", "project", "render", "prod")
    toolkit("-C", "project", "render", "--check")
    assert "valid" in toolkit("-C", "project", "validate")


# Without the embedded AWS, which is an extra: its package is not installed.
IMPORT_ALL = """\
import importlib, pkgutil, toolkit
names = [m.name for m in pkgutil.walk_packages(toolkit.__path__, "toolkit.")]
wanted = [n for n in names if not n.startswith("toolkit.sandbox") and not n.endswith("__main__")]
print(len([importlib.import_module(name) for name in wanted]))
"""


@pytest.mark.parametrize("minor", OTHERS)
def test_it_is_installed_and_runs_on_other_versions_of_python(wheel: Path, tmp_path: Path, minor: int):
    """With the newest dependencies that pip finds for that version. `make pythons` runs the unit tests there."""
    python = PYTHONS.find(minor, os.environ)
    if python is None:
        pytest.skip(PYTHONS.missing(minor))
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_", "TOOLKIT_", "PYTHON"))}
    venv = tmp_path / "venv"
    # With that version's own pip: an older one, as a virtual environment of 3.11 has it, fails on a newer Python.
    subprocess.run([python, "-m", "venv", venv], env=environ, check=True, capture_output=True)
    pip = [venv / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
    command = [*pip, "install", "-q", "--no-compile", wheel]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        if os.environ.get("CI"):
            pytest.fail(done.stderr)
        pytest.skip(f"pip could not install the wheel's dependencies for Python 3.{minor}: {done.stderr[-300:]}")

    def run(*command: str | Path) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    # A deprecated function would be gone in the next version.
    assert int(run(venv / "bin" / "python", "-W", "error", "-c", IMPORT_ALL)) > 300
    toolkit = venv / "bin" / "toolkit"
    assert run(toolkit, "--version").startswith("toolkit ")
    run(toolkit, "init", "project")
    file = tmp_path / "project" / "environments" / "complete" / "environment.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(
        (REPOSITORY / "environments" / "complete" / "environment.yaml").read_text("utf-8"), encoding="utf-8"
    )
    # Terraform is the same for all versions: test_it_works_outside_of_the_clone has its opinion.
    run(toolkit, "-C", "project", "render", "complete")
    for rendered in (REPOSITORY / "environments" / "complete" / "rendered").glob("*.tf"):
        assert (file.parent / "rendered" / rendered.name).read_text("utf-8") == rendered.read_text("utf-8")
