"""GitHub's scripts with real Terraform on the embedded AWS: each job has the repository and artifacts, nothing else."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.workflows.pipeline_runner import Runner, jobs_of
from tests.warm import Warm

pytestmark = [pytest.mark.simulator, pytest.mark.terraform]

ENVIRONMENT = """\
account_id: "123456789012"
regions: {home: eu-central-1}
backend: {type: s3, bucket: acme-state-123456789012, region: eu-central-1}
components:
  password_policy: {}
"""
DEPLOYS = "github.event_name != 'pull_request' && github.ref == 'refs/heads/main'"
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
FAILED = "${{ !cancelled() && steps.apply.outcome == 'failure' }}"


class _OnePlace(Runner):
    """A new machine is the same folder as the repository has it: the embedded AWS serves one project alone."""

    def __init__(self, tmp: Path, project: Path, warm: Warm) -> None:
        super().__init__(tmp, project, {}, warm)
        self._committed = tmp / "committed"
        shutil.copytree(project, self._committed, ignore=shutil.ignore_patterns(".toolkit", ".terraform*"))

    def machine(self, *, checkout: bool = True) -> Path:
        for path in self.project.iterdir():
            if path.name != ".toolkit":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self._committed, self.project, dirs_exist_ok=True)
        return self.project


def test_the_plan_of_one_job_is_applied_by_another_and_a_stale_one_is_not(
    new_project: Callable[..., Any], tmp_path: Path
):
    cli = new_project()
    cli.write("prod", ENVIRONMENT)
    cli.run("sandbox", "up", "--account-id", "123456789012")
    cli.run("bootstrap", "prod", "--sandbox", "--auto-approve")
    cli.run("pipeline", "github")
    cli.run("render", "prod")
    runner = _OnePlace(tmp_path, cli.root, cli.warm)
    own = Path(sys.executable).parent / "toolkit"
    runner.stand_in("toolkit", f'case $1 in plan|apply) set -- "$@" --sandbox ;; esac\nexec {own} "$@"\n')
    runner.stand_in("gh", f"echo {40 * '0'}")
    jobs = jobs_of(cli.root / ".github/workflows/baseline.yml")
    entry = json.loads(cli.run("matrix").stdout)["include"][0]
    says = {f"matrix.{name}": value for name, value in entry.items()} | {
        f"{DEPLOYS} && secrets.TOOLKIT_BUNDLE_KEY || ''": KEY,
        "secrets.TOOLKIT_BUNDLE_KEY": KEY,
        "github.token": "t",
        "inputs.environments": "",
        "vars.AWS_ROLE_ARN": "role",
    }
    when = {f"${{{{ !cancelled() && {DEPLOYS} }}}}": True, DEPLOYS: True, FAILED: True}
    planned = runner.github(jobs["plan"], says, when)
    assert planned.code == 0, planned.log
    changed = runner.github(jobs["changed"], says)
    (ready,) = json.loads(changed.outputs["changed"]["wave-1"])["include"]
    applying = says | {f"matrix.{name}": value for name, value in ready.items()}
    applied = runner.github(jobs["apply-1"], applying, when)
    assert applied.code == 0, applied.log
    assert json.loads((applied.folder.parent / "apply.json").read_text())["completed"]
    # The same bundle again: the state has moved on since it was planned.
    stale = runner.github(jobs["apply-1"], applying, when)
    assert stale.code == 7, stale.log
    assert "the plan of prod was stale and is not applied: it is planned again" in stale.log
    assert (runner.artifacts / "stale-prod" / "prod").exists()
