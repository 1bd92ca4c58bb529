"""From version 5 of the AWS provider to 6 and back: the lock file, the state, and what users read on the way.

Version 5 is the real one, version 6 has its schema alone. docs/upgrading.md describes what is tried here. What becomes
of states is between Terraform and the providers, and kept (tests/kept.py).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.kept import Kept
from toolkit.terraform.mirror import choose, cli_config

pytestmark = pytest.mark.terraform

ENVIRONMENT = """\
account_id: "123456789012"
regions: {{home: eu-central-1}}
terraform:
  aws_provider_version: "{version}"
components:
  guardduty: {{{guardduty}}}
"""
LOCK = "environments/prod/rendered/.terraform.lock.hcl"


@pytest.fixture(scope="module")
def both(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror with the real version 5 and the schema of version 6."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("TF_", "TOOLKIT_"))}
    real = choose(None, plain).mirror
    five = None if real is None else real / "registry.terraform.io" / "hashicorp" / "aws" / "5.100.0"
    if five is None or not five.is_dir():
        pytest.skip("no mirror with unpacked providers has version 5.100.0")
    folder = tmp_path_factory.mktemp("both") / "mirror"
    shutil.copytree(mirror, folder)
    versions = folder / "registry.terraform.io" / "hashicorp" / "aws"
    (versions / "5.100.0").mkdir()
    for platform in five.iterdir():
        (versions / "5.100.0" / platform.name).symlink_to(platform)
    return folder


@pytest.fixture
def project(new_project: Callable[..., Any], both: Path) -> Any:
    cli = new_project()
    cli.environ["TOOLKIT_PROVIDER_MIRROR"] = str(both)
    return cli


def write(project: Any, version: str, guardduty: str = "") -> None:
    project.write("prod", ENVIRONMENT.format(version=version, guardduty=guardduty))
    project.run("render", "prod")


def platform(both: Path) -> str:
    (found,) = (both / "registry.terraform.io" / "hashicorp" / "aws" / "6.69.1").iterdir()
    return found.name


def locked(project: Any) -> str:
    (version,) = [
        line.split('"')[1] for line in (project.root / LOCK).read_text().splitlines() if line.startswith("  version ")
    ]
    return str(version)


def test_the_lock_file_on_the_way_to_version_6_and_back(project: Any, both: Path):
    lock = ("lock", "prod", "--platform", platform(both))
    write(project, "~> 5.100")
    project.run("lock", "prod", "--upgrade", "--platform", "plan9_amd64", exits=1)
    assert not (project.root / LOCK).exists()
    project.run(*lock, "--upgrade")
    assert locked(project) == "5.100.0"
    for version, guardduty, admits, then in (
        ("~> 6.0", "ai_protection: ENABLED", ">= 5.100.0, ~> 6.0, >= 6.56.0, < 7.0.0", "6.69.1"),
        ("~> 5.100", "", ">= 5.100.0, ~> 5.100, < 7.0.0", "5.100.0"),
    ):
        before = (project.root / LOCK).read_bytes()
        was = locked(project)
        write(project, version, guardduty)
        for command in (lock, ("validate", "prod")):
            told = " ".join(project.run(*command, exits=1).stderr.split())
            assert f"hashicorp/aws {was} does not match configured version constraint {admits}; must use" in told
            assert "Run `toolkit lock` with --upgrade, which selects the newest one that they admit" in told
        # A platform that the mirror lacks: nothing is half done.
        project.run("lock", "prod", "--upgrade", "--platform", "plan9_amd64", exits=1)
        assert (project.root / LOCK).read_bytes() == before
        project.run(*lock, "--upgrade")
        assert locked(project) == then
        project.run("validate", "prod")


ROOT = """\
terraform {{
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = "{version}"
    }}
  }}
}}

provider "aws" {{
  region                      = "eu-central-1"
  access_key                  = "example"
  secret_key                  = "example"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}}

resource "aws_guardduty_detector" "this" {{
  enable = true
}}
"""
HUB = 'resource "aws_securityhub_account_v2" "this" {}\n'


PLAN = ("plan", "-refresh=false", "-input=false")
KEPT = Kept(
    "provider6_states",
    files=(
        "tests/conftest.py",
        "tests/warm.py",
        "tests/warm_client.py",
        *(f"tests/provider6/{name}" for name in ("conftest.py", "provider.py", "schema.json.gz", "test_versions.py")),
    ),
)


def runner(mirror: Path, environ: Mapping[str, str], folder: Path) -> Callable[..., tuple[int, str]]:
    """Runs Terraform in a root module of a version of the provider; AWS is never called. Gives exit code and words."""
    (root := folder / "root").mkdir(parents=True)
    plain = {k: v for k, v in environ.items() if k != "TF_CLI_CONFIG_FILE"}
    plain |= cli_config(mirror, plain, folder)

    def run(*command: str) -> tuple[int, str]:
        done = subprocess.run(
            ["terraform", *command, "-no-color"], cwd=root, env=plain, capture_output=True, text=True, check=False
        )
        return done.returncode, " ".join(f"{done.stdout} {done.stderr}".split())

    def select(version: str, more: str, *command: str) -> tuple[int, str]:
        (root / "main.tf").write_text(ROOT.format(version=version) + more)
        assert run("init", "-upgrade", "-input=false")[0] == 0
        return run(*command)

    return select


def with_what_only_version_6_has(run: Callable[..., tuple[int, str]]) -> dict[str, Any]:
    """Of a state with a type that version 5 lacks, and of the same once that is gone."""
    assert run("~> 6.0", HUB, "apply", "-auto-approve")[0] == 0
    refused, why = run("~> 5.100", "", *PLAN)
    assert run("~> 6.0", "", "apply", "-auto-approve")[0] == 0
    planned, told = run("~> 5.100", "", *PLAN)
    nothing = ("0 to add, 0 to change, 0 to destroy", "No changes")
    return {
        "refused": refused,
        "since it lacks the schema": (
            "no schema available for aws_securityhub_account_v2.this while reading state" in why
        ),
        # `region`, which version 6 wrote into the state, is dropped without a word.
        "then planned": planned,
        "nothing to do": any(words in told for words in nothing),
    }


def of_a_newer_form(run: Callable[..., tuple[int, str]], file: Path) -> dict[str, Any]:
    """Of a state whose form is newer than that of version 5."""
    assert run("~> 6.0", "", "apply", "-auto-approve")[0] == 0
    state = json.loads(file.read_text())
    state["resources"][0]["instances"][0]["schema_version"] += 1
    file.write_text(json.dumps({**state, "serial": state["serial"] + 1}))
    refused, why = run("~> 5.100", "", *PLAN)
    return {"refused": refused, "since it is newer": "Resource instance managed by newer provider version" in why}


@pytest.fixture(scope="module")
def states(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    def run() -> dict[str, Any]:
        both, environ = request.getfixturevalue("both"), request.getfixturevalue("environ")
        one, other = tmp_path_factory.mktemp("lacks"), tmp_path_factory.mktemp("newer")
        return {
            "lacks": with_what_only_version_6_has(runner(both, environ, one)),
            "newer": of_a_newer_form(runner(both, environ, other), other / "root" / "terraform.tfstate"),
        }

    return KEPT.facts(run)


def test_what_only_version_6_has_must_leave_the_state_before_version_5_can_plan(states: Any):
    assert states["lacks"] == {
        "refused": 1,
        "since it lacks the schema": True,
        "then planned": 0,
        "nothing to do": True,
    }


def test_a_state_of_a_newer_form_is_refused_by_an_older_provider(states: Any):
    """Which types have a newer form in version 6 is not known here: the bindings do not say."""
    assert states["newer"] == {"refused": 1, "since it is newer": True}
